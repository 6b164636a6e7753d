"""The visit as a whole: the one place where the machines meet.

``step`` is the only way a visit changes. The machines couple here and nowhere else, through events
derived from what the world looks like before and after (``DERIVED``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rooms import admission, fallback, lifecycle
from rooms.effects import Effect
from rooms.errors import (
    DoorClosed,
    NotAdmitted,
    NotPermitted,
    SeatDenied,
    SeatRemoved,
    TimesInvalid,
    UnknownDevice,
    UnknownSeat,
    VisitCancelled,
    VisitEarly,
    VisitEnded,
    VisitExpired,
    VisitFull,
    VisitMoved,
)
from rooms.events import (
    DeadlinePassed,
    Emptied,
    Event,
    LinkOpened,
    LinkWithdrawn,
    Met,
    Occupied,
    OwnSeatEvent,
    Parted,
    SeatAdded,
    SeatDeadlinePassed,
    SeatEvent,
    SeatRevoked,
    SessionClosed,
    VisitEvent,
)
from rooms.line_events import (
    CoverBegan,
    CoverEnded,
    GreeterGone,
    GreetingBegun,
    LineDeadlinePassed,
    LineEvent,
    NodeRestarted,
    NumberRecorded,
    PageBack,
    PageGone,
)
from rooms.line_guards import GONE, page_here
from rooms.line_sound import own_plan
from rooms.model import (
    BARRED,
    INSIDE,
    ON_PHONE,
    OVER,
    RUNNING,
    Admission,
    EndReason,
    Fallback,
    Role,
    Seat,
    Stage,
    Usage,
    Visit,
)
from rooms.permissions import Action, may, require
from rooms.policy import Policy
from rooms.wiring import browser_is_silenced, inside

Result = tuple[Visit, tuple[Effect, ...]]
Due = DeadlinePassed | SeatDeadlinePassed | LineDeadlinePassed


def schedule(visit: Visit, policy: Policy) -> Visit:
    """A new visit, waiting to open. Raises ``TimesInvalid``."""
    if not visit.starts_at < visit.ends_at:
        raise TimesInvalid
    planned = replace(visit, stage=Stage.SCHEDULED, deadline=lifecycle.opening(visit, policy))
    return lifecycle.appointed(planned)


def step(visit: Visit, event: Event, now: float, policy: Policy) -> Result:
    """The visit after ``event`` and the effects ordered; the same object if nothing changed.

    Raises the ``RoomError`` that says why ``event`` is refused; the visit is then as it was.
    """
    require(visit, event)
    after, effects = _move(visit, event, now, policy)
    for derived_line in _line_events(visit, after):
        after, more = _move_line(after, derived_line, now, policy)
        effects += more
    for predicate, rising, falling in DERIVED:
        was, is_now = predicate(visit), predicate(after)
        if was != is_now:
            derived = rising() if is_now else falling()
            after, more = lifecycle.LIFECYCLE.step(after, derived, now, policy)
            effects += more
    if after == visit:
        return visit, effects
    after = _account(visit, after, now)
    return replace(after, revision=visit.revision + 1), effects


def next_deadline(visit: Visit) -> Due | None:
    """The deadline that comes first, as the event to send back when it does."""
    due: list[Due] = [
        DeadlinePassed(deadline=d) for d in (visit.deadline, visit.deserted) if d is not None
    ]
    if visit.stage not in OVER:
        due += [
            SeatDeadlinePassed(seat=s.id, deadline=s.deadline) for s in visit.seats if s.deadline
        ]
        due += [
            LineDeadlinePassed(seat=s.id, deadline=s.line.deadline)
            for s in visit.seats
            if s.line.deadline
        ]
    return min(due, key=lambda event: event.deadline.at, default=None)


def door(visit: Visit, seat: Seat) -> DoorClosed | None:
    """Why the link of ``seat`` opens nothing now, or None when it does."""
    if visit.stage in _CLOSED:
        return _closed(visit)
    if seat.admission is Admission.DENIED:
        return SeatDenied()
    return SeatRemoved() if seat.admission is Admission.REMOVED else None


_CLOSED: dict[Stage, type[DoorClosed]] = {
    Stage.SCHEDULED: VisitEarly,
    Stage.RESCHEDULED: VisitMoved,
    Stage.ENDED: VisitEnded,
    Stage.CANCELLED: VisitCancelled,
}


def _closed(visit: Visit) -> DoorClosed:
    by_clock = visit.end_reason in (EndReason.TIME_UP, EndReason.DESERTED)
    return VisitExpired() if by_clock else _CLOSED[visit.stage]()


# -- one event --------------------

_AT_ANY_TIME = (
    SessionClosed,
    SeatRevoked,
    LinkWithdrawn,
    SeatDeadlinePassed,
    CoverEnded,
    NodeRestarted,
    NumberRecorded,
)


def _move(visit: Visit, event: Event, now: float, policy: Policy) -> Result:
    match event:
        case SeatAdded():
            return _add(visit, event.seat, policy), ()
        case LineEvent():
            return _move_line(visit, event, now, policy)
        case VisitEvent():
            if lifecycle.is_stale(visit, event):
                return visit, ()
            return lifecycle.LIFECYCLE.step(visit, event, now, policy)
        case SeatEvent():
            return _move_seat(visit, event, now, policy)
    raise AssertionError(f"no machine takes {event.name}")


def _move_seat(visit: Visit, event: SeatEvent, now: float, policy: Policy) -> Result:
    seat = visit.seat(event.seat)
    if seat is None:
        raise UnknownSeat
    if admission.is_stale(seat, event):
        return visit, ()
    _check_device(seat, event)
    _check_running(visit, seat, event)
    after, effects = admission.ADMISSION.step(seat, event, now, policy)
    after = _with_own_plan(seat, after, event)
    moved = replace(visit, seats=tuple(after if s.id == seat.id else s for s in visit.seats))
    if after.admission in INSIDE and len(inside(moved)) > max(
        policy.max_inside, len(inside(visit))
    ):
        return _no_room(visit, seat, event), ()
    return moved, effects


def _with_own_plan(seat: Seat, after: Seat, event: SeatEvent) -> Seat:
    """Whoever had the link first, and was not let in, does not say whose telephone comes in."""
    stray = isinstance(event, LinkWithdrawn) and after.holder is None
    taken = after.holder is not None and _holder(after) != _holder(seat)
    return own_plan(after) if stray or (taken and seat.admission not in INSIDE) else after


def _holder(seat: Seat) -> str:
    return seat.holder.id if seat.holder is not None else ""


def _no_room(visit: Visit, seat: Seat, event: SeatEvent) -> Visit:
    """Whoever would come in by the clock waits for staff instead; a clock takes no refusal."""
    if not isinstance(event, SeatDeadlinePassed):
        raise VisitFull
    waits = replace(seat, deadline=None)
    return replace(visit, seats=tuple(waits if s is seat else s for s in visit.seats))


def _move_line(visit: Visit, event: LineEvent, now: float, policy: Policy) -> Result:
    seat = visit.seat(event.seat)
    if seat is None:
        raise UnknownSeat
    if fallback.is_stale(seat, event) or _comes_too_late(visit, event):
        return visit, ()
    _check_device(seat, event)
    _check_running(visit, seat, event)
    _check_alone(visit, seat, event)
    after, effects = fallback.FALLBACK.step(seat, event, now, policy)
    if after.line.state is not seat.line.state:
        after = replace(after, line=replace(after.line, since=now))
    return replace(visit, seats=tuple(after if s is seat else s for s in visit.seats)), effects


def _check_device(seat: Seat, event: SeatEvent) -> None:
    device = getattr(event, "device", "")
    if isinstance(event, LinkOpened) or not device:
        return
    if seat.device(device) is None:
        raise UnknownDevice
    if isinstance(event, OwnSeatEvent) and event.needs_hold and not seat.speaks(device):
        raise NotAdmitted


def _check_running(visit: Visit, seat: Seat, event: SeatEvent) -> None:
    """Seats move while the visit runs; some things happen, or are prepared, at any time."""
    if visit.stage in RUNNING or isinstance(event, _AT_ANY_TIME):
        return
    raise door(visit, seat) or VisitEarly()


def _comes_too_late(visit: Visit, event: LineEvent) -> bool:
    """A restart concerns nobody's connection in a visit that does not run."""
    return isinstance(event, NodeRestarted) and visit.stage not in RUNNING


