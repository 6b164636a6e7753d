"""What must become of how somebody is connected, said a second time: by event instead of by state.

Independent of the table on purpose. It knows nothing of permissions, devices or the visit's stage;
callers ask only about events that come that far.
"""

from __future__ import annotations

from collections.abc import Iterable

from rooms.errors import (
    CallNotAnswered,
    CallsUsed,
    CallUnderway,
    NoCall,
    NoNumber,
    NotAdmitted,
    NotPermitted,
    PhoneRefused,
    RoomError,
    SpeakFirst,
    VideoNotReady,
)
from rooms.line_events import (
    CallAnswered,
    CallerLetIn,
    CallEvent,
    CallOrdered,
    CallOver,
    CallRang,
    CallStopped,
    CallWasStopped,
    ConnectAsked,
    CoverBegan,
    CoverEnded,
    GreetingBegun,
    HandBackAsked,
    KeyPressed,
    LineDeadlinePassed,
    LineEvent,
    NodeRestarted,
    NumberRecorded,
    PhoneAsked,
    PhoneKept,
    PhonePlanSet,
    PhonePlanWithdrawn,
    SameSpeechHeard,
    SeatKeptOnPhone,
    SoundChanged,
    VoiceConfirmed,
    WrongPersonFound,
)
from rooms.model import (
    INSIDE,
    Admission,
    CallFailure,
    CallPurpose,
    Fallback,
    PhoneNumber,
    Seat,
    Sound,
)
from rooms.policy import Policy

F = Fallback
Answer = Fallback | type[RoomError]
NO_CALL, PLACING, TALKING = (
    (F.GOOD, F.DEGRADED, F.STUCK),
    (F.DIALING, F.RINGING),
    (F.BRIDGED, F.RECOVERING),
)
HOPELESS = {
    CallFailure.DECLINED, CallFailure.BLOCKED, CallFailure.BAD_NUMBER,
    CallFailure.WRONG_PERSON, CallFailure.REFUSED,
}  # fmt: skip


# -- what is asked of a seat --------------------


def own_number(seat: Seat) -> PhoneNumber | None:
    return number(seat, "own")


def number(seat: Seat, name: str) -> PhoneNumber | None:
    found = [n for n in seat.phone.numbers if n.id == (name or "own")]
    return found[0] if found else None


def is_inside(seat: Seat) -> bool:
    return seat.admission in INSIDE


def page_is_open(seat: Seat) -> bool:
    return any(d.standing == "holding" and d.connected for d in seat.devices)


def at_ease(seat: Seat) -> bool:
    """The browser carries the person, or nobody needs it to."""
    return not is_inside(seat) or seat.line.sound is Sound.FINE


def is_trial(seat: Seat) -> bool:
    return seat.line.call is not None and seat.line.call.purpose is CallPurpose.TRIAL


def rings_somebody_else(seat: Seat) -> bool:
    called = number(seat, seat.line.call.number) if seat.line.call else None
    return called is not None and called.contact


def failures(seat: Seat, more: Iterable[CallFailure] = ()) -> list[CallFailure]:
    """How calling the person's own number failed since it was agreed to, oldest first."""
    own = own_number(seat)
    if own is None or own.consent is None:
        return []
    agreed = own.consent.at
    return [a.why for a in seat.line.attempts if a.number == "own" and a.at >= agreed] + [*more]


def callable_(seat: Seat, policy: Policy, more: Iterable[CallFailure] = ()) -> bool:
    """The server may call this person of its own accord."""
    own = own_number(seat)
    left = seat.line.calls - seat.line.calls_by_hand < policy.fallback.max_calls
    agreed = own is not None and own.consent is not None and not seat.phone.refused
    hopeless = failures(seat, more)[-1:]
    return agreed and left and not set(hopeless) & HOPELESS


