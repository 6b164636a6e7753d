"""What the routes of the API do. Each gets a parsed body and says what to reply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from rooms.events import Event, VisitRescheduled, VisitWasCancelled, VisitWasEnded
from rooms.model import Actor, Seat, Visit
from server import invitations, phones
from server import messages as m
from server import replies as r
from server.api_auth import Caller
from server.commands import BY_NAME, Order
from server.idempotency import parse_key
from server.links import hash_code, new_code
from server.node import Node
from server.store import AlreadyExists, LinkKind, LinkRecord, LogDraft, UnknownVisit

Body = Any
Handler = Callable[[Node, web.Request, Caller, Body], Awaitable[web.StreamResponse | BaseModel]]


async def own_visit(node: Node, request: web.Request, caller: Caller) -> Visit:
    """The visit in the path. Raises ``UnknownVisit`` for another practice's as for none."""
    visit = await node.keeper.current(request.match_info["visit"])
    if visit.practice != caller.practice:
        raise UnknownVisit
    return visit


# -- visits --------------------


async def create_visit(
    node: Node, request: web.Request, caller: Caller, body: m.NewVisit
) -> web.Response:
    """A new visit with its seats; the links are told this once (and to the same request again)."""
    header = request.headers.get("Idempotency-Key")
    key = parse_key(header) if header is not None else ""
    asked = body.model_dump_json().encode()
    reply = await _first_reply(node, caller, key, asked)
    if reply is None:
        try:
            reply = await _create(node, caller, body, key, asked)
        except AlreadyExists:  # the same request was a moment faster
            reply = await _first_reply(node, caller, key, asked)
            if reply is None:
                raise
    return _created(reply)


async def _first_reply(node: Node, caller: Caller, key: str, asked: bytes) -> bytes | None:
    """What was replied to the same request before. Raises ``IdempotencyMismatch``."""
    if not key:
        return None
    key_hash = node.sealer.key_hash(caller.practice, key)
    kept = await node.store.find_reply(caller.practice, key_hash)
    return node.sealer.open(kept, key, asked) if kept is not None else None


async def _create(node: Node, caller: Caller, body: m.NewVisit, key: str, asked: bytes) -> bytes:
    visit = invitations.visit_of(node, caller.practice, body, caller.actor)
    codes = {seat.id: new_code() for seat in visit.seats}
    reply = _created_reply(node, visit, codes)
    await node.store.create(
        visit,
        [invitations.seat_link(visit, seat, codes[seat.id]) for seat in visit.seats],
        [_entry(node, caller, visit, "VisitCreated")],
        idempotency=node.sealer.seal(caller.practice, key, asked, reply) if key else None,
    )
    node.keeper.adopt(visit)
    return reply


async def list_visits(node: Node, request: web.Request, caller: Caller, _body: None) -> r.VisitList:
    """The practice's visits that start in a window of time, and all that run.

    Without a window it is the day around now: years of visits are for nobody who did not ask.
    """
    now, day = node.clock(), node.edge.desk_window
    since, until = _number(request, "since", now - day), _number(request, "until", now + day)
    visits = await node.store.visits_between(caller.practice, since, until)
    return r.VisitList(visits=[_state(visit) for visit in visits])


async def read_visit(node: Node, request: web.Request, caller: Caller, _body: None) -> r.VisitState:
    """One visit."""
    return _state(await own_visit(node, request, caller))


async def reschedule_visit(
    node: Node, request: web.Request, caller: Caller, body: m.Times
) -> r.VisitState:
    """Move a visit that has not begun."""
    event = VisitRescheduled(starts_at=body.starts_at, ends_at=body.ends_at, by=caller.actor)
    return await _change(node, request, caller, event)


async def cancel_visit(
    node: Node, request: web.Request, caller: Caller, _body: m.Nothing
) -> r.VisitState:
    """Call a visit off that has not begun."""
    return await _change(node, request, caller, VisitWasCancelled(by=caller.actor))


async def end_visit(
    node: Node, request: web.Request, caller: Caller, _body: m.Nothing
) -> r.VisitState:
    """End a visit for everyone."""
    return await _change(node, request, caller, VisitWasEnded(by=caller.actor))


async def summarise_visit(
    node: Node, request: web.Request, caller: Caller, _body: None
) -> r.VisitSummary:
    """Who was there, when, and how long by video, sound and phone."""
    visit = await own_visit(node, request, caller)
    return r.VisitSummary(
        visit=visit.id,
        stage=visit.stage,
        starts_at=visit.starts_at,
        ended_at=visit.ended_at,
        end_reason=visit.end_reason,
        external_ids=dict(visit.external_ids),
        seats=[_summary(seat) for seat in visit.seats],
    )


# -- seats --------------------


async def add_seat(node: Node, request: web.Request, caller: Caller, body: m.NewSeat) -> r.SeatLink:
    """One more seat; its link is told this once."""
    visit = await own_visit(node, request, caller)
    seat, code = await invitations.add_seat(node, visit.id, body, caller.actor)
    return r.SeatLink(seat=seat.id, role=seat.role, link=node.join_url(code))


async def revoke_seat(
    node: Node, request: web.Request, caller: Caller, _body: None
) -> web.Response:
    """Withdraw a seat."""
    visit = await own_visit(node, request, caller)
    await invitations.revoke_seat(node, visit.id, request.match_info["seat"], caller.actor)
    return web.Response(status=204)


