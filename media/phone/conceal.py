"""What is played where sound is missing: the last voice goes on for a moment and fades.

The idea of ITU-T G.711 Appendix I: the last period of the voice is repeated, ever more quietly,
and what really comes next is blended in.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from media.phone.carrier import SAMPLE_RATE, Frame

_SHORTEST_PERIOD = SAMPLE_RATE // 200  # Appendix I: 200 Hz, a high voice, to 66 Hz, a low one
_LONGEST_PERIOD = SAMPLE_RATE // 66
_BLEND = SAMPLE_RATE // 250  # 4 ms, as in Appendix I


class Concealment:
    """The sound of one stream at 8 kHz, in frames of any one length; gaps are papered over."""

    def __init__(self, frames: int, samples: int) -> None:
        self._frames = frames
        self._samples = samples
        self._history: deque[Frame] = deque(maxlen=-(-3 * _LONGEST_PERIOD // samples))
        self._missed = 0
        self._guess = np.zeros(0)  # what would go on after the last frame played

    def play(self, frame: Frame) -> Frame:
        """A frame that came; blended with the guess before it, if there was one."""
        if self._missed:
            frame = self._blended(frame)
        self._missed = 0
        self._history.append(frame)
        return frame

    def miss(self) -> Frame:
        """A frame in place of one that is missing: exact silence once the guess has faded."""
        if self._missed >= self._frames:
            self._guess = np.zeros(_BLEND)
            return np.zeros(self._samples, np.int16)
        if self._missed == 0:
            self._guess = self._continuation()
        start = self._missed * self._samples
        gains = np.linspace(
            1 - self._missed / self._frames,
            1 - (self._missed + 1) / self._frames,
            self._samples,
            endpoint=False,
        )
        self._missed += 1
        frame: Frame = (self._guess[start : start + self._samples] * gains).astype(np.int16)
        return frame

    def _continuation(self) -> NDArray[np.float64]:
        """The last period, over and over, long enough for every frame that will be guessed."""
        history = np.zeros(3 * _LONGEST_PERIOD)
        if self._history:
            heard = np.concatenate(self._history)[-len(history) :]
            history[-len(heard) :] = heard
        length = self._frames * self._samples + _BLEND
        return np.resize(history[-_period(history) :], length)

    def _blended(self, frame: Frame) -> Frame:
        start = self._missed * self._samples
        left = 1 - self._missed / self._frames
        guess = self._guess[start : start + _BLEND] * left
        if len(guess) < _BLEND:
            return frame
        blended = frame.copy()
        rise = np.linspace(0, 1, _BLEND, endpoint=False)
        blended[:_BLEND] = frame[:_BLEND] * rise + guess * (1 - rise)
        return blended


def _period(history: NDArray[np.float64]) -> int:
    """The lag, in samples, at which the end of ``history`` resembles itself most."""
    end = history[-_LONGEST_PERIOD:]
    windows = np.lib.stride_tricks.sliding_window_view(history, len(end))
    # windows[-1 - lag] is what was heard ``lag`` samples before the end
    candidates = windows[-1 - _LONGEST_PERIOD : -_SHORTEST_PERIOD]
    likeness = candidates @ end
    energy = np.sqrt(np.einsum("ij,ij->i", candidates, candidates)) + 1.0
    return _LONGEST_PERIOD - int(np.argmax(likeness / energy))
