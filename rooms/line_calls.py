"""What the rows of ``fallback`` do about calls.

An action sets fields and orders effects; the state is the table's business.
"""

from __future__ import annotations

from dataclasses import replace

from rooms.effects import PlaceCall
from rooms.line_events import (
    CallEvent,
    CallOrdered,
    KeyPressed,
    LineEvent,
    NumberRecorded,
    PhoneAsked,
    PhonePlanSet,
    SoundChanged,
)
from rooms.line_guards import failure_of, purpose, why_not
from rooms.line_sound import (
    Result,
    call_due,
    failed,
    hang_up,
    media_due,
    note,
    off_the_phone,
    record_number,
    take_plan,
    with_line,
    withdraw_plan,
)
from rooms.model import (
    OWN_NUMBER,
    Call,
    CallFailure,
    CallPurpose,
    Deadline,
    Need,
    Prompt,
    Seat,
    Sound,
    Stuck,
)
from rooms.policy import Policy

# -- actions: calls --------------------


def dial(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """The server calls of its own accord."""
    why = CallPurpose.PHONE_ONLY if seat.phone.only else CallPurpose.FALLBACK
    return _place(seat, OWN_NUMBER, why, now, policy)


def dial_absent(seat: Seat, event: LineEvent, now: float, policy: Policy) -> Result:
    """Admitted while nobody looks at the page, or reached by telephone alone."""
    return dial(with_line(seat, sound=Sound.SILENT, silent_since=now), event, now, policy)


def dial_as_asked(seat: Seat, event: PhoneAsked, now: float, policy: Policy) -> Result:
    """The person wants to be called."""
    trial = event.purpose is CallPurpose.TRIAL
    why = CallPurpose.TRIAL if trial else CallPurpose.BY_HAND
    return _place(seat, OWN_NUMBER, why, now, policy)


def dial_as_ordered(seat: Seat, event: CallOrdered, now: float, policy: Policy) -> Result:
    """Staff want the person called."""
    return _place(seat, event.number or OWN_NUMBER, CallPurpose.BY_HAND, now, policy)


def _place(seat: Seat, number: str, why: CallPurpose, now: float, policy: Policy) -> Result:
    line, rules = seat.line, policy.fallback
    by_hand = why in (CallPurpose.BY_HAND, CallPurpose.TRIAL)
    call = Call(id=f"{seat.id}-{line.calls + 1}", number=number, purpose=why, placed_at=now)
    seat = with_line(
        off_the_phone(seat),
        call=call,
        calls=line.calls + 1,
        calls_by_hand=line.calls_by_hand + by_hand,
        stuck=None,
        deadline=Deadline("ring", now + rules.ring_for + rules.ring_overdue),
    )
    return seat, (PlaceCall(seat=seat.id, call=call.id),)


def be_stuck(seat: Seat, _event: LineEvent, _now: float, policy: Policy) -> Result:
    """A telephone would help, and none may be called."""
    return with_line(seat, stuck=why_not(seat, policy), deadline=None), ()


def be_stuck_absent(seat: Seat, event: LineEvent, now: float, policy: Policy) -> Result:
    """Admitted while nobody looks at the page, and none may be called."""
    return be_stuck(with_line(seat, sound=Sound.SILENT, silent_since=now), event, now, policy)


def answer(seat: Seat, _event: CallEvent, now: float, policy: Policy) -> Result:
    """Somebody picked up: the announcement begins, and the browser's sound is silenced."""
    assert seat.line.call is not None
    call = replace(seat.line.call, answered_at=now)
    due = Deadline("gate", now + _gate_patience(seat, policy))
    return with_line(seat, call=call, deadline=due), ()


def _gate_patience(seat: Seat, policy: Policy) -> float:
    rules = policy.fallback
    return rules.gate_for_relay if Need.RELAY in seat.needs else rules.gate_for


def ask_again(seat: Seat, _event: KeyPressed, _now: float, _policy: Policy) -> Result:
    """Another key: say again which ones there are."""
    return with_line(seat, asked_again=seat.line.asked_again + 1), ()


def greeter_gone(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """Nobody speaks with them any more: the announcement, and its time, begin anew."""
    due = Deadline("gate", now + _gate_patience(seat, policy))
    return with_line(seat, greeter="", deadline=due), ()


def greet(seat: Seat, event: LineEvent, now: float, policy: Policy) -> Result:
    """A member of staff speaks with whoever answered, alone."""
    due = Deadline("gate", now + policy.fallback.greeting_for)
    return with_line(seat, greeter=event.by.id, deadline=due), ()


def enter(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """Into the visit: everybody is told, and sound follows. Nobody comes in muted.

    Whoever is called although the browser is fine wanted the telephone, and stays on it.
    """
    due = Deadline("joins", now + policy.fallback.joins_after)
    kept = purpose(seat) is CallPurpose.BY_HAND and seat.line.sound is Sound.FINE
    seat = with_line(seat, greeter="", deadline=due, joined=False, kept=kept)
    return replace(seat, microphone=True), ()


def enter_confirmed(seat: Seat, event: LineEvent, now: float, policy: Policy) -> Result:
    """Staff have spoken with them, so the voice is known."""
    seat, effects = enter(seat, event, now, policy)
    return with_line(seat, voice_confirmed=True), effects


def join(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """The telephone is heard, and hears; from now on the browser may prove itself."""
    return with_line(seat, joined=True, deadline=_steady(seat, now, policy)), ()


def note_on_phone(seat: Seat, event: SoundChanged, now: float, policy: Policy) -> Result:
    """On the telephone, good sound by the browser must last before the picture returns."""
    seat, _ = note(seat, event, now, policy)
    if not seat.line.joined:  # the announcement comes first
        return seat, ()
    return with_line(seat, deadline=_steady(seat, now, policy)), ()


def _steady(seat: Seat, now: float, policy: Policy) -> Deadline | None:
    if seat.line.sound is not Sound.FINE:
        return None
    rules = policy.fallback
    patience = rules.steady_for * 2**seat.line.setbacks
    return Deadline("steady", now + min(patience, rules.steady_longest))


def show_again(seat: Seat, _event: LineEvent, _now: float, _policy: Policy) -> Result:
    """The picture returns by itself; the sound waits for the person."""
    return with_line(seat, deadline=None), ()


def set_back(seat: Seat, event: SoundChanged, now: float, policy: Policy) -> Result:
    """It did not last: the next try waits twice as long."""
    seat, _ = note(seat, event, now, policy)
    return with_line(seat, setbacks=seat.line.setbacks + 1, returning=False, deadline=None), ()


def give_way(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """The person is at the browser: both are heard while the telephone fades."""
    due = Deadline("fade", now + policy.fallback.fade_for)
    return with_line(seat, returning=True, kept=False, deadline=due), ()


def stay_on_phone(seat: Seat, _event: LineEvent, _now: float, _policy: Policy) -> Result:
    """The sound stays where it is until somebody says otherwise."""
    due = None if seat.line.returning else seat.line.deadline
    return with_line(seat, kept=True, returning=False, deadline=due), ()


def confirm_voice(seat: Seat, _event: LineEvent, _now: float, _policy: Policy) -> Result:
    """Staff know this voice."""
    return with_line(seat, voice_confirmed=True), ()


def hand_back(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """The browser carries the person again; the telephone is done."""
    return _by_browser(seat, now, policy), hang_up(seat)


def _by_browser(seat: Seat, now: float, policy: Policy) -> Seat:
    return off_the_phone(with_line(seat, call=None, deadline=media_due(seat, now, policy)))


def finish_trial(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """The number works, and the person knows what to press."""
    effects = hang_up(seat, Prompt.TRIAL_DONE)
    seat = replace(seat, phone=replace(seat.phone, tried_at=now))
    return _begin_anew(seat, now, policy), effects


def end_call(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """Somebody stopped the call; the server does not begin another by itself."""
    return with_line(_by_browser(seat, now, policy), stuck=Stuck.STOPPED), hang_up(seat)


def plan_anew(seat: Seat, event: PhonePlanSet, now: float, policy: Policy) -> Result:
    """Another number is the right one: the one that is being called lets nobody in any more."""
    planned, _ = take_plan(seat, event, now, policy)
    return _begin_anew(planned, now, policy), hang_up(seat)


def record_anew(seat: Seat, event: NumberRecorded, now: float, policy: Policy) -> Result:
    """The same, by the hand of staff."""
    recorded, _ = record_number(seat, event, now, policy)
    return _begin_anew(recorded, now, policy), hang_up(seat)


def _begin_anew(seat: Seat, now: float, policy: Policy) -> Seat:
    seat = _by_browser(seat, now, policy)
    return with_line(seat, deadline=call_due(seat, now, policy) or seat.line.deadline)


def end_unwanted(seat: Seat, event: LineEvent, now: float, policy: Policy) -> Result:
    """The person no longer wants to be called, while they are."""
    effects = hang_up(seat)
    seat, _ = withdraw_plan(seat, event, now, policy)
    return with_line(_by_browser(seat, now, policy), stuck=Stuck.NO_CONSENT), effects


def fail(seat: Seat, event: LineEvent, now: float, policy: Policy) -> Result:
    """The call did not bring the person in; nothing more is to be done about it."""
    effects = hang_up(seat, farewell_to(event))
    seat = failed(seat, failure_of(event), now, policy)
    reason = why_not(seat, policy) or Stuck.NOT_REACHED
    return with_line(_by_browser(seat, now, policy), stuck=reason), effects


def try_later(seat: Seat, event: LineEvent, now: float, policy: Policy) -> Result:
    """The call failed in a way that passes; if the sound still fails then, it is tried again."""
    effects = hang_up(seat, farewell_to(event))
    seat = off_the_phone(failed(seat, failure_of(event), now, policy))
    return with_line(seat, deadline=call_due(seat, now, policy)), effects


def farewell_to(event: LineEvent) -> Prompt | None:
    """Somebody who said no, or is not the person, hears a goodbye; voicemail hears nothing."""
    polite = (CallFailure.REFUSED, CallFailure.WRONG_PERSON)
    return Prompt.GOODBYE if failure_of(event) in polite else None
