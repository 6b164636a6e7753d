"""The lifecycle of a visit: scheduled → open → in progress ⇄ interrupted → ended.

Two clocks: ``deadline`` belongs to the stage ("opens" while it waits to open, "closes" while it
runs) and ``deserted`` runs beside it while nobody's page is connected.
"""

from __future__ import annotations

from dataclasses import replace

from rooms.effects import Effect, EndSession
from rooms.errors import RoomError, TimesInvalid, VisitMoved, VisitNotOpen, VisitRunning
from rooms.errors import VisitCancelled as Cancelled
from rooms.errors import VisitEnded as Ended
from rooms.events import (
    END_REASONS,
    DeadlinePassed,
    Emptied,
    Met,
    Occupied,
    Parted,
    VisitEvent,
    VisitRescheduled,
    VisitWasCancelled,
    VisitWasEnded,
)
from rooms.machine import Machine, Refuse, Row, always
from rooms.model import INSIDE, ActorKind, Admission, Deadline, EndReason, Stage, Visit
from rooms.policy import Policy

Result = tuple[Visit, tuple[Effect, ...]]

# -- guards --------------------


def somebody_inside(visit: Visit, _event: VisitEvent, _policy: Policy) -> bool:
    """Somebody was let in and has not left."""
    return any(seat.admission in INSIDE for seat in visit.seats)


def times_wrong(_visit: Visit, event: VisitRescheduled, _policy: Policy) -> bool:
    """The new times are not in order."""
    return not event.starts_at < event.ends_at


# -- actions: set fields and order effects, never the stage --------------------


def keep(visit: Visit, _event: VisitEvent, _now: float, _policy: Policy) -> Result:
    """Nothing but the stage changes."""
    return visit, ()


def move(visit: Visit, event: VisitRescheduled, _now: float, policy: Policy) -> Result:
    """Take the new times and wait for the new opening."""
    moved = replace(
        visit, starts_at=event.starts_at, ends_at=event.ends_at, moved_from=visit.starts_at
    )
    waiting = replace(moved, deadline=opening(moved, policy), deserted=None)
    return appointed(waiting), everyone_out(visit, VisitMoved.code)


def open_up(visit: Visit, _event: VisitEvent, _now: float, policy: Policy) -> Result:
    """From now until the last resort of the clock."""
    return replace(visit, deadline=Deadline("closes", visit.ends_at + policy.overrun)), ()


def end(visit: Visit, event: VisitEvent, now: float, _policy: Policy) -> Result:
    """Nobody stays; the reason stays."""
    over = replace(visit, deadline=None, deserted=None, ended_at=now, end_reason=reason_of(event))
    return over, everyone_out(visit, Ended.code)


def cancel(visit: Visit, _event: VisitEvent, now: float, _policy: Policy) -> Result:
    """The visit never took place."""
    over = replace(visit, deadline=None, deserted=None, ended_at=now)
    return over, everyone_out(visit, Cancelled.code)


def everyone_out(visit: Visit, code: str) -> tuple[Effect, ...]:
    """End every session of the visit, those of people who wait included."""
    return tuple(EndSession(seat=seat.id, code=code) for seat in visit.seats if seat.devices)


def arm_deserted(visit: Visit, _event: VisitEvent, now: float, policy: Policy) -> Result:
    """Everybody is gone: end it unless somebody returns. Nobody is missed before it begins."""
    return _deserted(visit, max(now, visit.starts_at), policy), ()


def arm_no_show(visit: Visit, _event: VisitEvent, now: float, policy: Policy) -> Result:
    """They have not met yet: whoever came early, or waited in vain, may return until it is over."""
    return _deserted(visit, max(now, visit.ends_at), policy), ()


def _deserted(visit: Visit, missed_from: float, policy: Policy) -> Visit:
    return replace(visit, deserted=Deadline("deserted", missed_from + policy.deserted_after))


def disarm_deserted(visit: Visit, _event: VisitEvent, _now: float, _policy: Policy) -> Result:
    """Somebody is back."""
    return replace(visit, deserted=None), ()


def reason_of(event: VisitEvent) -> EndReason:
    """Why this event ends a visit."""
    if isinstance(event, DeadlinePassed):
        return END_REASONS[event.deadline.name]
    if event.by.kind is ActorKind.PRACTICE:
        return EndReason.BY_PRACTICE
    return EndReason.BY_PROVIDER


