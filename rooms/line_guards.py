"""What the rows of ``fallback`` ask about one seat's line. A guard only looks."""

from __future__ import annotations

from rooms.line_events import (
    CallOver,
    KeyPressed,
    LineDeadlinePassed,
    LineEvent,
    NumberRecorded,
    PhoneAsked,
    PhonePlanSet,
    SoundChanged,
)
from rooms.model import (
    BARRED,
    INSIDE,
    OWN_NUMBER,
    Admission,
    Attempt,
    CallFailure,
    CallPurpose,
    PhoneNumber,
    Seat,
    Sound,
    Stuck,
)
from rooms.policy import Policy

CONNECT_KEY, RETURN_KEY, REFUSE_KEY = "1", "2", "9"
GONE = BARRED | {Admission.LEFT}

# -- what both stand on --------------------


def covered(seat: Seat) -> bool:
    """The server looks after this seat's connection: the person is inside."""
    return seat.admission in INSIDE


def page_here(seat: Seat) -> bool:
    """The page of the seat's own device is connected."""
    return seat.holder is not None and seat.holder.connected


def number_to_call(seat: Seat, number_id: str = "") -> PhoneNumber | None:
    """The number with this id, or the person's own; only if somebody agreed to its being called."""
    number = seat.phone.number(number_id or OWN_NUMBER)
    return number if number is not None and number.consent is not None else None


def reachable(seat: Seat) -> bool:
    """A telephone could still help this seat."""
    return number_to_call(seat) is not None and not seat.phone.refused


def last_attempt(seat: Seat) -> Attempt | None:
    """How calling the person's own number failed last, since they agreed to its being called."""
    number = number_to_call(seat)
    if number is None or number.consent is None:
        return None
    agreed = number.consent.at
    own = [a for a in seat.line.attempts if a.number == OWN_NUMBER and a.at >= agreed]
    return own[-1] if own else None


def why_not(seat: Seat, policy: Policy, latest: CallFailure | None = None) -> Stuck | None:
    """Why the server may not call this seat of its own accord, or None if it may.

    ``latest`` is the failure of a call that is about to be remembered.
    """
    if seat.phone.number(OWN_NUMBER) is None:
        return Stuck.NO_NUMBER
    if number_to_call(seat) is None:
        return Stuck.NO_CONSENT
    if seat.phone.refused:
        return Stuck.REFUSED
    automatic = seat.line.calls - seat.line.calls_by_hand
    if automatic >= policy.fallback.max_calls:
        return Stuck.CALLS_USED
    attempt = last_attempt(seat)
    failure = latest or (attempt.why if attempt else None)
    hopeless = failure is not None and policy.fallback.retry_after[failure] is None
    return Stuck.NOT_REACHED if hopeless else None


def purpose(seat: Seat) -> CallPurpose | None:
    """What the seat's current call is for."""
    return seat.line.call.purpose if seat.line.call else None


def failure_of(event: LineEvent) -> CallFailure:
    """What this event means for the current call."""
    return event.why if isinstance(event, CallOver) else _ENDINGS.get(_name_of(event), _WRONG)


def _name_of(event: LineEvent) -> str:
    deadline = getattr(event, "deadline", None)
    return deadline.name if deadline is not None else event.name


_WRONG = CallFailure.WRONG_PERSON
_ENDINGS = {
    "ring": CallFailure.CARRIER_DOWN,
    "gate": CallFailure.NOBODY_CONFIRMED,
    "KeyPressed": CallFailure.REFUSED,
    "WrongPersonFound": CallFailure.WRONG_PERSON,
}


# -- guards --------------------


def outside(seat: Seat, _event: LineEvent, _policy: Policy) -> bool:
    """Nobody looks after the connection of somebody who is not inside."""
    return not covered(seat)


def page_is_here(seat: Seat, _event: LineEvent, _policy: Policy) -> bool:
    """The person's page is connected; who is reached by telephone alone has none."""
    return page_here(seat)


def may_be_called(seat: Seat, _event: LineEvent, policy: Policy) -> bool:
    """The server may call of its own accord."""
    return why_not(seat, policy) is None


def fine_again(_seat: Seat, event: SoundChanged, _policy: Policy) -> bool:
    """The browser's sound is good."""
    return event.sound is Sound.FINE


def fine_again_before_the_answer(seat: Seat, event: SoundChanged, policy: Policy) -> bool:
    """The call is no longer needed. One that somebody asked for goes on."""
    automatic = purpose(seat) is CallPurpose.FALLBACK
    return fine_again(seat, event, policy) and automatic


def sounds_fine(seat: Seat, _event: LineEvent, _policy: Policy) -> bool:
    """The browser's sound is good, or nobody needs it."""
    return seat.line.sound is Sound.FINE or not covered(seat)


def is_trial(seat: Seat, _event: LineEvent, _policy: Policy) -> bool:
    """The current call only tries whether calling works."""
    return purpose(seat) is CallPurpose.TRIAL


def is_other_persons(seat: Seat, _event: LineEvent, _policy: Policy) -> bool:
    """The current call rings somebody else's telephone."""
    number = seat.phone.number(seat.line.call.number) if seat.line.call else None
    return number is not None and number.contact


def connects(seat: Seat, event: KeyPressed, policy: Policy) -> bool:
    """The person's own telephone asks to come in."""
    return event.key == CONNECT_KEY and not is_other_persons(seat, event, policy)


