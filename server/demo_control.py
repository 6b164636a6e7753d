"""``/demo/control``: breaks and repairs networks in a demo, and says what its telephone does.

It exists in a demo only. Whoever reaches a demo may do everything there, since its front page gives
every link to everybody; other sites' pages are turned away by the origin check.
"""

from __future__ import annotations

from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StrictBool

from media.impairment import Damage, impairment
from media.phone.scripts import Script
from rooms.errors import RoomError
from rooms.model import INSIDE, Role
from rooms.policy import ImpairmentPolicy
from server.demo_state import HANDSET, DemoState
from server.errors import NotFound, PayloadInvalid
from server.messages import Payload, parse
from server.node import Node
from server.strict_json import parse_object

GOOD = "good"
ROLES = (Role.PATIENT, Role.PROVIDER, Role.FAMILY)


class NobodyThere(RoomError):
    """Only the network of somebody who is in the visit can be broken."""

    code = "nobody_there"
    title = "Nobody is there yet. Join the visit and be let in first."


class DemoOrder(Payload):
    """What shall happen in the demo; at least one thing."""

    model_config = ConfigDict(extra="forbid")

    seat: Literal[Role.PATIENT, Role.PROVIDER, Role.FAMILY] | None = None
    network: Damage | Literal["good"] | None = None
    phone: Script | Literal["handset"] | None = None
    voicemail: StrictBool | None = None


class DemoView(BaseModel):
    """How the demo is now: each seat's network, and what a call to the patient's number meets."""

    networks: dict[str, str]
    phone: str
    voicemail: bool


async def read_control(node: Node, _request: web.Request) -> web.Response:
    """How things are. Raises ``NotFound`` outside a demo."""
    return _view(node, _demo(node))


async def change_control(node: Node, request: web.Request) -> web.Response:
    """Do what is asked. Raises ``PayloadInvalid``, ``NobodyThere``, ``NotFound`` outside a demo."""
    demo = _demo(node)
    order = await _order(request)
    if order.seat is not None and order.network is not None:
        await _break(node, demo, order.seat, order.network)
    if order.phone is not None:
        _rehearse(node, demo, order.phone)
    if order.voicemail is not None and node.demo_phone is not None:
        node.demo_phone.switch_voicemail(order.voicemail)
    return _view(node, demo)


async def _order(request: web.Request) -> DemoOrder:
    try:
        order = parse(DemoOrder, parse_object(await request.read()))
    except ValueError:
        raise PayloadInvalid from None
    if (order.seat is None) != (order.network is None) or not order.model_fields_set:
        raise PayloadInvalid(("network", "seat"))
    return order


async def _break(node: Node, demo: DemoState, role: str, network: str) -> None:
    seat_id = demo.seats[role]
    if network == GOOD:
        demo.damages.pop(role, None)
        node.plane.impair(demo.visit, seat_id, None)
        return
    seat = (await node.keeper.current(demo.visit)).seat(seat_id)
    if seat is None or seat.admission not in INSIDE:
        raise NobodyThere
    damage = demo.damages[role] = Damage(network)
    node.plane.impair(demo.visit, seat_id, impairment(damage, ImpairmentPolicy()))


def _rehearse(node: Node, demo: DemoState, phone: str) -> None:
    carrier = node.phones.practice_carrier
    if carrier is not None:
        demo.phone = phone
        carrier.rehearse(demo.number, None if phone == HANDSET else Script(phone))


def _demo(node: Node) -> DemoState:
    if not node.demo.visit:
        raise NotFound
    return node.demo


def _view(node: Node, demo: DemoState) -> web.Response:
    view = DemoView(
        networks={role: demo.damages.get(role, GOOD) for role in ROLES},
        phone=demo.phone,
        voicemail=node.demo_phone is not None and node.demo_phone.voicemail,
    )
    return web.json_response(view.model_dump(mode="json"))
