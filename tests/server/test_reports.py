"""What is reported of a visit arrives in order, once, and also after a store that was away."""

import asyncio

import pytest
from structlog.testing import capture_logs

from rooms.errors import VisitEnded
from rooms.line_events import CallAnswered, CallRang, KeyPressed, SoundChanged
from rooms.model import Sound
from server.reports import Reports
from server.store import StoreUnavailable, UnknownVisit, VersionConflict
from tests.support.server_clients import QUICK
from tests.support.store_trouble import locked_store

RANG = CallRang(seat="seat-1", call="c")
ANSWERED = CallAnswered(seat="seat-1", call="c")
PRESSED = KeyPressed(seat="seat-1", call="c", key="1")


class Keeper:
    """Takes what is submitted, or fails as it is told to."""

    def __init__(self):
        self.taken = []
        self.failures = []
        self.tried = 0
        self.slow = None
        self.took = asyncio.Event()

    async def submit(self, visit, event):
        self.tried += 1
        if self.slow is not None:
            await self.slow.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append((visit, event))
        self.took.set()


@pytest.fixture
async def desk():
    keeper, reports = Keeper(), Reports(QUICK)
    reports.connect(keeper.submit)
    yield keeper, reports
    await reports.close()


async def test_what_is_reported_at_once_is_submitted_in_order(desk):
    keeper, reports = desk
    for event in (RANG, ANSWERED, PRESSED):
        reports.add("visit-1", event)
    assert keeper.taken == [], "nothing is done while somebody reports"
    await reports.settled()
    assert keeper.taken == [("visit-1", event) for event in (RANG, ANSWERED, PRESSED)]
    assert reports._queues == {}


@pytest.mark.parametrize("away", [StoreUnavailable, VersionConflict])
async def test_a_store_that_is_away_is_waited_for(desk, away):
    keeper, reports = desk
    keeper.failures = [away(), away()]
    with capture_logs() as logged:
        reports.add("visit-1", RANG)
        reports.add("visit-1", ANSWERED)
        await reports.settled()
    assert [event for _, event in keeper.taken] == [RANG, ANSWERED]
    assert keeper.tried == 4
    assert [entry["event"] for entry in logged] == ["report_postponed"] * 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (VisitEnded(), "report_dropped"),
        (UnknownVisit(), "report_dropped"),
        (RuntimeError(), "report_failed"),
    ],
)
async def test_what_a_visit_does_not_take_is_dropped_and_the_next_is_not(desk, error, said):
    keeper, reports = desk
    keeper.failures = [error]
    with capture_logs() as logged:
        reports.add("visit-1", RANG)
        reports.add("visit-1", ANSWERED)
        await reports.settled()
    assert [event for _, event in keeper.taken] == [ANSWERED]
    assert [entry["event"] for entry in logged] == [said]


async def test_a_visit_waits_for_no_other(desk):
    keeper, reports = desk
    keeper.slow = asyncio.Event()
    reports.add("visit-1", RANG)
    await asyncio.sleep(0)
    slow, keeper.slow = keeper.slow, None
    reports.add("visit-2", ANSWERED)
    await asyncio.wait_for(keeper.took.wait(), 5)
    assert keeper.taken == [("visit-2", ANSWERED)]
    slow.set()
    await reports.settled()
    assert len(keeper.taken) == 2


async def test_after_the_end_nothing_is_submitted(desk):
    keeper, reports = desk
    keeper.failures = [StoreUnavailable()] * 1_000
    reports.add("visit-1", RANG)
    await asyncio.sleep(0)
    await reports.close()
    await reports.close()
    reports.add("visit-1", ANSWERED)
    reports.add("visit-2", ANSWERED)
    await reports.settled()
    assert keeper.taken == []


async def test_an_answer_is_not_lost_on_a_locked_store(server, practice, meeting):
    visit = await practice.plans()
    await meeting(visit)
    node, seat = server.node, visit.patient.seat
    async with locked_store(server):
        for sound in (Sound.FINE, Sound.WEAK, Sound.UNUSABLE):
            node.phones.reports.add(visit.id, SoundChanged(seat=seat, sound=sound))
        await asyncio.sleep(2 * QUICK.store_busy)
        assert (await practice.stored(visit)).seat(seat).line.sound is Sound.FINE
    await node.phones.reports.settled()
    assert (await practice.stored(visit)).seat(seat).line.sound is Sound.UNUSABLE
    told = [e.outcome for e in await practice.log(visit) if e.type == "SoundChanged"]
    assert told[-2:] == ["weak", "unusable"]
