"""What people live through when their connection fails, one story a test."""

import pytest

from rooms.errors import (
    CallNotAnswered,
    CallsUsed,
    CallUnderway,
    NoNumber,
    NotAdmitted,
    NotPermitted,
    PhoneRefused,
    SpeakFirst,
    VideoNotReady,
)
from rooms.events import LinkWithdrawn
from rooms.line_events import (
    CallStopped,
    CallWasStopped,
    ConnectAsked,
    HandBackAsked,
    NumberRecorded,
    PageHid,
    PageLeft,
    PageShown,
    PhoneKept,
    PhonePlanSet,
    PhonePlanWithdrawn,
    SameSpeechHeard,
    SeatKeptOnPhone,
    VoiceConfirmed,
    WrongPersonFound,
)
from rooms.model import CallFailure, CallPurpose, Need, PhoneNumber, Prompt, Sound
from rooms.wiring import phone_ends
from tests.rooms.cast import DESK, PRACTICE, STARTS, by, device_id
from tests.rooms.phone_story import PhoneStory

DORA, DEAN = by("dora"), by("dean")
FINE, WEAK, UNUSABLE, SILENT = Sound
GONE_FOR_GOOD = (CallFailure.DECLINED, CallFailure.BLOCKED, CallFailure.BAD_NUMBER)
COMES_BACK = (CallFailure.BUSY, CallFailure.NO_ANSWER)


def meeting(*names):
    return PhoneStory(*(names or ("dora", "petra"))).meet()


def ringing():
    story = meeting().cut()
    story.pass_time(5)
    return story.rings()


# -- silence --------------------


def test_gap_of_six_seconds_calls_nobody():
    story = meeting().cut()
    story.pass_time(4)
    assert story.sounds("petra", FINE).state() == "good"
    assert story.pass_time(60).effects == ()


def test_gap_of_seven_seconds_calls():
    story = meeting().cut()
    assert story.pass_time(4.9).state() == "degraded"
    story.pass_time(0.1)
    assert (story.state(), story.placed()) == ("dialing", ["petra"])


def test_reload_calls_nobody():
    story = meeting().page(PageLeft)
    story.drops("petra").pass_time(2)
    story.sounds("petra", SILENT).pass_time(3)
    story.connects("petra").pass_time(9)
    assert story.state() == "degraded"
    assert story.sounds("petra", FINE).state() == "good"


def test_page_that_said_goodbye_and_is_not_back_is_called_after_eight_seconds():
    story = meeting().page(PageLeft)
    story.drops("petra")
    story.cut().pass_time(5.9)
    assert story.state() == "degraded"
    assert story.pass_time(0.1).placed() == ["petra"]


def test_goodbye_that_arrives_after_the_page_is_back_means_nothing():
    story = meeting()
    story.drops("petra").connects("petra")
    story.page(PageLeft).pass_time(600)
    story.cut().pass_time(4.9)
    assert story.state() == "degraded"


def test_browser_that_died_is_called_at_once():
    story = meeting()
    story.drops("petra")
    story.cut().pass_time(0)
    assert story.placed() == ["petra"]


@pytest.mark.parametrize(("same_device", "patience"), [(True, 43), (False, 5)])
def test_page_that_is_hidden_on_the_very_telephone_has_more_time(same_device, patience):
    story = meeting().equip("petra", same_device=same_device).page(PageHid)
    story.cut().pass_time(patience - 0.1)
    assert story.state() == "degraded"
    assert story.pass_time(0.1).placed() == ["petra"]


def test_page_in_front_again_gets_the_time_that_its_sound_takes():
    story = meeting().equip("petra", same_device=True).page(PageHid)
    story.cut().pass_time(40)
    story.page(PageShown).pass_time(9.9)
    assert story.sounds("petra", FINE).state() == "good"


def test_whoever_presses_leave_is_never_called():
    story = meeting()
    story.leaves("petra").drops("petra").pass_time(600)
    assert story.line().calls == 0


def test_whoever_comes_in_and_is_never_heard_is_called():
    story = PhoneStory("dora", "petra").meet("dora")
    story.comes_in("petra").pass_time(20)
    assert story.state() == "degraded"
    assert story.pass_time(5).placed() == ["petra"]


# -- heavy loss --------------------


