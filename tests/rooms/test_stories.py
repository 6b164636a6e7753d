"""What people live through, one story a test, at the level of the rules."""

from dataclasses import replace

import pytest

from rooms.errors import (
    DeviceRefused,
    NotAdmitted,
    NotPermitted,
    NotWaiting,
    SeatDenied,
    SeatRemoved,
    TooManyDevices,
    UnknownDevice,
    UnknownSeat,
    VisitFull,
    WhichDevice,
)
from rooms.events import LinkWithdrawn, SessionOpened
from rooms.policy import Policy
from rooms.visit import door
from rooms.wiring import inside, who_hears_whom
from tests.rooms.cast import (
    DESK,
    EVERYBODY,
    MINUTE,
    POLICY,
    PRACTICE,
    Story,
    by,
)

DORA, PETRA = by("dora"), by("petra")


def people_who_hear_each_other(story):
    return {(link.source, link.hearer) for link in who_hears_whom(story.visit)}


# -- coming in --------------------


def test_patient_waits_is_admitted_and_meets_the_provider():
    story = Story("dora", "petra").comes_in("dora").opens("petra").checks("petra").knocks("petra")
    assert story.seat("petra").admission == "waiting"
    assert people_who_hear_each_other(story) == set()
    story.admits(DORA, "petra").enters("petra")
    assert story.visit.stage == "in_progress"
    assert people_who_hear_each_other(story) == {("dora", "petra"), ("petra", "dora")}


def test_provider_comes_in_without_waiting():
    assert Story().waits("dora").seat("dora").admission == "admitted"


@pytest.mark.parametrize("name", ["petra", "fay", "ivan", "cleo", "nils", "olga"])
def test_everybody_else_waits(name):
    assert Story().waits(name).seat(name).admission == "waiting"


def test_desk_admits_a_patient_before_any_provider_is_there():
    assert inside(Story().waits("petra").admits(DESK, "petra").visit) == {"petra"}


def test_somebody_who_never_knocked_cannot_be_admitted():
    with pytest.raises(NotWaiting):
        Story().opens("petra").admits(DESK, "petra")


def test_staff_of_the_visit_who_are_not_providers_admit_nobody():
    story = Story().comes_in("nils", "cleo", "ivan", "petra").waits("fay")
    for name in ("nils", "cleo", "ivan", "petra"):
        with pytest.raises(NotPermitted):
            story.admits(by(name), "fay")


def test_whoever_is_full_of_people_takes_no_more():
    story = Story(policy=Policy(max_inside=3)).comes_in("dora", "petra", "fay").waits("ivan")
    with pytest.raises(VisitFull):
        story.admits(DORA, "ivan")
    with pytest.raises(VisitFull):
        story.waits("dean")
    assert story.seat("ivan").admission == "waiting"
    story.leaves("fay").admits(DORA, "ivan")
    assert inside(story.visit) == {"dora", "petra", "ivan"}


def test_somebody_away_keeps_the_place_in_a_full_visit():
    story = Story(policy=Policy(max_inside=2)).comes_in("dora", "petra").drops("petra").waits("fay")
    with pytest.raises(VisitFull):
        story.admits(DORA, "fay")
    assert story.connects("petra").seat("petra").admission == "present"


# -- losing the line --------------------


def test_patient_who_loses_the_network_while_waiting_keeps_the_place():
    story = Story().comes_in("dora").waits("petra").pass_time(MINUTE).waits("fay")
    story.drops("petra").pass_time(9 * MINUTE).connects("petra")
    assert [entry.seat for entry in story.view("dora").waiting] == ["petra", "fay"]
    assert story.pass_time(60 * MINUTE).seat("petra").admission == "waiting"


def test_patient_who_stays_away_from_the_queue_loses_the_place():
    story = Story().comes_in("dora").waits("petra").drops("petra").pass_time(10 * MINUTE)
    assert story.seat("petra").admission == "invited"
    assert story.view("dora").waiting == ()
    since = story.connects("petra").knocks("petra").seat("petra").waiting_since
    assert since == story.now


def test_patient_admitted_while_the_line_is_down_comes_straight_in():
    story = Story().comes_in("dora").waits("petra").drops("petra").admits(DORA, "petra")
    story.pass_time(15 * MINUTE).connects("petra").enters("petra")
    assert story.visit.stage == "in_progress"


def test_patient_is_back_without_a_second_admission_after_an_hour_on_the_telephone():
    story = Story("dora", "petra").comes_in("dora", "petra").drops("petra")
    assert story.visit.stage == "interrupted"
    assert story.pass_time(60 * MINUTE).connects("petra").visit.stage == "in_progress"