def failure(event: LineEvent) -> CallFailure | None:
    """What this event would mean for a call, if it ended one in failure."""
    match event:
        case CallOver():
            return event.why
        case KeyPressed(key="9"):
            return CallFailure.REFUSED
        case WrongPersonFound():
            return CallFailure.WRONG_PERSON
        case LineDeadlinePassed() if event.deadline.name == "gate":
            return CallFailure.NOBODY_CONFIRMED
        case LineDeadlinePassed() if event.deadline.name == "ring":
            return CallFailure.CARRIER_DOWN
        case NodeRestarted():
            return CallFailure.LOST
    return None


# -- where an event leads --------------------


def line_after(seat: Seat, event: LineEvent, policy: Policy) -> Answer:
    """The state of the seat's line after ``event``, or the error that refuses it."""
    match event:
        case CoverBegan() | CoverEnded() | NodeRestarted():
            return _cover(seat, event, policy)
        case SoundChanged():
            return _sound(seat, event)
        case PhonePlanSet() | NumberRecorded():
            return _plan(seat, event)
        case CallEvent():
            return _call(seat, event, policy)
    return _wish(seat, event, policy)


def _wish(seat: Seat, event: LineEvent, policy: Policy) -> Answer:
    was = seat.line.state
    match event:
        case PhonePlanWithdrawn():
            ringing = was in (*PLACING, F.GATE) and not rings_somebody_else(seat)
            return _done(seat) if ringing else was
        case PhoneAsked() | CallOrdered():
            return _asked(seat, event, policy)
        case CallStopped() | CallWasStopped():
            called_off = was is F.DEGRADED
            return F.STUCK if called_off else was if was in NO_CALL else _done(seat)
        case LineDeadlinePassed():
            return _late(seat, event, policy)
    return _gate_and_phone(seat, event)


def _done(seat: Seat) -> Fallback:
    return F.GOOD if at_ease(seat) else F.STUCK


def _failed(seat: Seat, event: LineEvent, policy: Policy) -> Fallback:
    why = failure(event)
    own = seat.line.call is None or seat.line.call.number == "own"
    more = [why] if own and why is not None else []
    if at_ease(seat):
        return F.GOOD
    return F.DEGRADED if callable_(seat, policy, more) else F.STUCK


def _cover(seat: Seat, event: LineEvent, policy: Policy) -> Fallback:
    was = seat.line.state
    if isinstance(event, CoverEnded):
        return F.GOOD
    if isinstance(event, NodeRestarted):
        return was if was is F.STUCK else F.DEGRADED if is_inside(seat) else F.GOOD
    if was is not F.GOOD or page_is_open(seat):
        return was
    return F.DIALING if callable_(seat, policy) else F.STUCK


def _sound(seat: Seat, event: SoundChanged) -> Fallback:
    was, fine = seat.line.state, event.sound is Sound.FINE
    if not is_inside(seat):
        return was
    if was in NO_CALL:
        return F.GOOD if fine else F.DEGRADED if was is F.GOOD else was
    if was in PLACING and fine and seat.line.call is not None:
        return F.GOOD if seat.line.call.purpose is CallPurpose.FALLBACK else was
    return F.BRIDGED if was is F.RECOVERING and not fine else was


def _plan(seat: Seat, event: PhonePlanSet | NumberRecorded) -> Fallback:
    was = seat.line.state
    if was in (*PLACING, F.GATE) and _is_replaced(seat, event):
        return F.GOOD if at_ease(seat) else F.DEGRADED
    helps = isinstance(event, PhonePlanSet) or (event.number.id == "own" and event.wording != "")
    needed = is_inside(seat) and seat.line.sound is not Sound.FINE
    return F.DEGRADED if was is F.STUCK and helps and needed else was


def _is_replaced(seat: Seat, event: PhonePlanSet | NumberRecorded) -> bool:
    """The telephone that rings is not the one that should."""
    called = number(seat, seat.line.call.number) if seat.line.call else None
    if called is None:
        return False
    if isinstance(event, PhonePlanSet):
        return called.id == "own" and bool(event.number) and event.number != called.number
    return event.number.id == called.id and event.number.number != called.number


