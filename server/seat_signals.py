"""What the signals of a seat's page do. Each submits and returns: none may be slow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from media.ports import PageStats
from rooms.errors import NotAdmitted
from rooms.events import (
    CheckStarted,
    Event,
    Knocked,
    MediaSwitched,
    SeatEntered,
    SeatLeft,
    VisitWasEnded,
)
from rooms.model import Actor, ActorKind
from server import messages as m
from server.commands import BY_NAME, Order
from server.errors import RateLimited
from server.invitations import add_seat
from server.node import Node
from server.sessions import SeatSession
from server.store import LogDraft

P = TypeVar("P", bound=m.Payload)
Perform = Callable[[Node, SeatSession, Any], Awaitable[dict[str, Any]]]


def actor(session: SeatSession) -> Actor:
    """Who sends: the seat and device of the token, whatever the payload says."""
    return Actor(ActorKind.SEAT, session.seat, session.device)


def own(event: Callable[[SeatSession, P], Event]) -> Perform:
    """A signal that becomes one event of the sender's own seat."""

    async def perform(node: Node, session: SeatSession, payload: P) -> dict[str, Any]:
        await submit_own(node, session, event(session, payload))
        return {}

    return perform


async def submit_own(node: Node, session: SeatSession, event: Event) -> None:
    """What somebody does at their own seat. Raises ``RateLimited``: it may be written to the log.

    By browser, so that one which only knows the link does not silence the person's own. Whoever
    goes is always heard: their telephone would ring.
    """
    goes = isinstance(event, SeatLeft | VisitWasEnded)
    if not goes and not node.limits.wishes.take(session.device):
        raise RateLimited(node.limits.wishes.retry_after(session.device))
    await node.keeper.submit(session.visit, event)


def command(name: str) -> Perform:
    """A signal that orders something about another seat."""
    row = BY_NAME[name]

    async def perform(node: Node, session: SeatSession, payload: m.OfSeat) -> dict[str, Any]:
        order = Order(**payload.model_dump())
        await node.keeper.submit(session.visit, row.becomes(order, actor(session)))
        return {}

    return perform


def checked(session: SeatSession, _payload: m.Nothing) -> Event:
    """The person looks at their camera and microphone."""
    return CheckStarted(seat=session.seat, device=session.device, by=actor(session))


def knocked(session: SeatSession, payload: m.Knock) -> Event:
    """The person asks to come in."""
    return Knocked(
        seat=session.seat,
        device=session.device,
        by=actor(session),
        said_name=payload.name,
        language=payload.language,
    )


def entered(session: SeatSession, _payload: m.Nothing) -> Event:
    """The admitted person's page is ready."""
    return SeatEntered(seat=session.seat, device=session.device, by=actor(session))


def left(session: SeatSession, _payload: m.Nothing) -> Event:
    """The person leaves on purpose."""
    return SeatLeft(seat=session.seat, device=session.device, by=actor(session))


def switched(session: SeatSession, payload: m.MediaSwitch) -> Event:
    """The person switches microphone or camera."""
    return MediaSwitched(
        seat=session.seat,
        device=session.device,
        by=actor(session),
        microphone=payload.microphone,
        camera=payload.camera,
    )


def ended(session: SeatSession, _payload: m.Nothing) -> Event:
    """The visit ends for everyone."""
    return VisitWasEnded(by=actor(session))


async def answered(node: Node, session: SeatSession, payload: m.MediaAnswer) -> dict[str, Any]:
    """The browser answered an offer; a late answer is ignored."""
    await _require_leg(node, session, "MediaAnswered")
    node.plane.answer(
        session.visit, session.seat, session.id, payload.peer, payload.number, payload.sdp
    )
    return {}


async def restarted(node: Node, session: SeatSession, _payload: m.Nothing) -> dict[str, Any]:
    """The page's network changed: offer both peer connections again."""
    await _require_leg(node, session, "MediaRestarted")
    node.plane.restart(session.visit, session.seat, session.id)
    return {}


async def heard(node: Node, session: SeatSession, payload: m.MediaHeard) -> dict[str, Any]:
    """The page says how it hears; late words of a page without media mean nothing."""
    stats = PageStats(**payload.model_dump())
    node.plane.told(session.visit, session.seat, session.id, stats)
    return {}


async def renewed(node: Node, session: SeatSession, _payload: m.Nothing) -> dict[str, Any]:
    """A fresh token for the same session."""
    return {"token": node.gateway.renew(session), "expires_in": node.gateway.token_life}


async def invited(node: Node, session: SeatSession, payload: m.Invitation) -> dict[str, Any]:
    """One more seat; its link is told this once, to the one who asked."""
    seat, code = await add_seat(node, session.visit, payload, actor(session))
    return {"seat": seat.id, "link": node.join_url(code)}


async def _require_leg(node: Node, session: SeatSession, what: str) -> None:
    """Media is for people who are inside; that somebody else tried is written down."""
    if session.has_leg:
        return
    refused = LogDraft(
        at=node.clock(),
        type=what,
        visit=session.visit,
        seat=session.seat,
        actor_kind=ActorKind.SEAT,
        actor=session.seat,
        outcome=NotAdmitted.code,
    )
    await node.keeper.record_refusal(refused)
    raise NotAdmitted