def _check_alone(visit: Visit, seat: Seat, event: LineEvent) -> None:
    """Whoever speaks alone with one telephone does so by browser, and with no other meanwhile."""
    if isinstance(event, GreetingBegun):
        greeter = visit.seat(event.by.id)
        if greeter is None or browser_is_silenced(greeter):
            raise NotPermitted
        others = (s for s in visit.seats if s is not seat and s.line.state is Fallback.GATE)
        if any(s.line.greeter == event.by.id for s in others):
            raise NotPermitted


def _add(visit: Visit, seat: Seat, policy: Policy) -> Visit:
    if visit.stage in OVER:
        raise _closed(visit)
    if visit.seat(seat.id) is not None:
        return visit
    if len(visit.seats) >= policy.max_seats:
        raise VisitFull
    (appointed,) = lifecycle.appointed(replace(visit, seats=(seat,))).seats
    return replace(visit, seats=(*visit.seats, appointed))


# -- how the machines meet --------------------


def _line_events(before: Visit, after: Visit) -> list[LineEvent]:
    """What a change means for how people are connected."""
    former = {seat.id: seat for seat in before.seats}
    found: list[LineEvent] = []
    for seat in after.seats:
        was = former.get(seat.id)
        was_covered = was is not None and is_covered(before, was)
        if is_covered(after, seat) != was_covered:
            found.append((CoverEnded if was_covered else CoverBegan)(seat=seat.id))
        elif seat.line.call is not None and _gave_up(after, seat, was):
            found.append(CoverEnded(seat=seat.id))
        elif was is not None and after.stage in RUNNING and _page(seat) != _page(was):
            found.append((PageBack if page_here(seat) else PageGone)(seat=seat.id))
        if is_covered(after, seat) and _lost_greeter(before, after, seat):
            found.append(GreeterGone(seat=seat.id))
    return found


