"""What must hold, in every visit, of telephones and of connections that fail."""

from __future__ import annotations

from rooms.model import (
    BARRED,
    INSIDE,
    ON_PHONE,
    RUNNING,
    Admission,
    CallPurpose,
    Fallback,
    Link,
    Need,
    PhoneEnd,
    Prompt,
    Role,
    Seat,
    Sound,
    Visit,
)
from rooms.permissions import Action, may
from rooms.policy import Policy
from rooms.visit import next_deadline
from rooms.wiring import phone_ends
from tests.rooms.laws import links_of

F = Fallback
IN_A_CALL = {F.DIALING, F.RINGING, F.GATE, F.BRIDGED, F.RECOVERING}
ANSWERED = {F.GATE, F.BRIDGED, F.RECOVERING}
WAITED_FOR = {
    F.GOOD: {"media", ""}, F.DEGRADED: {"call", "restart", ""}, F.STUCK: {""},
    F.DIALING: {"ring"}, F.RINGING: {"ring"}, F.GATE: {"gate"},
    F.BRIDGED: {"joins", "steady", ""}, F.RECOVERING: {"fade", ""},
}  # fmt: skip


def covered(visit: Visit, seat: Seat) -> bool:
    return visit.stage in RUNNING and seat.admission in INSIDE


def tries(seat: Seat) -> bool:
    """The seat's call only tries a number."""
    return seat.line.call is not None and seat.line.call.purpose is CallPurpose.TRIAL


def on_the_telephone(seat: Seat) -> bool:
    """Answered, and not to try the number: until it gives way, the browser is silent."""
    return seat.line.state in ANSWERED and not tries(seat) and not seat.line.returning


def let_in(seat: Seat) -> bool:
    return seat.line.state in ON_PHONE and seat.line.joined


# -- of each line --------------------


def a_call_is_there_while_one_is_placed_and_never_else(visit: Visit, policy: Policy) -> None:
    for seat in visit.seats:
        call = seat.line.call
        assert (call is not None) == (seat.line.state in IN_A_CALL)
        answered = call is not None and call.answered_at is not None
        assert answered == (seat.line.state in ANSWERED)
        assert not (tries(seat) and seat.line.state in ON_PHONE)
    ids = [s.line.call.id for s in visit.seats if s.line.call is not None]
    assert len(ids) == len(set(ids))


def nobody_is_called_who_is_not_inside_but_to_try(visit: Visit, policy: Policy) -> None:
    for seat in visit.seats:
        if covered(visit, seat):
            continue
        assert seat.line.state is F.GOOD or tries(seat), seat.line
        if seat.line.call is not None:
            assert visit.stage in RUNNING
            assert seat.admission not in BARRED | {Admission.LEFT}
        else:
            assert seat.line.deadline is None


def a_reason_is_given_for_being_stuck_and_for_nothing_else(visit: Visit, policy: Policy) -> None:
    for seat in visit.seats:
        assert (seat.line.stuck is not None) == (seat.line.state is F.STUCK)


def each_state_waits_for_what_belongs_to_it(visit: Visit, policy: Policy) -> None:
    for seat in visit.seats:
        line = seat.line
        due = line.deadline.name if line.deadline else ""
        assert due in WAITED_FOR[line.state], (line.state, due)
        if line.state is F.GOOD:
            waits = covered(visit, seat) and not line.heard
            assert (due == "media") == waits
        if line.state is F.DEGRADED:
            assert (due == "") == (line.sound is Sound.WEAK)
        if line.state is F.BRIDGED:
            steady = line.joined and line.sound is Sound.FINE
            assert due == ("steady" if steady else "" if line.joined else "joins")
        if line.state is F.RECOVERING:
            assert line.joined
            assert (due == "fade") == line.returning


def the_state_agrees_with_the_sound(visit: Visit, policy: Policy) -> None:
    for seat in visit.seats:
        line = seat.line
        assert (line.silent_since is not None) == (line.sound is Sound.SILENT)
        if line.state in (F.GOOD, F.RECOVERING):
            assert line.sound is Sound.FINE
        if line.state in (F.DEGRADED, F.STUCK):
            assert line.sound is not Sound.FINE


def what_is_true_of_a_call_ends_with_it(visit: Visit, policy: Policy) -> None:
    for seat in visit.seats:
        line = seat.line
        assert not line.greeter or line.state is F.GATE
        assert not line.asked_again or line.state in ANSWERED
        assert not (line.joined or line.voice_confirmed or line.kept) or line.state in ON_PHONE
        assert not line.returning or line.state is F.RECOVERING


def nobody_is_called_more_often_than_allowed(visit: Visit, policy: Policy) -> None:
    rules = policy.fallback
    for seat in visit.seats:
        line = seat.line
        assert line.calls - line.calls_by_hand <= rules.max_calls
        assert line.calls_by_hand <= rules.max_calls_by_hand
        assert len(line.attempts) <= rules.attempts_kept
        assert line.asked_again <= rules.wrong_keys


def nobody_speaks_alone_with_two_telephones(visit: Visit, policy: Policy) -> None:
    greeting = [s.line.greeter for s in visit.seats if s.line.greeter]
    assert len(greeting) == len(set(greeting))
    for seat in visit.seats:
        greeter = visit.seat(seat.line.greeter)
        assert not seat.line.greeter or (greeter is not None and greeter.admission in INSIDE)


# -- of who hears whom --------------------


