"""Sweeping Redis: what has expired there and is not forgotten by itself."""

from __future__ import annotations

from rooms.nodes_policy import NodesPolicy
from server.redis_keys import RedisKeys
from server.redis_link import RedisLink
from server.redis_log import RedisLog
from server.redis_plans import number
from server.redis_scripts import PRUNE_BY_START, PRUNE_RUNNING


class RedisSweep:
    """Logs by age, and members of indexes whose visits are gone. Idempotent, on any node."""

    def __init__(self, link: RedisLink, keys: RedisKeys, log: RedisLog, nodes: NodesPolicy) -> None:
        self._link = link
        self._keys = keys
        self._log = log
        self._nodes = nodes

    async def run(self, now: float) -> None:
        """Everything once; ``now`` in epoch seconds. Raises ``StoreUnavailable``."""
        gone = now - self._nodes.visit_kept  # a visit stays longer than this after its start
        for practice in await self._link.call("SMEMBERS", self._keys.practices_seen):
            await self._log.trim(practice, now - self._nodes.log_kept)
            await self._prune(self._keys.visits(practice), gone)
            running = [self._keys.running(practice)]
            await self._link.script(PRUNE_RUNNING, running, [self._keys.visit("")])
        for index in (self._keys.unfinished, self._keys.due):
            await self._prune(index, gone)

    async def _prune(self, index: str, before: float) -> None:
        """In pages: each is one short script."""
        at, page = 0, self._nodes.read_page
        while True:
            args = (self._keys.visit(""), number(before), at, page)
            looked_at, gone = await self._link.script(PRUNE_BY_START, [index], args)
            at += looked_at - gone
            if looked_at < page:
                return
