"""Numbers and plans: from what people typed to what the visit keeps."""

from __future__ import annotations

from dataclasses import replace

from rooms.errors import NotPermitted, UnknownSeat
from rooms.line_events import NumberRecorded
from rooms.model import OWN_NUMBER, Actor, ActorKind, Consent, PhoneNumber, PhonePlan, VisitId
from rooms.permissions import Action, acting_seat, may
from server import messages as m
from server.node import Node
from server.store import LogDraft


def plan_of(node: Node, asked: m.NewSeat, by: Actor, now: float) -> PhonePlan:
    """The phone plan of a new seat. Raises ``NumberRefused``."""
    numbers = tuple(_consented(_number(node, number), number, by, now) for number in asked.numbers)
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

    Raises ``NotPermitted``, ``NotAdmitted`` or ``UnknownSeat``.
    """
    visit = await node.keeper.current(visit_id)
    seat = visit.seat(seat_id)
    if seat is None:
        raise UnknownSeat
    kind = acting_seat(visit, by).role if by.kind is ActorKind.SEAT else by.kind
    allowed = may(kind, Action.SEE_LINES)
    entry = LogDraft(
        at=node.clock(),
        type="AddressAsked",
        visit=visit.id,
        seat=seat.id,
        actor_kind=by.kind,
        actor=by.id,
        outcome="ok" if allowed else NotPermitted.code,
    )
    await node.store.record([entry])
    if not allowed:
        raise NotPermitted
    return seat.address


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
