"""What is shown of how people are connected: to themselves, to staff, and to everybody else.

Nobody is ever shown a whole telephone number; its owner sees the last two digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rooms.line_guards import number_to_call, reachable
from rooms.model import (
    CALLING,
    ON_PHONE,
    OWN_NUMBER,
    CallFailure,
    CallPurpose,
    Fallback,
    Seat,
    SeatId,
    Sound,
    Stuck,
)

SHOWN_DIGITS = 2


class Way(StrEnum):
    """How somebody is there, as everybody in the visit may know."""

    BROWSER = "browser"
    WEAK = "weak"  # the picture rests
    CALLING = "calling"  # is being called
    JOINING = "joining"  # the telephone is about to be heard
    PHONE = "phone"


@dataclass(frozen=True, slots=True, kw_only=True)
class MyLine:
    """The reader's own connection. ``number`` is the end of the number that would be called."""

    state: Fallback
    sound: Sound
    since: float | None
    number: str
    agreed: bool  # the number may be called
    same_device: bool
    trial: bool  # the call under way only tries the number
    other_phone: bool  # the call under way is not to the number whose end is shown
    tried_at: float | None
    why: CallFailure | None  # what became of the last call
    stuck: Stuck | None
    joined: bool
    returning: bool
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberChoice:
    """A number that staff may call for a seat: by its name, never by its digits."""

    id: str
    label: str
    contact: bool
    agreed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReport:
    """Somebody's connection as staff follow it."""

    state: Fallback
    sound: Sound
    since: float | None
    silent_since: float | None
    next_call_at: float | None
    page: bool  # their page is connected
    trial: bool
    why: CallFailure | None
    stuck: Stuck | None
    calls: int
    greeter: SeatId
    joined: bool
    voice_confirmed: bool
    kept: bool
    numbers: tuple[NumberChoice, ...]
    address: bool  # staff may ask where the person is


def way(seat: Seat) -> Way:
    """How the person is there."""
    line = seat.line
    trial = line.call is not None and line.call.purpose is CallPurpose.TRIAL
    if line.state is Fallback.GOOD or trial:
        return Way.BROWSER
    if line.state in ON_PHONE:
        return Way.PHONE if line.joined else Way.JOINING
    placing = line.state in CALLING or line.state is Fallback.GATE
    return Way.CALLING if placing else Way.WEAK


def my_line(seat: Seat, *, own_device: bool) -> MyLine:
    """The reader's own connection; to have opened the seat's link shows nobody its number."""
    line, plan = seat.line, seat.phone
    own = plan.number(OWN_NUMBER)
    return MyLine(
        state=line.state,
        sound=line.sound,
        since=line.since,
        number=own.number[-SHOWN_DIGITS:] if own and own_device else "",
        agreed=number_to_call(seat) is not None and not plan.refused,
        same_device=plan.same_device,
        trial=line.call is not None and line.call.purpose is CallPurpose.TRIAL,
        other_phone=line.call is not None and line.call.number != OWN_NUMBER,
        tried_at=plan.tried_at,
        why=_last_failure(seat),
        stuck=line.stuck,
        joined=line.joined,
        returning=line.returning,
        kept=line.kept,
    )


def line_report(seat: Seat) -> LineReport:
    """What staff are shown."""
    line = seat.line
    return LineReport(
        state=line.state,
        sound=line.sound,
        since=line.since,
        silent_since=line.silent_since,
        next_call_at=_next_call_at(seat),
        page=seat.holder is not None and seat.holder.connected,
        trial=line.call is not None and line.call.purpose is CallPurpose.TRIAL,
        why=_last_failure(seat),
        stuck=line.stuck,
        calls=line.calls,
        greeter=line.greeter,
        joined=line.joined,
        voice_confirmed=line.voice_confirmed,
        kept=line.kept,
        numbers=tuple(
            NumberChoice(
                id=number.id,
                label=number.label,
                contact=number.contact,
                agreed=number.consent is not None,
            )
            for number in seat.phone.numbers
        ),
        address=bool(seat.address),
    )


def _next_call_at(seat: Seat) -> float | None:
    """When the server calls by itself, if it may."""
    due = seat.line.deadline
    waits = seat.line.state is Fallback.DEGRADED and reachable(seat)
    return due.at if due is not None and waits else None


def _last_failure(seat: Seat) -> CallFailure | None:
    return seat.line.attempts[-1].why if seat.line.attempts else None
