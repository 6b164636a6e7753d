"""What stands in for lost sound: the same voice, fading, then exact silence."""

import numpy as np
import pytest

from media.phone.conceal import Concealment

FRAME = 160


def tone(hertz, frames, level=8_000):
    time = np.arange(frames * FRAME) / 8_000
    samples = (level * np.sin(2 * np.pi * hertz * time)).astype(np.int16)
    return samples.reshape(frames, FRAME)


@pytest.mark.parametrize("hertz", [80, 125, 150, 190, 440])
def test_the_voice_goes_on_where_it_was(hertz):
    frames = tone(hertz, 7)
    concealment = Concealment(3, FRAME)
    for frame in frames[:6]:
        assert np.array_equal(concealment.play(frame), frame)
    guess = concealment.miss().astype(float)
    truth = frames[6].astype(float)
    likeness = guess @ truth / np.sqrt((guess @ guess) * (truth @ truth))
    assert likeness > 0.9


def test_a_long_gap_fades_to_exact_silence():
    concealment = Concealment(3, FRAME)
    for frame in tone(150, 6):
        concealment.play(frame)
    levels = [np.abs(concealment.miss().astype(int)).max() for _ in range(5)]
    assert levels[0] > levels[1] > levels[2] > 0
    assert levels[3:] == [0, 0]


def test_the_first_real_frame_begins_without_a_step():
    concealment = Concealment(3, FRAME)
    for frame in tone(150, 6):
        concealment.play(frame)
    before = concealment.miss()
    after = concealment.play(np.full(FRAME, 9_000, np.int16))
    assert abs(int(after[0]) - int(before[-1])) < 2_500
    assert np.all(after[40:] == 9_000)


def test_silence_conceals_as_silence():
    concealment = Concealment(3, FRAME)
    concealment.play(np.zeros(FRAME, np.int16))
    assert not concealment.miss().any()