def test_unusable_sound_calls_after_four_more_seconds_and_weak_sound_never():
    story = meeting().sounds("petra", WEAK)
    story.pass_time(300)
    assert story.state() == "degraded"
    story.sounds("petra", UNUSABLE).pass_time(3.9)
    assert story.state() == "degraded"
    assert story.pass_time(0.1).placed() == ["petra"]


def test_weak_connection_rests_the_pictures_and_keeps_the_sound():
    story = meeting().sounds("petra", WEAK)
    assert not story.sees("dora", "petra")
    assert not story.sees("petra", "dora")
    assert story.hears("dora", "petra") == story.hears("petra", "dora") == {"sound"}
    story.sounds("petra", FINE)
    assert story.sees("dora", "petra")


def test_where_somebody_signs_everybody_elses_picture_rests_first():
    story = PhoneStory("dora", "petra", "ivan", "fay").needs("petra", Need.SIGNING).meet()
    story.sounds("petra", WEAK)
    assert story.sees("ivan", "petra")
    assert story.sees("petra", "ivan")
    assert not story.sees("petra", "fay")


def test_connection_that_flaps_calls_nobody():
    story = meeting()
    for _ in range(20):
        story.sounds("petra", WEAK).pass_time(10)
        story.sounds("petra", UNUSABLE).pass_time(3)
        story.sounds("petra", FINE).pass_time(5)
    assert (story.state(), story.line().calls) == ("good", 0)


# -- nobody may be called --------------------


def test_without_consent_nobody_is_called_until_somebody_agrees():
    story = PhoneStory("dora", "petra", agreed=False).meet().cut()
    story.pass_time(5)
    assert story.why() == ("stuck", "no_consent")
    story.plans().pass_time(0)
    assert story.placed() == ["petra"]


def test_consent_that_staff_write_down_is_enough():
    story = PhoneStory("dora", "petra", agreed=False).meet().cut()
    story.pass_time(5)
    own = PhoneNumber(id="own", number="+491701111111")
    story.tell(NumberRecorded(seat="petra", number=own, wording="spoken", by=DORA)).pass_time(0)
    assert story.placed() == ["petra"]


def test_number_written_again_without_a_word_keeps_the_consent():
    story = meeting()
    own = story.seat("petra").phone.number("own")
    story.tell(NumberRecorded(seat="petra", number=own, by=DESK))
    assert story.seat("petra").phone.number("own").consent == own.consent


def test_whoever_withdraws_is_not_called():
    story = meeting().page(PhonePlanWithdrawn).cut()
    story.pass_time(5)
    assert story.why() == ("stuck", "no_consent")


def test_withdrawing_while_it_rings_stops_the_ringing():
    story = ringing().page(PhonePlanWithdrawn)
    assert story.hung_up() == [("petra", None)]
    assert story.why() == ("stuck", "no_consent")


def early(story, device):
    """A browser that has the link says whose telephone is called."""
    who = by("petra", device)
    told = {"number": "+491709999999", "wording": "v2"}
    return story.tell(PhonePlanSet(seat="petra", device=device_id("petra", device), by=who, **told))


def numbers(story):
    return [number.number for number in story.seat("petra").phone.numbers if not number.contact]


def test_plan_of_a_browser_that_never_knocked_is_not_the_persons():
    story = PhoneStory("dora", "petra").comes_in("dora").opens("petra", "stray").opens("petra")
    early(story, "stray").knocks("petra")
    assert numbers(story) == []


def test_plan_that_was_made_before_knocking_is_kept():
    story = PhoneStory("dora", "petra").comes_in("dora").opens("petra").opens("petra", "stray")
    assert numbers(early(story, "one").knocks("petra")) == ["+491709999999"]


def test_plan_of_whoever_had_a_link_that_went_astray_goes_with_it():
    story = PhoneStory("dora", "petra").comes_in("dora").waits("petra", device="stray")
    early(story, "stray").tell(LinkWithdrawn(seat="petra", by=PRACTICE))
    assert numbers(story) == []


@pytest.mark.parametrize("was_inside", [False, True])
def test_plan_of_a_browser_that_another_was_let_in_for_is_kept_if_it_was_let_in_itself(was_inside):
    story = PhoneStory("dora", "petra").comes_in("dora").waits("petra")
    early(story, "one")
    if was_inside:
        story.admits(DORA, "petra")
    story.waits("petra", device="two").admits(DORA, "petra", "two")
    assert numbers(story) == (["+491709999999"] if was_inside else [])