def _gave_up(after: Visit, seat: Seat, was: Seat | None) -> bool:
    """Whoever tried a number before coming in does not come in any more."""
    if after.stage not in RUNNING or seat.admission in GONE:
        return True
    back = was is not None and was.admission is not seat.admission
    return back and seat.admission is Admission.INVITED


def _page(seat: Seat) -> tuple[bool, str]:
    """Whether the seat's page is connected, and on which device."""
    return page_here(seat), seat.holder.id if seat.holder is not None and page_here(seat) else ""


def _lost_greeter(before: Visit, after: Visit, seat: Seat) -> bool:
    if seat.line.state is not Fallback.GATE or not seat.line.greeter:
        return False
    was, is_now = before.seat(seat.line.greeter), after.seat(seat.line.greeter)
    stays = is_now is not None and _may_greet(after, is_now)
    return was is not None and _may_greet(before, was) and not stays


def _may_greet(visit: Visit, seat: Seat) -> bool:
    """Their own telephone instead of the browser would hear nothing of the one they greet."""
    return is_covered(visit, seat) and not browser_is_silenced(seat)


def is_covered(visit: Visit, seat: Seat) -> bool:
    """The server looks after this seat's connection."""
    return visit.stage in RUNNING and seat.admission in INSIDE


def is_present(seat: Seat) -> bool:
    """The person takes part now, by browser or by telephone."""
    by_phone = seat.line.state in ON_PHONE and seat.line.joined
    return seat.admission is Admission.PRESENT or (seat.admission in INSIDE and by_phone)


def together(visit: Visit) -> bool:
    """A provider and somebody else are present."""
    present = [seat.role for seat in visit.seats if is_present(seat)]
    return Role.PROVIDER in present and len(present) > 1


def occupied(visit: Visit) -> bool:
    """Somebody's page is connected, in the visit or at its door, or their telephone is called."""
    if any(seat.line.call is not None for seat in visit.seats):
        return True
    return any(
        device.connected
        for seat in visit.seats
        if seat.admission not in BARRED
        for device in seat.devices
    )


DERIVED: tuple[tuple[Callable[[Visit], bool], type[VisitEvent], type[VisitEvent]], ...] = (
    (together, Met, Parted),
    (occupied, Occupied, Emptied),
)


# -- minutes --------------------


def _account(before: Visit, after: Visit, now: float) -> Visit:
    """Add up how long each seat was there by video, by sound and by telephone."""
    former = {seat.id: seat for seat in before.seats}
    seats = tuple(
        _tally(former.get(seat.id), seat, _way(before, former.get(seat.id)), _way(after, seat), now)
        for seat in after.seats
    )
    return replace(after, seats=seats)


def _way(visit: Visit, seat: Seat | None) -> str:
    if seat is None or visit.stage not in RUNNING or not is_present(seat):
        return ""
    if seat.line.state in ON_PHONE:
        return "phone"
    return "video" if seat.camera and may(seat.role, Action.SHOW) else "sound"


def _tally(before: Seat | None, after: Seat, was: str, is_now: str, now: float) -> Seat:
    if was == is_now:
        return after
    usage: Usage = after.usage
    if was and usage.since is not None:
        spent = getattr(usage, was) + max(0.0, now - usage.since)
        usage = replace(usage, **{was: spent}, since=None, last_out=now)
    if is_now:
        first = usage.first_in if usage.first_in is not None else now
        usage = replace(usage, since=now, first_in=first, last_out=None)
    return replace(after, usage=usage)
