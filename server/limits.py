"""How often one browser or one address may do what costs something."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rooms.policy import EdgePolicy
from server.rate_limits import RateLimiter


@dataclass(frozen=True, slots=True)
class Limits:
    """``sessions``, and ``links`` that open nothing, by address; ``goodbyes`` by session.

    ``wishes`` are what people do about their own seat, by device.
    """

    sessions: RateLimiter
    links: RateLimiter
    goodbyes: RateLimiter
    wishes: RateLimiter

    @classmethod
    def of(cls, edge: EdgePolicy) -> Limits:
        """What the policy says."""

        def per_minute(tokens: float, burst: float) -> RateLimiter:
            return RateLimiter(tokens / 60, burst, time.monotonic, max_keys=edge.limiter_keys)

        return cls(
            sessions=per_minute(edge.sessions_per_minute, edge.sessions_per_minute),
            links=per_minute(edge.bad_links_per_minute, edge.bad_links_burst),
            goodbyes=per_minute(edge.goodbyes_per_minute, edge.goodbyes_per_minute),
            wishes=per_minute(edge.wishes_per_minute, edge.wishes_burst),
        )
