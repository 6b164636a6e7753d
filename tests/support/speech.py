"""Sound that is loud and quiet as speech is, at 8 kHz, and tones to know each other by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.int16]

RATE, FRAME = 8_000, 160


def speech(seconds: float, seed: int, level: float = 3_000.0) -> Sound:
    """Noise in syllables of 80 to 250 ms, with the pauses that people make."""
    dice = np.random.default_rng(seed)
    length = int(seconds * RATE)
    loud = np.zeros(length + RATE)
    at = 0
    while at < length:
        syllable = int(dice.uniform(0.08, 0.25) * RATE)
        loud[at : at + syllable] = np.hanning(syllable) * dice.uniform(0.4, 1.6)
        at += syllable + int((dice.exponential(0.06) + 0.3 * (dice.random() < 0.15)) * RATE)
    return (dice.normal(size=length) * level * loud[:length]).clip(-32_000, 32_000).astype(np.int16)


def tone(hertz: float, seconds: float, level: float = 6_000.0) -> Sound:
    """A sine."""
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(
        np.int16
    )


def frames(sound: Sound) -> list[Sound]:
    """The sound in pieces of 20 ms."""
    return [sound[at : at + FRAME] for at in range(0, len(sound) - FRAME + 1, FRAME)]


def delayed(sound: Sound, seconds: float) -> Sound:
    """The sound some time later, as long as it was."""
    shift = int(seconds * RATE)
    return np.concatenate((np.zeros(shift, np.int16), sound))[: len(sound)]


def decibels(sound: Sound, reference: Sound) -> float:
    """How much louder ``sound`` is than ``reference``."""
    power = np.mean(sound.astype(float) ** 2) + 1e-9
    return float(10 * np.log10(power / (np.mean(reference.astype(float) ** 2) + 1e-9)))


def share_of_tone(sound: Sound, hertz: float) -> float:
    """How much of the sound's power is this tone: 1 for the tone itself."""
    x = sound.astype(float)
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(x)) / RATE)
    total = len(x) * float(x @ x)
    return float(2 * abs(wave @ x) ** 2 / total) if total else 0.0
