"""What a store has lost of decisions that keep people out is decided again, and nothing else."""

import random

import pytest

from rooms.events import (
    LinkWithdrawn,
    SeatLeft,
    SeatRevoked,
    SeatSentBack,
    SeatWasDenied,
    SeatWasRemoved,
    VisitWasCancelled,
    VisitWasEnded,
)
from rooms.line_events import (
    CallAnswered,
    CallRang,
    CallWasStopped,
    KeyPressed,
    PhonePlanSet,
    PhonePlanWithdrawn,
)
from rooms.model import BARRED, INSIDE, OVER, RUNNING, Admission, Standing
from rooms.permissions import Action, may
from rooms.reductions import AGAIN, REDUCING, is_reducing, missing
from tests.rooms.cast import DESK, PRACTICE, Story, by, catch_up, device_id, seat_in
from tests.rooms.line_space import equipped
from tests.rooms.space import check, take
from tests.rooms.walks import walk

DAY = 24 * 60 * 60.0
STEPS = 240
CUTS = 30
BY_THEMSELVES = {Admission.INVITED, Admission.CHECKING, Admission.LEFT}


def apply(known, stored, now, policy):
    """``stored`` after all that is missing; nothing of it may be refused or break a law."""
    for event in missing(known, stored):
        assert is_reducing(event)
        beat = take(stored, event, now, policy)
        assert beat.refusal is None, (event, beat.refusal)
        check(beat)
        stored = beat.after
    return stored


def pairs(seed):
    """A state that was known, and an older one that the store went back to."""
    beats = list(walk(seed, STEPS))
    rng = random.Random(seed)
    for _ in range(CUTS):
        older, last = sorted(rng.sample(range(len(beats)), 2))
        if rng.random() < 0.5:
            older = max(older, last - 8)  # what is lost is seldom much
        beat = beats[last]
        stored, _effects = catch_up(beats[older].after, beat.now, beat.policy)
        known, _effects = catch_up(beat.after, beat.now, beat.policy)
        yield known, stored, beat


@pytest.mark.parametrize("seed", range(60))
def test_nobody_who_was_out_is_in_and_nobody_gains_anything(seed):
    for known, stored, beat in pairs(seed):
        result = apply(known, stored, beat.now, beat.policy)
        keeps_out(known, result, stored)
        grants_nothing(result, stored)
        assert missing(known, result) == ()
        assert missing(known, known) == ()


def keeps_out(known, result, stored):
    if known.stage in OVER:
        assert result.stage in OVER
    if result.stage in OVER:
        return
    for seat in result.seats:
        was = known.seat(seat.id)
        if was is None:
            continue  # it was invited after the last that is known: never in a prefix
        if was.admission in BARRED:
            assert seat.admission in BARRED
        assert seat.revoked or not was.revoked
        if seat.admission in INSIDE:
            went = was.admission in BY_THEMSELVES and was.epoch == seat.epoch
            assert went or was.admission in INSIDE
            same = was.holder is not None and was.holder.id == seat.holder.id
            assert same or went
        for device in was.devices:
            now = seat.device(device.id)
            if device.standing is Standing.REFUSED and now is not None:
                assert now.standing is Standing.REFUSED or seat.admission in BARRED
                assert now.standing is not Standing.HOLDING


def grants_nothing(result, stored):
    assert result.stage not in RUNNING or stored.stage in RUNNING
    for seat in result.seats:
        was = seat_in(stored, seat.id)
        assert seat.admission not in INSIDE or was.admission in INSIDE
        assert seat.admission not in BARRED or seat.epoch >= was.epoch
        assert seat.epoch >= was.epoch
        assert {d.id for d in seat.devices} <= {d.id for d in was.devices}
        for device in seat.devices:
            before = was.device(device.id)
            assert device.standing is not Standing.HOLDING or before.standing is Standing.HOLDING
            assert device.connected <= before.connected


def test_the_walks_need_every_kind_of_answer():
    found = {
        type(event)
        for seed in range(60)
        for known, stored, _ in pairs(seed)
        for event in missing(known, stored)
    }
    assert found >= {
        LinkWithdrawn,
        SeatLeft,
        SeatRevoked,
        SeatSentBack,
        SeatWasDenied,
        SeatWasRemoved,
        VisitWasEnded,
    }
    assert found <= set(REDUCING)


def test_what_is_decided_again_is_within_the_practices_rights():
    for action in (Action.DENY, Action.REMOVE, Action.SEND_BACK, Action.REVOKE, Action.END):
        assert may(AGAIN.kind, action)


