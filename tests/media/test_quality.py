"""Ratings against tables, and levels over time, second by second."""

from itertools import pairwise

import pytest

from media.quality import (
    BEST,
    Direction,
    Inputs,
    Quality,
    buffer_for,
    late_share,
    opinion,
    rate,
    rating,
)
from rooms.model import Sound
from rooms.policy import QualityPolicy

POLICY = QualityPolicy()
DELAY = 0.14  # 80 ms there and back, 60 ms of buffer, 40 ms of processing


class Seat:
    """A level that is fed seconds of a given loss."""

    def __init__(self):
        self.quality = Quality(POLICY)
        self.now = 0.0
        self.changes = []

    def seconds(self, count, loss=0.0, down=None, round_trip=0.08):
        for _ in range(count):
            self.now += 1
            heard = None if down is None else Direction(loss=down)
            inputs = Inputs(up=Direction(loss=loss), down=heard, round_trip=round_trip)
            self.note(self.quality.sample(self.now, inputs))
        return self

    def silence(self):
        self.note(self.quality.silence())
        return self

    def note(self, changed):
        if changed is not None:
            self.changes.append((self.now, changed))

    @property
    def level(self):
        return self.quality.sound


@pytest.fixture
def seat():
    return Seat()


class TestRating:
    @pytest.mark.parametrize(
        ("percent", "expected"), [(0, 90), (5, 71), (10, 58), (15, 49), (20, 42)]
    )
    def test_loss(self, percent, expected):
        assert rating(percent / 100, DELAY, POLICY) == pytest.approx(expected, abs=0.6)

    @pytest.mark.parametrize(("round_trip", "expected"), [(0.05, 90), (0.5, 66), (1.0, 32)])
    def test_delay(self, round_trip, expected):
        delay = round_trip / 2 + 0.06 + 0.04
        assert rating(0, delay, POLICY) == pytest.approx(expected, abs=0.7)

    def test_stays_on_its_scale(self):
        assert rating(-1, -1, POLICY) == BEST
        assert rating(7, 100, POLICY) == 0

    @pytest.mark.parametrize(
        ("r", "expected"), [(-5, 1.0), (0, 1.0), (50, 2.6), (60, 3.1), (70, 3.6), (93.2, 4.4)]
    )
    def test_opinion_as_in_annex_b(self, r, expected):
        assert opinion(r) == pytest.approx(expected, abs=0.03)

    def test_a_buffer_grows_with_jitter_up_to_a_limit(self):
        grown = [buffer_for(jitter, POLICY) for jitter in (0, 0.01, 0.05, 1)]
        assert grown == [0.06, 0.1, 0.26, POLICY.buffer_most]

    def test_what_comes_too_late_is_lost(self):
        assert late_share(0, 0.06) == 0
        assert late_share(0.1, 0.4) == pytest.approx(0.018, abs=0.001)
        calm, wild = (rate(Direction(jitter=j), 0.08, POLICY) for j in (0.001, 0.3))
        assert calm > 85
        assert wild < 50

    def test_the_hearers_own_word_on_its_buffer_counts(self):
        told = rate(Direction(jitter=0.5, buffer=0.06), 0.08, POLICY)
        assert told == pytest.approx(rating(0, DELAY, POLICY))


