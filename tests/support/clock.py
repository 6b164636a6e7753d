"""Time that tests can move."""

from __future__ import annotations

import time


class MovableClock:
    """Real time, which can be told that a while has passed."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let so much time have passed."""
        self._ahead += seconds
