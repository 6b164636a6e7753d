"""Laws of one step of a line: what an event may change, must change and must leave alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from rooms.effects import EndCall, PlaceCall
from rooms.errors import RoomError
from rooms.events import OwnSeatEvent, SeatDeadlinePassed
from rooms.line_events import (
    CallAnswered,
    CallerLetIn,
    CallEvent,
    CallOver,
    ConnectAsked,
    CoverBegan,
    CoverEnded,
    GreeterGone,
    GreetingBegun,
    HandBackAsked,
    KeyPressed,
    LineDeadlinePassed,
    LineEvent,
    NodeRestarted,
    NumberRecorded,
    PageBack,
    PageGone,
    PageHid,
    PageLeft,
    PageShown,
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
    ON_PHONE,
    RUNNING,
    Admission,
    Attempt,
    CallFailure,
    CallPurpose,
    Deadline,
    Fallback,
    Need,
    Prompt,
    Seat,
    Sound,
    Visit,
)
from rooms.permissions import require
from rooms.policy import Policy
from tests.rooms import line_oracle as oracle
from tests.rooms.laws import Beat
from tests.rooms.line_laws import covered, tries

F = Fallback
PAGES = PageGone, PageBack, PageHid, PageShown, PageLeft
NO_CALL, AT_THE_DOOR = (F.GOOD, F.DEGRADED, F.STUCK), (F.DIALING, F.RINGING, F.GATE)


@dataclass(frozen=True)
class Moved:
    """One line before and after one event of its own; ``seat`` as the event found it."""

    seat: Seat
    event: LineEvent
    after: Seat
    now: float
    policy: Policy

    @property
    def failed(self) -> CallFailure | None:
        """Why this event ends the seat's call without success, if it does."""
        state, event = self.seat.line.state, self.event
        if self.seat.line.call is None:
            return None
        restarted = isinstance(event, NodeRestarted) and self.seat.admission in INSIDE
        late = isinstance(event, LineDeadlinePassed) and state in AT_THE_DOOR
        refused = isinstance(event, KeyPressed) and state is F.GATE and event.key == "9"
        wrong = isinstance(event, WrongPersonFound)
        ends = isinstance(event, CallOver) or restarted or late or refused or wrong
        return oracle.failure(event) if ends else None

    @property
    def lets_in(self) -> bool:
        return self.seat.line.state is F.GATE and self.after.line.state is F.BRIDGED

    @property
    def off(self) -> bool:
        """The call is over, or another one began."""
        return self.after.line.call is None or self.seat.line.call is None

    @property
    def confirms_trial(self) -> bool:
        key = isinstance(self.event, KeyPressed) and self.event.key == "1"
        return key and self.seat.line.state is F.GATE and tries(self.seat)

    @property
    def gives_way(self) -> bool:
        line, event = self.seat.line, self.event
        if line.state not in ON_PHONE or line.returning or line.sound is not Sound.FINE:
            return False
        same = isinstance(event, SameSpeechHeard) and line.state is F.RECOVERING and not line.kept
        key = isinstance(event, KeyPressed) and event.key == "2" and oracle.page_is_open(self.seat)
        return same or key or isinstance(event, HandBackAsked)


# -- which lines a step moves, and by what --------------------


_latest: tuple[Beat | None, list[Moved]] = None, []


def moved(beat: Beat) -> list[Moved]:
    """The lines that this step concerns, with the event that concerns each.

    Found once for all laws of one step: they ask one after the other.
    """
    global _latest  # noqa: PLW0603
    if _latest[0] is not beat:
        _latest = beat, list(_moved(beat))
    return _latest[1]


def _moved(beat: Beat) -> Iterator[Moved]:
    if beat.refusal is not None:
        return
    for after in beat.after.seats:
        seat = beat.before.seat(after.id)
        event = _event_of(beat, seat, after) if seat is not None else None
        if seat is not None and event is not None:
            found = replace(seat, admission=after.admission, devices=after.devices)
            yield Moved(found, event, after, beat.now, beat.policy)


def _event_of(beat: Beat, seat: Seat, after: Seat) -> LineEvent | None:
    event = beat.event
    if isinstance(event, LineEvent) and event.seat == seat.id:
        return event if gets_to_the_line(beat.before, event) else None
    was, is_now = covered(beat.before, seat), covered(beat.after, after)
    if was != is_now:
        return CoverBegan(seat=seat.id) if is_now else CoverEnded(seat=seat.id)
    if seat.line.call is not None and _gives_up(beat, seat, after):
        return CoverEnded(seat=seat.id)
    if seat.line.greeter and not _can_greet(beat.after, seat.line.greeter):
        return GreeterGone(seat=seat.id)
    if beat.after.stage in RUNNING and _page(seat) != _page(after):
        return PageBack(seat=seat.id) if oracle.page_is_open(after) else PageGone(seat=seat.id)
    return None


