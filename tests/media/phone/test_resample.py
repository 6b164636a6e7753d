"""What a telephone can carry comes through, the rest does not fold back."""

import numpy as np
import pytest

from media.phone.resample import Decimator


def decimated(hertz, level=10_000):
    sound = (level * np.sin(2 * np.pi * hertz * np.arange(48_000) / 48_000)).astype(np.int16)
    decimator = Decimator()
    return np.concatenate([decimator.decimate(part) for part in sound.reshape(-1, 960)])


def gain(hertz):
    return np.sqrt(np.mean(decimated(hertz)[100:].astype(float) ** 2)) / (10_000 / np.sqrt(2))


@pytest.mark.parametrize("hertz", [300, 1_000, 2_000, 2_700])
def test_speech_passes_unchanged(hertz):
    assert gain(hertz) == pytest.approx(1, abs=0.03)


def test_the_edge_of_the_band_is_half_a_decibel_to_three_down():
    assert 0.7 < gain(3_000) < 0.95
    assert 0.45 < gain(3_400) < 0.8


@pytest.mark.parametrize("hertz", [4_700, 6_000, 7_400, 12_000, 20_000])
def test_what_is_too_high_is_gone(hertz):
    assert gain(hertz) < 0.01


def test_frames_join_without_a_seam():
    sound = decimated(700)
    truth = 10_000 * np.sin(2 * np.pi * 700 * (np.arange(8_000) / 8_000 - 36 / 48_000))
    assert np.abs(sound[20:] - truth[20:]).max() < 150


def test_pieces_of_any_length_join_without_a_seam():
    sound = (9_000 * np.sin(2 * np.pi * 700 * np.arange(48_000) / 48_000)).astype(np.int16)
    decimator, at, parts = Decimator(), 0, []
    for length in (960, 960, 480, 120, 2_880, 960, 480, 480):
        parts.append(decimator.decimate(sound[at : at + length]))
        at += length
    whole = Decimator().decimate(sound[:at])
    assert np.array_equal(np.concatenate(parts), whole)


def test_the_loudest_sound_is_cut_and_does_not_wrap():
    loud = np.tile(np.repeat(np.array([32_767, -32_768], np.int16), 60), 40)
    out = Decimator().decimate(loud)
    assert out.max() == 32_767
    assert out.min() == -32_768
