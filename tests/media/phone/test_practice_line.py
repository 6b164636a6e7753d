import numpy as np

from media.phone.carrier import FRAME_SAMPLES
from media.phone.practice_line import PracticeLine
from media.phone.scripts import PERSON_HZ
from rooms.policy import PracticeCarrierPolicy
from tests.support.sounds import purity

POLICY = PracticeCarrierPolicy(frames_waiting=3)


def _frame(value):
    return np.full(FRAME_SAMPLES, value, np.int16)


def test_each_side_hears_the_other_in_order():
    line = PracticeLine(POLICY)
    assert line.pull() is None
    assert line.to_page() is None
    for value in (1, 2):
        line.push(_frame(value))
        line.from_page(_frame(-value))
    assert [line.to_page()[0], line.to_page()[0]] == [1, 2]
    assert [line.pull()[0], line.pull()[0]] == [-1, -2]
    assert line.pull() is None
    assert line.to_page() is None


def test_whoever_stalls_hears_what_is_fresh():
    line = PracticeLine(POLICY)
    for value in range(10):
        line.push(_frame(value))
        line.from_page(_frame(value))
    assert [line.to_page()[0] for _ in range(3)] == [7, 8, 9]
    assert [line.pull()[0] for _ in range(3)] == [7, 8, 9]


def test_a_scripted_voice_is_a_soft_tone_in_breaths():
    line = PracticeLine(POLICY)
    line.talk(PERSON_HZ)
    sound = np.concatenate([line.pull() for _ in range(150)])
    assert purity(sound[:8_000], PERSON_HZ) > 0.99
    assert not sound[8_000:12_000].any()
    assert purity(sound[12_000:20_000], PERSON_HZ) > 0.99
    assert 5_000 < np.abs(sound).max() < 8_000
    assert np.abs(np.diff(sound.astype(int))).max() < 2_500  # no clicks


def test_a_scripted_silence_is_sent_as_such():
    line = PracticeLine(POLICY)
    line.talk(None)
    assert not line.pull().any()
