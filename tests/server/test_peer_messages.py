"""What nodes say to one another: every event that travels, there and back, and nothing else."""

import ast
import dataclasses
import json
import types
import typing
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.events import SEAT_EVENTS, VISIT_EVENTS, Event, SeatAdded, SeatWasDenied, SessionOpened
from rooms.line_events import LINE_EVENTS, CallRang
from rooms.model import SYSTEM
from server.claims import Claim
from server.errors import PayloadInvalid
from server.peer_messages import (
    EVENTS,
    ORDERS,
    AskOwned,
    Current,
    Done,
    KeepOut,
    Owned,
    Submit,
    TakeOver,
    read,
    write,
)
from tests.support.records import a_link
from tests.support.source_tree import modules

CONCRETE = (*VISIT_EVENTS, *SEAT_EVENTS, *LINE_EVENTS, SeatAdded)
NAMES = {event.__name__ for event in CONCRETE}
DOORS = {
    "server/commands.py",
    "server/entrance.py",
    "server/invitations.py",
    "server/openings.py",
    "server/phone_signals.py",
    "server/phones.py",
    "server/rest.py",
    "server/seat_signals.py",
}
# These speak about the visits of their own node: what it notices, meets, shows or counts.
WITHIN = {
    "server/calls.py",
    "server/keeper.py",
    "server/peer_messages.py",
    "server/presence.py",
}


def values(kind):
    """Anything of this type, as the fields of dataclasses declare them."""
    if kind in (str, int, bool):
        return st.from_type(kind) if kind is not str else st.text(max_size=8)
    if kind is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{f.name: values(hints[f.name]) for f in dataclasses.fields(kind)})
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return st.none() | values(next(arg for arg in args if arg is not type(None)))
    if origin is frozenset:
        return st.frozensets(values(args[0]), max_size=2)
    if len(args) == 2 and args[1] is Ellipsis:
        return st.lists(values(args[0]), max_size=2).map(tuple)
    return st.tuples(*(values(arg) for arg in args))


EVENT = st.sampled_from(EVENTS).flatmap(values)
ORDER = Submit(
    request="r", event=SeatWasDenied(seat="s"), links=(a_link(revoked_at=7.5),), placed=True
)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_event_that_travels_survives_the_round_trip(kind, data):
    event = data.draw(values(kind))
    order = Submit(request="r", event=event, links=(a_link(),), placed=False)
    again = read(Submit, write(order))
    assert again == order
    assert type(again.event) is kind
    assert write(again) == write(order)


@given(st.lists(EVENT, max_size=4).map(tuple), values(Claim))
def test_every_order_and_reply_survives_the_round_trip(events, claim):
    for message in (
        ORDER,
        Current(placed=True),
        TakeOver(request="r", former=claim),
        KeepOut(request="r", events=events),
        AskOwned(visits=("a", "b")),
        Owned((("a", 1), ("b", 2))),
        Done(),
    ):
        assert read(type(message), write(message)) == message


def test_each_order_has_a_path_of_its_own():
    assert len({order.path for order in ORDERS}) == len(ORDERS)


@pytest.mark.parametrize(
    "event", [SessionOpened(seat="s", device="d"), CallRang(seat="s", call="c")]
)
def test_what_a_node_notices_itself_does_not_travel(event):
    with pytest.raises(ValueError, match="does not travel"):
        write(KeepOut(request="r", events=(event,)))
    document = json.loads(write(ORDER))
    document["event"] = {"type": event.name, "fields": {"seat": "s"}}
    with pytest.raises(PayloadInvalid):
        read(Submit, json.dumps(document).encode())


def test_an_event_is_told_by_its_own_name_only():
    class SeatWasDenied(Event):
        pass

    with pytest.raises(ValueError, match="does not travel"):
        write(KeepOut(request="r", events=(SeatWasDenied(),)))


def changed(**changes):
    document = json.loads(write(ORDER))
    for path, value in changes.items():
        *above, last = path.split("__")
        place = document
        for name in above:
            place = place[int(name) if isinstance(place, list) else name]
        if value is KeyError:
            del place[last]
        else:
            place[last] = value
    return json.dumps(document).encode()


def test_nothing_changed_is_taken():
    assert read(Submit, changed()) == ORDER


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"placed": true, "placed": true}',
        b"[" * 100_000,
        changed(request=KeyError),
        changed(request=7),
        changed(placed=1),
        changed(placed="true"),
        changed(extra=None),
        changed(event=None),
        changed(event__type="Anything"),
        changed(event__type=["SeatWasDenied"]),
        changed(event__type=KeyError),
        changed(event__fields=[]),
        changed(event__extra=1),
        changed(event__fields__seat=None),
        changed(event__fields__seat={"id": "s"}),
        changed(event__fields__device=KeyError),
        changed(event__fields__by__kind="everybody"),
        changed(event__fields__by=None),
        changed(event__fields__credential="c"),
        changed(links=None),
        changed(links=[None]),
        changed(links__0__kind="door"),
        changed(links__0__revoked_at="7.5"),
        changed(links__0__revoked_at=True),
        changed(links__0__seat=KeyError),
    ],
)
def test_anything_else_is_refused_with_one_error(raw):
    with pytest.raises(PayloadInvalid) as refused:
        read(Submit, raw)
    assert refused.value.code == "payload_invalid"
    assert refused.value.__cause__ is None


def test_one_order_is_not_another():
    with pytest.raises(PayloadInvalid):
        read(Current, write(ORDER))
    with pytest.raises(PayloadInvalid):
        read(Done, write(ORDER))


def test_no_number_that_json_does_not_know():
    with pytest.raises(ValueError, match="JSON"):
        write(Submit(request="r", event=_never(), links=(), placed=False))


def _never():
    reschedule = next(kind for kind in EVENTS if kind.__name__ == "VisitRescheduled")
    return reschedule(starts_at=float("inf"), ends_at=float("inf"), by=SYSTEM)


def speaks_of_events(module):
    names = {node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)}
    names |= {
        alias.name
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return names & NAMES


def test_whatever_a_door_submits_may_travel():
    travels = {kind.__name__ for kind in EVENTS}
    for module in modules():
        if str(module) in DOORS:
            assert speaks_of_events(module) <= travels, (
                f"{module} submits what cannot be asked of the node that owns the visit: "
                f"{speaks_of_events(module) - travels}. Add it to EVENTS in peer_messages.py."
            )


def test_every_door_is_known():
    found = {str(m) for m in modules() if m.package == "server" and speaks_of_events(m)}
    strangers = found - DOORS - WITHIN
    assert found >= DOORS | WITHIN, "a file that no longer speaks of events needs no row"
    assert not strangers, (
        f"{strangers} speak of events. Do they submit what people ask for, at any node (DOORS), "
        "or only what concerns visits of their own node (WITHIN)?"
    )
