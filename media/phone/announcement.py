"""One announcement as it is said to one telephone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.phone.carrier import FRAME_SAMPLES, SAMPLE_RATE, Frame
from rooms.policy import PhonePolicy


class Announcement:
    """Once, or over and over with a pause in which a key can be found."""

    def __init__(self, sound: NDArray[np.int16], repeats: bool, policy: PhonePolicy) -> None:
        frames = -(-len(sound) // FRAME_SAMPLES)
        self._sound = np.pad(sound, (0, frames * FRAME_SAMPLES - len(sound)))
        seconds = max(len(sound) / SAMPLE_RATE + policy.prompt_pause, policy.prompt_every)
        self._period = round(seconds * SAMPLE_RATE / FRAME_SAMPLES) if repeats else 0
        self._frames = frames
        self._turn = 0

    def next(self) -> Frame | None:
        """The next 20 ms; None in a pause, and after the end."""
        turn = self._turn % self._period if self._period else self._turn
        self._turn += 1
        if turn >= self._frames:
            return None
        return self._sound[turn * FRAME_SAMPLES : (turn + 1) * FRAME_SAMPLES]
