"""What the signals of a desk do. A desk acts on the visits of its own practice and no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from rooms.model import Actor, ActorKind
from server import messages as m
from server.commands import BY_NAME, Order
from server.invitations import open_provider_seat
from server.node import Node
from server.sessions import DeskSession
from server.store import UnknownVisit

Perform = Callable[[Node, DeskSession, Any], Awaitable[dict[str, Any]]]


class _OfVisit(Protocol):
    visit: str

    def model_dump(self, *, exclude: set[str]) -> dict[str, Any]: ...


def command(name: str) -> Perform:
    """A signal that orders something about a seat of one of the practice's visits."""
    row = BY_NAME[name]

    async def perform(node: Node, session: DeskSession, payload: _OfVisit) -> dict[str, Any]:
        await require_own(node, session.practice, payload.visit)
        order = Order(**payload.model_dump(exclude={"visit"}))
        by = Actor(ActorKind.DESK, session.desk)
        await node.keeper.submit(payload.visit, row.becomes(order, by))
        return {}

    return perform


async def opened(node: Node, session: DeskSession, payload: m.OfVisitSeat) -> dict[str, Any]:
    """A link to one of the visit's provider seats, for the clinician who works at this desk.

    It opens that seat and no other: on a seat that is in use the new device waits, as always.
    """
    await require_own(node, session.practice, payload.visit)
    by = Actor(ActorKind.DESK, session.desk)
    visit = await node.keeper.current(payload.visit)
    code = await open_provider_seat(node, visit, payload.seat, by)
    return {"link": node.join_url(code)}


async def renewed(node: Node, session: DeskSession, _payload: m.Nothing) -> dict[str, Any]:
    """A fresh token for the same desk."""
    return {"token": await node.desks.renew(session), "expires_in": node.desks.token_life}


async def require_own(node: Node, practice: str, visit_id: str) -> None:
    """Raise ``UnknownVisit`` unless the visit is the practice's: others' look like none at all."""
    stored = await node.store.load(visit_id)
    if stored.visit.practice != practice:
        raise UnknownVisit