def _gives_up(beat: Beat, seat: Seat, after: Seat) -> bool:
    out = (Admission.LEFT, Admission.DENIED, Admission.REMOVED)
    back = after.admission is Admission.INVITED is not seat.admission
    return beat.after.stage not in RUNNING or after.admission in out or back


def _can_greet(visit: Visit, name: str) -> bool:
    """They are inside, and neither silenced nor deaf because of a telephone of their own."""
    seat = visit.seat(name)
    if seat is None or not _is_covered(visit, name):
        return False
    on_phone = seat.line.state in (F.GATE, F.BRIDGED, F.RECOVERING) and not seat.line.returning
    return oracle.is_trial(seat) or not on_phone


def _is_covered(visit: Visit, name: str) -> bool:
    seat = visit.seat(name)
    return seat is not None and covered(visit, seat)


def _page(seat: Seat) -> list[str]:
    return [d.id for d in seat.devices if d.standing == "holding" and d.connected]


def gets_to_the_line(visit: Visit, event: LineEvent) -> bool:
    """Whether the event comes as far as the rules of the line."""
    seat = visit.seat(event.seat)
    if seat is None or _is_stale(seat, event):
        return False
    if visit.stage not in RUNNING and not isinstance(event, NumberRecorded | CoverEnded):
        return False
    if isinstance(event, OwnSeatEvent) and not seat.speaks(event.device):
        return False
    if isinstance(event, GreetingBegun):
        elsewhere = any(s.line.greeter == event.by.id for s in visit.seats if s is not seat)
        if elsewhere or not _can_greet(visit, event.by.id):
            return False
    try:
        require(visit, event)
    except RoomError:
        return False
    return True


def _is_stale(seat: Seat, event: LineEvent) -> bool:
    if isinstance(event, CallEvent):
        return seat.line.call is None or seat.line.call.id != event.call
    return isinstance(event, LineDeadlinePassed) and seat.line.deadline != event.deadline


# -- the laws --------------------


def the_oracle_agrees_about_the_line(beat: Beat) -> None:
    for move in moved(beat):
        answer = oracle.line_after(move.seat, move.event, move.policy)
        assert move.after.line.state == answer, (move.seat.line.state, move.event)
        since = beat.now if move.after.line.state is not move.seat.line.state else None
        assert since is None or move.after.line.since == since
    event = beat.event
    if beat.refusal is not None and isinstance(event, LineEvent):
        seat = beat.before.seat(event.seat)
        if seat is not None and gets_to_the_line(beat.before, event):
            assert oracle.line_after(seat, event, beat.policy) == beat.refusal, event


def no_other_line_moves(beat: Beat) -> None:
    concerned = {move.seat.id for move in moved(beat)}
    for seat in beat.after.seats:
        before = beat.before.seat(seat.id)
        if before is not None and seat.id not in concerned:
            assert (seat.line, seat.phone) == (before.line, before.phone)


def each_call_is_placed_and_ended_by_an_order(beat: Beat) -> None:
    placed = {(e.seat, e.call) for e in beat.effects if isinstance(e, PlaceCall)}
    ended = {(e.seat, e.call): e for e in beat.effects if isinstance(e, EndCall)}
    for seat in beat.after.seats:
        before = beat.before.seat(seat.id)
        was, is_now = before.line.call if before else None, seat.line.call
        same = was is not None and is_now is not None and was.id == is_now.id
        assert ((seat.id, is_now.id if is_now else "") in placed) == (
            is_now is not None and not same
        )
        if was is not None and not same and not isinstance(beat.event, NodeRestarted):
            over = ended.pop((seat.id, was.id))
            assert over.language == seat.language
    assert not ended
    assert len(placed) == sum(isinstance(e, PlaceCall) for e in beat.effects)


def whoever_is_called_may_be_called(beat: Beat) -> None:
    for order in beat.effects:
        if not isinstance(order, PlaceCall):
            continue
        seat = beat.after.seat(order.seat)
        assert seat is not None
        assert seat.line.call is not None
        number = seat.phone.number(seat.line.call.number)
        assert number is not None
        assert number.consent is not None
        assert number.contact or not seat.phone.refused
        assert covered(beat.after, seat) or tries(seat)
        assert seat.line.call.id == f"{seat.id}-{seat.line.calls}"


