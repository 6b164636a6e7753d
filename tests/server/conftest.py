"""A running server, a practice on it, and as many browsers as the story needs."""

import asyncio

import pytest

from tests.support.callers import rehearsal
from tests.support.page_clients import Browser
from tests.support.server_clients import running_server


@pytest.fixture
async def server(tmp_path):
    async with running_server(tmp_path) as running:
        yield running


@pytest.fixture
async def practice(server):
    return await server.practice()


@pytest.fixture
async def browser(server):
    """``browser()`` is a new browser, with no cookies."""
    opened = []

    def new(of=None):
        opened.append(Browser(of or server))
        return opened[-1]

    yield new
    await asyncio.gather(*(one.close() for one in opened))


@pytest.fixture
async def rehearsed(tmp_path):
    """A server whose telephones follow scripts."""
    async with rehearsal(tmp_path) as running:
        yield running


@pytest.fixture
async def opened():
    """``opened(server)`` is a new browser at that server."""
    browsers = []

    def new(server):
        browsers.append(Browser(server))
        return browsers[-1]

    yield new
    await asyncio.gather(*(one.close() for one in browsers))


@pytest.fixture
def people(browser):
    """``await people(visit, "patient", …)``: the pages of these roles, each in its own browser."""

    async def arrive(visit, *roles):
        return [await browser().opens(getattr(visit, role).code) for role in roles]

    return arrive


@pytest.fixture
def meeting(people):
    """``await meeting(visit)``: provider and patient are present."""

    async def meet(visit):
        provider, patient = await people(visit, "provider", "patient")
        await (await provider.knocks()).enters()
        await patient.knocks()
        await provider.until(lambda view: view["waiting"])
        await provider.does("seat:admit", {"seat": visit.patient.seat})
        await patient.enters()
        return provider, patient

    return meet


@pytest.fixture
async def guest():
    """``guest()`` is somebody's browser, which goes where the replies of nodes lead it."""
    browsers = []

    def arrives():
        browsers.append(Browser(None))
        return browsers[-1]

    yield arrives
    await asyncio.gather(*(browser.close() for browser in browsers))
