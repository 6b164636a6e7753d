"""Whether a telephone and a browser pick up the same speech: one person is at both.

Only how loud they are over time is compared, so it does not matter that one of them sounds like a
telephone, and which of them runs behind is not known beforehand.
"""

from __future__ import annotations

from media.phone.carrier import FRAME_SECONDS, Frame
from media.phone.envelope import Envelope, best_match, loudness, rises
from rooms.policy import PhonePolicy


class SameSpeech:
    """Two sounds, frame by frame; ``found`` once they are the same, and from then on."""

    def __init__(self, policy: PhonePolicy) -> None:
        self.found = False
        self._policy = policy
        self._window = round(policy.compare_window / FRAME_SECONDS)
        self._reach = round(policy.compare_reach / FRAME_SECONDS)
        self._every = round(policy.compare_every / FRAME_SECONDS)
        self._browser = Envelope(self._window + self._reach)
        self._phone = Envelope(self._window + self._reach)
        self._frames = 0

    def listen(self, browser: Frame, phone: Frame) -> bool:
        """The same 20 ms of both; true the one time that they turn out to be the same."""
        self._browser.add(loudness(browser))
        self._phone.add(loudness(phone))
        self._frames += 1
        enough = self._frames >= self._window and self._frames % self._every == 0
        if self.found or not enough:
            return False
        one, other = self._browser, self._phone
        self.found = self._same(one, other) or self._same(other, one)
        return self.found

    def _same(self, early: Envelope, late: Envelope) -> bool:
        policy = self._policy
        window = late.levels[-self._window :]
        spoken = (window >= policy.speech_level).mean() >= policy.compare_spoken
        if not spoken or rises(window) < policy.compare_rises:
            return False
        return best_match(early.levels, window).likeness >= policy.compare_likeness
