"""``bedside demo``: a practice, a visit that is open now, and a link for everybody in it."""

from __future__ import annotations

from rooms.model import OWN_NUMBER, Actor, ActorKind, Role, Visit
from server.invitations import new_id, seat_link, visit_of
from server.links import hash_code, new_code
from server.messages import NewNumber, NewSeat, NewVisit
from server.node import Node
from server.store import LinkKind, LinkRecord, Practice

PRACTICE = Practice(
    id="demo", name="Riverside Family Practice", phone="+1 202-555-0199", spoken_name="Riverside"
)
PATIENT_NUMBER = "+1 202-555-0171"  # of the range that is never given to anybody
_CONSENT = "demo"
_HOST = "Dr. Amina Reyes"
_BY = Actor(ActorKind.PRACTICE, PRACTICE.id)
_SEATS = (
    NewSeat(
        role=Role.PATIENT,
        name="Rosa Alvarez",
        numbers=(NewNumber(id=OWN_NUMBER, number=PATIENT_NUMBER, wording=_CONSENT),),
    ),
    NewSeat(role=Role.PROVIDER, name=_HOST),
    NewSeat(role=Role.FAMILY, name="Lucia Alvarez", relationship="daughter"),
)


async def prepare(node: Node) -> dict[str, str]:
    """Make the demo's practice, visit and desk on a started node; returns their links by role.

    With the practice carrier there is a telephone as well, which rings for the patient.
    """
    await node.store.put_practice(PRACTICE)
    links = {**await _visit(node), "desk": await _desk(node)}
    if node.demo_phone is not None:
        node.demo_phone.plug_in(PATIENT_NUMBER)
        links["phone"] = f"{node.settings.origin}/demo/phone"
    await node.phones.speak_name(PRACTICE.id)
    node.demo_links.update(links)
    return links


def control_url(node: Node) -> str:
    """Where scripts break and repair the demo's networks."""
    return f"{node.settings.origin}/demo/control"


async def _visit(node: Node) -> dict[str, str]:
    now = node.clock()
    asked = NewVisit(starts_at=now, ends_at=now + node.edge.demo_visit, host=_HOST, seats=_SEATS)
    visit = visit_of(node, PRACTICE.id, asked, _BY)
    codes = {seat.id: new_code() for seat in visit.seats}
    records = [seat_link(visit, seat, codes[seat.id]) for seat in visit.seats]
    await node.store.create(visit, records, [])
    node.keeper.adopt(visit)
    _note(node, visit)
    return {seat.role.value: node.join_url(codes[seat.id]) for seat in visit.seats}


def _note(node: Node, visit: Visit) -> None:
    node.demo.visit = visit.id
    node.demo.seats = {seat.role.value: seat.id for seat in visit.seats}
    node.demo.number = node.numbering.e164(PATIENT_NUMBER)


async def _desk(node: Node) -> str:
    code = new_code()
    record = LinkRecord(
        hash=hash_code(code), kind=LinkKind.DESK, practice=PRACTICE.id, desk=new_id()
    )
    await node.store.add_links([record], [])
    return node.desk_url(code)
