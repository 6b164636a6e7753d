"""Calls counted in Redis, so that many nodes together call no more often than one may."""

from __future__ import annotations

from rooms.policy import CallLimits
from server.call_allowance import DAY, LocalAllowance
from server.redis_keys import RedisKeys
from server.redis_link import RedisLink
from server.redis_scripts import TAKE_CALL
from server.store import StoreUnavailable


class SharedAllowance:
    """The calls of all nodes. While Redis is away, what this node has called itself counts.

    Somebody needs to be called also then, and perhaps because of what is amiss.
    """

    def __init__(self, link: RedisLink, keys: RedisKeys, limits: CallLimits) -> None:
        self._link = link
        self._keys = keys
        self._limits = limits
        self._own = LocalAllowance(limits)

    async def take(self, practice: str, number_hash: str) -> bool:
        """As ``CallAllowance`` says; a day begins with the first call that is counted in it."""
        try:
            granted = await self._count(practice, number_hash)
        except StoreUnavailable:
            return self._own.take_now(practice, number_hash)
        if granted:  # so that an outage does not begin with nothing used
            self._own.take_now(practice, number_hash)
        return granted

    async def _count(self, practice: str, number_hash: str) -> bool:
        keys = (self._keys.calls_to(number_hash), self._keys.calls_for(practice))
        most = (self._limits.per_number_daily, self._limits.per_practice_daily)
        return bool(await self._link.script(TAKE_CALL, keys, (*most, DAY)))