def _asked(seat: Seat, event: PhoneAsked | CallOrdered, policy: Policy) -> Answer:
    was = seat.line.state
    if was not in NO_CALL:
        by_staff = isinstance(event, CallOrdered)
        return CallUnderway if by_staff or was not in TALKING else was
    trial = isinstance(event, PhoneAsked) and event.purpose is CallPurpose.TRIAL
    out = (Admission.LEFT, Admission.DENIED, Admission.REMOVED)
    if not is_inside(seat) and (not trial or seat.admission in out):
        return NotAdmitted
    wanted = number(seat, event.number if isinstance(event, CallOrdered) else "own")
    if seat.phone.refused and not (wanted and wanted.contact):
        return PhoneRefused
    if wanted is None or wanted.consent is None:
        return NoNumber
    used = seat.line.calls_by_hand >= policy.fallback.max_calls_by_hand
    return CallsUsed if used else F.DIALING


def _late(seat: Seat, event: LineDeadlinePassed, policy: Policy) -> Fallback:
    was = seat.line.state
    if was is F.GOOD:
        return F.DEGRADED
    if was is F.DEGRADED:
        return F.DIALING if callable_(seat, policy) else F.STUCK
    if was in (*PLACING, F.GATE):
        return _failed(seat, event, policy)
    if was is F.BRIDGED:
        return F.RECOVERING if event.deadline.name == "steady" else was
    return F.GOOD if was is F.RECOVERING else was


def _call(seat: Seat, event: CallEvent, policy: Policy) -> Fallback:
    was = seat.line.state
    match event:
        case CallRang():
            return F.RINGING if was is F.DIALING else was
        case CallAnswered():
            return F.GATE if was in PLACING else was
        case CallOver():
            return was if was in NO_CALL else _failed(seat, event, policy)
        case KeyPressed() if was is F.GATE:
            return _key_at_the_gate(seat, event.key)
        case KeyPressed() if was is F.BRIDGED:
            returns = event.key == "2" and seat.line.sound is Sound.FINE and page_is_open(seat)
            return _returned(seat) if returns else was
    return was


def _returned(seat: Seat) -> Fallback:
    """Back at the browser; a telephone that nobody has heard yet need not fade."""
    return F.RECOVERING if seat.line.joined else F.GOOD


def _key_at_the_gate(seat: Seat, key: str) -> Fallback:
    if key == "1" and is_trial(seat):
        return F.GOOD if at_ease(seat) else F.DEGRADED
    if key == "9":
        return _done(seat)
    opens = key == "1" and not rings_somebody_else(seat)
    return F.BRIDGED if opens else F.GATE


def _gate_and_phone(seat: Seat, event: LineEvent) -> Answer:
    was = seat.line.state
    match event:
        case ConnectAsked() | GreetingBegun() | CallerLetIn():
            return was if was in TALKING else _gate(seat, event)
        case WrongPersonFound():
            return _done(seat) if was in (F.GATE, *TALKING) else CallNotAnswered
        case HandBackAsked() if was is F.BRIDGED:
            return _returned(seat) if seat.line.sound is Sound.FINE else VideoNotReady
        case HandBackAsked():
            return was if was in (F.GOOD, F.RECOVERING) else NoCall
        case VoiceConfirmed() | PhoneKept() | SeatKeptOnPhone():
            return was if was in TALKING else NoCall
        case SameSpeechHeard():
            return was
    return was  # pages come and go, and who greets goes: nobody moves for that alone


def _gate(seat: Seat, event: LineEvent) -> Answer:
    if seat.line.state is not F.GATE:
        return CallNotAnswered
    greeter = seat.line.greeter
    match event:
        case ConnectAsked():
            opens = SpeakFirst if rings_somebody_else(seat) else F.BRIDGED
            return NotPermitted if is_trial(seat) else opens
        case GreetingBegun():
            mine = greeter in ("", event.by.id)
            return F.GATE if mine and not is_trial(seat) else NotPermitted
    return F.BRIDGED if greeter == event.by.id else SpeakFirst