@pytest.mark.parametrize("answered", [False, True])
def test_whoever_has_a_number_that_was_mistyped_is_let_go_and_the_right_one_rings(answered):
    story = ringing()
    if answered:
        story.answers()
    story.plans("+491709999999")
    assert (story.hung_up(), story.state()) == ([("petra", None)], "degraded")
    story.pass_time(0)
    assert (story.placed(), story.line().calls) == (["petra"], 2)


def test_number_that_was_only_tried_and_mistyped_is_let_go():
    story = meeting().asks(CallPurpose.TRIAL).plans("+491709999999")
    assert (story.hung_up(), story.state()) == ([("petra", None)], "good")


def test_number_that_staff_correct_while_it_rings_is_let_go_and_waits_for_consent():
    story = ringing()
    own = PhoneNumber(id="own", number="+491709999999")
    story.tell(NumberRecorded(seat="petra", number=own, by=DORA))
    assert story.hung_up() == [("petra", None)]
    assert story.pass_time(0).why() == ("stuck", "no_consent")


def test_agreeing_again_to_the_same_number_lets_it_ring():
    story = ringing().plans().plans(ringing().seat("petra").phone.number("own").number)
    assert (story.hung_up(), story.state()) == ([], "ringing")


@pytest.mark.parametrize("why", COMES_BACK)
def test_busy_or_unanswered_is_tried_again_after_a_minute_until_the_calls_are_used(why):
    story = ringing()
    for number in (1, 2):
        assert story.over(why).state() == "degraded"
        assert story.pass_time(59.9).line().calls == number
        assert story.pass_time(0.1).placed() == ["petra"]
    assert story.over(why).why() == ("stuck", "calls_used")
    assert story.pass_time(600).line().calls == 3


@pytest.mark.parametrize("why", GONE_FOR_GOOD)
def test_number_that_cannot_help_is_not_called_again_until_there_is_a_new_plan(why):
    story = ringing().over(why)
    assert story.why() == ("stuck", "not_reached")
    story.sounds("petra", FINE).pass_time(60)
    story.cut().pass_time(5)
    assert story.why() == ("stuck", "not_reached")
    story.plans("+491702222222").pass_time(0)
    assert story.placed() == ["petra"]


def test_carrier_that_says_nothing_is_not_waited_for():
    story = ringing()
    story.pass_time(40)
    assert story.state() == "degraded"
    assert story.line().attempts[-1].why == "carrier_down"


# -- the gate --------------------


def test_nobody_hears_anything_through_the_gate():
    story = ringing().answers()
    end = story.end()
    assert (end.hears, end.hears_phones, end.talks, end.prompt) == ((), (), False, Prompt.GATE)
    assert story.hears("dora", "petra") == story.hears("petra", "dora") == set()


def test_voicemail_is_hung_up_on_without_a_word():
    story = ringing().answers()
    assert story.pass_time(44.9).state() == "gate"
    assert story.pass_time(0.1).hung_up() == [("petra", None)]
    assert story.state() == "degraded"


def test_relay_operator_has_ninety_seconds():
    story = PhoneStory("dora", "petra").needs("petra", Need.RELAY).meet().cut()
    story.pass_time(5)
    assert story.answers().pass_time(89.9).state() == "gate"
    assert story.pass_time(0.1).state() == "degraded"


def test_nine_is_answered_politely_and_never_called_again_by_anybody():
    story = ringing().answers().presses("9")
    assert story.hung_up() == [("petra", Prompt.GOODBYE)]
    assert story.why() == ("stuck", "refused")
    for order in (lambda: story.orders(DORA), lambda: story.asks()):
        with pytest.raises(PhoneRefused):
            order()


def test_nine_on_a_contacts_telephone_speaks_for_that_telephone():
    story = meeting()
    story.orders(DORA, "son").answers().presses("9")
    with pytest.raises(NoNumber):
        story.orders(DORA, "son")
    assert story.orders(DORA).placed() == ["petra"]


def test_hanging_up_at_the_gate_refuses_nothing():
    story = ringing().answers().over(CallFailure.HUNG_UP)
    assert story.state() == "degraded"
    assert story.pass_time(10).placed() == ["petra"]


def test_wrong_keys_have_the_announcement_begin_anew_so_often_and_no_more():
    story = ringing().answers()
    for _ in range(15):
        story.presses("5")
    assert story.end().asked_again == 10


