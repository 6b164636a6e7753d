"""Where one loudness is found in another."""

import numpy as np
import pytest

from media.phone.envelope import Envelope, best_match, loudness, rises
from tests.support.speech import frames, speech

DICE = np.random.default_rng(1)
LEVELS = DICE.uniform(0, 1_000, 130).astype(np.float32)


@pytest.mark.parametrize("lag", [0, 7, 30])
def test_a_quieter_copy_is_found_at_its_lag(lag):
    late = LEVELS[30 - lag : 130 - lag] * 0.25
    match = best_match(LEVELS, late)
    assert match.lag == lag
    assert match.likeness == pytest.approx(1, abs=1e-3)
    assert match.gain == pytest.approx(0.25, abs=1e-3)


def test_silence_is_like_nothing():
    assert best_match(LEVELS, np.zeros(100, np.float32)).likeness == 0
    assert best_match(np.zeros(130, np.float32), LEVELS[:100]).likeness == 0


def test_an_envelope_keeps_the_newest():
    envelope = Envelope(3)
    for level in (1, 2, 3, 4):
        envelope.add(level)
    assert list(envelope.levels) == [2, 3, 4]


def test_loudness_is_the_root_mean_square():
    assert loudness(np.array([300, -400], np.int16)) == pytest.approx(353.55, abs=0.1)


def test_syllables_rise_and_a_tone_does_so_once():
    levels = np.array([loudness(frame) for frame in frames(speech(2, 1))], np.float32)
    assert 5 <= rises(levels) <= 20
    assert rises(np.array([0] * 20 + [500] * 80, np.float32)) == 1
    assert rises(np.array([500, 501, 499] * 30, np.float32)) == 1
    assert rises(np.zeros(100, np.float32)) == 0
