"""Every visit that can come about, found breadth first with every event and its stale twin.

Two kinds of space: one seat with a holder, a second device and a third that is one too many, while
everybody else stays put; and one whole visit with a provider and a patient on one device each.
"""

from __future__ import annotations

import functools
import gc
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from rooms import admission, fallback, lifecycle
from rooms.errors import RoomError
from rooms.events import (
    CheckStarted,
    DeadlinePassed,
    Event,
    Knocked,
    LinkOpened,
    LinkWithdrawn,
    MediaSwitched,
    NoticeSent,
    OwnSeatEvent,
    SeatAdmitted,
    SeatDeadlinePassed,
    SeatEntered,
    SeatLeft,
    SeatLetBack,
    SeatObjected,
    SeatRevoked,
    SeatSentBack,
    SeatWasDenied,
    SeatWasRemoved,
    SessionClosed,
    SessionOpened,
    VisitRescheduled,
    VisitWasCancelled,
    VisitWasEnded,
)
from rooms.line_events import LineDeadlinePassed
from rooms.model import Admission, Deadline, Visit
from rooms.policy import Policy
from rooms.visit import next_deadline, step
from tests.rooms.beats import BEATS
from tests.rooms.cast import (
    DESK,
    ENDS,
    POLICY,
    PRACTICE,
    STARTS,
    Story,
    by,
    device_id,
    seat_in,
    visit_of,
)
from tests.rooms.laws import STATES, Beat
from tests.rooms.line_beats import LINE_BEATS
from tests.rooms.line_laws import LINE_STATES

STALE = -1.0
DUE = DeadlinePassed, SeatDeadlinePassed, LineDeadlinePassed
DAY = 24 * 60 * 60.0
Cell = tuple[Any, type[Event]]


@dataclass
class Space:
    """What was found: a visit for every configuration, every step between them, by table cell."""

    visits: dict[Hashable, Visit] = field(default_factory=dict)
    beats: list[Beat] = field(default_factory=list)
    edges: list[tuple[Hashable, Hashable]] = field(default_factory=list)
    cells: dict[Cell, list[Beat]] = field(default_factory=dict)


def take(visit: Visit, event: Event, now: float, policy: Policy) -> Beat:
    """One step, or its refusal."""
    try:
        after, effects = step(visit, event, now, policy)
    except RoomError as error:
        return Beat(visit, event, now, visit, (), policy, type(error))
    return Beat(visit, event, now, after, effects, policy)


def check(beat: Beat) -> None:
    """Hold the step and what it led to against every law."""
    for law in (*BEATS, *LINE_BEATS):
        law(beat)
    if beat.after is beat.before:
        return
    for state_law in (*STATES, *LINE_STATES):
        state_law(beat.after, beat.policy)


class Watching:
    """A table that notes which of its cells are asked."""

    def __init__(self, machine: Any, asked: set[Cell]) -> None:
        self._machine = machine
        self._asked = asked

    def step(self, thing: Any, event: Event, now: float, policy: Policy) -> Any:
        self._asked.add((self._machine.read(thing), type(event)))
        return self._machine.step(thing, event, now, policy)


def explore(
    start: Visit,
    now: float,
    key: Callable[[Visit], Hashable],
    events: Callable[[Visit, float], Iterator[Event]],
    policy: Policy,
) -> Space:
    """Everything that can be reached from ``start``."""
    space, asked = Space({key(start): start}), set[Cell]()
    tables = admission.ADMISSION, lifecycle.LIFECYCLE, fallback.FALLBACK
    admission.ADMISSION = Watching(tables[0], asked)  # type: ignore[assignment]
    lifecycle.LIFECYCLE = Watching(tables[1], asked)  # type: ignore[assignment]
    fallback.FALLBACK = Watching(tables[2], asked)  # type: ignore[assignment]
    todo = deque([(start, now, key(start))])
    try:
        while todo:
            visit, now, here = todo.popleft()
            for event in events(visit, now):
                asked.clear()
                beat = take(visit, event, _when(event, visit, now), policy)
                there = here if beat.after is visit else key(beat.after)
                _note(space, beat, (here, there), asked)
                if there not in space.visits:
                    space.visits[there] = beat.after
                    todo.append((beat.after, beat.now, there))
    finally:
        admission.ADMISSION, lifecycle.LIFECYCLE, fallback.FALLBACK = tables
    gc.freeze()  # a million objects that stay: nobody need look through them again
    return space


def _when(event: Event, visit: Visit, now: float) -> float:
    """A second later; a deadline that is current comes at its own time."""
    at = event.deadline.at if isinstance(event, DUE) and event in dues(visit) else now + 1
    return max(now, at)


def dues(visit: Visit) -> set[Event]:
    """Every deadline there is."""
    found: set[Event] = {DeadlinePassed(deadline=d) for d in (visit.deadline, visit.deserted) if d}
    for seat in visit.seats:
        if seat.deadline is not None:
            found.add(SeatDeadlinePassed(seat=seat.id, deadline=seat.deadline))
        if seat.line.deadline is not None:
            found.add(LineDeadlinePassed(seat=seat.id, deadline=seat.line.deadline))
    return found


def _note(space: Space, beat: Beat, edge: tuple[Hashable, Hashable], asked: set[Cell]) -> None:
    space.beats.append(beat)
    space.edges.append(edge)
    for cell in asked:
        space.cells.setdefault(cell, []).append(beat)


# -- one seat --------------------


