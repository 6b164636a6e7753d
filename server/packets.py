"""What a browser may send through a socket, decided before anything acts on it.

Engine.IO v4 frames and Socket.IO v5 packets are read by grammars narrower than the library's: a
client of ours sends CONNECT, DISCONNECT, EVENT and ACK, as text, and nothing else. Payloads are
I-JSON (RFC 7493): no duplicate names, no lone surrogates, no number that a browser would round.
Everything else raises ``PacketRefused``, and whoever sent it is disconnected.
"""

from __future__ import annotations

import json
import math
import re
from enum import StrEnum
from typing import Any, NoReturn

from socketio import packet

from rooms.policy import EdgePolicy

RECORD_SEPARATOR = "\x1e"  # Engine.IO v4: between the packets of a polling payload
RESERVED_EVENTS = frozenset({"connect", "disconnect"})
LARGEST_INTEGER = 2**53 - 1  # RFC 7493 section 2.2: what every JSON reader reads alike

_FRAME = re.compile(r"[13]|4[0-3].*", re.DOTALL)
_PACKET = re.compile(r"([0-3])(?:(/[a-z_]*)(?:,|\Z))?([0-9]{1,15})?(.*)", re.DOTALL)


class Offence(StrEnum):
    """Why a socket was refused; what the log and the metrics say."""

    FRAME = "frame"
    BINARY = "binary"
    PACKET = "packet"
    JSON = "json"
    RESERVED_EVENT = "reserved_event"
    NAMESPACE = "namespace"
    TOO_LARGE = "too_large"
    TOO_OFTEN = "too_often"
    TOO_SLOW = "too_slow"
    OVERLAP = "overlap"
    ORIGIN = "origin"
    TOO_MANY = "too_many"
    NOT_CONNECTED = "not_connected"


class PacketRefused(ValueError):
    """What came is not something our own page sends."""

    def __init__(self, offence: Offence) -> None:
        super().__init__(offence.value)
        self.offence = offence


def check_frame(frame: object) -> str:
    """The text frame of an open connection: CLOSE, PONG or MESSAGE with a Socket.IO packet.

    Raises ``PacketRefused``. UPGRADE and its probe belong to ``check_upgrade``.
    """
    if not isinstance(frame, str) or frame.startswith("b"):
        raise PacketRefused(Offence.BINARY)
    if not _FRAME.fullmatch(frame):
        raise PacketRefused(Offence.BINARY if frame[:2] in {"45", "46"} else Offence.FRAME)
    return frame


def check_upgrade(frame: object) -> str:
    """The two frames that move a polling connection to WebSocket. Raises ``PacketRefused``."""
    if frame not in {"2probe", "5"}:
        raise PacketRefused(Offence.FRAME)
    return str(frame)


def check_payload(body: bytes, most: int) -> list[str]:
    """The frames of a polling request's body, at most ``most``. Raises ``PacketRefused``."""
    try:
        frames = body.decode("utf-8").split(RECORD_SEPARATOR)
    except UnicodeDecodeError:
        raise PacketRefused(Offence.FRAME) from None
    if len(frames) > most:
        raise PacketRefused(Offence.TOO_OFTEN)
    return [check_frame(frame) for frame in frames]


def read_json(text: str, deepest: int) -> Any:
    """An I-JSON value nested at most ``deepest`` levels. Raises ``PacketRefused``."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_refuse_constant,
        )
        if "\\u" in text:  # only an escape can hide a lone surrogate in text that was UTF-8
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise PacketRefused(Offence.JSON) from None
    if _deeper_than(value, deepest):
        raise PacketRefused(Offence.JSON)
    return value


def strict_packets(policy: EdgePolicy) -> type[packet.Packet]:
    """The packet class (Socket.IO's ``serializer``) of a server with this policy."""

    class StrictPacket(_StrictPacket):
        deepest = policy.max_json_depth

    return StrictPacket


class _StrictPacket(packet.Packet):  # type: ignore[misc]  # the library has no types
    """Socket.IO packets as our page sends them; encoding is the library's."""

    deepest: int

    def decode(self, encoded_packet: object) -> int:
        """Read one packet. Returns 0: no attachment is ever awaited. Raises ``PacketRefused``."""
        if not isinstance(encoded_packet, str):
            raise PacketRefused(Offence.BINARY)
        found = _PACKET.fullmatch(encoded_packet)
        if found is None:
            binary = encoded_packet[:1] in {"5", "6"}
            raise PacketRefused(Offence.BINARY if binary else Offence.PACKET)
        kind, namespace, number, payload = found.groups()
        self.packet_type = int(kind)
        self.namespace = namespace
        self.id = None if number is None else int(number)
        self.data = read_json(payload, self.deepest) if payload else None
        _CHECKS[self.packet_type](self.id, self.data)
        return 0


def _check_connect(number: int | None, data: Any) -> None:
    if number is not None or not (data is None or isinstance(data, dict)):
        raise PacketRefused(Offence.PACKET)


def _check_disconnect(number: int | None, data: Any) -> None:
    if number is not None or data is not None:
        raise PacketRefused(Offence.PACKET)


def _check_event(_: int | None, data: Any) -> None:
    """A signal is a name and at most one payload."""
    if not isinstance(data, list) or len(data) not in {1, 2} or not isinstance(data[0], str):
        raise PacketRefused(Offence.PACKET)
    if data[0] in RESERVED_EVENTS:
        raise PacketRefused(Offence.RESERVED_EVENT)


def _check_ack(number: int | None, data: Any) -> None:
    if number is None or not isinstance(data, list):
        raise PacketRefused(Offence.PACKET)


_CHECKS = {
    packet.CONNECT: _check_connect,
    packet.DISCONNECT: _check_disconnect,
    packet.EVENT: _check_event,
    packet.ACK: _check_ack,
}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate name")
    return value


def _integer(digits: str) -> int:
    if len(digits) > len(str(-LARGEST_INTEGER)) or abs(value := int(digits)) > LARGEST_INTEGER:
        raise ValueError("integer out of range")
    return value


def _float(digits: str) -> float:
    if not math.isfinite(value := float(digits)):
        raise ValueError("number out of range")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _deeper_than(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if levels == 0:
        return True
    inner = value.values() if isinstance(value, dict) else value
    return any(_deeper_than(item, levels - 1) for item in inner)