# One loss at a time


@pytest.fixture
def story():
    return Story("dora", "petra", "fred").comes_in("dora", "petra")


def lost(story, tell, go_on=lambda _: None):
    """What is missing once the store went back to before ``tell``, and ``go_on`` happened there."""
    stored = Story("dora", "petra", "fred")
    stored.visit, stored.now = story.visit, story.now
    tell(story)
    stored.pass_time(10)
    go_on(stored)
    return missing(story.visit, stored.visit)


def test_a_removal_that_was_lost(story):
    again = SeatWasRemoved(seat="petra", by=AGAIN)
    assert lost(story, lambda s: s.removes(by("dora"), "petra")) == (again,)


def test_a_denial_that_was_lost(story):
    story.waits("fred")
    again = SeatWasDenied(seat="fred", by=AGAIN)
    assert lost(story, lambda s: s.denies(DESK, "fred")) == (again,)


def test_an_objection_of_the_patient_is_a_denial(story):
    story.waits("fred")
    again = SeatWasDenied(seat="fred", by=AGAIN)
    assert lost(story, lambda s: s.objects(by("petra"), "fred")) == (again,)


def test_somebody_who_was_to_wait_again(story):
    again = SeatSentBack(seat="petra", by=AGAIN)
    assert lost(story, lambda s: s.pass_time(1).sends_back(DESK, "petra")) == (again,)


def test_somebody_who_was_removed_and_let_back_asks_again(story):
    again = SeatSentBack(seat="petra", by=AGAIN)
    assert lost(story, lambda s: s.removes(DESK, "petra").lets_back(DESK, "petra")) == (again,)


def test_whoever_left_has_left(story):
    again = SeatLeft(seat="petra", device=device_id("petra", "one"))
    assert lost(story, lambda s: s.leaves("petra")) == (again,)
    again = SeatLeft(seat="dora", device=device_id("dora", "one"))
    assert lost(story, lambda s: s.leaves("dora")) == (again,)


def test_a_seat_that_was_withdrawn_and_a_visit_that_was_ended(story):
    assert lost(story, lambda s: s.revokes("petra")) == (SeatRevoked(seat="petra", by=AGAIN),)
    assert lost(story, lambda s: s.ends()) == (VisitWasEnded(by=AGAIN),)


def test_a_visit_that_was_called_off_before_it_opened():
    story = Story("dora", "petra")
    assert lost(story, lambda s: s.cancels()) == (VisitWasCancelled(by=AGAIN),)


def test_a_device_that_was_turned_away(story):
    story.waits("petra", device="two")
    again = SeatWasDenied(seat="petra", device=device_id("petra", "two"), by=AGAIN)
    assert lost(story, lambda s: s.denies(DESK, "petra", "two")) == (again,)


def test_a_device_that_another_took_the_place_of(story):
    story.waits("petra", device="two")
    again = SeatSentBack(seat="petra", by=AGAIN)
    assert lost(story, lambda s: s.admits(DESK, "petra", "two")) == (again,)


def test_a_clinicians_device_that_another_took_the_place_of_cannot_walk_in_again(story):
    story.waits("dora", device="two")
    gone = SeatLeft(seat="dora", device=device_id("dora", "one"))
    forgotten = LinkWithdrawn(seat="dora", by=AGAIN)
    assert lost(story, lambda s: s.admits(DESK, "dora", "two")) == (gone, forgotten)


def test_a_device_that_was_turned_away_after_another_took_its_place_holds_nothing(story):
    story.waits("petra", device="two")

    def turns_away(s):
        s.admits(DESK, "petra", "two").denies(DESK, "petra", "one")

    again = SeatSentBack(seat="petra", by=AGAIN), LinkWithdrawn(seat="petra", by=AGAIN)
    assert lost(story, turns_away) == again


def test_a_visit_that_was_opened_earlier_than_planned():
    """The store knows it as one that has not opened yet, where staff can turn nobody away."""
    story = Story("dora", "petra", "fred").waits("petra", "fred").moves(DAY)

    def turns_away(s):
        s.moves(-DAY).pass_time(1)
        s.denies(DESK, "petra")

    again = SeatRevoked(seat="petra", by=AGAIN)
    assert lost(story, turns_away) == (again,)


