"""Where a visit is decided about, and what to do when nobody does.

this node owns it        here
another live node does   there
a dead one does          whoever is asked first takes it over
nobody does              the node with most room, which may be this one
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rooms.model import VisitId
from rooms.nodes_policy import NodesPolicy
from server.claims import Claim, Directory, NodeRecord
from server.membership import Watch, least_loaded
from server.ownership import Ownership
from server.peering import NodeUnreachable


@dataclass(frozen=True, slots=True)
class There:
    """Another node. ``placed``: it is to own the visit, which nobody does."""

    node: NodeRecord
    placed: bool


class Finder:
    """Finds the homes of visits, as one node sees them."""

    def __init__(
        self, directory: Directory, ownership: Ownership, watch: Watch, policy: NodesPolicy
    ) -> None:
        self.ownership = ownership
        self.watch = watch
        self._directory = directory
        self._policy = policy
        self._placed: Counter[str] = Counter()  # since the last beat
        self._news = asyncio.Event()
        self._before_taking: Callable[[str], Awaitable[None]] = _nothing_first

    def connect(self, before_taking: Callable[[str], Awaitable[None]]) -> None:
        """Await this, with the owner, before a visit of somebody who is gone is taken over."""
        self._before_taking = before_taking

    def is_here(self, visit: VisitId) -> bool:
        """Whether this node decides about the visit."""
        return self.ownership.decides_about(visit)

    async def is_nobodys(self, visit: VisitId) -> bool:
        """Whether no node decides about the visit."""
        return not self.is_here(visit) and not (await self._directory.owner_of(visit)).owner

    async def find(self, visit: VisitId) -> There | None:
        """Where the visit is decided about; None for here. Raises ``NodeUnreachable``, ``NotOwner``
        while it changes hands.
        """
        if self.is_here(visit):
            return None
        claim = await self._directory.owner_of(visit)
        if not claim.owner:
            return await self._place(visit, claim)
        now = time.monotonic()
        if self._is_lost(claim.owner, now):
            await self.take(visit, claim)
            return None
        node = self.watch.node(claim.owner, now)
        if node is None:
            raise NodeUnreachable
        return There(node, placed=False)

    async def take(self, visit: VisitId, former: Claim) -> None:
        """Own the visit instead of one who is gone, or of nobody. Raises ``NotOwner``."""
        if former.owner:
            await self._before_taking(former.owner)
        await self.ownership.gain(visit, former)

    async def take_if_free(self, visit: VisitId) -> bool:
        """Own the visit if nobody does, or somebody who is gone; says whether it is ours now."""
        if self.is_here(visit):
            return True
        claim = await self._directory.owner_of(visit)
        if claim.owner and not self._is_lost(claim.owner, time.monotonic()):
            return False
        await self.take(visit, claim)
        return True

    def beat(self) -> None:
        """The nodes were looked at again: their load shows what was placed before."""
        self._placed.clear()
        self._news.set()
        self._news = asyncio.Event()

    async def news(self, within: float) -> None:
        """Wait until the nodes have been looked at again, for ``within`` seconds at most."""
        try:
            async with asyncio.timeout(within):
                await self._news.wait()
        except TimeoutError:
            pass

    def _is_lost(self, owner: str, now: float) -> bool:
        """Of somebody who is gone; or ours by the store, and not by our memory."""
        return owner == self.ownership.owner or self.watch.is_gone(owner, now)

    async def _place(self, visit: VisitId, nobody: Claim) -> There | None:
        live = self.watch.live(time.monotonic())
        node = least_loaded(live, self._placed, self._policy)
        if node is None:
            raise NodeUnreachable
        self._placed[node.owner] += 1
        if node.owner != self.ownership.owner:
            return There(node, placed=True)
        await self.take(visit, nobody)
        return None


async def _nothing_first(_owner: str) -> None:
    """Nobody is in the way."""
