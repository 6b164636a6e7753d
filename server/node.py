"""What one node is made of, for the handlers behind its doors. Built in ``server/app.py`` only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from media.ports import MediaPlane
from rooms.model import Prompt
from rooms.policy import EdgePolicy, Policy
from server.board import DeskBoard
from server.config import Settings
from server.demo_phone import DemoPhone
from server.demo_state import DemoState
from server.desks import DeskGateway
from server.entrance import Entrance
from server.gateway import Gateway
from server.idempotency import ReplySealer
from server.keeper import VisitKeeper
from server.limits import Limits
from server.loop_lag import LoopLag
from server.many_nodes import ManyNodes
from server.metrics import Metrics
from server.phone_numbers import NumberingPlan
from server.practices import Practices
from server.routing import Visits
from server.sight import Sight
from server.store import Store
from server.telephony import Phones
from server.timers import Clock
from server.tokens import SessionTokens
from server.world import LiveWorld


class Recordings(Protocol):
    """What practices recorded for telephones, wherever it is kept."""

    async def store(self, practice: str, prompt: Prompt, language: str, audio: bytes) -> None:
        """Keep a recording. Raises ``PromptError``; ``StoreUnavailable`` or ``OSError``."""

    async def remove(self, practice: str, prompt: Prompt, language: str) -> None:
        """Forget one. Raises likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The parts of a running server."""

    settings: Settings
    policy: Policy
    edge: EdgePolicy
    clock: Clock
    store: Store
    keeper: Visits  # wherever visits are decided about
    local: VisitKeeper  # of those that are decided about here
    world: LiveWorld
    plane: MediaPlane
    phones: Phones
    board: DeskBoard
    practices: Practices
    entrance: Entrance
    tokens: SessionTokens
    numbering: NumberingPlan
    gateway: Gateway
    desks: DeskGateway
    sealer: ReplySealer
    limits: Limits
    metrics: Metrics
    sight: Sight
    lag: LoopLag
    openapi: dict[str, Any]
    nodes: ManyNodes | None = None
    demo_phone: DemoPhone | None = None
    demo: DemoState = field(default_factory=DemoState)
    demo_links: dict[str, str] = field(default_factory=dict)

    @property
    def largest_upload(self) -> int:
        """Bytes of the largest file that anybody may send."""
        return self.phones.policies.prompts.largest

    @property
    def recordings(self) -> Recordings:
        """Those of all nodes, if there are many."""
        return self.phones.prompts if self.nodes is None else self.nodes.announcements

    def is_quiet(self) -> bool:
        """Whether nobody is heard or seen through this node now."""
        return not self.plane.visits

    async def signal_url(self, visit: str) -> str:
        """Where the pages of this visit keep their sockets: at the node that decides about it."""
        if self.nodes is None:
            return self.settings.origin
        return f"{self.settings.origin}/n/{await self.nodes.address(visit)}"

    @property
    def desk_signal_url(self) -> str:
        """Where desks keep theirs: any node will do, and this one is near."""
        name = self.nodes.name if self.nodes is not None else ""
        return f"{self.settings.origin}/n/{name}" if name else self.settings.origin

    def join_url(self, code: str) -> str:
        """The link of a seat. The code is in the fragment, which browsers never send."""
        return f"{self.settings.origin}/join#{code}"

    def desk_url(self, code: str) -> str:
        """The link of a desk."""
        return f"{self.settings.origin}/desk#{code}"