class TestLevels:
    def test_the_first_good_second_says_fine(self, seat):
        assert seat.level is None
        seat.seconds(1)
        assert seat.changes == [(1, Sound.FINE)]

    def test_nothing_known_changes_nothing(self, seat):
        seat.seconds(3)
        before = seat.quality.score
        assert seat.quality.sample(9, Inputs()) is None
        assert seat.quality.score == before

    def test_heavy_loss_is_weak_then_unusable(self, seat):
        seat.seconds(10).seconds(10, loss=0.35)
        assert [level for _, level in seat.changes] == [Sound.FINE, Sound.WEAK, Sound.UNUSABLE]
        assert seat.changes[1][0] - 10 <= 5
        assert seat.changes[2][0] - 10 <= 8

    def test_the_worse_direction_decides(self, seat):
        seat.seconds(10).seconds(10, loss=0, down=0.35)
        assert seat.level is Sound.UNUSABLE

    def test_a_direction_without_traffic_is_unknown_and_not_bad(self, seat):
        seat.seconds(60, down=None)
        assert seat.level is Sound.FINE
        assert seat.quality.score > POLICY.fine

    @pytest.mark.parametrize("bad_seconds", [1, 2])
    def test_a_burst_crosses_nothing(self, seat, bad_seconds):
        for _ in range(20):
            seat.seconds(15).seconds(bad_seconds, loss=0.6)
        assert [level for _, level in seat.changes] == [Sound.FINE]

    def test_a_low_score_of_an_outage_that_is_over_says_nothing(self, seat):
        seat.seconds(30).seconds(2, loss=1.0)
        assert seat.quality.score < POLICY.unusable
        seat.seconds(20)
        assert seat.changes == [(1, Sound.FINE)]

    def test_five_good_seconds_in_a_row_are_fine_again(self, seat):
        seat.seconds(5).seconds(10, loss=0.35)
        for _ in range(4):
            seat.seconds(4).seconds(1, loss=0.2)
        assert Sound.FINE not in [level for _, level in seat.changes[1:]]
        seat.seconds(5)
        assert seat.changes[-1] == (seat.now, Sound.FINE)
        assert seat.quality.score >= POLICY.fine

    def test_fine_does_not_fall_back_at_once(self, seat):
        seat.seconds(5).seconds(10, loss=0.35).seconds(5)
        seat.seconds(3, loss=0.06)
        assert seat.level is Sound.FINE

    def test_unusable_becomes_weak_where_it_is_usable_and_no_more(self, seat):
        seat.seconds(5).seconds(10, loss=0.35).seconds(5, loss=0.08)
        assert seat.level is Sound.WEAK
        seat.seconds(120, loss=0.08)
        assert seat.level is Sound.WEAK

    def test_weak_settles_where_it_never_gets_better(self, seat):
        seat.seconds(5).seconds(10, loss=0.35).seconds(5, loss=0.05)
        assert seat.level is Sound.WEAK
        seat.seconds(100, loss=0.05)
        assert seat.level is Sound.FINE
        held = seat.changes[-1][0] - seat.changes[-2][0]
        assert held >= POLICY.settled_for

    def test_seconds_that_nobody_judged_prove_nothing(self, seat):
        seat.seconds(5).seconds(1, loss=0.35)
        seat.now += 60
        seat.seconds(1, loss=0.35)
        assert seat.level is Sound.FINE


class TestSilence:
    def test_is_said_once(self, seat):
        seat.seconds(3).silence().silence()
        assert seat.changes == [(1, Sound.FINE), (3, Sound.SILENT)]

    def test_one_good_second_ends_it(self, seat):
        seat.seconds(3).silence()
        seat.seconds(1)
        assert seat.changes[-1] == (seat.now, Sound.FINE)

    def test_a_few_strays_do_not(self, seat):
        seat.seconds(3).silence().seconds(5, loss=0.85)
        assert seat.level is Sound.SILENT

    @pytest.mark.parametrize("loss", [0.1, 0.2, 0.35])
    def test_what_returns_badly_is_weak_and_soon_unusable_if_it_is(self, seat, loss):
        seat.seconds(3).silence().seconds(1, loss=loss)
        assert seat.level is Sound.WEAK
        seat.seconds(4, loss=loss)
        assert seat.level is (Sound.WEAK if loss < 0.15 else Sound.UNUSABLE)

    def test_a_first_bad_second_is_weak(self, seat):
        seat.seconds(1, loss=0.4)
        assert seat.level is Sound.WEAK

    def test_the_score_does_not_sink_below_the_floor(self, seat):
        seat.seconds(3).silence()
        assert seat.quality.score == POLICY.floor


def test_a_higher_loss_never_rates_better():
    rates = [rating(percent / 100, DELAY, POLICY) for percent in range(101)]
    assert all(later <= sooner for sooner, later in pairwise(rates))