def test_one_opens_the_gate_and_sound_follows_three_seconds_later():
    story = ringing().answers().presses("1")
    assert (story.state(), story.end().prompt) == ("bridged", Prompt.CONNECTING)
    assert story.hears("dora", "petra") == set()
    assert story.end().hears == ()
    story.pass_time(3)
    assert story.hears("dora", "petra") == {"voice"}
    assert story.end().hears == ("dora",)
    assert not story.line().voice_confirmed
    assert story.tell(VoiceConfirmed(seat="petra", by=DORA)).line().voice_confirmed


def test_persons_own_live_page_opens_the_gate():
    assert ringing().answers().page(ConnectAsked).state() == "bridged"
    with pytest.raises(CallNotAnswered):
        ringing().page(ConnectAsked)


def test_staff_who_speak_first_are_alone_with_the_telephone():
    story = PhoneStory().meet().cut()
    story.pass_time(5)
    story.answers().greets(DORA)
    assert story.hears("dora", "petra") == {"voice"}
    assert story.end().hears == ("dora",)
    for one, other in (("dora", "fay"), ("fay", "dora"), ("fay", "petra")):
        assert story.hears(one, other) == set()
    assert story.lets_in(DORA).line().voice_confirmed


def test_nobody_lets_in_whom_they_did_not_greet():
    story = PhoneStory("dora", "dean", "petra").meet().cut()
    story.pass_time(5)
    story.answers().greets(DORA)
    with pytest.raises(SpeakFirst):
        story.lets_in(DEAN)
    with pytest.raises(NotPermitted):
        story.greets(DEAN)


def test_telephone_whose_greeter_left_may_be_greeted_by_another():
    story = PhoneStory("dora", "dean", "petra").meet().cut()
    story.pass_time(5)
    story.answers().greets(DORA)
    story.leaves("dora")
    assert (story.state(), story.end().prompt) == ("gate", Prompt.GATE)
    assert story.greets(DEAN).lets_in(DEAN).state() == "bridged"


def test_nobody_speaks_alone_with_two_telephones():
    story = PhoneStory().meet().cut().cut("fay")
    story.pass_time(5)
    story.answers().answers("fay").greets(DORA)
    with pytest.raises(NotPermitted):
        story.greets(DORA, "fay")


def test_clinician_who_is_on_the_telephone_cannot_speak_first():
    story = meeting().bridged("dora").cut()
    story.pass_time(5)
    story.answers()
    with pytest.raises(NotPermitted):
        story.greets(DORA)
    assert story.end().prompt is Prompt.GATE


def test_telephone_hears_the_announcement_again_when_its_greeter_is_called_as_well():
    story = PhoneStory().meet().cut()
    story.pass_time(5)
    story.answers().greets(DORA).cut("dora").pass_time(5)
    assert story.end().prompt is None
    story.answers("dora")
    assert (story.line().greeter, story.end().prompt) == ("", Prompt.GATE)


def test_wrong_person_hears_a_goodbye_and_is_not_called_again():
    story = meeting().bridged()
    story.tell(WrongPersonFound(seat="petra", by=DORA))
    assert story.hung_up() == [("petra", Prompt.GOODBYE)]
    assert story.why() == ("stuck", "not_reached")


# -- on the telephone, and back --------------------


@pytest.mark.parametrize("steps", [0, 1])
def test_recovery_before_the_answer_cancels_the_call(steps):
    story = meeting().cut()
    story.pass_time(5)
    story = story.rings() if steps else story
    story.sounds("petra", FINE)
    assert (story.state(), story.hung_up()) == ("good", [("petra", None)])


def test_recovery_at_the_gate_leaves_the_choice_to_the_person():
    story = ringing().answers().sounds("petra", FINE)
    assert story.state() == "gate"
    assert story.page(CallStopped).state() == "good"
    assert ringing().answers().sounds("petra", FINE).presses("1").state() == "bridged"


def test_picture_returns_by_itself_and_the_sound_when_the_person_is_there():
    story = meeting().bridged().sounds("petra", FINE)
    assert not story.sees("dora", "petra")
    assert story.pass_time(19.9).state() == "bridged"
    story.pass_time(0.1)
    assert (story.state(), story.end().prompt) == ("recovering", Prompt.HAND_BACK)
    assert story.sees("dora", "petra")
    assert story.pass_time(600).state() == "recovering"
    story.page(HandBackAsked)
    assert story.hears("dora", "petra") == {"sound", "voice"}
    story.pass_time(1)
    assert (story.state(), story.hung_up()) == ("good", [("petra", None)])
    assert story.hears("dora", "petra") == {"sound"}