def test_provider_drops_and_returns_and_nobody_is_thrown_out():
    story = Story().comes_in(*EVERYBODY).drops("dora").drops("dean")
    assert story.visit.stage == "interrupted"
    assert inside(story.visit) == set(EVERYBODY)
    assert story.connects("dora").visit.stage == "in_progress"


def test_page_that_closed_as_it_became_ready_makes_nobody_present():
    story = Story().waits("petra").admits(DESK, "petra").drops("petra").enters("petra")
    assert story.seat("petra").admission == "away"
    assert story.connects("petra").seat("petra").admission == "present"


def test_knock_that_arrives_after_the_page_has_gone_keeps_no_place_for_ever():
    story = Story().opens("petra").drops("petra").knocks("petra").pass_time(10 * MINUTE)
    assert story.seat("petra").admission == "invited"


def test_patient_who_left_must_ask_again():
    story = Story().comes_in("dora", "petra").leaves("petra")
    assert story.ended_sessions() == {("petra", "petra-one", "left")}
    assert story.connects("petra").knocks("petra").seat("petra").admission == "waiting"


# -- more than one device --------------------


def test_a_scanner_that_opens_the_link_first_keeps_nobody_out():
    story = Story()
    for name in ("dora", "petra"):
        story.opens(name, "scanner").checks(name, "scanner").switches(name, "scanner", camera=False)
        story.opens(name).checks(name).switches(name, camera=True)
        assert not story.view(name).me.another_device
        story.knocks(name)
        assert story.view(name, "scanner").me.another_device
    assert story.enters("dora").view("dora").me.inside
    (entry,) = story.view("dora").waiting
    assert (entry.device, entry.another_device) == ("petra-one", False)
    assert story.admits(DORA, "petra").enters("petra").view("petra").me.camera


@pytest.mark.parametrize("name", ["dora", "petra"])
def test_whoever_knocks_first_holds_the_seat_and_the_other_becomes_another_device(name):
    story = Story().comes_in("dean").opens(name).opens(name, "two").knocks(name, "two").knocks(name)
    assert story.seat(name).holder.id == f"{name}-two"
    assert {e.device: e.another_device for e in story.view("dean").waiting}[f"{name}-one"]
    with pytest.raises(NotAdmitted):
        story.checks(name)
    with pytest.raises(NotAdmitted):
        story.switches(name, microphone=False)


def test_seat_whose_holder_left_keeps_its_holder():
    story = Story().comes_in("dora", "petra").leaves("petra").waits("petra", device="two")
    assert story.view("dora").waiting[0].another_device
    assert story.seat("petra").holder.id == "petra-one"


def test_device_that_was_turned_away_before_anybody_knocked_holds_nothing():
    story = Story().opens("dora", "scanner").opens("dora").denies(DESK, "dora", "scanner")
    with pytest.raises(DeviceRefused):
        story.knocks("dora", "scanner")
    with pytest.raises(NotAdmitted):
        story.checks("dora", "scanner")
    assert story.knocks("dora").view("dora").me.standing == "holding"


def test_patient_on_a_second_device_waits_and_is_marked_as_such():
    story = Story().comes_in("dora", "petra").waits("petra", device="two")
    (entry,) = story.view("dora").waiting
    assert (entry.seat, entry.device, entry.another_device) == ("petra", "petra-two", True)
    assert story.view("petra").me.inside
    assert not story.view("petra", "two").me.inside


def test_second_device_that_is_let_in_replaces_the_first_and_says_so():
    story = Story().comes_in("dora", "petra").waits("petra", device="two")
    story.admits(DORA, "petra", "two")
    assert story.ended_sessions() == {("petra", "petra-one", "device_replaced")}
    assert story.view("petra", "two").me.inside
    assert not story.view("petra", "one").me.inside
    assert story.drops("petra", "one").seat("petra").admission == "admitted"


def test_second_device_can_do_nothing_for_the_seat():
    story = Story().comes_in("dora", "petra").waits("petra", device="two")
    with pytest.raises(NotAdmitted):
        story.switches("petra", "two", microphone=False)
    with pytest.raises(NotAdmitted):
        story.enters("petra", "two")
    story.leaves("petra", "two").drops("petra", "two")
    assert story.seat("petra").admission == "present"


def test_second_provider_device_needs_another_provider_or_the_desk():
    story = Story().comes_in("dora").waits("dora", device="two")
    assert story.seat("dora").admission == "present"
    with pytest.raises(NotPermitted):
        story.admits(DORA, "dora", "two")
    story.comes_in("dean").admits(by("dean"), "dora", "two")
    assert story.view("dora", "two").me.inside
    story.waits("dora", device="three").admits(DESK, "dora", "three")
    assert story.view("dora", "three").me.inside


