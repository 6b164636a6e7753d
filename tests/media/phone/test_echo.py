"""Echo goes, people stay."""

import numpy as np
import pytest

from media.phone.echo import EchoSuppressor
from rooms.policy import PhonePolicy
from tests.support.speech import decibels, delayed, frames, speech, tone

RATE = 8_000
LEARNED = 3 * RATE // 2  # samples: a few syllables and their way back


def through(sent, received):
    """What is left of what a telephone sends, frame by frame."""
    echo = EchoSuppressor(PhonePolicy())
    out = []
    for there, back in zip(frames(sent), frames(received), strict=True):
        out.append(echo.clean(back))
        echo.sent(there)
    return np.concatenate(out)


def quieter(sound, by):
    return (sound * 10 ** (-by / 20)).astype(np.int16)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("delay", "by"), [(0.2, 12), (0.04, 6), (0.45, 20), (0.213, 12)])
def test_an_echo_is_reduced_by_fifteen_decibels(seed, delay, by):
    sent = speech(10, seed)
    echo = quieter(delayed(sent, delay), by)
    left = through(sent, echo)
    assert decibels(left[LEARNED:], echo[LEARNED:]) <= -15


@pytest.mark.parametrize("seed", range(6))
def test_somebody_who_speaks_passes_while_others_are_silent(seed):
    near = speech(10, seed)
    assert decibels(through(np.zeros_like(near), near), near) == 0


@pytest.mark.parametrize("seed", range(6))
def test_somebody_who_speaks_passes_while_others_speak(seed):
    near, sent = speech(10, seed), speech(10, seed + 100)
    assert decibels(through(sent, near), near) > -3


@pytest.mark.parametrize("seed", range(6))
def test_somebody_who_speaks_over_the_echo_passes(seed):
    """First others speak, then both at once."""
    sent = speech(20, seed + 100)
    near = delayed(speech(20, seed), 10)
    echo = quieter(delayed(sent, 0.2), 12)
    both = through(sent, near + echo)[10 * RATE :]
    assert -3 < decibels(both, near[10 * RATE :]) < 1.5


def test_silence_stays_exact():
    sent = speech(3, 1)
    assert not through(sent, np.zeros_like(sent)).any()


@pytest.mark.parametrize("start", [0.0, 0.3])
def test_a_tone_is_no_echo_of_another_that_began_before(start):
    near = delayed(tone(600, 6, 3_000), start)
    assert decibels(through(tone(700, 6), near), near) > -0.1
