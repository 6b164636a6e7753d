"""What follows a save: media at once, effects and pages in order."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from rooms.effects import EndSession
from rooms.model import Admission, Role, Seat, Stage
from server.performers import Hands
from server.world import LiveWorld
from tests.support.records import a_visit

INSIDE = Seat(id="a", role=Role.PATIENT, admission=Admission.PRESENT)
VISIT = a_visit(stage=Stage.OPEN, seats=(INSIDE, Seat(id="b", role=Role.FAMILY)))


class Place:
    """A plane, a board and pages that note what they are told."""

    def __init__(self):
        self.notes = []
        self.fails = False
        self.slow = None

    def wire(self, wiring):
        self.notes.append(("wire", wiring.visit, wiring.seats))

    def follow(self, visit):
        self.notes.append(("board", visit.id))

    async def end_sessions(self, visit, seat, device, code):
        if self.fails:
            raise RuntimeError
        if self.slow is not None:
            await self.slow.wait()
        self.notes.append(("end", seat, device, code))

    async def show(self, visit):
        self.notes.append(("show", visit.id, visit.revision))


@pytest.fixture
async def stage():
    place = Place()
    world = LiveWorld(place, place)
    world.connect(Hands(place, place))
    yield place, world
    await world.close()


async def test_media_and_board_follow_before_anything_is_awaited(stage):
    place, world = stage
    world.visit_changed(VISIT, ())
    assert place.notes == [("wire", "visit-1", {"a"}), ("board", "visit-1")]


async def test_effects_come_before_the_pages_see_it_and_in_order(stage):
    place, world = stage
    effects = (EndSession(seat="a", code="left"), EndSession(seat="b", device="d", code="left"))
    world.visit_changed(VISIT, effects)
    world.visit_changed(replace(VISIT, revision=1), ())
    await world.settled()
    told = [note for note in place.notes if note[0] in {"end", "show"}]
    assert told == [
        ("end", "a", "", "left"),
        ("end", "b", "d", "left"),
        ("show", "visit-1", 0),
        ("show", "visit-1", 1),
    ]


async def test_a_visit_waits_for_no_other(stage):
    place, world = stage
    place.slow = asyncio.Event()
    world.visit_changed(VISIT, (EndSession(seat="a", code="left"),))
    world.visit_changed(a_visit("visit-2"), ())
    await asyncio.sleep(0.01)
    assert ("show", "visit-2", 0) in place.notes
    assert ("show", "visit-1", 0) not in place.notes
    place.slow.set()
    await world.settled()
    assert ("show", "visit-1", 0) in place.notes


async def test_what_fails_is_logged_and_the_next_change_is_shown(stage):
    place, world = stage
    place.fails = True
    with capture_logs() as logged:
        world.visit_changed(VISIT, (EndSession(seat="a", code="left"),))
        world.visit_changed(replace(VISIT, revision=1), ())
        await world.settled()
    assert [entry["event"] for entry in logged] == ["effect_failed"]
    assert ("show", "visit-1", 0) in place.notes, "a failed effect hides nothing from the pages"
    assert place.notes[-1] == ("show", "visit-1", 1)


async def test_nothing_is_kept_of_a_visit_that_is_quiet(stage):
    _, world = stage
    for number in range(3):
        world.visit_changed(replace(VISIT, revision=number), ())
        await world.settled()
    assert world._queues == {}


async def test_what_is_performed_twice_is_harmless(server, practice, meeting):
    visit = await practice.plans()
    _, patient = await meeting(visit)
    await practice.post(visit.path("patient", "/remove"))
    assert await patient.over() == "seat_removed"
    stored = await practice.stored(visit)
    effect = EndSession(seat=visit.patient.seat, code="seat_removed")
    for _ in range(2):
        server.node.world.visit_changed(stored, (effect,))
        await server.node.world.settled()
    assert len(patient.heard_of("session:ended")) == 1
    seat, before = [v.seat(visit.patient.seat) for v in (await practice.stored(visit), stored)]
    assert (seat.admission, seat.epoch) == (before.admission, before.epoch)


async def test_a_visit_that_is_let_go_has_nothing_more_done_here(stage):
    place, world = stage
    place.slow = asyncio.Event()
    effects = (EndSession(seat="a", code="left"), EndSession(seat="b", code="left"))
    world.visit_changed(VISIT, effects)
    await asyncio.sleep(0)
    world.let_go(VISIT.id, media_for=0.0)
    place.notes.clear()
    place.slow.set()
    await world.settled()
    assert place.notes == [("end", "a", "", "left")], "which was under way"
    world.visit_changed(replace(VISIT, revision=1), ())
    await world.settled()
    assert place.notes[-1] == ("show", "visit-1", 1)
