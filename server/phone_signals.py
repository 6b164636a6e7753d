"""What the signals about telephones do, of a seat's page and of a desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rooms.line_events import (
    CallStopped,
    ConnectAsked,
    HandBackAsked,
    OwnLineEvent,
    PageHid,
    PageShown,
    PhoneAsked,
    PhoneKept,
    PhonePlanSet,
    PhonePlanWithdrawn,
)
from rooms.model import Actor, ActorKind, CallPurpose
from server import messages as m
from server.desk_signals import require_own
from server.node import Node
from server.phones import address_of, recorded
from server.seat_signals import actor, submit_own
from server.sessions import DeskSession, SeatSession

Own = Callable[[SeatSession, Any], OwnLineEvent]


def own(event: type[OwnLineEvent]) -> Own:
    """A signal that says all by its name."""
    return lambda session, _payload: event(
        seat=session.seat, device=session.device, by=actor(session)
    )


hid, shown, withdrawn = own(PageHid), own(PageShown), own(PhonePlanWithdrawn)
stopped, connected = own(CallStopped), own(ConnectAsked)
moved_back, kept = own(HandBackAsked), own(PhoneKept)


def asked(purpose: CallPurpose) -> Own:
    """The person wants to be called."""
    return lambda session, _payload: PhoneAsked(
        seat=session.seat, device=session.device, by=actor(session), purpose=purpose
    )


async def planned(node: Node, session: SeatSession, payload: m.PhonePlan) -> dict[str, Any]:
    """Whom to call if the sender's video fails. Raises ``NumberRefused`` or ``RateLimited``."""
    event = PhonePlanSet(
        seat=session.seat,
        device=session.device,
        by=actor(session),
        number=node.numbering.e164(payload.number) if payload.number else "",
        same_device=payload.same_device,
        wording=payload.wording,
        language=payload.language,
    )
    await submit_own(node, session, event)
    return {}


async def seat_recorded(
    node: Node, session: SeatSession, payload: m.NumberOfSeat
) -> dict[str, Any]:
    """A clinician wrote a number down."""
    event = recorded(node, payload.seat, payload, actor(session))
    await node.keeper.submit(session.visit, event)
    return {}


async def desk_recorded(node: Node, session: DeskSession, payload: m.VisitNumber) -> dict[str, Any]:
    """The desk wrote a number down."""
    await require_own(node, session.practice, payload.visit)
    by = Actor(ActorKind.DESK, session.desk)
    await node.keeper.submit(payload.visit, recorded(node, payload.seat, payload, by))
    return {}


async def seat_address(node: Node, session: SeatSession, payload: m.OfSeat) -> dict[str, Any]:
    """Where to send help."""
    return {"address": await address_of(node, session.visit, payload.seat, actor(session))}


async def desk_address(node: Node, session: DeskSession, payload: m.OfVisitSeat) -> dict[str, Any]:
    """Where to send help."""
    await require_own(node, session.practice, payload.visit)
    by = Actor(ActorKind.DESK, session.desk)
    return {"address": await address_of(node, payload.visit, payload.seat, by)}
