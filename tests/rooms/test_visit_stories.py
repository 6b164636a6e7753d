"""What becomes of visits as a whole, one story a test, at the level of the rules."""

import pytest

from rooms.errors import (
    VisitCancelled,
    VisitEarly,
    VisitEnded,
    VisitExpired,
    VisitFull,
    VisitMoved,
    VisitRunning,
)
from rooms.events import SeatAdded
from rooms.model import EndReason
from rooms.policy import Policy
from rooms.wiring import who_hears_whom
from tests.rooms.cast import (
    ENDS,
    MINUTE,
    POLICY,
    PRACTICE,
    STARTS,
    Story,
    by,
    seat_of,
)

DORA = by("dora")


def test_link_opened_early_is_told_so_and_opens_half_an_hour_before():
    story = Story(now=STARTS - 31 * MINUTE)
    with pytest.raises(VisitEarly):
        story.opens("petra")
    assert story.pass_time(MINUTE).opens("petra").seat("petra").devices


def test_visit_moved_while_people_wait_lets_them_go_and_opens_again():
    story = Story().waits("petra").moves(7 * 24 * 60 * MINUTE)
    assert story.ended_sessions() == {("petra", "", "visit_moved")}
    with pytest.raises(VisitMoved):
        story.connects("petra")
    story.drops("petra").pass_time(7 * 24 * 60 * MINUTE).connects("petra").knocks("petra")
    assert story.seat("petra").waiting_since == story.now


def test_visit_moved_by_ten_minutes_keeps_the_queue():
    story = Story().waits("petra").moves(10 * MINUTE).drops("petra").pass_time(1)
    assert story.visit.stage == "open"
    assert story.connects("petra").seat("petra").admission == "waiting"


@pytest.mark.parametrize("order", ["cancels", "moves"])
def test_visit_with_people_inside_is_neither_moved_nor_cancelled(order):
    story = Story().comes_in("petra")
    with pytest.raises(VisitRunning):
        story.cancels() if order == "cancels" else story.moves(MINUTE)


def test_visit_is_cancelled_with_people_waiting():
    story = Story().waits("petra", "fay").cancels()
    assert {code for _, _, code in story.ended_sessions()} == {"visit_cancelled"}
    with pytest.raises(VisitCancelled):
        story.connects("petra")
    with pytest.raises(VisitCancelled):
        story.tell(SeatAdded(seat=seat_of("olga"), by=PRACTICE))


def test_provider_ends_the_visit_for_everyone_who_waits_included():
    story = Story().comes_in("dora", "petra").waits("fay").ends(DORA)
    assert {seat for seat, _, code in story.ended_sessions()} == {"dora", "petra", "fay"}
    assert story.visit.end_reason is EndReason.BY_PROVIDER
    assert who_hears_whom(story.visit) == frozenset()
    with pytest.raises(VisitEnded):
        story.knocks("fay")


def test_practice_ends_the_visit_while_the_provider_is_away():
    story = Story().comes_in("dora", "petra").drops("dora").ends(PRACTICE)
    assert story.visit.end_reason is EndReason.BY_PRACTICE


def test_visit_nobody_is_in_any_more_ends_after_a_while():
    story = Story().comes_in("dora", "petra").drops("dora").drops("petra")
    assert story.pass_time(POLICY.deserted_after - 1).visit.stage == "interrupted"
    assert story.pass_time(1).visit.end_reason is EndReason.DESERTED
    with pytest.raises(VisitExpired):
        story.connects("petra")


def test_visit_goes_on_while_anybody_waits_at_its_door():
    story = Story().comes_in("dora", "petra").waits("fay").drops("dora").drops("petra")
    story.pass_time(60 * MINUTE)
    assert story.visit.stage == "interrupted"


def test_whoever_is_barred_does_not_keep_a_visit_alive():
    story = Story().comes_in("dora", "fay").removes(DORA, "fay").drops("dora")
    assert story.visit.deserted is not None


def test_patient_who_looks_in_early_and_closes_the_page_finds_the_visit_at_its_time():
    story = Story(now=STARTS - 29 * MINUTE).waits("petra").drops("petra")
    story.pass_time(28 * MINUTE)
    assert story.connects("petra").knocks("petra").visit.stage == "open"


def test_patient_of_a_late_clinician_may_close_the_page_and_return():
    story = Story().waits("petra").drops("petra").pass_time(29 * MINUTE)
    assert story.connects("petra").visit.stage == "open"


def test_try_out_before_the_visit_does_not_use_it_up():
    story = Story(now=STARTS - 25 * MINUTE).comes_in("dora", "petra").leaves("dora").drops("dora")
    story.leaves("petra").drops("petra").pass_time(25 * MINUTE)
    assert story.connects("petra").visit.stage == "interrupted"


def test_visit_where_nobody_met_is_over_some_time_after_its_end():
    story = Story().waits("petra").drops("petra").pass_time(ENDS - STARTS)
    assert story.visit.stage == "open"
    assert story.pass_time(POLICY.deserted_after).visit.end_reason is EndReason.DESERTED


def test_visit_nobody_ever_opened_ends_by_the_clock():
    story = Story().pass_time(ENDS - STARTS + POLICY.overrun)
    assert story.visit.end_reason is EndReason.TIME_UP
    assert story.visit.ended_at == ENDS + POLICY.overrun


def test_running_visit_may_overrun_and_ends_only_as_a_last_resort():
    story = Story().comes_in("dora", "petra").pass_time(ENDS - STARTS + POLICY.overrun - 1)
    assert story.visit.stage == "in_progress"
    assert story.pass_time(1).visit.end_reason is EndReason.TIME_UP


def test_server_that_slept_catches_up_each_deadline_at_its_own_time():
    story = Story("dora", "petra", now=STARTS - 60 * MINUTE)
    story.pass_time(24 * 60 * MINUTE)
    assert (story.visit.stage, story.visit.ended_at) == ("ended", ENDS + POLICY.overrun)


def test_somebody_invited_during_the_visit_waits_like_everybody():
    story = Story("dora", "petra").comes_in("dora", "petra")
    story.tell(SeatAdded(seat=seat_of("fay"), by=DORA)).waits("fay")
    assert story.seat("fay").admission == "waiting"
    assert story.tell(SeatAdded(seat=seat_of("fay"), by=DORA)).seat("fay").admission == "waiting"


def test_visit_invites_only_so_many():
    story = Story("dora", "petra", policy=Policy(max_seats=2)).comes_in("dora")
    with pytest.raises(VisitFull):
        story.tell(SeatAdded(seat=seat_of("fay"), by=DORA))
