"""What one change of a visit says in figures: pure, from what was before and what is now.

Nothing here names anybody: ids of seats are for pairing a beginning with its end, and are dropped
before anything is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rooms.admission_rules import waiting_devices
from rooms.model import (
    INSIDE,
    ON_PHONE,
    OVER,
    RUNNING,
    Admission,
    Device,
    Fallback,
    Seat,
    SeatId,
    Stage,
    Standing,
    Visit,
)
from rooms.visit import is_covered


class What(StrEnum):
    """Kinds of measurements; ``outcome`` and ``seconds`` say more."""

    VISIT_OVER = "visit_over"  # outcome: how
    AT_THE_DOOR = "at_the_door"  # outcome; seconds waited, if it was waited
    CAME_IN = "came_in"  # a join begins; outcome: browser or phone
    WENT_OUT = "went_out"
    LINE_LEFT = "line_left"  # outcome: the state; seconds in it
    TROUBLE = "trouble"  # the connection fails
    ON_PHONE = "on_phone"  # heard again, by telephone
    TROUBLE_OVER = "trouble_over"  # outcome: how


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure. ``seat`` pairs beginnings with ends."""

    what: What
    outcome: str = ""
    seconds: float | None = None
    seat: SeatId = ""


@dataclass(frozen=True, slots=True)
class Standings:
    """What there is of a visit now: what gauges add up."""

    stage: Stage
    waiting: tuple[float, ...] = ()  # since when, each
    lines: tuple[Fallback, ...] = ()  # of everybody inside


def standings(visit: Visit) -> Standings:
    """The visit as gauges see it."""
    if visit.stage not in RUNNING:
        return Standings(visit.stage)
    return Standings(
        visit.stage,
        tuple(since for seat in visit.seats for since in _waits(seat)),
        tuple(seat.line.state for seat in visit.seats if seat.admission in INSIDE),
    )


def observe(before: Visit | None, after: Visit, now: float) -> Iterator[Measurement]:
    """What the change from ``before`` to ``after`` measures; nothing of a visit taken up anew."""
    if before is None:
        return
    if after.stage in OVER and before.stage not in OVER:
        how = after.end_reason.value if after.end_reason else after.stage.value
        yield Measurement(What.VISIT_OVER, how)
    for seat in after.seats:
        former = before.seat(seat.id)
        if former is not None and former is not seat:
            yield from _door(former, seat, now)
            yield from _line(former, seat, now, covered=is_covered(after, seat))


def _door(before: Seat, after: Seat, now: float) -> Iterator[Measurement]:
    was, is_now = before.admission in INSIDE, after.admission in INSIDE
    if is_now and not was:
        since = _longest(before)
        yield _let_in("admitted" if since is not None else _without_waiting(after), since, now)
        yield Measurement(What.CAME_IN, "phone" if after.phone.only else "browser", seat=after.id)
    elif was and not is_now:
        yield Measurement(What.WENT_OUT, seat=after.id)
    elif is_now and (since := _asked_beside(before, after)) is not None:
        yield _let_in("device_admitted", since, now)
    if _refused(after) > _refused(before):
        yield Measurement(What.AT_THE_DOOR, "device_refused")
    outcome = _AT_THE_DOOR.get((before.admission, after.admission), "")
    if outcome:
        yield Measurement(What.AT_THE_DOOR, outcome)


def _let_in(outcome: str, since: float | None, now: float) -> Measurement:
    seconds = None if since is None else max(0.0, now - since)
    return Measurement(What.AT_THE_DOOR, outcome, seconds)


def _asked_beside(before: Seat, after: Seat) -> float | None:
    """Since when the device asked that holds the seat now instead of another one."""
    holder = after.holder
    former = before.device(holder.id) if holder is not None else None
    if former is None or former.standing is not Standing.WAITING:
        return None
    return former.waiting_since


def _without_waiting(seat: Seat) -> str:
    return "called_in" if seat.phone.only else "walked_in"


_AT_THE_DOOR: dict[tuple[Admission, Admission], str] = {
    **{(state, Admission.DENIED): "denied" for state in Admission if state is not Admission.DENIED},
    **{(state, Admission.REMOVED): "removed" for state in INSIDE},
    **{(state, Admission.WAITING): "sent_back" for state in INSIDE},
    (Admission.WAITING, Admission.LEFT): "gave_up",
    (Admission.WAITING, Admission.INVITED): "gave_up",
}


def _line(before: Seat, after: Seat, now: float, *, covered: bool) -> Iterator[Measurement]:
    was, state = before.line.state, after.line.state
    if was is state:
        return
    if before.line.since is not None:
        seconds = max(0.0, now - before.line.since)
        yield Measurement(What.LINE_LEFT, was.value, seconds)
    if was is Fallback.GOOD:
        yield Measurement(What.TROUBLE, seat=after.id)
    if state in ON_PHONE and was not in ON_PHONE:
        yield Measurement(What.ON_PHONE, seat=after.id)
    if state is Fallback.GOOD:
        how = _HOW_IT_ENDED[was in ON_PHONE, covered]
        yield Measurement(What.TROUBLE_OVER, how, seat=after.id)


_HOW_IT_ENDED = {  # was on the telephone, is still looked after
    (True, True): "handed_back",
    (True, False): "ended_on_phone",
    (False, True): "mended",
    (False, False): "ended_unmended",
}


def _waits(seat: Seat) -> Iterator[float]:
    """Since when each device of the seat waits that somebody could let in."""
    for device in waiting_devices(seat):
        since = _since(seat, device)
        if since is not None and device.connected:
            yield since


def _longest(seat: Seat) -> float | None:
    return min(
        (s for d in waiting_devices(seat) if (s := _since(seat, d)) is not None), default=None
    )


def _since(seat: Seat, device: Device) -> float | None:
    return seat.waiting_since if device.standing is Standing.HOLDING else device.waiting_since


def _refused(seat: Seat) -> int:
    return sum(device.standing is Standing.REFUSED for device in seat.devices)