def test_provider_whose_first_device_is_lost_is_let_in_on_the_second_by_the_desk():
    story = Story().comes_in("dora").drops("dora").waits("dora", device="two")
    story.admits(DESK, "dora")
    assert story.view("dora", "two").me.inside


def test_two_devices_wait_and_staff_must_say_which():
    story = Story().waits("petra").waits("petra", device="two")
    with pytest.raises(WhichDevice):
        story.admits(DESK, "petra")
    story.admits(DESK, "petra", "one")
    assert story.view("petra", "one").me.inside
    assert [entry.device for entry in story.comes_in("dora").view("dora").waiting] == ["petra-two"]


def test_first_device_that_never_returns_keeps_nobody_out():
    story = Story().waits("petra").drops("petra").waits("petra", device="two")
    story.admits(DESK, "petra", "two").enters("petra", "two")
    assert story.seat("petra").admission == "present"


def test_letting_in_a_second_device_that_has_gone_throws_nobody_out():
    story = Story().comes_in("dora", "petra").waits("petra", device="two").drops("petra", "two")
    assert story.view("dora").waiting == ()
    with pytest.raises(NotWaiting):
        story.admits(DORA, "petra", "two")
    assert story.connects("petra", "two").view("dora").waiting[0].device == "petra-two"


def test_denying_a_second_device_leaves_the_person_where_they_are():
    story = Story().comes_in("dora", "petra").waits("petra", device="two")
    story.denies(DORA, "petra", "two")
    assert story.ended_sessions() == {("petra", "petra-two", "device_refused")}
    assert story.view("petra").me.inside
    story.drops("petra", "two")
    with pytest.raises(DeviceRefused):
        story.connects("petra", "two")
    story.lets_back(DORA, "petra").connects("petra", "two").knocks("petra", "two")
    assert story.view("dora").waiting[0].another_device


def test_denying_the_device_somebody_is_on_denies_the_person():
    story = Story().comes_in("dora", "petra").denies(DORA, "petra", "one")
    assert story.seat("petra").admission == "denied"
    assert story.ended_sessions() == {("petra", "", "seat_denied")}


def test_link_that_went_round_opens_on_so_many_devices_at_once_and_no_more():
    story = Story()
    for number in range(POLICY.max_devices):
        story.opens("fay", f"phone-{number}")
    with pytest.raises(TooManyDevices):
        story.opens("fay", "one-more")
    story.drops("fay", "phone-3").opens("fay", "one-more")
    assert story.seat("fay").device("fay-phone-3") is None


def test_browser_that_is_somebody_new_each_time_takes_nobodys_room():
    story = Story().waits("petra").waits("petra", device="tablet").drops("petra", "tablet")
    for number in range(3 * POLICY.max_devices):
        story.opens("petra", f"preview-{number}").drops("petra", f"preview-{number}")
    assert len(story.seat("petra").devices) == POLICY.max_devices
    assert story.seat("petra").holder.id == "petra-one"
    assert story.seat("petra").device("petra-tablet"), "it has asked to come in"
    assert story.opens("petra", "phone").seat("petra").device("petra-phone")


def test_device_that_was_turned_away_is_never_forgotten():
    story = Story(policy=replace(POLICY, max_devices=2)).comes_in("dora", "petra")
    story.waits("petra", device="two").denies(DORA, "petra", "two").drops("petra", "two")
    with pytest.raises(TooManyDevices):
        story.opens("petra", "three")
    story.lets_back(DORA, "petra").opens("petra", "three")
    assert [d.id for d in story.seat("petra").devices] == ["petra-one", "petra-three"]


def test_link_opened_twice_by_the_same_device_is_one_device():
    story = Story().opens("petra")
    revision = story.visit.revision
    assert len(story.opens("petra").seat("petra").devices) == 1
    assert story.visit.revision == revision


def test_link_that_went_astray_is_replaced_before_anybody_was_let_in():
    story = Story().comes_in("dora").waits("petra")
    story.tell(LinkWithdrawn(seat="petra", by=PRACTICE))
    assert story.ended_sessions() == {("petra", "", "link_unknown")}
    assert story.view("dora").waiting == ()
    with pytest.raises(UnknownDevice):
        story.knocks("petra")
    story.waits("petra", device="two")
    assert not story.view("dora").waiting[0].another_device, "the right person is the first"


