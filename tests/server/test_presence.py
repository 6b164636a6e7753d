"""What is stored of who is connected follows what is connected, whatever the store does."""

import asyncio

import pytest

from rooms.errors import SeatDenied
from rooms.events import SessionOpened
from server.presence import Presence
from server.store import StoreUnavailable, VersionConflict
from tests.support.server_clients import QUICK
from tests.support.store_trouble import locked_store

KEY = ("visit-1", "seat-1", "device-1")


class Keeper:
    """Stores what it is told, unless it is told not to."""

    def __init__(self):
        self.online = []
        self.fails = []
        self.settled = asyncio.Event()

    async def submit(self, _visit, event):
        await asyncio.sleep(0)
        if self.fails:
            raise self.fails.pop(0)
        self.online.append(isinstance(event, SessionOpened))
        self.settled.set()


@pytest.fixture
async def stage():
    keeper, refused = Keeper(), []

    async def told(key, code):
        refused.append((key, code))

    presence = Presence(keeper, QUICK, told)
    yield keeper, presence, refused
    await presence.close()


async def until(holds):
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - a fake of fifteen lines has nothing to wait on
            await asyncio.sleep(0.005)


async def test_coming_and_going_is_stored(stage):
    keeper, presence, _ = stage
    presence.set(KEY, online=True)
    await until(lambda: keeper.online == [True])
    presence.set(KEY, online=False)
    await until(lambda: keeper.online == [True, False])


async def test_however_quickly_somebody_comes_and_goes_the_last_word_is_right(stage):
    keeper, presence, _ = stage
    for _ in range(50):
        presence.set(KEY, online=True)
        presence.set(KEY, online=False)
        await asyncio.sleep(0)
        presence.set(KEY, online=True)
    await until(lambda: keeper.online and keeper.online[-1])
    assert len(keeper.online) < 150
    presence.set(KEY, online=False)
    await until(lambda: not keeper.online[-1])
    assert all(was != is_now for was, is_now in zip(keeper.online, keeper.online[1:], strict=False))


@pytest.mark.parametrize("failure", [StoreUnavailable, VersionConflict])
async def test_a_drop_that_cannot_be_stored_is_stored_later(stage, failure):
    keeper, presence, _ = stage
    presence.set(KEY, online=True)
    await until(lambda: keeper.online == [True])
    keeper.fails = [failure() for _ in range(3)]
    presence.set(KEY, online=False)
    await until(lambda: keeper.online == [True, False])


async def test_a_visit_that_takes_nobody_any_more_says_so(stage):
    keeper, presence, refused = stage
    keeper.fails = [SeatDenied()]
    presence.set(KEY, online=True)
    await until(lambda: refused == [(KEY, "seat_denied")])


async def test_nothing_is_stored_after_the_end(stage):
    keeper, presence, _ = stage
    await presence.close()
    presence.set(KEY, online=True)
    await presence.close()
    await asyncio.sleep(0)
    assert keeper.online == []


async def test_who_drops_while_the_store_is_away_is_gone_when_it_is_back(server, practice, meeting):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    async with locked_store(server):
        await patient.vanish()
        stored = (await practice.stored(visit)).seat(visit.patient.seat)
        assert stored.admission == "present"
    view = await provider.until(lambda view: view["people"][0]["admission"] == "away")
    assert view["people"][0]["name"] == "Rosa Alvarez"


async def test_who_drops_and_returns_while_the_store_is_away_is_seen_and_heard(
    server, practice, meeting, browser
):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    async with locked_store(server):
        await patient.vanish()
        async with type(patient)(server, patient.token) as again:
            await again.connect()
            assert (await again.view())["me"]["inside"], "shown without asking the store to write"
            await again.does("media:restart")
    await provider.until(lambda view: view["people"][0]["admission"] == "away")


async def test_reloading_wildly_ends_present(server, practice, meeting):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    page = patient
    for _ in range(8):
        newer = type(patient)(server, page.token)
        await newer.connect()
        await page.close()
        page = newer
    async with page:
        await page.is_inside()
        await server.node.world.settled()
        await provider.until(lambda view: view["people"][0]["admission"] == "present")
        stored = (await practice.stored(visit)).seat(visit.patient.seat)
        assert [device.connected for device in stored.devices] == [True]
