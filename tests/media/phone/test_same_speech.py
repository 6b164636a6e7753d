"""The same person at two microphones is noticed, and nobody else is taken for it."""

import numpy as np
import pytest

from media.phone import g711
from media.phone.same_speech import SameSpeech
from rooms.policy import PhonePolicy
from tests.support.speech import delayed, frames, speech, tone


def found(browser, phone):
    """Seconds until it was found; None if never."""
    same = SameSpeech(PhonePolicy())
    for number, (one, other) in enumerate(zip(frames(browser), frames(phone), strict=True)):
        same.listen(one, other)
        if same.found:
            return number * 0.02
    return None


def by_telephone(sound):
    """Quieter, noisy, through µ-law."""
    noise = np.random.default_rng(9).normal(size=len(sound)) * 60
    return g711.decode_ulaw(g711.encode_ulaw((sound * 0.4 + noise).astype(np.int16)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lag", [-0.5, -0.13, 0.0, 0.13, 0.5])
def test_the_same_speech_is_found_whichever_runs_behind(seed, lag):
    said = speech(8, seed)
    browser, phone = delayed(said, max(0, -lag)), by_telephone(delayed(said, max(0, lag)))
    assert 3.5 <= found(browser, phone) <= 6


@pytest.mark.parametrize("seed", range(12))
def test_different_speech_is_not(seed):
    assert found(speech(60, seed), speech(60, seed + 1_000)) is None


def test_a_silent_browser_is_not():
    assert found(np.zeros(80_000, np.int16), speech(10, 1)) is None


def test_silence_on_both_is_not_even_if_it_is_the_same():
    hum = speech(10, 1, level=40)
    assert found(hum, hum) is None


def test_a_steady_tone_is_not():
    assert found(tone(440, 10), by_telephone(tone(440, 10))) is None


def test_a_cough_is_not():
    cough = delayed(speech(0.3, 5), 0)
    alone = np.concatenate((np.zeros(24_000, np.int16), cough, np.zeros(40_000, np.int16)))
    assert found(alone, by_telephone(alone)) is None