async def renew_link(
    node: Node, request: web.Request, caller: Caller, _body: m.Nothing
) -> r.LinkMade:
    """A new link for a seat; older ones stop working."""
    visit = await own_visit(node, request, caller)
    code = await invitations.renew_link(node, visit, request.match_info["seat"], caller.actor)
    return r.LinkMade(link=node.join_url(code))


def command(name: str) -> Handler:
    """An order about a seat, the same as the signal of that name."""
    row = BY_NAME[name]

    async def perform(
        node: Node, request: web.Request, caller: Caller, body: m.Payload
    ) -> r.VisitState:
        visit = await own_visit(node, request, caller)
        order = Order(seat=request.match_info["seat"], **body.model_dump())
        return _state(await node.keeper.submit(visit.id, row.becomes(order, caller.actor)))

    return perform


async def record_number(
    node: Node, request: web.Request, caller: Caller, body: m.NewNumber
) -> r.VisitState:
    """Write down a number of a seat, and the consent to call it."""
    event = phones.recorded(node, request.match_info["seat"], body, caller.actor)
    return await _change(node, request, caller, event)


# -- the practice --------------------


async def make_desk(
    node: Node, _request: web.Request, caller: Caller, _body: m.Nothing
) -> r.DeskMade:
    """A link for staff to the practice's desk."""
    desk, code = invitations.new_id(), new_code()
    link = LinkRecord(hash=hash_code(code), kind=LinkKind.DESK, practice=caller.practice, desk=desk)
    await node.store.add_links([link], [_practice_entry(node, caller, "DeskLinkMade", desk)])
    return r.DeskMade(desk=desk, link=node.desk_url(code))


async def revoke_desk(
    node: Node, request: web.Request, caller: Caller, _body: None
) -> web.Response:
    """Withdraw a desk link; its pages close."""
    link = await node.store.find_desk(request.match_info["desk"])
    if link is not None and link.practice == caller.practice:
        entry = _practice_entry(node, caller, "DeskLinkRevoked", link.desk)
        await node.store.revoke_desk(caller.practice, link.desk, node.clock(), [entry])
        await node.desks.end(caller.practice, link.desk)
    return web.Response(status=204)


async def read_events(node: Node, request: web.Request, caller: Caller, _body: None) -> r.EventPage:
    """The practice's log after a cursor, in order."""
    after = int(_number(request, "after", 0.0))
    entries = await node.store.log_after(caller.practice, after, node.edge.events_page)
    events = [
        r.EventEntry(**{name: getattr(entry, name) for name in r.EventEntry.model_fields})
        for entry in entries
    ]
    return r.EventPage(events=events, next=events[-1].cursor if events else after)


# -- replies --------------------


async def _change(node: Node, request: web.Request, caller: Caller, event: Event) -> r.VisitState:
    visit = await own_visit(node, request, caller)
    return _state(await node.keeper.submit(visit.id, event))


def _created_reply(node: Node, visit: Visit, codes: dict[str, str]) -> bytes:
    seats = [
        r.SeatLink(seat=seat.id, role=seat.role, link=node.join_url(codes[seat.id]))
        for seat in visit.seats
    ]
    return r.CreatedVisit(visit=visit.id, seats=seats).model_dump_json().encode()


def _created(reply: bytes) -> web.Response:
    return web.Response(body=reply, status=201, content_type="application/json")


def _state(visit: Visit) -> r.VisitState:
    return r.VisitState(
        visit=visit.id,
        stage=visit.stage,
        host=visit.host,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        ended_at=visit.ended_at,
        end_reason=visit.end_reason,
        external_ids=dict(visit.external_ids),
        seats=[_seat_state(seat) for seat in visit.seats if not seat.revoked],
    )


def _seat_state(seat: Seat) -> r.SeatState:
    return r.SeatState(
        seat=seat.id,
        role=seat.role,
        name=seat.shown_name,
        relationship=seat.relationship,
        language=seat.language,
        external_ids=dict(seat.external_ids),
        needs=sorted(seat.needs),
        admission=seat.admission,
        connected=any(device.connected for device in seat.devices),
        fallback=seat.line.state,
    )


def _summary(seat: Seat) -> r.SeatSummary:
    usage = seat.usage
    return r.SeatSummary(
        seat=seat.id,
        role=seat.role,
        name=seat.shown_name,
        external_ids=dict(seat.external_ids),
        first_in=usage.first_in,
        last_out=usage.last_out,
        minutes=r.Minutes(video=usage.video / 60, sound=usage.sound / 60, phone=usage.phone / 60),
    )


def _entry(node: Node, caller: Caller, visit: Visit, what: str) -> LogDraft:
    by: Actor = caller.actor
    return LogDraft(
        at=node.clock(),
        type=what,
        practice=visit.practice,
        visit=visit.id,
        actor_kind=by.kind,
        actor=by.id,
    )


def _practice_entry(node: Node, caller: Caller, what: str, desk: str) -> LogDraft:
    return LogDraft(
        at=node.clock(),
        type=what,
        practice=caller.practice,
        actor_kind=caller.actor.kind,
        actor=caller.actor.id,
        outcome=desk,
    )


def _number(request: web.Request, name: str, default: float) -> float:
    return m.query_number(name, request.query.get(name), default)
