"""Once, or over and over with a pause."""

import numpy as np
import pytest

from media.phone.announcement import Announcement
from rooms.policy import PhonePolicy

POLICY = PhonePolicy()


def starts(announcement, seconds):
    """When it begins to be said, in seconds; frames hold their own number."""
    frames = [announcement.next() for _ in range(round(seconds * 50))]
    return [n / 50 for n, frame in enumerate(frames) if frame is not None and frame[0] == 1]


def sound(seconds):
    frames = np.arange(1, round(seconds * 50) + 1, dtype=np.int16)
    return np.repeat(frames, 160)


@pytest.mark.parametrize(("length", "times"), [(2, [0, 6, 12]), (4, [0, 6, 12]), (9, [0, 11, 22])])
def test_it_begins_again_after_a_pause(length, times):
    assert starts(Announcement(sound(length), True, POLICY), times[-1] + 1) == times


def test_what_is_said_once_is_said_once():
    assert starts(Announcement(sound(1), False, POLICY), 30) == [0]


def test_every_sample_is_said():
    said = sound(0.1)[:-50]
    announcement = Announcement(said, False, POLICY)
    frames = [announcement.next() for _ in range(5)]
    whole = np.concatenate(frames)
    assert np.array_equal(whole[: len(said)], said)
    assert not whole[len(said) :].any()
    assert announcement.next() is None


def test_nothing_to_say_is_silence():
    assert Announcement(np.zeros(0, np.int16), True, POLICY).next() is None
