"""New visits, seats and links. A link's code is told once and kept only as its hash."""

from __future__ import annotations

import secrets
from dataclasses import replace

from rooms.errors import NotPermitted, TimesInvalid, UnknownSeat
from rooms.events import LinkWithdrawn, SeatAdded, SeatRevoked
from rooms.model import Actor, Role, Seat, Visit
from rooms.permissions import Action, may
from rooms.visit import schedule
from server.links import hash_code, new_code
from server.messages import Invitation, NewSeat, NewVisit
from server.node import Node
from server.phones import plan_of
from server.store import LinkKind, LinkRecord, LogDraft


def new_id() -> str:
    """An opaque id for a visit or seat: 96 random bits, so that none is ever met twice.

    Begins with a letter: the log refuses what could be a telephone number.
    """
    return f"i{secrets.token_hex(12)}"


def seat_of(node: Node, asked: Invitation, by: Actor) -> Seat:
    """The seat that was asked for. Raises ``NumberRefused``."""
    seat = Seat(
        id=new_id(),
        role=asked.role,
        name=asked.name,
        language=asked.language,
        relationship=asked.relationship,
    )
    if isinstance(asked, NewSeat):
        seat = replace(
            seat,
            external_ids=tuple(sorted(asked.external_ids.items())),
            needs=asked.needs,
            phone=plan_of(node, asked, by, node.clock()),
            address=asked.address or "",
        )
    return seat


def visit_of(node: Node, practice: str, asked: NewVisit, by: Actor) -> Visit:
    """The visit that was asked for. Raises ``TimesInvalid``, also when it would be over already."""
    if asked.ends_at <= node.clock():
        raise TimesInvalid
    visit = Visit(
        id=new_id(),
        practice=practice,
        starts_at=asked.starts_at,
        ends_at=asked.ends_at,
        host=asked.host,
        external_ids=tuple(sorted(asked.external_ids.items())),
        seats=tuple(seat_of(node, seat, by) for seat in asked.seats),
    )
    return schedule(visit, node.policy)


def seat_link(visit: Visit, seat: Seat, code: str) -> LinkRecord:
    """What the store keeps of a seat's link."""
    return LinkRecord(
        hash=hash_code(code),
        kind=LinkKind.SEAT,
        practice=visit.practice,
        visit=visit.id,
        seat=seat.id,
    )


async def add_seat(node: Node, visit_id: str, asked: Invitation, by: Actor) -> tuple[Seat, str]:
    """One more seat and its link's code. Raises what the visit refuses it with."""
    visit = await node.keeper.current(visit_id)
    seat, code = seat_of(node, asked, by), new_code()
    links = (seat_link(visit, seat, code),)
    await node.keeper.submit(visit_id, SeatAdded(seat=seat, by=by), links=links)
    return seat, code


async def renew_link(node: Node, visit: Visit, seat_id: str, by: Actor) -> str:
    """A new link for a seat; older ones stop working, and so do the pages they opened.

    Whoever was let in stays. Raises ``UnknownSeat``.
    """
    seat, code, now = _seat_in(visit, seat_id), new_code(), node.clock()
    entry = _link_entry("LinkRenewed", visit, seat, by, now)
    await node.store.replace_links(visit.id, seat.id, seat_link(visit, seat, code), now, [entry])
    await node.keeper.submit(visit.id, LinkWithdrawn(seat=seat.id, by=by))
    return code


async def open_provider_seat(node: Node, visit: Visit, seat_id: str, by: Actor) -> str:
    """One more link to a provider's seat. Raises ``UnknownSeat``, ``NotPermitted``."""
    seat, code = _seat_in(visit, seat_id), new_code()
    entry = _link_entry("LinkAdded", visit, seat, by, node.clock())
    if not may(by.kind, Action.OPEN) or seat.role is not Role.PROVIDER:
        await node.keeper.record_refusal(replace(entry, outcome=NotPermitted.code))
        raise NotPermitted
    await node.store.add_links([seat_link(visit, seat, code)], [entry])
    return code


def _seat_in(visit: Visit, seat_id: str) -> Seat:
    seat = visit.seat(seat_id)
    if seat is None or seat.revoked:
        raise UnknownSeat
    return seat


def _link_entry(what: str, visit: Visit, seat: Seat, by: Actor, now: float) -> LogDraft:
    return LogDraft(
        at=now, type=what, visit=visit.id, seat=seat.id, actor_kind=by.kind, actor=by.id
    )


async def revoke_seat(node: Node, visit_id: str, seat_id: str, by: Actor) -> None:
    """Withdraw a seat: its pages close and its links look as if they had never been."""
    await node.keeper.submit(visit_id, SeatRevoked(seat=seat_id, by=by))