def test_stranger_who_opened_a_providers_lost_link_cannot_walk_in_with_it():
    story = Story().opens("dean")
    story.tell(LinkWithdrawn(seat="dean", by=PRACTICE))
    with pytest.raises(UnknownDevice):
        story.knocks("dean")
    assert story.opens("dean", "two").knocks("dean", "two").seat("dean").admission == "admitted"


def test_new_link_throws_nobody_out_who_was_let_in():
    story = Story().comes_in("dora", "petra").waits("petra", device="two")
    story.tell(LinkWithdrawn(seat="petra", by=PRACTICE))
    assert story.ended_sessions() == {("petra", "petra-two", "link_unknown")}
    assert story.view("petra").me.inside
    assert story.view("dora").waiting == ()


# -- staying out --------------------


@pytest.mark.parametrize("how", ["denies", "removes"])
def test_person_who_was_turned_away_stays_out_on_every_device(how):
    closed = {"denies": SeatDenied, "removes": SeatRemoved}[how]
    story = Story().comes_in("dora", "fay").waits("fay", device="two")
    getattr(story, how)(DORA, "fay")
    assert story.seat("fay").epoch == 2
    assert isinstance(door(story.visit, story.seat("fay")), closed)
    for device in ("one", "two"):
        with pytest.raises(closed):
            story.tell(SessionOpened(seat="fay", device=f"fay-{device}"))
        with pytest.raises(closed):
            story.knocks("fay", device)
    with pytest.raises(closed):
        story.opens("fay", "three")
    with pytest.raises(closed):
        story.admits(DORA, "fay")
    story.drops("fay").lets_back(DORA, "fay").connects("fay").knocks("fay")
    assert story.seat("fay").admission == "waiting"


def test_denial_after_an_admission_wins():
    story = Story().waits("fay").admits(DESK, "fay").denies(DESK, "fay")
    assert inside(story.visit) == frozenset()


def test_admission_after_a_denial_does_not():
    story = Story().waits("fay").denies(DESK, "fay")
    with pytest.raises(SeatDenied):
        story.admits(DESK, "fay")


def test_patient_objects_to_family_before_they_enter():
    story = Story().comes_in("dora", "petra").waits("fay")
    assert [entry.seat for entry in story.view("petra").waiting] == ["fay"]
    story.objects(PETRA, "fay")
    assert story.ended_sessions() == {("fay", "", "seat_denied")}
    assert story.view("petra").waiting == ()


def test_patient_objects_to_family_who_sit_in_already():
    story = Story().comes_in("dora", "petra", "fay").objects(PETRA, "fay")
    assert inside(story.visit) == {"dora", "petra"}


def test_person_sent_back_waits_at_the_end_of_the_queue():
    story = Story().comes_in("dora", "fay").pass_time(MINUTE).waits("petra").pass_time(MINUTE)
    story.sends_back(DORA, "fay")
    assert [entry.seat for entry in story.view("dora").waiting] == ["petra", "fay"]
    assert inside(story.visit) == {"dora"}


def test_person_sent_back_while_away_has_the_usual_time_to_return():
    story = Story().comes_in("dora", "fay").drops("fay").sends_back(DORA, "fay")
    assert story.pass_time(9 * MINUTE).seat("fay").admission == "waiting"
    assert story.pass_time(MINUTE).seat("fay").admission == "invited"


def test_provider_is_not_sent_to_a_waiting_room_that_could_not_hold_them():
    with pytest.raises(NotPermitted):
        Story().comes_in("dora", "dean").sends_back(DORA, "dean")


def test_seat_that_was_withdrawn_looks_as_if_it_had_never_been():
    story = Story().comes_in("dora", "fay").revokes("fay")
    assert story.ended_sessions() == {("fay", "", "link_unknown")}
    with pytest.raises(UnknownSeat):
        story.lets_back(DORA, "fay")
    assert "fay" not in [entry.seat for entry in story.view("dora").seats]


# -- messages --------------------


def test_clinic_writes_to_somebody_who_waits_and_a_reload_still_shows_it():
    story = Story().comes_in("dora").waits("petra").writes(DORA, "petra", "ten minutes, sorry")
    story.drops("petra").connects("petra")
    assert [notice.text for notice in story.view("petra").me.notices] == ["ten minutes, sorry"]
    with pytest.raises(NotWaiting):
        story.writes(DORA, "fay", "nobody there")


def test_second_device_does_not_read_what_was_written_to_the_first():
    story = Story().waits("petra").writes(DESK, "petra", "your test is back").pass_time(1)
    story.waits("petra", device="two")
    assert story.view("petra", "two").me.notices == ()
    story.writes(DESK, "petra", "we see two devices")
    assert [n.text for n in story.view("petra", "two").me.notices] == ["we see two devices"]