def opening(visit: Visit, policy: Policy) -> Deadline:
    """When the links of this visit begin to open it."""
    return Deadline("opens", visit.starts_at - policy.opens_before)


def appointed(visit: Visit) -> Visit:
    """The visit in which everybody who is to be called at the appointment has it as a deadline."""
    due = Deadline("appointment", visit.starts_at)
    return replace(
        visit,
        seats=tuple(
            replace(s, deadline=due) if s.phone.at_start and s.admission is Admission.INVITED else s
            for s in visit.seats
        ),
    )


# -- THE tables --------------------

S, R, O, P, I, E, C = Stage  # noqa: E741 - one letter a column keeps the table a table
Rows = tuple[Row[Stage, Visit] | Refuse[Visit], ...]

_MOVE: Rows = (Refuse(times_wrong, TimesInvalid), Row(always, R, move))
_MOVE_IF_EMPTY: Rows = (Refuse(somebody_inside, VisitRunning), *_MOVE)
_CANCEL_IF_EMPTY: Rows = (Refuse(somebody_inside, VisitRunning), Row(always, C, cancel))

ROWS: dict[tuple[Stage, type[VisitEvent]], Rows] = {
    (S, VisitRescheduled): _MOVE,
    (S, VisitWasCancelled): (Row(always, C, cancel),),
    (S, DeadlinePassed): (Row(always, O, open_up),),
    (R, VisitRescheduled): _MOVE,
    (R, VisitWasCancelled): (Row(always, C, cancel),),
    (R, DeadlinePassed): (Row(always, O, open_up),),
    (O, VisitRescheduled): _MOVE_IF_EMPTY,
    (O, VisitWasCancelled): _CANCEL_IF_EMPTY,
    (O, VisitWasEnded): (Row(always, E, end),),
    (O, DeadlinePassed): (Row(always, E, end),),
    (O, Met): (Row(always, P, keep),),
    (O, Emptied): (Row(always, O, arm_no_show),),
    (O, Occupied): (Row(always, O, disarm_deserted),),
    (P, VisitWasEnded): (Row(always, E, end),),
    (P, DeadlinePassed): (Row(always, E, end),),
    (P, Parted): (Row(always, I, keep),),
    (P, Emptied): (Row(always, P, arm_deserted),),
    (P, Occupied): (Row(always, P, disarm_deserted),),
    (I, VisitWasEnded): (Row(always, E, end),),
    (I, DeadlinePassed): (Row(always, E, end),),
    (I, Met): (Row(always, P, keep),),
    (I, Emptied): (Row(always, I, arm_deserted),),
    (I, Occupied): (Row(always, I, disarm_deserted),),
}

# Nobody can be inside a visit that has not opened or is over; repeats of an ending change nothing.
IGNORED: frozenset[tuple[Stage, type[VisitEvent]]] = frozenset(
    {(stage, event) for stage in (S, R, E, C) for event in (Met, Parted, Emptied, Occupied)}
    | {(O, Parted), (P, Met), (I, Parted)}
    | {(E, DeadlinePassed), (E, VisitWasEnded), (C, DeadlinePassed), (C, VisitWasCancelled)}
)

REFUSED: dict[tuple[Stage, type[VisitEvent]], type[RoomError]] = {
    (S, VisitWasEnded): VisitNotOpen,
    (R, VisitWasEnded): VisitNotOpen,
    (P, VisitRescheduled): VisitRunning,
    (P, VisitWasCancelled): VisitRunning,
    (I, VisitRescheduled): VisitRunning,
    (I, VisitWasCancelled): VisitRunning,
    (E, VisitRescheduled): Ended,
    (E, VisitWasCancelled): Ended,
    (C, VisitRescheduled): Cancelled,
    (C, VisitWasEnded): Cancelled,
}

LIFECYCLE: Machine[Stage, Visit, VisitEvent] = Machine(
    rows=ROWS,
    ignored=IGNORED,
    refused=REFUSED,
    read=lambda visit: visit.stage,
    write=lambda visit, stage: replace(visit, stage=stage),
)


def is_stale(visit: Visit, event: VisitEvent) -> bool:
    """True for a deadline that is no longer the current one."""
    if not isinstance(event, DeadlinePassed):
        return False
    return event.deadline not in (visit.deadline, visit.deserted)
