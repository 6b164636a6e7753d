"""Token buckets by key, kept as one number each (the generic cell rate algorithm, ITU-T I.371).

A bucket holds ``burst`` tokens and gets ``rate`` back per second. What is stored is the instant at
which it will be full again, so time needs no ticking and a full bucket needs no memory at all.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

Clock = Callable[[], float]

_ROUNDING = 1e-6  # seconds; what adding up to a burst of spacings may be off as floats


class RateLimiter:
    """Token buckets by key (an address, a seat, a socket), in bounded memory.

    ``rate`` is tokens per second, ``clock`` returns seconds and never goes backwards. With more
    than ``max_keys`` keys the one charged longest ago, nearest to full anyway, is forgotten.
    """

    def __init__(self, rate: float, burst: float, clock: Clock, *, max_keys: int) -> None:
        self._spacing = 1 / rate
        self._burst = burst * self._spacing + _ROUNDING
        self._clock = clock
        self._max_keys = max_keys
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, tokens: float = 1) -> bool:
        """Take tokens from the key's bucket if there are enough; otherwise none, and False."""
        now = self._clock()
        full_at = self._charged(key, tokens, now)
        if full_at - now > self._burst:
            return False
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        self._forget_beyond(now)
        return True

    def retry_after(self, key: str, tokens: float = 1) -> float:
        """Seconds until ``take`` would succeed; 0 if it would now. Takes nothing."""
        now = self._clock()
        return max(0.0, self._charged(key, tokens, now) - now - self._burst)

    def give_back(self, key: str) -> None:
        """Undo one ``take``: what it was for counts elsewhere."""
        if key in self._full_at:
            self._full_at[key] -= self._spacing

    def forget(self, key: str) -> None:
        """Give the key a full bucket: its socket is gone."""
        self._full_at.pop(key, None)

    def _charged(self, key: str, tokens: float, now: float) -> float:
        return max(self._full_at.get(key, now), now) + tokens * self._spacing

    def _forget_beyond(self, now: float) -> None:
        """Drop buckets that are full again, longest untouched first, then whatever is too much."""
        while self._full_at:
            key, full_at = next(iter(self._full_at.items()))
            if full_at > now and len(self._full_at) <= self._max_keys:
                return
            del self._full_at[key]
