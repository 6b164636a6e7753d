"""Echo held down on one telephone: what it sends back of what was sent to it.

Telephones return some of what they play, up to half a second later, and everybody else in the
visit would hear themselves. The delay and the strength of the echo are learned from how loud both
directions are over time. A frame that is no louder than the echo should be is made quiet; one that
is louder is somebody speaking, and passes untouched, also while others speak.
"""

from __future__ import annotations

from media.phone.carrier import FRAME_SECONDS, Frame
from media.phone.envelope import Envelope, best_match, loudness, rises
from media.phone.mixer import Ramp, scaled
from rooms.policy import PhonePolicy


class EchoSuppressor:
    """Both directions of one telephone, frame by frame."""

    def __init__(self, policy: PhonePolicy) -> None:
        self._policy = policy
        window = round(policy.echo_window / FRAME_SECONDS)
        self._sent = Envelope(window + round(policy.echo_delay / FRAME_SECONDS))
        self._heard = Envelope(window)
        self._gain = Ramp(1.0, FRAME_SECONDS)  # within one frame: speech must not lose its start
        self._memory = policy.echo_memory
        self._every = round(policy.echo_every / FRAME_SECONDS)
        self._turn = 0
        self._lag = 0
        self._strength = 0.0
        self._age = self._memory  # seconds since the echo was last recognised

    def sent(self, frame: Frame) -> None:
        """What was sent to the telephone in this turn."""
        self._sent.add(loudness(frame))

    def clean(self, frame: Frame) -> Frame:
        """What came from the telephone in this turn, with less of the echo."""
        level = loudness(frame)
        self._heard.add(level)
        self._turn += 1
        if self._turn % self._every == 0:
            self._learn()
        echoed = 0.0 < level <= self._expected() * self._policy.echo_margin
        return scaled(frame, self._gain.move(self._policy.echo_left if echoed else 1.0))

    def _learn(self) -> None:
        match = best_match(self._sent.levels, self._heard.levels)
        if (
            match.likeness >= self._policy.echo_likeness
            and match.gain < 1.0
            and rises(self._heard.levels) >= self._policy.echo_rises
        ):
            self._lag, self._strength, self._age = match.lag, match.gain, 0
        else:
            self._age += self._policy.echo_every

    def _expected(self) -> float:
        """How loud the echo would be now; 0 where there is none. An echo smears over a frame."""
        if self._age >= self._memory:
            return 0.0
        levels = self._sent.levels
        end = len(levels) - self._lag
        return self._strength * float(levels[max(0, end - 2) : end + 1].max())
