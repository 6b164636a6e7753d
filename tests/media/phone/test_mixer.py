"""Sums, ramps, and what is too loud."""

import numpy as np
import pytest

from media.phone.mixer import Ramp, mix, scaled, silence
from rooms.policy import PhonePolicy
from tests.support.speech import share_of_tone, tone

POLICY = PhonePolicy()


def level(value):
    return np.full(160, value, np.int16)


def test_nobody_is_exact_silence():
    assert not mix([], POLICY).any()


def test_everybody_is_heard():
    total = mix([tone(700, 1, 4_000), tone(1_900, 1, 4_000)], POLICY)
    assert share_of_tone(total, 700) == pytest.approx(0.5, abs=0.01)
    assert share_of_tone(total, 1_900) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("value", [32_767, -32_768])
@pytest.mark.parametrize("voices", [2, 3, 4, 8])
def test_what_is_too_loud_never_wraps(value, voices):
    total = mix([level(value)] * voices, POLICY)
    assert np.sign(total[0]) == np.sign(value)
    assert abs(int(total[0])) > 30_000


def test_many_voices_are_pressed_together_softly():
    quiet, loud = mix([level(1_000)] * 4, POLICY), mix([level(7_000)] * 4, POLICY)
    assert quiet[0] == 4_000
    assert 20_000 < loud[0] < 28_000
    louder = [int(mix([level(v)] * 4, POLICY)[0]) for v in range(0, 32_000, 500)]
    assert louder == sorted(louder)


def test_a_ramp_takes_its_time_and_is_a_straight_line():
    ramp = Ramp(1.0, 1.0)
    gains = np.concatenate([np.broadcast_to(ramp.move(0.0), 160) for _ in range(51)])
    assert gains[0] == 1.0
    assert gains[4_000] == pytest.approx(0.5, abs=0.01)
    assert gains[-1] == 0.0
    assert np.abs(np.diff(gains)).max() < 0.001
    assert ramp.move(0.0) == 0.0


def test_two_ramps_that_cross_add_up_to_one():
    out, into = Ramp(1.0, 1.0), Ramp(0.0, 1.0)
    for _ in range(60):
        assert np.allclose(np.asarray(out.move(0.0)) + into.move(1.0), 1.0, atol=0.01)


def test_scaled_to_nothing_is_exact_silence():
    assert not scaled(level(30_000), 0.0).any()
    assert np.array_equal(scaled(level(7), 1.0), level(7))
    assert scaled(level(1_000), 0.5)[0] == 500
    assert not silence().any()
