"""The numbers, held against one another where one rests on another."""

from dataclasses import fields

import pytest

from rooms.policy import EdgePolicy, MediaPolicy, Policy

POLICY, MEDIA, EDGE = Policy(), MediaPolicy(), EdgePolicy()


@pytest.mark.parametrize("policy", [POLICY, MEDIA, EDGE], ids=lambda p: type(p).__name__)
def test_every_number_is_more_than_nothing(policy):
    for field in fields(policy):
        value = getattr(policy, field.name)
        numbers = value if isinstance(value, tuple) else (value,)
        assert all(number > 0 for number in numbers if not isinstance(number, str)), field.name


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


def test_sound_and_picture_of_everybody_inside_fit_one_offer():
    assert 2 * (POLICY.max_inside - 1) <= MEDIA.max_m_lines


def test_as_many_can_be_inside_as_are_promised():
    assert 8 <= POLICY.max_inside <= POLICY.max_seats


def test_a_kept_place_outlives_what_makes_a_page_reconnect():
    assert MEDIA.consent_expires < POLICY.waiting_place_kept < POLICY.deserted_after
    assert POLICY.deserted_after < POLICY.overrun


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