def a_browser_is_silent_and_deaf_while_its_telephone_is_there(visit: Visit, policy: Policy) -> None:
    seats = {seat.id: seat for seat in visit.seats}
    for link in links_of(visit):
        assert not (link.sound and on_the_telephone(seats[link.source]))
        assert not ((link.sound or link.voice) and on_the_telephone(seats[link.hearer]))
        assert link.probe == on_the_telephone(seats[link.hearer])
    for end in phone_ends(visit):
        assert not any(on_the_telephone(seats[name]) for name in end.hears)


def nothing_passes_the_gate(visit: Visit, policy: Policy) -> None:
    links, ends = links_of(visit), {end.seat: end for end in phone_ends(visit)}
    for seat in visit.seats:
        if seat.line.state is not F.GATE:
            continue
        greeter, end = seat.line.greeter, ends[seat.id]
        assert {link.hearer for link in links if link.source == seat.id and link.voice} <= {greeter}
        assert set(end.hears) <= {greeter}
        assert end.hears_phones == ()
        assert end.talks == bool(greeter)
        if greeter:
            _is_alone(greeter, seat.id, links, ends)


def _is_alone(greeter: str, caller: str, links: frozenset[Link], ends: dict[str, PhoneEnd]) -> None:
    for link in links:
        assert not (link.sound and greeter in (link.source, link.hearer))
        assert not (link.voice and link.hearer == greeter and link.source != caller)
    assert all(greeter not in end.hears for end in ends.values() if end.seat != caller)


def nobody_hears_a_telephone_before_it_was_announced(visit: Visit, policy: Policy) -> None:
    seats = {seat.id: seat for seat in visit.seats}
    for link in links_of(visit):
        source = seats[link.source]
        greeted = source.line.state is F.GATE and source.line.greeter == link.hearer
        assert not link.voice or let_in(source) or greeted
    for end in phone_ends(visit):
        seat = seats[end.seat]
        if seat.line.state in ON_PHONE and not seat.line.joined:
            assert (end.hears, end.hears_phones, end.talks) == ((), (), False)
        assert all(let_in(seats[name]) for name in end.hears_phones)
        assert end.talks == (let_in(seat) and seat.microphone and may(seat.role, Action.SPEAK)) or (
            seat.line.greeter and end.talks
        )


def telephones_belong_to_people_inside(visit: Visit, policy: Policy) -> None:
    seats = {seat.id: seat for seat in visit.seats}
    ends = phone_ends(visit)
    answered = {s.id for s in visit.seats if s.line.state in ANSWERED}
    assert {end.seat for end in ends} == (answered if visit.stage in RUNNING else set())
    for end in ends:
        seat = seats[end.seat]
        others = {*end.hears, *end.hears_phones}
        assert end.seat not in others
        assert all(seats[name].admission in INSIDE for name in others)
        if tries(seat):
            assert (others, end.talks, end.prompt) == (set(), False, Prompt.TRIAL)
        else:
            assert seat.admission in INSIDE
        assert end.fading == seat.line.returning


def whoever_is_on_the_telephone_hears_everybody_else(visit: Visit, policy: Policy) -> None:
    ends = {end.seat: end for end in phone_ends(visit)}
    greeting = {s.line.greeter for s in visit.seats}
    inside = [s for s in visit.seats if covered(visit, s) and s.microphone]
    speaking = [s for s in inside if s.role is not Role.OBSERVER and s.id not in greeting]
    for seat in visit.seats:
        if not let_in(seat):
            continue
        others = [s for s in speaking if s is not seat]
        heard = {*ends[seat.id].hears, *ends[seat.id].hears_phones}
        assert heard >= {s.id for s in others if let_in(s) or not on_the_telephone(s)}


def a_picture_rests_unless_it_is_the_conversation(visit: Visit, policy: Policy) -> None:
    seats = {seat.id: seat for seat in visit.seats}
    anybody_signs = any(Need.SIGNING in seat.needs for seat in visit.seats)

    def signs(seat: Seat) -> bool:
        return Need.SIGNING in seat.needs or (anybody_signs and seat.role is Role.INTERPRETER)

    def weak(seat: Seat) -> bool:
        failing = seat.line.state in (F.DEGRADED, F.STUCK)
        failed = seat.line.call is not None and seat.line.call.purpose is CallPurpose.FALLBACK
        return failing or (failed and seat.line.state is F.BRIDGED)

    for link in links_of(visit):
        source, hearer = seats[link.source], seats[link.hearer]
        if signs(source) and (signs(hearer) or not weak(hearer)) and source.camera:
            resting = weak(hearer) or hearer.line.sound is not Sound.FINE
            assert link.picture or (resting and not signs(hearer))
        elif weak(source) or weak(hearer):
            assert not link.picture


def a_line_waits_for_nothing_in_the_past(visit: Visit, policy: Policy) -> None:
    """Whatever is due first is really due: a deadline of some line, seat or of the visit."""
    due = next_deadline(visit)
    waiting = [s.line.deadline for s in visit.seats if s.line.deadline is not None]
    assert due is not None or not waiting


LINE_STATES = (
    a_call_is_there_while_one_is_placed_and_never_else,
    nobody_is_called_who_is_not_inside_but_to_try,
    a_reason_is_given_for_being_stuck_and_for_nothing_else,
    each_state_waits_for_what_belongs_to_it,
    the_state_agrees_with_the_sound,
    what_is_true_of_a_call_ends_with_it,
    nobody_is_called_more_often_than_allowed,
    nobody_speaks_alone_with_two_telephones,
    a_browser_is_silent_and_deaf_while_its_telephone_is_there,
    nothing_passes_the_gate,
    nobody_hears_a_telephone_before_it_was_announced,
    telephones_belong_to_people_inside,
    whoever_is_on_the_telephone_hears_everybody_else,
    a_picture_rests_unless_it_is_the_conversation,
    a_line_waits_for_nothing_in_the_past,
)