def farewells_are_for_people(beat: Beat) -> None:
    for move in moved(beat):
        said = [
            e.farewell for e in beat.effects if isinstance(e, EndCall) and e.seat == move.seat.id
        ]
        polite = move.failed in (CallFailure.REFUSED, CallFailure.WRONG_PERSON)
        expected = Prompt.TRIAL_DONE if move.confirms_trial else Prompt.GOODBYE if polite else None
        assert said in ([], [expected])


def calls_are_counted_and_failures_remembered(beat: Beat) -> None:
    for move in moved(beat):
        was, line, why = move.seat.line, move.after.line, move.failed
        kept = move.policy.fallback.attempts_kept
        new = (Attempt(at=beat.now, number=was.call.number, why=why),) if was.call and why else ()
        assert line.attempts == (*was.attempts, *new)[-kept:]
        began = line.call is not None and (was.call is None or was.call.id != line.call.id)
        assert line.calls == was.calls + began
        hand = (CallPurpose.BY_HAND, CallPurpose.TRIAL)
        by_hand = began and line.call is not None and line.call.purpose in hand
        assert line.calls_by_hand == was.calls_by_hand + by_hand
        if began and line.call is not None:
            assert (line.call.placed_at, line.call.answered_at) == (beat.now, None)


def the_sound_is_what_was_heard_last(beat: Beat) -> None:
    for move in moved(beat):
        was, line, event = move.seat.line, move.after.line, move.event
        inside = move.seat.admission in INSIDE
        sound, since, heard = was.sound, was.silent_since, was.heard
        nobody = isinstance(event, CoverBegan) and was.state is F.GOOD and line.state is not F.GOOD
        never = isinstance(event, LineDeadlinePassed) and was.state is F.GOOD
        if isinstance(event, SoundChanged) and inside:
            sound, since = event.sound, beat.now if event.sound is Sound.SILENT else None
            heard = heard or sound is not Sound.SILENT
        elif isinstance(event, CoverEnded):
            sound, since, heard = Sound.FINE, None, False
        elif nobody or never or (isinstance(event, NodeRestarted) and inside):
            sound, since = Sound.SILENT, beat.now
        assert (line.sound, line.silent_since, line.heard) == (sound, since, heard), event


def the_page_is_where_it_was_said_to_be(beat: Beat) -> None:
    for move in moved(beat):
        was, line, event = move.seat.line, move.after.line, move.event
        left, back, hidden = was.page_left_at, was.page_back_at, was.page_hidden
        sounds = isinstance(event, SoundChanged) and event.sound is not Sound.SILENT
        here = isinstance(event, CoverBegan) and was.state is F.GOOD and line.state is F.GOOD
        restarted = isinstance(event, NodeRestarted) and line.state is F.DEGRADED
        if isinstance(event, PageBack | PageShown):
            left, back, hidden = None, beat.now, False
        elif isinstance(event, PageHid):
            hidden = True
        elif isinstance(event, PageLeft):
            left = beat.now
        elif isinstance(event, CoverEnded):
            left, back = None, None
        elif sounds and move.seat.admission in INSIDE:
            back = None
        elif here or restarted:
            left = None
        assert (line.page_left_at, line.page_back_at, line.page_hidden) == (left, back, hidden), (
            event
        )


def a_plan_changes_only_by_somebodys_word(beat: Beat) -> None:
    for move in moved(beat):
        was, is_now, event = move.seat.phone, move.after.phone, move.event
        if isinstance(event, PhonePlanSet | PhonePlanWithdrawn | NumberRecorded):
            _plan_follows(move)
        elif move.confirms_trial:
            assert is_now == replace(was, tried_at=beat.now)
        elif move.failed is CallFailure.REFUSED and oracle.rings_somebody_else(move.seat):
            assert move.seat.line.call is not None
            refusing = is_now.number(move.seat.line.call.number)
            assert refusing is not None
            assert refusing.consent is None
            assert is_now.refused == was.refused
        elif move.failed is CallFailure.REFUSED:
            assert is_now == replace(was, refused=True)
        else:
            assert is_now == was