@pytest.mark.parametrize("how", ["two", "same speech"])
def test_two_on_the_telephone_or_the_same_speech_moves_the_sound_back(how):
    story = meeting().bridged().sounds("petra", FINE)
    story.pass_time(20)
    same = SameSpeechHeard(seat="petra", call=story.call())
    _ = story.presses("2") if how == "two" else story.tell(same)
    assert story.pass_time(1).state() == "good"


@pytest.mark.parametrize("kind", [PhoneKept, SeatKeptOnPhone])
def test_whoever_is_kept_on_the_telephone_is_not_moved_by_the_same_speech(kind):
    story = meeting().bridged().sounds("petra", FINE)
    story.pass_time(20)
    _ = story.page(kind) if kind is PhoneKept else story.tell(kind(seat="petra", by=DORA))
    assert not story.tell(SameSpeechHeard(seat="petra", call=story.call())).line().returning
    assert story.end().prompt is None
    assert story.page(HandBackAsked).pass_time(1).state() == "good"


def test_return_before_anybody_heard_the_telephone_needs_no_fading():
    story = ringing().answers().presses("1").sounds("petra", FINE)
    assert story.page(HandBackAsked).state() == "good"
    assert story.hears("dora", "petra") == {"sound"}


def test_nobody_returns_to_a_browser_that_does_not_carry_them():
    story = meeting().bridged()
    with pytest.raises(VideoNotReady):
        story.page(HandBackAsked)
    assert story.presses("2").state() == "bridged"


def test_each_hand_back_that_did_not_last_doubles_the_patience_up_to_a_limit():
    story = meeting().bridged()
    for patience in (20, 40, 80, 160, 160):
        story.sounds("petra", FINE).pass_time(patience - 0.1)
        assert story.state() == "bridged"
        assert story.pass_time(0.1).state() == "recovering"
        story.sounds("petra", WEAK)


def test_call_that_drops_is_placed_again_and_a_quiet_one_is_not_touched():
    story = meeting().bridged()
    assert story.pass_time(900).state() == "bridged"
    assert story.over(CallFailure.BROKEN).state() == "degraded"
    assert story.pass_time(10).placed() == ["petra"]


def test_call_that_drops_while_the_browser_is_fine_is_not_missed():
    story = meeting().bridged().sounds("petra", FINE).over(CallFailure.BROKEN)
    assert (story.state(), story.hears("dora", "petra")) == ("good", {"sound"})


# -- several people --------------------


def test_everybody_at_once_is_called_and_they_hear_each_other():
    story = PhoneStory().meet()
    for name in ("dora", "petra", "fay"):
        story.cut(name)
    story.pass_time(5)
    for name in ("dora", "petra", "fay"):
        story.rings(name).answers(name).presses("1", name)
    story.pass_time(3)
    assert set(story.end("petra").hears_phones) == {"dora", "fay"}
    assert story.visit.stage == "in_progress"


@pytest.mark.parametrize("name", ["dora", "fay"])
def test_clinicians_and_family_are_called_as_well(name):
    assert PhoneStory().meet().bridged(name).state(name) == "bridged"


def test_first_in_line_is_told_so_until_a_clinician_is_there():
    story = PhoneStory("dora", "petra").meet("petra").bridged()
    assert story.end().prompt is Prompt.FIRST_IN_LINE
    story.comes_in("dora")
    assert story.end().prompt is None
    assert story.drops("dora").end().prompt is None


# -- by hand --------------------


def test_whoever_asks_for_the_telephone_stays_on_it():
    story = meeting().asks().rings().answers().presses("1")
    story.pass_time(60)
    assert story.state() == "recovering"
    assert story.sees("dora", "petra")
    assert not story.tell(SameSpeechHeard(seat="petra", call=story.call())).line().returning


def test_orders_are_for_calls_that_are_not_under_way():
    story = meeting().orders(DORA)
    for again in (lambda: story.orders(DESK), lambda: story.asks()):
        with pytest.raises(CallUnderway):
            again()


def test_person_is_called_by_hand_only_so_often():
    story = meeting()
    for _ in range(6):
        story.orders(DORA)
        story.over(CallFailure.BUSY)
    with pytest.raises(CallsUsed):
        story.orders(DORA)


