"""Whole stories in real browsers against the real server, each in a clinic of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from rooms.policy import EdgePolicy
from server.app import Policies
from tests.support.browsers import Browsers, Engine
from tests.support.home import Home, home_network
from tests.support.light_client import LightClient
from tests.support.network import Network, road_to
from tests.support.people import PATIENCE, Person
from tests.support.ports import free_port
from tests.support.server_process import ServerProcess, server_process
from tests.support.softphone import Softphone
from tests.support.visits import ROSAS_PHONE, Invitation, OwnClinic, open_clinic, trunk_settings
from tests.support.voices import ROSA_BY_PHONE

# A page that is gone is noticed within seconds here; waiting longer for it proves nothing more.
NOTICES_SOON = Policies(edge=EdgePolicy(ping_every=1, ping_answer_within=3))
HERE = Path(__file__).parent
STORY_WITHIN = 120.0  # seconds; a story that takes longer has got stuck

FAILED = pytest.StashKey[bool]()

OpenClinic = Callable[..., Awaitable[OwnClinic]]
Arrive = Callable[..., Awaitable[Any]]
LightArrive = Callable[[Invitation], Awaitable[LightClient]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all stories, because the browsers live as long as the test run."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(STORY_WITHIN), append=False)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def every_browser() -> AsyncIterator[Browsers]:
    expect.set_options(timeout=PATIENCE * 1000)
    async with async_playwright() as playwright:
        browsers = Browsers(playwright)
        yield browsers
        await browsers.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let fixtures know whether their story went well."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest_asyncio.fixture(loop_scope="session")
async def browsers(
    every_browser: Browsers, request: pytest.FixtureRequest
) -> AsyncIterator[Browsers]:
    yield every_browser
    if request.node.stash.get(FAILED, False):
        print(await every_browser.what_everybody_sees())  # noqa: T201 - beside the failure
    await every_browser.close_contexts()


@pytest_asyncio.fixture(loop_scope="session")
async def opens_clinic(tmp_path: Path) -> AsyncIterator[OpenClinic]:
    """Opens a clinic with other policies or settings than the usual ones."""
    async with AsyncExitStack() as stack:

        async def opens(*policies: Any, **settings: Any) -> OwnClinic:
            return await stack.enter_async_context(open_clinic(tmp_path, *policies, **settings))

        yield opens


@pytest_asyncio.fixture(loop_scope="session")
async def clinic(opens_clinic: OpenClinic) -> OwnClinic:
    return await opens_clinic(NOTICES_SOON)


@pytest_asyncio.fixture(loop_scope="session")
async def phone() -> AsyncIterator[Softphone]:
    """The patient's telephone, which says a tone as soon as it is answered."""
    async with Softphone(number=ROSAS_PHONE, tone=ROSA_BY_PHONE, srtp=True) as phone:
        yield phone


@pytest_asyncio.fixture(loop_scope="session")
async def calling_clinic(opens_clinic: OpenClinic, phone: Softphone) -> OpenClinic:
    """Opens a clinic that reaches the patient's telephone."""
    return partial(opens_clinic, **trunk_settings(phone.port))


@pytest_asyncio.fixture(loop_scope="session")
async def home() -> AsyncIterator[Home]:
    """The patient's own network, for a clinic that is opened with ``home.settings``."""
    async with home_network(free_port(), free_port()) as home:
        yield home


@pytest_asyncio.fixture(loop_scope="session")
async def killable(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A server in a process of its own."""
    async with server_process(tmp_path) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def network(clinic: OwnClinic) -> AsyncIterator[Network]:
    """A road to the clinic's media port, for one person's browser."""
    async with road_to(clinic.media_port) as network:
        yield network


@pytest_asyncio.fixture(loop_scope="session")
async def light() -> AsyncIterator[LightArrive]:
    """Somebody with this link who needs no browser."""
    async with AsyncExitStack() as stack:
        # Without a cookie jar each of them is a device of its own.
        http = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )

        async def arrives(invitation: Invitation) -> LightClient:
            return await stack.enter_async_context(LightClient(http, invitation.link))

        yield arrives


@pytest.fixture
def somebody(browsers: Browsers) -> Arrive:
    """A person of this kind with this invitation, in a browser of their own."""
    return partial(_somebody, browsers)


async def _somebody(
    browsers: Browsers,
    kind: type[Person],
    invitation: Invitation,
    engine: Engine = Engine.CHROMIUM,
    **options: Any,
) -> Person:
    return kind(await browsers.page(engine, **options), invitation)
