"""What this node does for the others, and what it asks of them about its own visits."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog

from rooms.errors import RoomError
from rooms.events import Event
from rooms.model import Visit, VisitId
from rooms.nodes_policy import NodesPolicy
from rooms.reductions import is_reducing
from server.claims import Claim, Directory, NodeRecord
from server.finding import Finder
from server.keeper import VisitKeeper
from server.node_metrics import Why
from server.peering import NodeUnreachable, Peers
from server.store import LinkRecord, NotOwner, StoreUnavailable, UnknownVisit

log = structlog.get_logger(__name__)


class Hosting:
    """``Host``: the verbs between nodes, done here."""

    def __init__(self, keeper: VisitKeeper, finder: Finder) -> None:
        self._keeper = keeper
        self._finder = finder

    async def submit_here(
        self, visit: VisitId, event: Event, links: tuple[LinkRecord, ...], *, placed: bool
    ) -> Visit:
        await self._be_home(visit, placed)
        return await self._keeper.submit(visit, event, links=links)

    async def current_here(self, visit: VisitId, *, placed: bool) -> Visit:
        await self._be_home(visit, placed)
        return await self._keeper.current(visit)

    async def take_over(self, visit: VisitId, former: Claim) -> None:
        await self._finder.ownership.gain(visit, former, Why.MOVED)

    async def keep_out(self, visit: VisitId, events: Sequence[Event]) -> None:
        await self._be_home(visit, placed=False)
        for event in events:
            if is_reducing(event):
                with suppress(RoomError):  # nobody is there any more whom it could keep out
                    await self._keeper.submit(visit, event)

    def owned_here(self, visits: Sequence[VisitId]) -> Mapping[VisitId, int]:
        return self._finder.ownership.claims.owned(visits)

    async def _be_home(self, visit: VisitId, placed: bool) -> None:
        if self._finder.is_here(visit):
            return
        if not placed or not await self._finder.take_if_free(visit):
            raise NotOwner


class Neighbours:
    """What a node asks of the others about visits that were its own."""

    def __init__(
        self, directory: Directory, finder: Finder, peers: Peers, policy: NodesPolicy
    ) -> None:
        self._directory = directory
        self._finder = finder
        self._peers = peers
        self._policy = policy

    async def now_own(self) -> list[VisitId]:
        """Which of this node's visits others say are theirs by a later claim.

        Asks the nodes, and not the store: it is for when the store cannot be reached from here.
        """
        claims = self._finder.ownership.claims
        theirs: list[VisitId] = []
        for node in self._others():
            with suppress(NodeUnreachable, StoreUnavailable):
                owned = await self._peers.owned(node, list(claims))
                theirs += [v for v, epoch in owned.items() if epoch > claims.of(v).epoch]
        return theirs

    async def hand_on(self, visit: VisitId, events: Sequence[Event]) -> None:
        """Have the visit's owner, whoever it is, decide these again; tried for as long as a node
        without its store keeps its media.
        """
        patience = time.monotonic() + self._policy.media_hold
        while time.monotonic() < patience:
            try:
                node = await self._owner(visit)
                if node is not None:
                    return await self._peers.keep_out(node, visit, events)
            except UnknownVisit:
                return None
            except (NodeUnreachable, NotOwner, StoreUnavailable):
                pass
            await self._finder.news(within=self._policy.beat_every)
        log.error("removals_not_handed_on", visit=visit, count=len(events))
        return None

    async def _owner(self, visit: VisitId) -> NodeRecord | None:
        try:
            claim = await self._directory.owner_of(visit)
        except StoreUnavailable:
            return await self._owner_by_asking(visit)
        node = self._finder.watch.node(claim.owner, time.monotonic())
        if node is None and await self._finder.take_if_free(visit):
            node = self._finder.watch.node(self._finder.ownership.owner, time.monotonic())
        return node

    async def _owner_by_asking(self, visit: VisitId) -> NodeRecord | None:
        for node in self._others():
            with suppress(NodeUnreachable, StoreUnavailable):
                if await self._peers.owned(node, [visit]):
                    return node
        return None

    def _others(self) -> list[NodeRecord]:
        live = self._finder.watch.live(time.monotonic())
        return [node for node in live if node.owner != self._finder.ownership.owner]