def test_contacts_telephone_opens_only_to_staff_who_spoke_with_it():
    story = meeting().orders(DORA, "son").answers()
    assert story.presses("1").state() == "gate"
    with pytest.raises(SpeakFirst):
        story.page(ConnectAsked)
    assert story.greets(DORA).lets_in(DORA).state() == "bridged"


def test_contact_who_does_not_answer_does_not_put_off_the_person():
    story = ringing().over(CallFailure.BUSY)
    story.pass_time(30)
    story.orders(DORA, "son").over(CallFailure.DECLINED)
    assert story.state() == "degraded"
    assert story.pass_time(30).placed() == ["petra"]


@pytest.mark.parametrize("by_staff", [True, False])
def test_stop_ends_the_call_and_no_other_follows(by_staff):
    story = ringing()
    stop = CallWasStopped(seat="petra", by=DORA)
    _ = story.tell(stop) if by_staff else story.page(CallStopped)
    assert story.hung_up() == [("petra", None)]
    assert story.why() == ("stuck", "stopped")
    assert story.pass_time(600).line().calls == 1


def test_nobody_outside_is_called_into_the_visit():
    story = PhoneStory("dora", "petra").meet("dora")
    story.waits("petra")
    for order in (lambda: story.orders(DORA), lambda: story.asks()):
        with pytest.raises(NotAdmitted):
            order()


# -- trying the number --------------------


def trying():
    story = PhoneStory("dora", "petra").meet("dora")
    story.waits("petra")
    return story.asks(CallPurpose.TRIAL).rings()


def test_trial_before_admission_is_confirmed_by_one():
    story = trying().answers()
    assert story.end().prompt is Prompt.TRIAL
    story.presses("1")
    assert story.hung_up() == [("petra", Prompt.TRIAL_DONE)]
    assert story.seat("petra").phone.tried_at == story.now


def test_whoever_is_admitted_during_a_trial_is_still_listened_for():
    story = trying().answers()
    story.admits(DESK, "petra")
    assert story.presses("1").state() == "good"
    story.pass_time(25)
    assert story.placed() == ["petra"]


def test_whoever_was_heard_during_a_trial_is_left_alone():
    story = trying().answers()
    story.admits(DESK, "petra").enters("petra")
    story.sounds("petra", FINE).presses("1").pass_time(600)
    assert (story.state(), story.line().calls) == ("good", 1)


@pytest.mark.parametrize("how", ["leaves", "denies", "moves", "ends", "revokes"])
def test_trial_ends_with_the_wish_to_come_in(how):
    story = trying()
    actions = {
        "leaves": lambda: story.leaves("petra"),
        "denies": lambda: story.denies(DESK, "petra"),
        "moves": lambda: PhoneStory.moves(story.leaves("dora"), 86_400),
        "ends": story.ends,
        "revokes": lambda: story.revokes("petra"),
    }
    actions[how]()
    assert story.hung_up() == [("petra", None)]
    assert story.line().call is None


def test_whoever_was_turned_away_tries_nothing():
    story = PhoneStory("dora", "petra").meet("dora")
    story.waits("petra").denies(DESK, "petra")
    with pytest.raises(NotAdmitted):
        story.asks(CallPurpose.TRIAL)


def test_second_device_neither_plans_nor_reads_the_number():
    story = PhoneStory("dora", "petra").meet("dora")
    story.waits("petra").opens("petra", "two")
    with pytest.raises(NotAdmitted):
        story.tell(PhonePlanWithdrawn(seat="petra", device="petra-two", by=by("petra", "two")))
    assert story.view("petra").me.line.number == "71"
    assert story.view("petra", "two").me.line.number == ""


# -- without a browser --------------------


def test_whoever_is_admitted_without_a_page_is_called_and_may_be_back_meanwhile():
    story = PhoneStory("dora", "petra").meet("dora")
    story.waits("petra").drops("petra").pass_time(3600)
    assert story.admits(DORA, "petra").placed() == ["petra"]
    story.connects("petra").enters("petra")
    assert story.sounds("petra", FINE).hung_up() == [("petra", None)]


