"""What one node asks of another, and what can go wrong between them.

NodeUnreachable               node_unreachable     the other node did not take the order
└── NodeSilent                node_silent          it may have, and has not answered
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from rooms.errors import BedsideError
from rooms.events import Event
from rooms.model import Visit, VisitId
from server.claims import Claim, NodeRecord
from server.store import LinkRecord


class NodeUnreachable(BedsideError):
    """The node that decides about this visit did not take the order."""

    code = "node_unreachable"
    title = "The visit is being moved to another server. Please try again."


class NodeSilent(NodeUnreachable):
    """The order was sent, and nobody knows what became of it."""

    code = "node_silent"


class Host(Protocol):
    """The verbs that a node serves to others. ``placed``: own the visit if nobody does.

    Each raises ``NotOwner`` where another node decides, and what the visit refuses.
    """

    async def submit_here(
        self, visit: VisitId, event: Event, links: tuple[LinkRecord, ...], *, placed: bool
    ) -> Visit:
        """``VisitKeeper.submit`` on this node."""

    async def current_here(self, visit: VisitId, *, placed: bool) -> Visit:
        """``VisitKeeper.current`` on this node."""

    async def take_over(self, visit: VisitId, former: Claim) -> None:
        """Own the visit instead of ``former``, who asks for it, and take it up."""

    async def keep_out(self, visit: VisitId, events: Sequence[Event]) -> None:
        """Decide again what a former owner had decided and the store has lost: who may not come in.

        Only what takes rights away (``rooms.reductions``); anything else is left out.
        """

    def owned_here(self, visits: Sequence[VisitId]) -> Mapping[VisitId, int]:
        """The epochs of those of these visits that this node owns."""


class Peers(Protocol):
    """The same verbs, at another node. Each also raises ``NodeUnreachable``, ``NodeSilent``,
    ``StoreUnavailable``.
    """

    async def submit(
        self,
        node: NodeRecord,
        visit: VisitId,
        event: Event,
        links: tuple[LinkRecord, ...],
        *,
        placed: bool,
        request: str,
    ) -> Visit:
        """Submit there; the same ``request`` is decided once, however often it is sent."""

    async def current(self, node: NodeRecord, visit: VisitId, *, placed: bool) -> Visit:
        """The visit as it is there now."""

    async def take_over(self, node: NodeRecord, visit: VisitId, former: Claim) -> None:
        """Give the visit away."""

    async def keep_out(self, node: NodeRecord, visit: VisitId, events: Sequence[Event]) -> None:
        """Hand on what must not be forgotten."""

    async def owned(self, node: NodeRecord, visits: Sequence[VisitId]) -> Mapping[VisitId, int]:
        """Which of these it owns."""
