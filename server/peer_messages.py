"""What nodes say to one another, as text: each order once, as a dataclass.

An order is read as strictly as it is written: what was read must be what would be written again,
so that a field that is missing, new, misspelt or of another type is refused. ``EVENTS`` is all that
one node may ask another to decide: what people and their systems do at a door. What a node notices
itself (clocks, connections, sound, telephones) is about its own visits and never travels.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, TypeVar, get_type_hints

from rooms import events as ev
from rooms import line_events as le
from rooms.codec import build, plain
from rooms.events import Event
from rooms.model import VisitId
from server.claims import Claim
from server.errors import PayloadInvalid
from server.store import LinkRecord
from server.strict_json import parse_object

EVENTS: tuple[type[Event], ...] = (
    # about the visit
    ev.SeatAdded,
    ev.VisitRescheduled,
    ev.VisitWasCancelled,
    ev.VisitWasEnded,
    # by staff, and by the patient about family
    ev.LinkWithdrawn,
    ev.NoticeSent,
    ev.SeatAdmitted,
    ev.SeatLetBack,
    ev.SeatObjected,
    ev.SeatRevoked,
    ev.SeatSentBack,
    ev.SeatWasDenied,
    ev.SeatWasRemoved,
    # by whoever has the link
    ev.CheckStarted,
    ev.Knocked,
    ev.LinkOpened,
    ev.MediaSwitched,
    ev.SeatEntered,
    ev.SeatLeft,
    # by staff, about telephones
    le.CallerLetIn,
    le.CallOrdered,
    le.CallWasStopped,
    le.GreetingBegun,
    le.NumberRecorded,
    le.SeatKeptOnPhone,
    le.VoiceConfirmed,
    le.WrongPersonFound,
    # by whoever has the link, about telephones
    le.CallStopped,
    le.ConnectAsked,
    le.HandBackAsked,
    le.PageHid,
    le.PageLeft,
    le.PageShown,
    le.PhoneAsked,
    le.PhoneKept,
    le.PhonePlanSet,
    le.PhonePlanWithdrawn,
)
_BY_NAME = {kind.__name__: kind for kind in EVENTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One node asks another. ``path`` has ``{visit}`` where the order is about one."""

    path: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide(Order):
    """An order that is carried out once, however often the same ``request`` comes."""

    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit(Decide):
    """``Host.submit_here``; answered with the visit (``rooms.codec``)."""

    path = "/internal/visits/{visit}/submit"
    event: Event
    links: tuple[LinkRecord, ...]
    placed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Current(Order):
    """``Host.current_here``; answered with the visit (``rooms.codec``)."""

    path = "/internal/visits/{visit}/current"
    placed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver(Decide):
    """``Host.take_over``; answered with ``Done``."""

    path = "/internal/visits/{visit}/take-over"
    former: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepOut(Decide):
    """``Host.keep_out``; answered with ``Done``."""

    path = "/internal/visits/{visit}/keep-out"
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOwned(Order):
    """``Host.owned_here``; answered with ``Owned``."""

    path = "/internal/owned"
    visits: tuple[VisitId, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """It is done."""


@dataclass(frozen=True, slots=True)
class Owned:
    """The epochs of visits that a node owns."""

    epochs: tuple[tuple[VisitId, int], ...]


ORDERS: tuple[type[Order], ...] = (Submit, Current, TakeOver, KeepOut, AskOwned)
T = TypeVar("T")


def write(message: object) -> bytes:
    """An order or a reply as JSON. Raises ``ValueError`` for an event that does not travel."""
    return json.dumps(_plain(message), separators=(",", ":"), allow_nan=False).encode()


def read(kind: type[T], raw: bytes) -> T:
    """What ``write`` wrote. Raises ``PayloadInvalid`` for anything else."""
    try:
        document = parse_object(raw)
        message: T = _built(kind, document)
        if _plain(message) != document:
            raise ValueError("not as it would be written")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise PayloadInvalid from None
    return message


def _plain(message: Any) -> dict[str, Any]:
    return {f.name: _plain_field(getattr(message, f.name)) for f in fields(message)}


def _plain_field(value: Any) -> Any:
    if isinstance(value, Event):
        if _BY_NAME.get(value.name) is not type(value):
            raise ValueError("an event that does not travel")
        return {"type": value.name, "fields": plain(value)}
    if isinstance(value, tuple):
        return [_plain_field(item) for item in value]
    return plain(value)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in fields(kind)}


def _built(kind: Any, document: dict[str, Any]) -> Any:
    hints = _hints(kind)
    return kind(**{name: _built_field(hints[name], value) for name, value in document.items()})


def _built_field(hint: Any, value: Any) -> Any:
    if hint is Event:
        return build(_BY_NAME[value["type"]], value["fields"])
    if hint == tuple[Event, ...]:
        return tuple(_built_field(Event, item) for item in value)
    return build(hint, value)