def _plan_follows(move: Moved) -> None:
    was, plan, event = move.seat.phone, move.after.phone, move.event
    own, former = plan.number("own"), was.number("own")
    if isinstance(event, PhonePlanWithdrawn):
        assert all(n.contact or n.consent is None for n in plan.numbers)
        assert [n for n in plan.numbers if n.contact] == [n for n in was.numbers if n.contact]
        assert [n.number for n in plan.numbers] == [n.number for n in was.numbers]
        return
    if isinstance(event, PhonePlanSet):
        if not event.number and former is None:
            assert plan == was
            return
        assert own is not None
        assert own.number == (event.number or (former.number if former else ""))
        assert own.consent is not None
        assert (own.consent.at, own.consent.wording) == (move.now, event.wording)
        assert (plan.refused, plan.same_device) == (False, event.same_device)
        return
    assert isinstance(event, NumberRecorded)
    number, known = plan.number(event.number.id), was.number(event.number.id)
    assert number is not None
    assert number.number == event.number.number
    if event.wording:
        assert number.consent is not None
        assert (number.consent.at, number.consent.by) == (move.now, event.by)
    else:
        same = known is not None and known.number == number.number
        assert number.consent == (known.consent if known is not None and same else None)
    undone = event.number.id == "own" and event.wording
    assert plan.refused == (was.refused and not undone)


def what_belongs_to_a_call_follows_its_own_events(beat: Beat) -> None:
    for move in moved(beat):
        was, line, event = move.seat.line, move.after.line, move.event
        keeps = isinstance(event, PhoneKept | SeatKeptOnPhone) and was.state in ON_PHONE
        sets_back = was.state is F.RECOVERING and line.state is F.BRIDGED
        joins = isinstance(event, LineDeadlinePassed) and event.deadline.name == "joins"
        knows = isinstance(event, VoiceConfirmed | CallerLetIn) and line.state in ON_PHONE
        knows = knows and not (isinstance(event, CallerLetIn) and was.state in ON_PHONE)
        told = isinstance(event, KeyPressed) and was.state is F.GATE and line.state is F.GATE
        again = min(was.asked_again + told, move.policy.fallback.wrong_keys)
        expected = (
            was.joined or joins,
            was.voice_confirmed or knows,
            (was.returning or move.gives_way) and not (keeps or sets_back),
            again,
        )
        if move.off:
            expected = (False, False, False, 0)
        assert (line.joined, line.voice_confirmed, line.returning, line.asked_again) == expected
        assert line.setbacks == (0 if isinstance(event, CoverEnded) else was.setbacks + sets_back)
        _keeps_and_greets(move, keeps)


def _keeps_and_greets(move: Moved, keeps: bool) -> None:
    was, line, event = move.seat.line, move.after.line, move.event
    kept = (was.kept or keeps) and not move.gives_way
    if move.lets_in:
        by_hand = was.call is not None and was.call.purpose is CallPurpose.BY_HAND
        kept = by_hand and was.sound is Sound.FINE
    assert line.kept == (kept and not move.off)
    begun = isinstance(event, GreetingBegun) and was.state is F.GATE
    stays = line.state is F.GATE and not isinstance(event, GreeterGone)
    assert line.greeter == (event.by.id if begun else was.greeter if stays else "")
    assert move.after.microphone == (move.seat.microphone or move.lets_in) or not isinstance(
        event, ConnectAsked | KeyPressed | CallerLetIn
    )


def what_is_waited_for_comes_at_its_time(beat: Beat) -> None:
    for move in moved(beat):
        due = move.after.line.deadline
        if move.seat.line.returning and move.after.line.returning:
            assert due == move.seat.line.deadline
        if due == move.seat.line.deadline:
            assert not _must_rearm(move), move.event
        else:
            assert due is None or due == _due(move), (move.event, due, _due(move))


def _must_rearm(move: Moved) -> bool:
    changed = move.after.line.state is not move.seat.line.state
    placed = move.seat.line.state is F.DIALING and move.after.line.state is F.RINGING
    before, due = move.seat.line.deadline, move.after.line.deadline
    passed = isinstance(move.event, LineDeadlinePassed)
    silent = move.after.line.state is F.DEGRADED and move.after.line.sound is Sound.SILENT
    excused = isinstance(move.event, PageGone) and due is not None and due.name == "restart"
    if silent and isinstance(move.event, PAGES) and not excused:
        return due != _due(move)
    return (passed and due is not None) or (
        changed and not placed and before is not None and due is not None and due != _due(move)
    )


def _due(move: Moved) -> Deadline | None:
    """By when what the state waits for must come, counted from now."""
    line, rules = move.after.line, move.policy.fallback
    match line.state:
        case F.GOOD:
            return Deadline("media", move.now + rules.media_within)
        case F.DEGRADED:
            return _call_due(move)
        case F.DIALING | F.RINGING:
            return Deadline("ring", move.now + rules.ring_for + rules.ring_overdue)
        case F.GATE:
            relay = Need.RELAY in move.seat.needs
            patience = rules.gate_for_relay if relay else rules.gate_for
            return Deadline("gate", move.now + (rules.greeting_for if line.greeter else patience))
        case F.BRIDGED if not line.joined:
            return Deadline("joins", move.now + rules.joins_after)
        case F.BRIDGED:
            wait = min(rules.steady_for * 2**line.setbacks, rules.steady_longest)
            return Deadline("steady", move.now + wait)
        case F.RECOVERING:
            return Deadline("fade", move.now + rules.fade_for)
    return None