def test_a_device_is_forgotten_where_it_cannot_be_turned_away():
    story = Story("dora", "fred").waits("fred").waits("fred", device="two").moves(DAY)

    def turns_away(s):
        s.moves(-DAY).pass_time(1).denies(DESK, "fred", "two")

    assert lost(story, turns_away) == (LinkWithdrawn(seat="fred", by=AGAIN),)


def test_a_clinician_by_telephone_who_was_taken_out():
    story = equipped(Story("dora", "petra"), "dora", only=True).admits(DESK, "dora")
    again = SeatWasRemoved(seat="dora", by=AGAIN)
    assert lost(story, lambda s: s.removes(DESK, "dora").lets_back(DESK, "dora")) == (again,)


def test_a_link_that_was_replaced(story):
    story.waits("fred").pass_time(1)
    story.opens("dora", "two")  # something else that is known to have happened since
    again = LinkWithdrawn(seat="fred", by=AGAIN)
    assert lost(story, lambda s: s.tell(LinkWithdrawn(seat="fred", by=PRACTICE))) == (again,)


def test_nothing_is_missing_where_only_gains_were_lost(story):
    story.waits("fred")
    assert lost(story, lambda s: s.admits(DESK, "fred").enters("fred")) == ()


# What the new owner has decided since stands


def test_somebody_let_back_by_the_new_owner_is_not_barred_again(story):
    story.removes(DESK, "petra")
    assert lost(story, lambda s: s.switches("dora"), lambda s: s.lets_back(DESK, "petra")) == ()


def test_somebody_whom_the_new_owner_removed_and_let_in_again_stays(story):
    def anew(stored):
        stored.removes(DESK, "petra").lets_back(DESK, "petra")
        stored.knocks("petra").admits(DESK, "petra").enters("petra")

    assert lost(story, lambda s: s.removes(DESK, "petra"), anew) == ()


def test_somebody_whom_only_the_new_owner_removed_and_let_in_again_stays(story):
    def anew(stored):
        stored.removes(DESK, "petra").lets_back(DESK, "petra")
        stored.knocks("petra").admits(DESK, "petra").enters("petra")

    assert lost(story, lambda s: s.sends_back(DESK, "petra"), anew) == ()


def test_a_browser_that_came_to_the_new_owner_stays(story):
    def comes(stored):
        stored.waits("fred").admits(DESK, "fred").enters("fred")
        stored.opens("petra", "two")

    assert lost(story, lambda s: s.switches("petra", microphone=False), comes) == ()


def test_a_visit_that_is_over_needs_nothing(story):
    assert lost(story, lambda s: s.removes(DESK, "petra"), lambda s: s.ends()) == ()


# Telephones


@pytest.fixture
def reachable():
    return equipped(Story("dora", "petra").comes_in("dora", "petra"))


def test_whoever_took_their_consent_back_is_not_called(reachable):
    device = device_id("petra", "one")
    withdrawn = PhonePlanWithdrawn(seat="petra", device=device, by=by("petra"))
    again = PhonePlanWithdrawn(seat="petra", device=device)
    assert lost(reachable, lambda s: s.tell(withdrawn)) == (again,)


def test_whoever_agreed_anew_may_be_called(reachable):
    device = device_id("petra", "one")
    withdrawn = PhonePlanWithdrawn(seat="petra", device=device, by=by("petra"))
    agrees = PhonePlanSet(seat="petra", device=device, wording="w", by=by("petra"))
    assert lost(reachable, lambda s: s.tell(withdrawn), lambda s: s.tell(agrees)) == ()


def test_a_telephone_that_refused_is_not_called_again_though_its_seat_has_no_browser():
    """It said 9 at the gate; in the store it rings still."""
    story = equipped(Story("dora", "petra"), only=True).comes_in("dora").admits(DESK, "petra")

    def refuses(s):
        call = s.seat("petra").line.call.id
        s.tell(CallRang(seat="petra", call=call)).tell(CallAnswered(seat="petra", call=call))
        s.tell(KeyPressed(seat="petra", call=call, key="9"))
        assert s.seat("petra").phone.refused

    again = CallWasStopped(seat="petra", by=AGAIN)
    assert lost(story, refuses) == (again,)


def test_somebody_without_a_browser_who_is_to_wait_again():
    story = equipped(Story("dora", "petra"), only=True).comes_in("dora").admits(DESK, "petra")
    again = SeatSentBack(seat="petra", by=AGAIN)
    assert lost(story, lambda s: s.sends_back(DESK, "petra")) == (again,)
