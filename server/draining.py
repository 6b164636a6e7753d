"""A node that is to stop gives its visits away first, so that people hardly notice.

Visits go one by one, those with a telephone in them last: a call cannot move, so whoever is on one
is told that it will be made again, and the new node makes it.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from rooms.model import Prompt, Visit, VisitId
from rooms.nodes_policy import NodesPolicy
from server.claims import NodeRecord
from server.cluster import Cluster
from server.finding import Finder
from server.keeper import VisitKeeper
from server.membership import least_loaded
from server.peering import NodeUnreachable, Peers
from server.store import StoreError

log = structlog.get_logger(__name__)


class Calls(Protocol):
    """The telephone calls of this node."""

    def has_calls(self, visit: VisitId) -> bool:
        """Whether any telephone of the visit rings or is connected."""

    async def part(self, visit: Visit, farewell: Prompt) -> None:
        """Say this to the visit's telephones and hang up; returns when they are free."""


class Draining:
    """Gives every visit of this node away. ``drain`` it once."""

    def __init__(
        self,
        cluster: Cluster,
        finder: Finder,
        keeper: VisitKeeper,
        peers: Peers,
        calls: Calls,
        policy: NodesPolicy,
    ) -> None:
        self._cluster = cluster
        self._finder = finder
        self._keeper = keeper
        self._peers = peers
        self._calls = calls
        self._policy = policy
        self._given: dict[str, int] = {}  # to each owner
        self._under_way: asyncio.Future[None] | None = None

    async def drain(self) -> None:
        """Take no more visits and give away those that there are, within the policy's time.

        What is left then ends as in a restart: browsers come back to whoever takes it over. Asked
        for again, it waits for the same, or gives away what came since or could not be given.
        """
        claims = self._finder.ownership.claims
        if self._under_way is None or (self._under_way.done() and claims):
            self._under_way = asyncio.ensure_future(self._drain())
        await asyncio.shield(self._under_way)

    async def close(self) -> None:
        """Give nothing more away; idempotent."""
        if self._under_way is not None:
            self._under_way.cancel()
            await asyncio.gather(self._under_way, return_exceptions=True)

    async def _drain(self) -> None:
        await self._cluster.stop_taking()
        log.info("node_drains", count=len(self._finder.ownership.claims))
        try:
            async with asyncio.timeout(self._policy.drain_within):
                while await self._give_all_away():
                    await self._finder.news(within=self._policy.beat_every)
                await self._finder.ownership.handed_on()
        except TimeoutError:
            log.warning("drain_cut_short", count=len(self._finder.ownership.claims))
        await asyncio.sleep(self._policy.farewell_grace)  # for the media of the last of them

    async def _give_all_away(self) -> bool:
        """Says whether any are left: some came while it was done, or could not be given."""
        claims, has_calls = self._finder.ownership.claims, self._calls.has_calls
        for visit in [visit for visit in claims if not has_calls(visit)]:
            if not await self._give(visit):
                return False
            await asyncio.sleep(self._policy.drain_apart)
        # Each telephone hears its farewell to the end, and nobody's waits for somebody else's.
        await asyncio.gather(*(self._give(visit) for visit in claims))
        return bool(claims)

    def _target(self) -> NodeRecord | None:
        others = [n for n in self._cluster.nodes if n.owner != self._finder.ownership.owner]
        target = least_loaded(others, self._given, self._policy)
        if target is not None:
            self._given[target.owner] = self._given.get(target.owner, 0) + 1
        return target

    async def _give(self, visit: VisitId) -> bool:
        """Give one away; False if there is nobody to give it to."""
        ownership, target = self._finder.ownership, self._target()
        if target is None:
            log.warning("nobody_to_drain_to", count=len(ownership.claims))
            return False
        known = ownership.known(visit)
        if known is not None:
            await self._calls.part(known.visit, Prompt.INTERRUPTED)
        try:
            async with self._keeper.still(visit):  # nothing is decided between here and there
                if visit not in ownership.claims:
                    return True
                await self._peers.take_over(target, visit, ownership.claims.of(visit))
                ownership.give_up(visit, self._policy.farewell_grace)
        except (NodeUnreachable, StoreError) as error:
            log.warning("visit_not_given_away", visit=visit, code=error.code)
        return True
