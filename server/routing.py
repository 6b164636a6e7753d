"""From any node to the one that decides about a visit: orders find their way there.

While a visit changes hands, whoever asks waits a little instead of being sent away.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from rooms.events import Event
from rooms.model import Visit, VisitId
from rooms.nodes_policy import NodesPolicy
from rooms.visit import next_deadline
from server.finding import Finder, There
from server.keeper import VisitKeeper
from server.peering import NodeSilent, NodeUnreachable, Peers
from server.store import LinkRecord, LogDraft, NotOwner, Store
from server.timers import Clock

T = TypeVar("T")


class Visits(Protocol):
    """What handlers ask about visits, wherever those are decided about."""

    async def submit(
        self, visit_id: VisitId, event: Event, *, links: tuple[LinkRecord, ...] = ()
    ) -> Visit:
        """``VisitKeeper.submit``."""

    async def current(self, visit_id: VisitId) -> Visit:
        """``VisitKeeper.current``."""

    def opens_at(self, visit: Visit) -> float:
        """When the links of this visit begin to open it."""

    def adopt(self, visit: Visit) -> None:
        """A visit was just created."""

    async def record_refusal(self, refused: LogDraft) -> None:
        """Write down that somebody was told no."""


class RoutedVisits:
    """``Visits`` of many nodes."""

    def __init__(
        self,
        keeper: VisitKeeper,
        store: Store,
        finder: Finder,
        peers: Peers,
        policy: NodesPolicy,
        clock: Clock,
    ) -> None:
        self._keeper = keeper
        self._store = store
        self._finder = finder
        self._peers = peers
        self._policy = policy
        self._clock = clock

    async def submit(
        self, visit_id: VisitId, event: Event, *, links: tuple[LinkRecord, ...] = ()
    ) -> Visit:
        request = secrets.token_hex(16)

        async def there(at: There) -> Visit:
            return await self._peers.submit(
                at.node, visit_id, event, links, placed=at.placed, request=request
            )

        return await self._routed(
            visit_id,
            lambda: self._keeper.submit(visit_id, event, links=links),
            there,
            repeatable=False,
        )

    async def current(self, visit_id: VisitId) -> Visit:
        """The visit; one that nobody has to decide about now is read and left where it is."""
        if await self._finder.is_nobodys(visit_id):
            visit = (await self._store.load(visit_id)).visit
            due = next_deadline(visit)
            if due is None or due.deadline.at > self._clock():
                return visit
        return await self._routed(
            visit_id,
            lambda: self._keeper.current(visit_id),
            lambda at: self._peers.current(at.node, visit_id, placed=at.placed),
        )

    async def address(self, visit_id: VisitId, here: str) -> str:
        """The name of the node that decides about the visit, ``here`` for this one.

        Some node does when this returns.
        """

        async def at_home() -> str:
            return here

        async def there(at: There) -> str:
            if at.placed:
                await self._peers.current(at.node, visit_id, placed=True)
            return at.node.name

        return await self._routed(visit_id, at_home, there)

    def opens_at(self, visit: Visit) -> float:
        return self._keeper.opens_at(visit)

    def adopt(self, visit: Visit) -> None:
        """Nobody owns a new visit: whoever asks for it first, or its first deadline, places it."""

    async def record_refusal(self, refused: LogDraft) -> None:
        await self._keeper.record_refusal(refused)

    async def _routed(
        self,
        visit_id: VisitId,
        here: Callable[[], Awaitable[T]],
        there: Callable[[There], Awaitable[T]],
        *,
        repeatable: bool = True,
    ) -> T:
        """Do it where the visit is, for as long as it takes a visit to change hands.

        What is not ``repeatable`` and may have been done is not asked for again: only who wants it
        knows whether to.
        """
        patience = time.monotonic() + self._policy.takeover_wait
        while True:
            try:
                at = await self._finder.find(visit_id)
                return await (here() if at is None else there(at))
            except (NotOwner, NodeUnreachable) as refusal:
                left = patience - time.monotonic()
                if left <= 0 or (isinstance(refusal, NodeSilent) and not repeatable):
                    raise
                await self._finder.news(within=min(left, self._policy.beat_every))
