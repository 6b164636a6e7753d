"""How many calls a day may go to one number, and out for one practice: whoever asks for them."""

from __future__ import annotations

import time
from typing import Protocol

from rooms.policy import CallLimits
from server.rate_limits import RateLimiter

DAY = 24 * 60 * 60  # seconds


class CallAllowance(Protocol):
    """Grants calls one by one."""

    async def take(self, practice: str, number_hash: str) -> bool:
        """One call for the practice and to the number, or neither, and False. Never raises.

        The number comes as a keyed hash: it is nowhere to be found again.
        """


class LocalAllowance:
    """The calls of this process."""

    def __init__(self, limits: CallLimits) -> None:
        self._per_number = _daily(limits.per_number_daily, limits)
        self._per_practice = _daily(limits.per_practice_daily, limits)

    async def take(self, practice: str, number_hash: str) -> bool:
        return self.take_now(practice, number_hash)

    def take_now(self, practice: str, number_hash: str) -> bool:
        """``take``, for whoever does not wait."""
        if not self._per_number.take(number_hash):
            return False
        if self._per_practice.take(practice):
            return True
        self._per_number.give_back(number_hash)
        return False


def _daily(calls: float, limits: CallLimits) -> RateLimiter:
    return RateLimiter(calls / DAY, calls, time.monotonic, max_keys=limits.remembered)