def _call_due(move: Moved) -> Deadline:
    line, rules = move.after.line, move.policy.fallback
    if isinstance(move.event, NodeRestarted):
        was = move.seat.line
        talked = was.call is not None and was.call.answered_at is not None
        at_once = talked and not tries(move.seat)
        return Deadline("restart", move.now + (0 if at_once else rules.call_after_restart))
    last = oracle.failures(move.after)[-1:]
    at = max([a.at for a in line.attempts if a.number == "own"], default=0.0)
    later = at + (rules.retry_after[last[0]] or 0.0) if last else 0.0
    due = Deadline("call", max(move.now, later, _bad_enough(move)))
    was = move.seat.line
    if isinstance(move.event, SoundChanged) and was.sound is Sound.UNUSABLE and was.deadline:
        explained = line.page_left_at is not None or (
            line.page_hidden and move.after.phone.same_device
        )
        if not explained and was.deadline.at < due.at:
            return was.deadline
    return due


def _bad_enough(move: Moved) -> float:
    line, rules, here = move.after.line, move.policy.fallback, oracle.page_is_open(move.after)
    if line.sound is Sound.UNUSABLE:
        return move.now + rules.call_after_unusable
    assert line.silent_since is not None
    if line.page_left_at is not None and not here:
        return line.page_left_at + rules.call_after_goodbye
    if line.page_hidden and move.after.phone.same_device:
        return line.silent_since + rules.call_after_hidden
    if not here:
        return move.now
    back = (line.page_back_at or 0.0) + rules.call_after_return
    return max(line.silent_since + rules.call_after_silence, back)


def a_time_that_came_is_not_waited_for_any_more(beat: Beat) -> None:
    event = beat.event
    if isinstance(event, LineDeadlinePassed | SeatDeadlinePassed) and beat.refusal is None:
        seat = beat.after.seat(event.seat)
        assert seat is not None
        assert event.deadline not in (seat.deadline, seat.line.deadline)


def nobody_is_unheard_while_handed_back(beat: Beat) -> None:
    """From the telephone to the browser there is no moment in which neither is heard."""
    for move in moved(beat):
        was = move.seat.line
        if was.state is F.RECOVERING and move.after.line.state is F.GOOD:
            planned = isinstance(move.event, LineDeadlinePassed)
            assert was.returning or not planned


def a_reason_to_be_stuck_is_the_right_one(beat: Beat) -> None:
    for move in moved(beat):
        line = move.after.line
        if line.state is not F.STUCK or move.seat.line.state is F.STUCK:
            continue
        own, plan = move.after.phone.number("own"), move.after.phone
        automatic = line.calls - line.calls_by_hand
        if isinstance(move.event, LineDeadlinePassed | CoverBegan) or move.failed:
            expected = (
                "no_number" if own is None
                else "no_consent" if own.consent is None
                else "refused" if plan.refused
                else "calls_used" if automatic >= move.policy.fallback.max_calls
                else "not_reached"
            )  # fmt: skip
        else:
            withdrawn = isinstance(move.event, PhonePlanWithdrawn)
            expected = "no_consent" if withdrawn else "stopped"
        assert line.stuck == expected


def an_answer_is_noted(beat: Beat) -> None:
    for move in moved(beat):
        call = move.after.line.call
        if isinstance(move.event, CallAnswered) and move.seat.line.state in (F.DIALING, F.RINGING):
            assert call is not None
            assert call.answered_at == beat.now


LINE_BEATS = (
    the_oracle_agrees_about_the_line,
    no_other_line_moves,
    each_call_is_placed_and_ended_by_an_order,
    whoever_is_called_may_be_called,
    farewells_are_for_people,
    calls_are_counted_and_failures_remembered,
    the_sound_is_what_was_heard_last,
    the_page_is_where_it_was_said_to_be,
    a_plan_changes_only_by_somebodys_word,
    what_belongs_to_a_call_follows_its_own_events,
    what_is_waited_for_comes_at_its_time,
    a_time_that_came_is_not_waited_for_any_more,
    nobody_is_unheard_while_handed_back,
    a_reason_to_be_stuck_is_the_right_one,
    an_answer_is_noted,
)
