"""Sums of telephone sound: who is heard, how loud, and never louder than a telephone can take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from media.phone.carrier import FRAME_SAMPLES, FRAME_SECONDS, Frame
from rooms.policy import PhonePolicy

_LOUDEST = 32_767


def silence() -> Frame:
    """20 ms of it."""
    return np.zeros(FRAME_SAMPLES, np.int16)


def mix(frames: Sequence[Frame], policy: PhonePolicy) -> Frame:
    """The sum. Many voices at once are pressed together softly; what is still too loud is cut."""
    if not frames:
        return silence()
    if len(frames) == 1:
        return frames[0]
    total: NDArray[np.float32] = np.asarray(np.sum(frames, axis=0, dtype=np.float32))
    if len(frames) >= policy.limiter_from:
        total = _limited(total, policy.limiter_knee * _LOUDEST)
    return np.clip(total, -_LOUDEST - 1, _LOUDEST).astype(np.int16)


def _limited(total: NDArray[np.float32], knee: float) -> NDArray[np.float32]:
    """Unchanged up to the knee; above it ever less is added, and the loudest is never reached."""
    level = np.abs(total)
    room = _LOUDEST - knee
    pressed = knee + room * np.tanh((level - knee) / room)
    limited: NDArray[np.float32] = np.where(level > knee, np.copysign(pressed, total), total)
    return limited


class Ramp:
    """A gain that goes to its target in a straight line, at the pace of a full swing per ``over``.

    ``over`` is in seconds. ``value`` is the gain at the end of the last frame.
    """

    def __init__(self, value: float, over: float) -> None:
        self.value = value
        self._step = FRAME_SECONDS / over

    def move(self, target: float) -> NDArray[np.float32] | float:
        """The gain over the next frame: one number while it stays, otherwise one per sample."""
        start = self.value
        if start == target:
            return start
        change = min(abs(target - start), self._step)
        self.value = start + change if target > start else start - change
        if abs(self.value - target) < self._step / FRAME_SAMPLES:
            self.value = target
        return np.linspace(start, self.value, FRAME_SAMPLES, dtype=np.float32)


def scaled(frame: Frame, gain: NDArray[np.float32] | float) -> Frame:
    """The frame at this gain (0 to 1); the very same frame where nothing changes."""
    if isinstance(gain, float):
        if gain == 1.0:
            return frame
        if gain == 0.0:
            return silence()
    result: Frame = (frame * gain).astype(np.int16)
    return result
