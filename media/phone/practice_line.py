"""The sound of a practice call: a page's microphone and loudspeaker, or a scripted voice."""

from __future__ import annotations

from collections import deque

import numpy as np

from media.phone.carrier import FRAME_SAMPLES, SAMPLE_RATE, Frame
from rooms.policy import PracticeCarrierPolicy

_LOUDNESS = 0.2 * 32_767  # about what people's speech comes to
_FADE = FRAME_SAMPLES  # samples at each end of a breath: no clicks


class PracticeLine:
    """Both directions of one call, each with a bounded queue: what is oldest gives way.

    The visit's side is ``PhoneLine``: ``pull`` and ``push``. The telephone's side is ``to_page``
    and ``from_page``. None of the four blocks.
    """

    def __init__(self, policy: PracticeCarrierPolicy) -> None:
        self._said: deque[Frame] = deque(maxlen=policy.frames_waiting)
        self._heard: deque[Frame] = deque(maxlen=policy.frames_waiting)
        self._policy = policy
        self._voice: Voice | None = None

    def pull(self) -> Frame | None:
        """The next 20 ms of a scripted voice, or of the page; None while it has sent nothing."""
        if self._voice is not None:
            return self._voice.frame()
        return self._said.popleft() if self._said else None

    def push(self, frame: Frame) -> None:
        """Let the telephone hear the next 20 ms."""
        self._heard.append(frame)

    def to_page(self) -> Frame | None:
        """The next 20 ms for the telephone's loudspeaker; None while there is nothing."""
        return self._heard.popleft() if self._heard else None

    def from_page(self, frame: Frame) -> None:
        """The next 20 ms from the telephone's microphone."""
        self._said.append(frame)

    def talk(self, frequency: float | None) -> None:
        """Speak with a scripted voice from now on, or be silent with it."""
        self._voice = Voice(frequency, self._policy)


class Voice:
    """A soft tone in breaths with pauses between, so that a test knows whom it hears."""

    def __init__(self, frequency: float | None, policy: PracticeCarrierPolicy) -> None:
        self._frequency = frequency
        self._breath = round(policy.speaks_for * SAMPLE_RATE)
        self._period = self._breath + round(policy.pauses_for * SAMPLE_RATE)
        self._sample = 0

    def frame(self) -> Frame:
        """The next 20 ms."""
        if self._frequency is None:
            return np.zeros(FRAME_SAMPLES, np.int16)
        moments = self._sample + np.arange(FRAME_SAMPLES)
        self._sample += FRAME_SAMPLES
        into = moments % self._period
        edge = np.clip(np.minimum(into, self._breath - into) / _FADE, 0.0, 1.0)
        wave = np.sin(2 * np.pi * self._frequency / SAMPLE_RATE * moments)
        frame: Frame = np.rint(_LOUDNESS * edge * wave).astype(np.int16)
        return frame
