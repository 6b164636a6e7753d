"""The numbers, held against one another where one rests on another."""

from dataclasses import fields

import pytest

from rooms.model import CallFailure
from rooms.nodes_policy import NodesPolicy
from rooms.policy import (
    EdgePolicy,
    FallbackPolicy,
    ImpairmentPolicy,
    MediaPolicy,
    PhonePolicy,
    Policy,
    QualityPolicy,
    SwitchboardPolicy,
)

POLICY, MEDIA, EDGE = Policy(), MediaPolicy(), EdgePolicy()
FALLBACK, QUALITY = POLICY.fallback, QualityPolicy()


@pytest.mark.parametrize(
    "policy",
    [POLICY, MEDIA, EDGE, FALLBACK, QUALITY, ImpairmentPolicy(), NodesPolicy()],
    ids=lambda p: type(p).__name__,
)
def test_every_number_is_more_than_nothing(policy):
    for field in fields(policy):
        value = getattr(policy, field.name)
        numbers = value if isinstance(value, tuple) else (value,)
        counted = [number for number in numbers if isinstance(number, int | float)]
        assert all(number > 0 for number in counted), field.name


def test_levels_of_sound_keep_their_distance():
    assert QUALITY.floor < QUALITY.unusable < QUALITY.weak < QUALITY.settled < QUALITY.fine


def test_a_roam_of_six_seconds_is_over_before_a_call_is_placed():
    noticed = QUALITY.returned + 2 * MEDIA.tick
    assert 6 + noticed < QUALITY.silent_after + FALLBACK.call_after_silence


def test_another_path_is_asked_for_before_silence_counts():
    assert MEDIA.sound_silent < QUALITY.silent_after
    assert QUALITY.deaf_after > 2 * MEDIA.tick


def test_every_failure_of_a_call_says_when_to_try_again_or_never():
    assert set(FALLBACK.retry_after) == set(CallFailure)
    assert all(later is None or later >= 0 for later in FALLBACK.retry_after.values())


def test_a_silence_is_answered_when_the_rules_promise():
    assert QUALITY.silent_after + FALLBACK.call_after_silence == 7
    assert QUALITY.silent_after + FALLBACK.call_after_hidden == 45


def test_patience_grows_in_the_order_of_what_is_likely():
    rules: FallbackPolicy = FALLBACK
    assert rules.call_after_silence < rules.call_after_goodbye < rules.call_after_return
    assert rules.call_after_return < rules.call_after_restart < rules.media_within
    assert rules.media_within < rules.call_after_hidden
    assert rules.gate_for < rules.gate_for_relay < rules.greeting_for
    assert rules.steady_for < rules.steady_longest
    assert rules.max_calls <= rules.max_calls_by_hand <= rules.attempts_kept


@pytest.mark.parametrize(
    ("headcount", "kbps"),
    [(0, 1500), (1, 1500), (2, 1500), (3, 1000), (4, 700), (8, 300), (12, 300)],
)
def test_the_more_people_the_less_each_picture_may_take(headcount, kbps):
    assert POLICY.video_kbps_for(headcount) == kbps


@pytest.mark.parametrize("headcount", range(2, 9))
def test_everybody_elses_pictures_fit_a_home_link_with_a_margin(headcount):
    assert (headcount - 1) * POLICY.video_kbps_for(headcount) <= 2_200


def test_a_picture_may_not_take_more_than_media_lets_through():
    assert max(POLICY.video_kbps) <= MEDIA.video_kbps


def test_sound_picture_and_telephone_of_everybody_inside_fit_one_offer():
    assert 3 * (POLICY.max_inside - 1) <= MEDIA.max_m_lines
    assert 4 / 3 * MEDIA.max_sdp <= EDGE.max_frame


def test_as_many_can_be_inside_as_are_promised():
    assert 8 <= POLICY.max_inside <= POLICY.max_seats


def test_a_kept_place_outlives_what_makes_a_page_reconnect():
    assert MEDIA.consent_expires < POLICY.waiting_place_kept < POLICY.deserted_after
    assert POLICY.deserted_after < POLICY.overrun


def test_a_former_call_gets_its_bye_while_others_still_wait_for_that():
    assert PhonePolicy().abandon_listens <= SwitchboardPolicy().abandon_within / 2


def test_a_token_is_refused_only_after_it_could_have_been_renewed():
    assert EDGE.token_life < EDGE.token_longest
    assert EDGE.token_leeway < EDGE.token_life


def test_more_people_behind_one_address_may_do_as_much_each_as_few():
    crowd = EDGE.shared_by(4 * EDGE.open_per_address)
    assert crowd.open_per_address == 4 * EDGE.open_per_address
    assert crowd.connects_per_minute == 4 * EDGE.connects_per_minute
    assert crowd.sessions_per_minute == 4 * EDGE.sessions_per_minute
    assert crowd.bad_links_per_minute == EDGE.bad_links_per_minute
    assert EDGE.shared_by(0) == EDGE.shared_by(1) == EDGE
