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
        self._given: dict[str, int] = {}  # to each owner, since its last beat that we know

    async def drain(self) -> None:
        """Take no more visits and give away those that there are, within the policy's time.

        What is left then ends as in a restart: browsers come back to whoever takes it over.
        """
        await self._cluster.stop_taking()
        log.info("node_drains", count=len(self._finder.ownership.claims))
        try:
            async with asyncio.timeout(self._policy.drain_within):
                await self._give_all_away()
        except TimeoutError:
            log.warning("drain_cut_short", count=len(self._finder.ownership.claims))
        await asyncio.sleep(self._policy.farewell_grace)  # for the media of the last of them

    async def _give_all_away(self) -> None:
        claims = self._finder.ownership.claims
        for visit in sorted(claims, key=self._calls.has_calls):
            if (target := self._target()) is None:
                log.warning("nobody_to_drain_to", count=len(claims))
                return
            await self._give(visit, target)
            await asyncio.sleep(self._policy.drain_apart)

    def _target(self) -> NodeRecord | None:
        others = [n for n in self._cluster.nodes if n.owner != self._finder.ownership.owner]
        target = least_loaded(others, self._given, self._policy)
        if target is not None:
            self._given[target.owner] = self._given.get(target.owner, 0) + 1
        return target

    async def _give(self, visit: VisitId, target: NodeRecord) -> None:
        ownership = self._finder.ownership
        known = ownership.known(visit)
        if known is not None:
            await self._calls.part(known.visit, Prompt.INTERRUPTED)
        try:
            async with self._keeper.still(visit):  # nothing is decided between here and there
                await self._peers.take_over(target, visit, ownership.claims.of(visit))
                ownership.give_up(visit, self._policy.farewell_grace)
        except (NodeUnreachable, StoreError) as error:
            log.warning("visit_not_given_away", visit=visit, code=error.code)