@functools.cache
def seat_space(name: str) -> Space:
    """Everything that can become of this person, on two devices, while others are inside."""
    return _around(name, Policy(max_devices=2, notices_kept=2), seat_events)


@functools.cache
def crowded_space() -> Space:
    """Three devices on one link, of which only the first ever drops."""
    meant = LinkOpened, SessionOpened, CheckStarted, Knocked, SeatEntered, SeatLeft, SeatAdmitted

    def events(visit: Visit, name: str) -> Iterator[Event]:
        for event in seat_events(visit, name):
            first = isinstance(event, SessionClosed) and event.device == device_id(name, "one")
            if first or isinstance(event, meant):
                yield event

    return _around("fred", Policy(max_devices=3), events)


def _around(name: str, policy: Policy, events: Callable[[Visit, str], Iterator[Event]]) -> Space:
    story = Story("dora", "petra", name, policy=policy).comes_in("dora", "petra")
    return explore(
        story.visit, STARTS, lambda v: _seat_key(v, name), lambda v, _: events(v, name), policy
    )


def _seat_key(visit: Visit, name: str) -> Hashable:
    seat = seat_in(visit, name)
    devices = tuple((d.standing, d.connected) for d in seat.devices)  # which is which means nothing
    return seat.admission, devices, seat.deadline is None, seat.revoked, bool(seat.notices)


def seat_events(visit: Visit, name: str) -> Iterator[Event]:
    """Every event that could concern this seat, stale twins included."""
    seat = seat_in(visit, name)
    known = [d.id.removeprefix(f"{name}-") for d in seat.devices]
    unknown = next(d for d in ("one", "two", "three", "four") if d not in known)
    for device in (*known, unknown):
        yield from own_events(name, device, known=device in known)
    for device in ("", *known):
        yield SeatAdmitted(seat=name, device=device_id(name, device), by=DESK)
        yield SeatWasDenied(seat=name, device=device_id(name, device), by=DESK)
    if name == "fay":
        yield SeatObjected(seat=name, by=by("petra"))
    for order in (SeatWasRemoved, SeatSentBack, SeatLetBack):
        yield order(seat=name, by=DESK)
    yield SeatRevoked(seat=name, by=PRACTICE)
    yield LinkWithdrawn(seat=name, by=PRACTICE)
    yield NoticeSent(seat=name, text=f"notice {len(seat.notices)}", by=DESK)
    yield SeatDeadlinePassed(seat=name, deadline=Deadline("place", STALE))
    if seat.deadline is not None:
        yield SeatDeadlinePassed(seat=name, deadline=seat.deadline)


def own_events(name: str, device: str, *, known: bool) -> Iterator[OwnSeatEvent]:
    """Everything a person can do on this device."""
    there, actor = device_id(name, device), by(name, device)
    yield LinkOpened(seat=name, device=there, credential=f"sha256-{there}", by=actor)
    if not known:
        return
    yield SessionOpened(seat=name, device=there)
    yield SessionClosed(seat=name, device=there)
    yield CheckStarted(seat=name, device=there, by=actor)
    for said in (f"said on {device}", "said again"):
        yield Knocked(seat=name, device=there, said_name=said, language="tr", by=actor)
    yield SeatEntered(seat=name, device=there, by=actor)
    yield SeatLeft(seat=name, device=there, by=actor)
    for on in (True, False):
        yield MediaSwitched(seat=name, device=there, microphone=on, camera=not on, by=actor)


# -- one visit --------------------


@functools.cache
def visit_space() -> Space:
    """Everything that can become of a visit with a provider and a patient."""
    visit = visit_of("dora", "petra")
    return explore(visit, visit.starts_at - DAY, _visit_key, visit_events, POLICY)


def _visit_key(visit: Visit) -> Hashable:
    seats = tuple(
        (
            s.admission,
            [d.connected for d in s.devices] == [True],
            len(s.devices),
            s.deadline is None,
            s.holder is None,
        )
        for s in visit.seats
    )
    timers = visit.deadline and visit.deadline.name, visit.deserted is None
    return visit.stage, timers, visit.end_reason, visit.moved_from is None, seats


def visit_events(visit: Visit, now: float) -> Iterator[Event]:
    """Every event that could concern the visit; only the deadline when it has come."""
    due = next_deadline(_lines_at_rest(visit))
    if due is not None:
        yield due
        if due.deadline.at <= now + 1:
            return
    for deadline in (visit.deadline, visit.deserted, Deadline("opens", STALE)):
        if deadline is not None:
            yield DeadlinePassed(deadline=replace(deadline, at=deadline.at - 1))
    yield VisitRescheduled(starts_at=STARTS + DAY, ends_at=ENDS + DAY, by=PRACTICE)
    yield VisitRescheduled(starts_at=STARTS + DAY, ends_at=STARTS + DAY, by=PRACTICE)
    yield VisitWasCancelled(by=PRACTICE)
    yield VisitWasEnded(by=PRACTICE)
    dora = visit.seat("dora")
    if dora is not None and dora.admission in (Admission.ADMITTED, Admission.PRESENT):
        yield VisitWasEnded(by=by("dora"))
    for seat in visit.seats:
        yield from own_events(seat.id, "one", known=bool(seat.devices))
    yield SeatAdmitted(seat="petra", by=DESK)
    yield SeatSentBack(seat="petra", by=DESK)


def _lines_at_rest(visit: Visit) -> Visit:
    """What lines wait for is looked into in ``line_space``."""
    seats = (replace(s, line=replace(s.line, deadline=None)) for s in visit.seats)
    return replace(visit, seats=tuple(seats))
