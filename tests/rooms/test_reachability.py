"""Of everything that can come about: where it leads, and where it can't."""

from collections import defaultdict

import pytest

from rooms.events import Knocked, SeatAdmitted, SeatDeadlinePassed, SeatLetBack, VisitWasCancelled
from rooms.events import VisitWasEnded as Ended
from rooms.model import BARRED, INSIDE, OVER, RUNNING, Admission, Stage
from rooms.visit import next_deadline, step
from tests.rooms.cast import ENDS, POLICY, PRACTICE, catch_up, seat_in
from tests.rooms.line_space import SPACES
from tests.rooms.space import DAY, check, seat_space, visit_space

A_CENTURY = 100 * 365 * DAY


@pytest.fixture(params=SPACES)
def space(request):
    return SPACES[request.param]()


def test_every_step_keeps_the_laws(space):
    for beat in space.beats:
        check(beat)


def test_family_can_come_to_every_admission():
    found = {seat_in(visit, "fay").admission for visit in seat_space("fay").visits.values()}
    assert found == set(Admission)


def test_a_provider_can_come_to_every_admission_but_waiting():
    found = {seat_in(visit, "dean").admission for visit in seat_space("dean").visits.values()}
    assert found == set(Admission) - {Admission.WAITING}


def test_a_visit_can_come_to_every_stage():
    assert {visit.stage for visit in visit_space().visits.values()} == set(Stage)


def test_no_deadline_is_endless(space):
    for visit in space.visits.values():
        after, _ = catch_up(visit, ENDS + A_CENTURY, POLICY)
        assert after.stage in OVER
        assert next_deadline(after) is None


def test_a_visit_can_be_ended_or_called_off_from_anywhere(space):
    for visit in space.visits.values():
        if visit.stage in RUNNING:
            assert step(visit, Ended(by=PRACTICE), ENDS, POLICY)[0].stage is Stage.ENDED
        elif visit.stage not in OVER:
            cancelled = step(visit, VisitWasCancelled(by=PRACTICE), ENDS, POLICY)[0]
            assert cancelled.stage is Stage.CANCELLED


def test_whoever_is_barred_stays_out_until_let_back(space):
    for beat in space.beats:
        for seat in beat.before.seats:
            if seat.admission in BARRED and seat_in(beat.after, seat.id).admission not in BARRED:
                assert isinstance(beat.event, SeatLetBack)
                assert seat_in(beat.after, seat.id).admission is Admission.INVITED


def test_whoever_was_withdrawn_never_returns(space):
    for beat in space.beats:
        for seat in beat.before.seats:
            assert not seat.revoked or seat_in(beat.after, seat.id).admission is Admission.REMOVED


def test_the_way_in_is_an_admission_or_a_providers_own_knock(space):
    for beat in space.beats:
        for seat in beat.before.seats:
            if seat.admission in INSIDE or seat_in(beat.after, seat.id).admission not in INSIDE:
                continue
            knocks = isinstance(beat.event, Knocked)
            own_knock = knocks and seat.holder in (None, seat.device(beat.event.device))
            provider = seat.role == "provider" and own_knock
            booked = seat.phone.at_start and isinstance(beat.event, SeatDeadlinePassed)
            assert provider or booked or isinstance(beat.event, SeatAdmitted)


def test_a_place_in_the_queue_is_lost_only_to_its_own_deadline_never_to_another_device(space):
    for beat in space.beats:
        passed = isinstance(beat.event, SeatDeadlinePassed) and beat.after is not beat.before
        if passed and beat.event.deadline.name == "place":
            seat = seat_in(beat.before, beat.event.seat)
            assert seat.holder is not None or seat.phone.only
            assert seat.holder is None or not seat.holder.connected


@pytest.mark.parametrize("name", ["fay", "dean"])
def test_nobody_is_ever_trapped_outside(name):
    """From every configuration of a seat that was not withdrawn, somebody can get it inside."""
    space = seat_space(name)
    came_from = defaultdict(set)
    for start, end in space.edges:
        came_from[end].add(start)
    can = {k for k, v in space.visits.items() if seat_in(v, name).admission is Admission.PRESENT}
    todo = list(can)
    while todo:
        fresh = came_from[todo.pop()] - can
        can |= fresh
        todo += fresh
    trapped = [seat_in(v, name) for k, v in space.visits.items() if k not in can]
    assert all(seat.revoked for seat in trapped)
