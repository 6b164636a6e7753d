"""How a node ends its part in a visit, and when nothing on it needs one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rooms.model import Visit, VisitId
from rooms.nodes_policy import NodesPolicy
from rooms.visit import next_deadline
from server.gateway import Gateway
from server.sight import Sight
from server.telephony import Phones
from server.timers import Clock
from server.world import LiveWorld


@dataclass(frozen=True, slots=True)
class Leaver:
    """Ends everything of a visit on this node, which another node looks after."""

    world: LiveWorld
    gateway: Gateway
    phones: Phones
    sight: Sight

    def leave(self, visit: VisitId, media_for: float) -> None:
        """Pages open their links again, calls are hung up, and media ends in this many seconds."""
        self.gateway.leave(visit)
        self.phones.calls.leave(visit)
        self.world.let_go(visit, media_for)
        self.sight.forget(visit)


@dataclass(frozen=True, slots=True)
class Idleness:
    """Says which visits need nobody for now: no page, no call, and no deadline soon."""

    gateway: Gateway
    phones: Phones
    known: Callable[[VisitId], Visit | None]
    policy: NodesPolicy
    clock: Clock

    def __call__(self, visit_id: VisitId) -> bool:
        if self.gateway.is_needed(visit_id) or self.phones.calls.has_calls(visit_id):
            return False
        visit = self.known(visit_id)
        due = next_deadline(visit) if visit is not None else None
        return due is None or due.deadline.at - self.clock() > self.policy.idle_release