def confirms_trial(seat: Seat, event: KeyPressed, policy: Policy) -> bool:
    """The number that was tried works."""
    return event.key == CONNECT_KEY and is_trial(seat, event, policy)


def refuses(_seat: Seat, event: KeyPressed, _policy: Policy) -> bool:
    """Whoever has the telephone wants no more calls."""
    return event.key == REFUSE_KEY


def refuses_needlessly(seat: Seat, event: KeyPressed, policy: Policy) -> bool:
    """They want no more calls, and the browser carries them."""
    return refuses(seat, event, policy) and sounds_fine(seat, event, policy)


def confirms_trial_in_need(seat: Seat, event: KeyPressed, policy: Policy) -> bool:
    """The number that was tried works, and is needed."""
    return confirms_trial(seat, event, policy) and not sounds_fine(seat, event, policy)


def returns(_seat: Seat, event: KeyPressed, _policy: Policy) -> bool:
    """The person says that they are at the browser."""
    return event.key == RETURN_KEY


def returns_to_good_sound(seat: Seat, event: KeyPressed, policy: Policy) -> bool:
    """They are at the browser, and it carries them."""
    return returns(seat, event, policy) and seat.line.sound is Sound.FINE and page_here(seat)


def returns_before_joining(seat: Seat, event: KeyPressed, policy: Policy) -> bool:
    """They are at the browser again before anybody heard the telephone."""
    return joins_still(seat, event, policy) and returns_to_good_sound(seat, event, policy)


def joins_still(seat: Seat, _event: LineEvent, _policy: Policy) -> bool:
    """Nobody has heard the telephone yet, so nothing has to fade."""
    return not seat.line.joined


def too_many_keys(seat: Seat, _event: KeyPressed, policy: Policy) -> bool:
    """The announcement has begun anew often enough."""
    return seat.line.asked_again >= policy.fallback.wrong_keys


def tries_again(seat: Seat, event: LineEvent, policy: Policy) -> bool:
    """A failed call is worth repeating, and may be."""
    own = seat.line.call is None or seat.line.call.number == OWN_NUMBER
    return why_not(seat, policy, failure_of(event) if own else None) is None


def no_such_number(seat: Seat, event: LineEvent, _policy: Policy) -> bool:
    """Nobody agreed to this number's being called, or there is none."""
    return number_to_call(seat, getattr(event, "number", "")) is None


def was_refused(seat: Seat, event: LineEvent, _policy: Policy) -> bool:
    """Whoever has the person's telephone wanted no more calls; others speak for themselves."""
    number = seat.phone.number(getattr(event, "number", "") or OWN_NUMBER)
    return seat.phone.refused and not (number is not None and number.contact)


def hand_calls_used(seat: Seat, _event: LineEvent, policy: Policy) -> bool:
    """As many calls were ordered as one person may get."""
    return seat.line.calls_by_hand >= policy.fallback.max_calls_by_hand


def is_no_trial(_seat: Seat, event: PhoneAsked, _policy: Policy) -> bool:
    """A call into the visit, not one to try the number."""
    return event.purpose is not CallPurpose.TRIAL


def asks_from_outside(seat: Seat, event: PhoneAsked, policy: Policy) -> bool:
    """Before being let in, a person may try their number and no more; who is out, not even that."""
    gone = seat.admission in GONE or is_no_trial(seat, event, policy)
    return outside(seat, event, policy) and gone


def somebody_greets(seat: Seat, event: LineEvent, _policy: Policy) -> bool:
    """Another member of staff speaks with the telephone."""
    return bool(seat.line.greeter) and seat.line.greeter != event.by.id


def did_not_greet(seat: Seat, event: LineEvent, _policy: Policy) -> bool:
    """Whoever lets somebody in must have spoken with them."""
    return seat.line.greeter != event.by.id


def sound_is_bad(seat: Seat, _event: LineEvent, _policy: Policy) -> bool:
    """The browser's sound is not good enough to speak over."""
    return seat.line.sound is not Sound.FINE


def is_returning(seat: Seat, _event: LineEvent, _policy: Policy) -> bool:
    """The telephone gives way already."""
    return seat.line.returning


def stays_on_phone(seat: Seat, _event: LineEvent, _policy: Policy) -> bool:
    """Somebody wants the sound to stay on the telephone."""
    return seat.line.kept or seat.line.returning


def brings_a_number(_seat: Seat, event: NumberRecorded, _policy: Policy) -> bool:
    """Staff wrote down what was missing."""
    return event.number.id == OWN_NUMBER and bool(event.wording)


def rings_former_number(seat: Seat, event: PhonePlanSet | NumberRecorded, _policy: Policy) -> bool:
    """A number is replaced while it is being called: whoever has it may be a stranger."""
    told = event.number
    name, digits = (OWN_NUMBER, told) if isinstance(told, str) else (told.id, told.number)
    called = seat.phone.number(seat.line.call.number) if seat.line.call else None
    return called is not None and called.id == name and digits not in ("", called.number)


def rings_former_needlessly(
    seat: Seat, event: PhonePlanSet | NumberRecorded, policy: Policy
) -> bool:
    """The same, and the browser carries the person."""
    return rings_former_number(seat, event, policy) and sounds_fine(seat, event, policy)


def is_steady(_seat: Seat, event: LineDeadlinePassed, _policy: Policy) -> bool:
    """The browser's sound has been good for long enough."""
    return event.deadline.name == "steady"
