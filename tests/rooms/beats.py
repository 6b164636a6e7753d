"""Laws of one step: what a given event may change, must change and must leave alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from rooms.errors import RoomError, UnknownSeat, VisitFull
from rooms.events import (
    DeadlinePassed,
    Event,
    Knocked,
    LinkOpened,
    LinkWithdrawn,
    MediaSwitched,
    NoticeSent,
    SeatAdmitted,
    SeatDeadlinePassed,
    SeatEvent,
    SeatLeft,
    SeatRevoked,
    SeatSentBack,
    SessionClosed,
    VisitRescheduled,
    VisitWasCancelled,
    VisitWasEnded,
)
from rooms.line_events import LineEvent
from rooms.model import (
    BARRED,
    INSIDE,
    OVER,
    RUNNING,
    ActorKind,
    Admission,
    Deadline,
    EndReason,
    Seat,
    Stage,
    Visit,
)
from rooms.permissions import require
from tests.rooms import oracle
from tests.rooms.laws import Beat, doors, ended

AT_ANY_STAGE = (SessionClosed, SeatRevoked, LinkWithdrawn, SeatDeadlinePassed)


def the_oracle_agrees_about_the_seat(beat: Beat) -> None:
    for seat, after in _moved_seat(beat):
        answer = oracle.admission_after(seat, _seat_event(beat), beat.policy)
        inside = sum(s.admission in INSIDE for s in beat.before.seats)
        if answer in INSIDE and seat.admission not in INSIDE and inside >= beat.policy.max_inside:
            answer = VisitFull
        assert (beat.refusal or after.admission) == answer, (seat.admission, beat.event)


def each_device_stands_where_it_should(beat: Beat) -> None:
    for seat, after in _moved_seat(beat):
        if beat.refusal is None:
            assert after.devices == tuple(
                oracle.devices_after(seat, _seat_event(beat), beat.now, beat.policy)
            ), beat.event


def a_bar_makes_every_session_worthless(beat: Beat) -> None:
    for seat, after in _moved_seat(beat):
        barred = beat.refusal is None and oracle.bars(seat, _seat_event(beat))
        assert after.epoch - seat.epoch == int(barred)
        assert after.revoked == (seat.revoked or isinstance(beat.event, SeatRevoked))


def only_the_seats_own_device_speaks_for_it(beat: Beat) -> None:
    for seat, after in _moved_seat(beat):
        event = beat.event
        mine = beat.refusal is None and oracle.own(seat, _seat_event(beat))
        switched = mine and isinstance(event, MediaSwitched)
        assert (after.microphone, after.camera) == (
            (event.microphone, event.camera)
            if switched and isinstance(event, MediaSwitched)
            else (seat.microphone, seat.camera)
        )
        named = seat.said_name, seat.language
        if mine and isinstance(event, Knocked) and seat.admission not in INSIDE:
            named = event.said_name or seat.said_name, event.language or seat.language
        assert (after.said_name, after.language) == named


def a_place_in_the_queue_is_kept_or_given_up(beat: Beat) -> None:
    for seat, after in _moved_seat(beat):
        if after.admission is not Admission.WAITING:
            assert after.waiting_since is None
            assert after.deadline is None or after.deadline == _appointment(beat, after)
            continue
        sent = isinstance(beat.event, SeatSentBack) and seat.admission in INSIDE
        fresh = seat.admission is not Admission.WAITING or sent
        assert after.waiting_since == (beat.now if fresh else seat.waiting_since)
        kept_until = beat.now + beat.policy.waiting_place_kept
        if after.deadline is not None and after.deadline != seat.deadline:
            assert sent or oracle.own(seat, _seat_event(beat))
            assert after.deadline.at == kept_until


def notices_are_kept_while_somebody_may_read_them(beat: Beat) -> None:
    for seat, after in _moved_seat(beat):
        if beat.refusal is not None:
            continue
        if isinstance(beat.event, NoticeSent):
            assert after.notices[:-1] == (*seat.notices, None)[-beat.policy.notices_kept : -1]
            assert (after.notices[-1].text, after.notices[-1].at) == (beat.event.text, beat.now)
            assert len({n.id for n in after.notices}) == len(after.notices)
            continue
        gone = (
            isinstance(beat.event, SeatAdmitted)
            or oracle.bars(seat, _seat_event(beat))
            or (isinstance(beat.event, SeatLeft) and oracle.own(seat, beat.event))
            or (isinstance(beat.event, SeatDeadlinePassed) and after != seat)
            or (isinstance(beat.event, LinkWithdrawn) and seat.admission not in INSIDE)
        )
        left = isinstance(beat.event, SeatLeft) and seat.admission in BARRED
        assert after.notices == (() if gone and not left else seat.notices)


def what_the_practice_wrote_stays(beat: Beat) -> None:
    blank: dict[str, Any] = {
        "admission": Admission.INVITED, "deadline": None, "waiting_since": None, "devices": (),
        "epoch": 0, "revoked": False, "microphone": True, "camera": True, "notices": (),
        "said_name": "", "language": "", "usage": None, "line": None, "phone": None,
    }  # fmt: skip
    for seat in beat.before.seats:
        after = beat.after.seat(seat.id)
        assert after is not None
        assert after is seat or replace(after, **blank) == replace(seat, **blank)


def a_seat_event_moves_one_seat(beat: Beat) -> None:
    if isinstance(beat.event, SeatEvent):
        for seat in beat.before.seats:
            after = beat.after.seat(seat.id)
            assert after is not None
            if seat.id == beat.event.seat or after is seat:
                continue
            rest = replace(after, line=seat.line, usage=seat.usage)  # lines: see ``line_beats``
            assert rest == replace(seat)


def the_right_pages_are_told(beat: Beat) -> None:
    if beat.refusal is None:
        assert ended(beat.effects) == sorted(_told(beat)), beat.event


def the_visit_moves_as_it_should(beat: Beat) -> None:
    stage = beat.before.stage
    if beat.refusal is not None:
        return
    over = {
        VisitWasEnded: Stage.ENDED,
        VisitWasCancelled: Stage.CANCELLED,
        VisitRescheduled: Stage.RESCHEDULED,
    }
    expected = over.get(type(beat.event), stage) if stage not in OVER else stage
    if isinstance(beat.event, DeadlinePassed) and _current(beat.before, beat.event):
        expected = Stage.ENDED if stage in RUNNING else Stage.OPEN
    if stage in RUNNING and expected is stage:
        begun = stage is not Stage.OPEN or beat.after.stage is Stage.IN_PROGRESS
        running = {Stage.IN_PROGRESS, Stage.INTERRUPTED} if begun else {Stage.OPEN}
        assert beat.after.stage in running
    else:
        assert beat.after.stage is expected


def the_visit_refuses_in_the_right_words(beat: Beat) -> None:
    orders = VisitRescheduled | VisitWasCancelled | VisitWasEnded
    if isinstance(beat.event, orders) and _permitted(beat.before, beat.event):
        assert beat.refusal == oracle.refusal_of(beat.before, beat.event)
    if isinstance(beat.event, DeadlinePassed | SeatDeadlinePassed):
        assert beat.refusal in (None, UnknownSeat)


def an_ending_says_why(beat: Beat) -> None:
    if beat.before.stage in OVER or beat.after.stage not in OVER:
        return
    assert beat.after.ended_at == beat.now
    if beat.after.stage is Stage.ENDED:
        event = beat.event
        practice = event.by.kind is ActorKind.PRACTICE
        reason = EndReason.BY_PRACTICE if practice else EndReason.BY_PROVIDER
        if isinstance(event, DeadlinePassed):
            deserted = event.deadline == beat.before.deserted
            reason = EndReason.DESERTED if deserted else EndReason.TIME_UP
        assert beat.after.end_reason is reason


def a_moved_visit_has_its_new_times(beat: Beat) -> None:
    if isinstance(beat.event, VisitRescheduled) and beat.refusal is None:
        after = beat.after
        assert (after.starts_at, after.ends_at) == (beat.event.starts_at, beat.event.ends_at)
        assert after.moved_from == beat.before.starts_at
    else:
        assert beat.after.moved_from == beat.before.moved_from
        assert beat.after.starts_at == beat.before.starts_at


def everybody_gone_starts_the_clock_and_anybody_stops_it(beat: Beat) -> None:
    before, after = beat.before, beat.after
    if after.stage not in RUNNING or doors(after):
        assert after.deserted is None
    elif doors(before):
        expected_from = after.ends_at if after.stage is Stage.OPEN else after.starts_at
        due = max(beat.now, expected_from) + beat.policy.deserted_after
        assert after.deserted is not None
        assert after.deserted.at == due
    elif before.stage in RUNNING:
        assert after.deserted == before.deserted


def the_revision_grows_when_and_only_when_something_changed(beat: Beat) -> None:
    if beat.after is beat.before:
        return
    changed = replace(beat.after, revision=0) != replace(beat.before, revision=0)
    assert beat.after.revision == beat.before.revision + int(changed)
    assert changed


BEATS: tuple[Callable[[Beat], None], ...] = (
    the_oracle_agrees_about_the_seat,
    each_device_stands_where_it_should,
    a_bar_makes_every_session_worthless,
    only_the_seats_own_device_speaks_for_it,
    a_place_in_the_queue_is_kept_or_given_up,
    notices_are_kept_while_somebody_may_read_them,
    what_the_practice_wrote_stays,
    a_seat_event_moves_one_seat,
    the_right_pages_are_told,
    the_visit_moves_as_it_should,
    the_visit_refuses_in_the_right_words,
    an_ending_says_why,
    a_moved_visit_has_its_new_times,
    everybody_gone_starts_the_clock_and_anybody_stops_it,
    the_revision_grows_when_and_only_when_something_changed,
)


def _seat_event(beat: Beat) -> SeatEvent:
    assert isinstance(beat.event, SeatEvent)
    return beat.event


def _appointment(beat: Beat, seat: Seat) -> Deadline | None:
    """When somebody who has no browser is called, unless that was done already."""
    untouched = beat.before.seat(seat.id) == seat
    return Deadline("appointment", beat.after.starts_at) if untouched else None


def _current(visit: Visit, event: DeadlinePassed) -> bool:
    return event.deadline in (visit.deadline, visit.deserted)


def _moved_seat(beat: Beat) -> Iterator[tuple[Seat, Seat]]:
    """The seat before and after, when the event comes as far as the seat's own rules."""
    event = beat.event
    if not isinstance(event, SeatEvent) or isinstance(event, LineEvent):
        return
    if not _gets_to_the_seat(beat.before, event):
        return
    seat, after = beat.before.seat(event.seat), beat.after.seat(event.seat)
    assert seat is not None
    assert after is not None
    yield seat, after


