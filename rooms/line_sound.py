"""What the rows of ``fallback`` do about the browser's sound and the plan for when it fails.

An action sets fields and orders effects; the state is the table's business.
"""

from __future__ import annotations

from dataclasses import replace

from rooms.effects import Effect, EndCall
from rooms.line_events import LineEvent, NumberRecorded, PhonePlanSet, SoundChanged
from rooms.line_guards import covered, last_attempt, page_here, purpose
from rooms.model import (
    OWN_NUMBER,
    ActorKind,
    Attempt,
    CallFailure,
    CallPurpose,
    Consent,
    Deadline,
    Fallback,
    Line,
    PhoneNumber,
    Prompt,
    Seat,
    Sound,
)
from rooms.policy import FallbackPolicy, Policy

Result = tuple[Seat, tuple[Effect, ...]]

# -- what the actions stand on --------------------


def with_line(seat: Seat, **changes: object) -> Seat:
    """The seat with these fields of its line."""
    return replace(seat, line=replace(seat.line, **changes))  # type: ignore[arg-type]


def call_due(seat: Seat, now: float, policy: Policy) -> Deadline | None:
    """When a line that is not fine has been bad for long enough to call, or to call again."""
    at = _bad_enough_at(seat, now, policy.fallback)
    return (
        None if at is None else Deadline("call", max(now, at, _not_before(seat, policy.fallback)))
    )


def _bad_enough_at(seat: Seat, now: float, rules: FallbackPolicy) -> float | None:
    line = seat.line
    if line.sound is Sound.UNUSABLE:
        return now + rules.call_after_unusable
    if line.sound is not Sound.SILENT:
        return None
    since = line.silent_since if line.silent_since is not None else now
    here = page_here(seat)
    if line.page_left_at is not None and not here:  # said late of a page that is back: an echo
        return line.page_left_at + rules.call_after_goodbye
    if line.page_hidden and seat.phone.same_device:
        return since + rules.call_after_hidden
    if not here:  # its line broke off in the middle: a browser that died, not a network
        return now
    back = line.page_back_at
    returned = now if back is None else back + rules.call_after_return
    return max(since + rules.call_after_silence, returned)


def _not_before(seat: Seat, rules: FallbackPolicy) -> float:
    """What became of the last call says how soon another one makes sense."""
    last = last_attempt(seat)
    return last.at + (rules.retry_after[last.why] or 0.0) if last else 0.0


def media_due(seat: Seat, now: float, policy: Policy) -> Deadline | None:
    """By when the browser's sound must come, if it is still waited for."""
    line = seat.line
    if line.heard or line.sound is not Sound.FINE or not covered(seat):
        return None
    return Deadline("media", now + policy.fallback.media_within)


def off_the_phone(seat: Seat) -> Seat:
    """The seat without what was true of the last call only."""
    return with_line(
        seat,
        greeter="",
        asked_again=0,
        joined=False,
        voice_confirmed=False,
        returning=False,
        kept=False,
    )


def hang_up(seat: Seat, farewell: Prompt | None = None) -> tuple[Effect, ...]:
    """Orders the end of the current call, if there is one."""
    call = seat.line.call
    if call is None:
        return ()
    over = EndCall(seat=seat.id, call=call.id, farewell=farewell, language=seat.language)
    return (over,)


def failed(seat: Seat, why: CallFailure, now: float, policy: Policy) -> Seat:
    """The seat without its current call, which is remembered; "9" is remembered for good."""
    number = seat.line.call.number if seat.line.call else OWN_NUMBER
    attempts = (*seat.line.attempts, Attempt(at=now, number=number, why=why))
    seat = with_line(seat, call=None, attempts=attempts[-policy.fallback.attempts_kept :])
    return _refused(seat, number) if why is CallFailure.REFUSED else seat


def _refused(seat: Seat, number_id: str) -> Seat:
    """Whose telephone says no, says it for itself: a contact's does not cut off the person's."""
    number = seat.phone.number(number_id)
    if number is None or not number.contact:
        return replace(seat, phone=replace(seat.phone, refused=True))
    return _with_number(seat, replace(number, consent=None))