def test_patient_without_a_browser_is_called_when_admitted():
    story = PhoneStory("dora", "petra").equip("petra", only=True).meet("dora")
    assert [entry.by_phone for entry in story.view("dora").waiting] == [True]
    assert story.admits(DORA, "petra").placed() == ["petra"]
    story.rings().answers().presses("1").pass_time(3)
    assert story.visit.stage == "in_progress"
    assert story.hears("dora", "petra") == {"voice"}


def test_patient_without_a_browser_who_is_sent_back_is_seen_waiting():
    story = PhoneStory("dora", "petra").equip("petra", only=True).meet("dora")
    story.admits(DORA, "petra").sends_back(DORA, "petra")
    assert story.hung_up() == [("petra", None)]
    assert [entry.seat for entry in story.view("dora").waiting] == ["petra"]


# -- endings --------------------


def steps_of_a_call():
    yield "dialing", lambda s: s.cut().pass_time(5)
    yield "ringing", lambda s: s.cut().pass_time(5) and s.rings()
    yield "gate", lambda s: s.cut().pass_time(5) and s.answers()
    yield "bridged", lambda s: s.bridged()
    yield "recovering", lambda s: s.bridged().sounds("petra", FINE).pass_time(20)


STEPS = list(steps_of_a_call())


@pytest.mark.parametrize(("state", "prepare"), STEPS, ids=[state for state, _ in STEPS])
@pytest.mark.parametrize("how", ["ends", "leaves", "removes", "sends_back"])
def test_no_call_outlives_the_visit_or_the_persons_part_in_it(state, prepare, how):
    story = meeting()
    prepare(story)
    assert story.state() == state
    actions = {
        "ends": lambda: story.ends(DORA),
        "leaves": lambda: story.leaves("petra"),
        "removes": lambda: story.removes(DORA, "petra"),
        "sends_back": lambda: story.sends_back(DORA, "petra"),
    }
    actions[how]()
    assert story.hung_up() == [("petra", None)]
    assert story.line().call is None
    assert story.line().deadline is None
    assert "petra" not in {end.seat for end in phone_ends(story.visit)}


@pytest.mark.parametrize(("state", "prepare"), STEPS, ids=[state for state, _ in STEPS])
def test_restart_leaves_no_call_and_calls_whoever_does_not_come_back(state, prepare):
    story = meeting()
    prepare(story)
    story.restart()
    assert (story.state(), story.line().call) == ("degraded", None)
    was_answered = state not in ("dialing", "ringing")
    story.pass_time(0 if was_answered else 12)
    assert "petra" in story.placed()


@pytest.mark.parametrize("pages_first", [True, False])
def test_whoever_is_back_after_a_restart_is_not_called(pages_first):
    story = meeting().restart(pages_first=pages_first)
    story.pass_time(5)
    story.connects("petra").connects("dora").pass_time(8)
    for name in ("petra", "dora"):
        assert story.sounds(name, FINE).state(name) == "good"
        assert story.line(name).calls == 0


def test_trial_that_was_answered_at_a_restart_has_nobody_called():
    story = trying().answers().restart()
    assert (story.state(), story.line().deadline) == ("good", None)


def test_minutes_on_the_telephone_are_counted_once():
    story = meeting().bridged()
    began = story.now
    story.pass_time(57).over(CallFailure.HUNG_UP)
    usage = story.seat("petra").usage
    assert usage.phone == pytest.approx(story.now - began + 3)
    assert usage.video + usage.sound == pytest.approx(began - 3 - STARTS)


def test_others_learn_that_somebody_comes_by_telephone_and_staff_learn_more():
    story = PhoneStory().meet().bridged()
    seen = {p.seat: p for p in story.view("fay").people}["petra"]
    assert (seen.way, seen.line) == ("phone", None)
    report = {p.seat: p for p in story.view("dora").people}["petra"].line
    assert (report.state, report.calls, report.voice_confirmed) == ("bridged", 1, False)
    assert "+49" not in repr(story.view("dora"))
    assert "+49" not in repr(story.view("petra"))


def test_gaps_in_unusable_sound_do_not_put_off_the_call():
    story = meeting().sounds("petra", UNUSABLE).pass_time(3)
    story.sounds("petra", SILENT).pass_time(1)
    assert story.placed() == ["petra"]


def test_a_page_that_is_hidden_explains_its_silence():
    story = meeting().equip("petra", same_device=True).sounds("petra", UNUSABLE).pass_time(1)
    story.page(PageHid).sounds("petra", SILENT).pass_time(20)
    assert story.state() == "degraded"