def _gets_to_the_seat(visit: Visit, event: SeatEvent) -> bool:
    seat = visit.seat(event.seat)
    if seat is None or not (visit.stage in RUNNING or isinstance(event, AT_ANY_STAGE)):
        return False
    if isinstance(event, SeatDeadlinePassed):
        return event.deadline == seat.deadline
    device = getattr(event, "device", "")
    known = seat.device(device) is not None
    if device and known == isinstance(event, LinkOpened):
        return False
    return _permitted(visit, event)


def _permitted(visit: Visit, event: Event) -> bool:
    try:
        require(visit, event)
    except RoomError:
        return False
    return True


def _told(beat: Beat) -> list[tuple[str, str, str]]:
    """(seat, device, code) of the sessions that must end."""
    event, before, after = beat.event, beat.before, beat.after
    if before.stage != after.stage and after.stage in (*OVER, Stage.RESCHEDULED):
        return _everybody(before, after.stage)
    if isinstance(event, VisitRescheduled):
        return _everybody(before, Stage.RESCHEDULED)
    for seat, _ in _moved_seat(beat):
        return oracle.told(seat, _seat_event(beat))
    return []


def _everybody(visit: Visit, stage: Stage) -> list[tuple[str, str, str]]:
    code = {
        Stage.ENDED: "visit_ended",
        Stage.CANCELLED: "visit_cancelled",
        Stage.RESCHEDULED: "visit_moved",
    }[stage]
    return [(seat.id, "", code) for seat in visit.seats if seat.devices]