_RESTART = "restart"  # a deadline that pages which went with the server do not bring forward

# -- actions: the connection --------------------


def keep(seat: Seat, _event: LineEvent, _now: float, _policy: Policy) -> Result:
    """Nothing but the state changes."""
    return seat, ()


def expect_media(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """The person has just come in: their sound must follow."""
    seat = with_line(seat, page_left_at=None, heard=False)
    return with_line(seat, deadline=media_due(seat, now, policy)), ()


def rest(seat: Seat, _event: LineEvent, _now: float, _policy: Policy) -> Result:
    """Nobody looks after this connection any more; a call that is up ends."""
    before = seat.line
    line = Line(
        attempts=before.attempts,
        calls=before.calls,
        calls_by_hand=before.calls_by_hand,
        page_hidden=before.page_hidden,
    )
    return replace(seat, line=line), hang_up(seat)


def note(seat: Seat, event: SoundChanged, now: float, _policy: Policy) -> Result:
    """Remember how the browser's sound is."""
    silent = event.sound is Sound.SILENT
    since = now if silent else None
    heard = seat.line.heard or (covered(seat) and not silent)
    back = seat.line.page_back_at if silent else None  # what a page that is back was waited for
    seat = with_line(seat, sound=event.sound, silent_since=since, heard=heard, page_back_at=back)
    return seat, ()


def heard_at_last(seat: Seat, event: SoundChanged, now: float, policy: Policy) -> Result:
    """The sound that was waited for, or that is as good as ever."""
    return note(with_line(seat, deadline=None), event, now, policy)


def worsen(seat: Seat, event: SoundChanged, now: float, policy: Policy) -> Result:
    """The sound is not fine: note when to call."""
    former = seat.line
    seat, _ = note(seat, event, now, policy)
    due = call_due(seat, now, policy)
    if due is not None and former.sound is Sound.UNUSABLE and not _page_explains(seat):
        due = min(due, former.deadline or due, key=lambda each: each.at)
    return with_line(seat, deadline=due), ()


def _page_explains(seat: Seat) -> bool:
    """The page said why it is silent; otherwise a gap in bad sound does not put off the call."""
    line = seat.line
    return line.page_left_at is not None or (line.page_hidden and seat.phone.same_device)


def fall_silent(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """No sound came in the first place, or the server that heard it was restarted."""
    seat = with_line(seat, sound=Sound.SILENT, silent_since=now)
    return with_line(seat, deadline=call_due(seat, now, policy)), ()


def start_over(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """The server was restarted: pages come back by themselves; whoever does not is called.

    Somebody who was on the telephone may have no page that could.
    """
    answered = seat.line.call is not None and seat.line.call.answered_at is not None
    was_on_phone = answered and purpose(seat) is not CallPurpose.TRIAL
    wait = 0.0 if was_on_phone else policy.fallback.call_after_restart
    seat = failed(seat, CallFailure.LOST, now, policy) if seat.line.call else seat
    due = Deadline(_RESTART, now + wait)
    seat = with_line(seat, sound=Sound.SILENT, silent_since=now, page_left_at=None, deadline=due)
    return off_the_phone(seat), ()


def hear_nothing(seat: Seat, _event: LineEvent, now: float, _policy: Policy) -> Result:
    """The server that heard it was restarted; nobody may be called all the same."""
    return with_line(seat, sound=Sound.SILENT, silent_since=now), ()


def give_up_trial(seat: Seat, _event: LineEvent, _now: float, _policy: Policy) -> Result:
    """A call that only tried a number did not outlive the server."""
    return off_the_phone(with_line(seat, call=None, deadline=None)), ()


def recover(seat: Seat, event: SoundChanged, now: float, policy: Policy) -> Result:
    """The browser is good again; a call that was being placed is not needed."""
    effects = hang_up(seat)
    seat, _ = note(seat, event, now, policy)
    return off_the_phone(with_line(seat, call=None, deadline=None)), effects


def page_gone(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """A silent line whose page is gone too is not a network that roams."""
    due = seat.line.deadline
    if due is not None and due.name == _RESTART:
        return seat, ()
    return _rearm(seat, now, policy), ()


def page_back(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """The page is there again: give its media the time that a silence gets."""
    seat = with_line(seat, page_left_at=None, page_hidden=False, page_back_at=now)
    return _rearm(seat, now, policy), ()


def page_left(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """The page said goodbye; a reload is back in a moment."""
    return _rearm(with_line(seat, page_left_at=now), now, policy), ()


def page_hid(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """Another app is in front."""
    return _rearm(with_line(seat, page_hidden=True), now, policy), ()


def page_shown(seat: Seat, _event: LineEvent, now: float, policy: Policy) -> Result:
    """The page is in front again."""
    seat = with_line(seat, page_left_at=None, page_hidden=False, page_back_at=now)
    return _rearm(seat, now, policy), ()


def _rearm(seat: Seat, now: float, policy: Policy) -> Seat:
    """A silence that is waited out ends at another time; nothing else is touched."""
    line = seat.line
    if line.state is not Fallback.DEGRADED or line.sound is not Sound.SILENT:
        return seat
    return with_line(seat, deadline=call_due(seat, now, policy))


# -- actions: the plan --------------------


def take_plan(seat: Seat, event: PhonePlanSet, now: float, _policy: Policy) -> Result:
    """The person said whom to call; agreeing anew undoes an earlier "no"."""
    consent = Consent(at=now, wording=event.wording, language=event.language, by=event.by)
    known = seat.phone.number(OWN_NUMBER)
    number = event.number or (known.number if known else "")
    if not number:
        return seat, ()
    own = PhoneNumber(id=OWN_NUMBER, number=number, consent=consent)
    plan = replace(_with_number(seat, own).phone, same_device=event.same_device, refused=False)
    return replace(seat, phone=plan), ()


def own_plan(seat: Seat) -> Seat:
    """The seat without a number that a browser which is not its own agreed to."""
    number = seat.phone.number(OWN_NUMBER)
    by = number.consent.by if number is not None and number.consent is not None else None
    own = seat.holder.id if seat.holder is not None else ""
    if by is None or by.kind is not ActorKind.SEAT or by.id != seat.id or by.device == own:
        return seat
    others = tuple(n for n in seat.phone.numbers if n is not number)
    return replace(seat, phone=replace(seat.phone, numbers=others, same_device=False))


def take_plan_and_call(seat: Seat, event: PhonePlanSet, now: float, policy: Policy) -> Result:
    """The plan was what was missing."""
    seat, _ = take_plan(seat, event, now, policy)
    return with_line(seat, deadline=call_due(seat, now, policy)), ()


def withdraw_plan(seat: Seat, _event: LineEvent, _now: float, _policy: Policy) -> Result:
    """No number of the person's may be called any more."""
    numbers = tuple(
        number if number.contact else replace(number, consent=None) for number in seat.phone.numbers
    )
    return replace(seat, phone=replace(seat.phone, numbers=numbers)), ()


def record_number(seat: Seat, event: NumberRecorded, now: float, _policy: Policy) -> Result:
    """Staff wrote a number down, and the spoken consent to it."""
    known = seat.phone.number(event.number.id)
    same = known is not None and known.number == event.number.number
    consent = known.consent if known is not None and same else None
    if event.wording:
        consent = Consent(at=now, wording=event.wording, language=event.language, by=event.by)
    seat = _with_number(seat, replace(event.number, consent=consent))
    if event.wording and event.number.id == OWN_NUMBER:
        seat = replace(seat, phone=replace(seat.phone, refused=False))
    return seat, ()


def record_number_and_call(seat: Seat, event: NumberRecorded, now: float, policy: Policy) -> Result:
    """What staff wrote down was what was missing."""
    seat, _ = record_number(seat, event, now, policy)
    return with_line(seat, deadline=call_due(seat, now, policy)), ()


def _with_number(seat: Seat, number: PhoneNumber) -> Seat:
    others = tuple(n for n in seat.phone.numbers if n.id != number.id)
    return replace(seat, phone=replace(seat.phone, numbers=(number, *others)))
