"""Whole stories in real browsers against the real server, each in a clinic of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from tests.support.browsers import Browsers, Engine
from tests.support.people import PATIENCE, Person
from tests.support.visits import Invitation, OwnClinic, open_clinic

HERE = Path(__file__).parent
STORY_WITHIN = 120.0  # seconds; a story that takes longer has got stuck

OpenClinic = Callable[..., Awaitable[OwnClinic]]
Arrive = Callable[..., Awaitable[Any]]


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


@pytest_asyncio.fixture(loop_scope="session")
async def browsers(every_browser: Browsers) -> AsyncIterator[Browsers]:
    yield every_browser
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
    return await opens_clinic()


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
