"""Who may do what: one matrix, printed in PROTOCOL.md and tested cell by cell.

The matrix speaks of roles. ``require`` adds what no role can override: staff actions need a person
who is inside, on the seat's own device, and never concern one's own seat; and what a person does
at their seat, nobody else can do for them.
"""

from __future__ import annotations

from enum import StrEnum

from rooms.errors import NotAdmitted, NotPermitted, UnknownSeat
from rooms.events import (
    Event,
    LinkWithdrawn,
    NoticeSent,
    OwnSeatEvent,
    SeatAdded,
    SeatAdmitted,
    SeatEvent,
    SeatLetBack,
    SeatObjected,
    SeatRevoked,
    SeatSentBack,
    SeatWasDenied,
    SeatWasRemoved,
    VisitRescheduled,
    VisitWasCancelled,
    VisitWasEnded,
)
from rooms.line_events import (
    CallerLetIn,
    CallOrdered,
    CallWasStopped,
    GreetingBegun,
    NumberRecorded,
    SeatKeptOnPhone,
    VoiceConfirmed,
    WrongPersonFound,
)
from rooms.model import INSIDE, Actor, ActorKind, Role, Seat, Visit


class Action(StrEnum):
    """Something a role may or may not do."""

    SPEAK = "speak"
    SHOW = "show"
    HEAR = "hear"
    ENTER_DIRECTLY = "enter_directly"
    SEE_WAITING = "see_waiting"
    SEE_FAMILY_WAITING = "see_family_waiting"
    ADMIT = "admit"
    DENY = "deny"
    REMOVE = "remove"
    SEND_BACK = "send_back"
    LET_BACK = "let_back"
    MESSAGE = "message"
    OBJECT = "object"
    INVITE = "invite"
    END = "end"
    RESCHEDULE = "reschedule"
    CANCEL = "cancel"
    REVOKE = "revoke"
    OPEN = "open"
    SEE_LINES = "see_lines"
    CALL = "call"
    GREET = "greet"


A = Action
_TAKE_PART = frozenset({A.SPEAK, A.SHOW, A.HEAR})
_RUN_THE_DOOR = frozenset({A.SEE_WAITING, A.ADMIT, A.DENY, A.SEND_BACK, A.LET_BACK, A.MESSAGE})
_RUN_THE_PHONE = frozenset({A.SEE_LINES, A.CALL})

MATRIX: dict[Role | ActorKind, frozenset[Action]] = {
    Role.PATIENT: _TAKE_PART | {A.SEE_FAMILY_WAITING, A.OBJECT},
    Role.PROVIDER: _TAKE_PART
    | _RUN_THE_DOOR
    | _RUN_THE_PHONE
    | {A.ENTER_DIRECTLY, A.REMOVE, A.INVITE, A.END, A.GREET},
    Role.FAMILY: _TAKE_PART,
    Role.INTERPRETER: _TAKE_PART,
    Role.CONSULTANT: _TAKE_PART,
    Role.PRESENTER: _TAKE_PART,
    Role.OBSERVER: frozenset({A.HEAR}),
    ActorKind.DESK: _RUN_THE_DOOR | _RUN_THE_PHONE | {A.REMOVE, A.OPEN},
    ActorKind.PRACTICE: _RUN_THE_DOOR
    | _RUN_THE_PHONE
    | {A.REMOVE, A.INVITE, A.END, A.RESCHEDULE, A.CANCEL, A.REVOKE},
    ActorKind.SYSTEM: frozenset(),  # clocks and wires decide nothing about people
}

ACTION_OF: dict[type[Event], Action] = {
    SeatAdmitted: A.ADMIT,
    SeatWasDenied: A.DENY,
    SeatWasRemoved: A.REMOVE,
    SeatSentBack: A.SEND_BACK,
    SeatLetBack: A.LET_BACK,
    NoticeSent: A.MESSAGE,
    SeatObjected: A.OBJECT,
    SeatAdded: A.INVITE,
    VisitWasEnded: A.END,
    VisitRescheduled: A.RESCHEDULE,
    VisitWasCancelled: A.CANCEL,
    SeatRevoked: A.REVOKE,
    LinkWithdrawn: A.REVOKE,
    NumberRecorded: A.CALL,
    CallOrdered: A.CALL,
    CallWasStopped: A.CALL,
    SeatKeptOnPhone: A.CALL,
    GreetingBegun: A.GREET,
    CallerLetIn: A.GREET,
    VoiceConfirmed: A.GREET,
    WrongPersonFound: A.GREET,
}


def may(who: Role | ActorKind, action: Action) -> bool:
    """Whether the matrix lets this role or kind of actor do this."""
    return action in MATRIX[who]


def require(visit: Visit, event: Event) -> None:
    """Raise unless ``event.by`` may cause ``event``. Events without a row are nobody's privilege.

    Raises ``NotPermitted``, ``NotAdmitted`` or ``UnknownSeat``.
    """
    if isinstance(event, OwnSeatEvent) and not _comes_from_there(event):
        raise NotPermitted
    action = ACTION_OF.get(type(event))
    if action is None:
        return
    if event.by.kind is not ActorKind.SEAT:
        allowed = may(event.by.kind, action)
    else:
        allowed = may(acting_seat(visit, event.by).role, action) and not _concerns_self(event)
    if not allowed or not _objection_fits(visit, event):
        raise NotPermitted


def acting_seat(visit: Visit, actor: Actor) -> Seat:
    """The seat behind a seat actor, if it is inside and acts on its own device."""
    seat = visit.seat(actor.id)
    if seat is None:
        raise UnknownSeat
    holder = seat.holder
    if seat.admission not in INSIDE or holder is None or holder.id != actor.device:
        raise NotAdmitted
    return seat


def _comes_from_there(event: OwnSeatEvent) -> bool:
    """The seat's own page did it, or the system noticed it about that page."""
    by = event.by
    return by.kind is ActorKind.SYSTEM or by == Actor(ActorKind.SEAT, event.seat, event.device)


def _concerns_self(event: Event) -> bool:
    return isinstance(event, SeatEvent) and event.seat == event.by.id


def _objection_fits(visit: Visit, event: Event) -> bool:
    if not isinstance(event, SeatObjected):
        return True
    seat = visit.seat(event.seat)
    return seat is None or seat.role is Role.FAMILY
