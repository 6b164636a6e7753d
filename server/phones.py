"""Numbers and plans: from what people typed to what the visit keeps."""

from __future__ import annotations

from dataclasses import replace

import structlog

from rooms.errors import NotPermitted, RoomError, UnknownSeat
from rooms.line_events import NumberRecorded
from rooms.model import (
    OWN_NUMBER,
    Actor,
    ActorKind,
    Consent,
    PhoneNumber,
    PhonePlan,
    SeatId,
    Visit,
    VisitId,
)
from rooms.permissions import Action, acting_seat, may
from server import messages as m
from server.errors import PayloadInvalid
from server.node import Node
from server.store import LogDraft, StoreUnavailable

log = structlog.get_logger(__name__)


def plan_of(node: Node, asked: m.NewSeat, by: Actor, now: float) -> PhonePlan:
    """The phone plan of a new seat.

    Raises ``NumberRefused``, and ``PayloadInvalid`` where two numbers have one id.
    """
    numbers = tuple(_consented(_number(node, number), number, by, now) for number in asked.numbers)
    if len({number.id for number in numbers}) < len(numbers):
        raise PayloadInvalid(("numbers",))
    return PhonePlan(
        numbers=numbers,
        only=asked.by_phone_only,
        at_start=asked.by_phone_only and asked.call_at_start,
    )


def recorded(node: Node, seat: str, asked: m.NewNumber, by: Actor) -> NumberRecorded:
    """What staff wrote down, as an event. Raises ``NumberRefused``."""
    return NumberRecorded(
        seat=seat,
        number=_number(node, asked),
        wording=asked.wording,
        language=asked.language,
        by=by,
    )


async def address_of(node: Node, visit_id: VisitId, seat_id: str, by: Actor) -> str:
    """Where the practice believes the person to be; that somebody asked is written down.

    A store that is away keeps no help from coming: then the server's own log has to do.
    Raises ``NotPermitted``, ``NotAdmitted`` or ``UnknownSeat``.
    """
    visit = await node.keeper.current(visit_id)
    seat = visit.seat(seat_id)
    if seat is None:
        raise UnknownSeat
    try:
        _require_sight(visit, seat_id, by)
    except RoomError as error:
        await node.keeper.record_refusal(_asked(node, visit, seat_id, by, error.code))
        raise
    try:
        await node.store.record([_asked(node, visit, seat_id, by, "ok")])
    except StoreUnavailable:
        log.warning("address_told_unrecorded", visit=visit.id, seat=seat_id, by=by.id)
    return seat.address


def _require_sight(visit: Visit, seat: SeatId, by: Actor) -> None:
    """As ``rooms.permissions.require``: by the matrix, from inside, and not of oneself."""
    by_seat = by.kind is ActorKind.SEAT
    kind = acting_seat(visit, by).role if by_seat else by.kind
    if not may(kind, Action.SEE_LINES) or (by_seat and by.id == seat):
        raise NotPermitted


def _asked(node: Node, visit: Visit, seat: SeatId, by: Actor, outcome: str) -> LogDraft:
    return LogDraft(
        at=node.clock(),
        type="AddressAsked",
        visit=visit.id,
        seat=seat,
        actor_kind=by.kind,
        actor=by.id,
        outcome=outcome,
    )


def _number(node: Node, asked: m.NewNumber) -> PhoneNumber:
    return PhoneNumber(
        id=asked.id or OWN_NUMBER,
        number=node.numbering.e164(asked.number),
        label=asked.label,
        contact=asked.contact,
    )


def _consented(number: PhoneNumber, asked: m.NewNumber, by: Actor, now: float) -> PhoneNumber:
    if not asked.wording:
        return number
    consent = Consent(at=now, wording=asked.wording, language=asked.language, by=by)
    return replace(number, consent=consent)
