"""What a telephone call's sound needs of SDP (RFC 4566, 3264, 3551, 4733, 4568)."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

PCMU, PCMA = 0, 8  # RFC 3551 section 6
TELEPHONE_EVENT = 101  # our number for digits (RFC 4733)
SUITE = "AES_CM_128_HMAC_SHA1_80"  # RFC 4568 section 6.2.1
KEY_BYTES = 30  # master key and salt, RFC 4568 section 6.2


class Direction(StrEnum):
    """Who may send (RFC 3264 section 5.1), as the describing side sees it."""

    BOTH = "sendrecv"
    SEND = "sendonly"
    RECEIVE = "recvonly"
    NEITHER = "inactive"

    @property
    def mirrored(self) -> Direction:
        """The same as the other side sees it."""
        return _MIRRORED[self]


_MIRRORED = {
    Direction.BOTH: Direction.BOTH,
    Direction.SEND: Direction.RECEIVE,
    Direction.RECEIVE: Direction.SEND,
    Direction.NEITHER: Direction.NEITHER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """The other side's description of its sound.

    ``payload_type`` is ``PCMU`` or ``PCMA``; ``digits`` the payload type of telephone events or
    None; ``key`` the 30 bytes of its SRTP master key and salt, None for plain RTP. ``tag`` is the
    tag of that key, to be repeated in an answer.
    """

    host: str
    port: int
    rtcp_port: int
    payload_type: int
    digits: int | None
    direction: Direction
    key: bytes | None = None
    tag: str = "1"

    @property
    def listens(self) -> bool:
        """Whether the other side wants to hear anything now; on hold, it does not."""
        return self.direction in {Direction.BOTH, Direction.RECEIVE} and not _is_nowhere(self.host)


@dataclass(slots=True)
class Description:
    """Our own description. It names the same session each time, and counts its versions."""

    host: str
    port: int
    key: bytes | None
    session: int
    version: int = 0
    latest: bytes = b""

    def offer(self) -> bytes:
        """Everything we can do."""
        return self._written((PCMU, PCMA), TELEPHONE_EVENT, Direction.BOTH, "1")

    def answer(self, theirs: Sound) -> bytes:
        """What we take of an offer (RFC 3264 section 6.1)."""
        direction = theirs.direction.mirrored
        return self._written((theirs.payload_type,), theirs.digits, direction, theirs.tag)

    def _written(
        self, types: tuple[int, ...], digits: int | None, direction: Direction, tag: str
    ) -> bytes:
        lines = list(self._media(types, digits, direction, tag))
        if not self.latest.endswith(_joined(lines)):
            self.version += 1  # RFC 3264 section 8: the same version says that nothing changed
        self.latest = _joined([*self._session(), *lines])
        return self.latest

    def _session(self) -> Iterable[str]:
        family = f"IN IP{6 if ':' in self.host else 4} {self.host}"
        yield "v=0"
        yield f"o=- {self.session} {self.version} {family}"
        yield "s=-"
        yield f"c={family}"
        yield "t=0 0"

    def _media(
        self, types: tuple[int, ...], digits: int | None, direction: Direction, tag: str
    ) -> Iterable[str]:
        offered = [*types, *([] if digits is None else [digits])]
        profile = "RTP/AVP" if self.key is None else "RTP/SAVP"
        yield f"m=audio {self.port} {profile} {' '.join(map(str, offered))}"
        if self.key is not None:
            yield f"a=crypto:{tag} {SUITE} inline:{base64.b64encode(self.key).decode()}"
        for payload_type in types:
            yield f"a=rtpmap:{payload_type} {_NAMES[payload_type]}/8000"
        if digits is not None:
            yield f"a=rtpmap:{digits} telephone-event/8000"
            yield f"a=fmtp:{digits} 0-15"
        yield "a=ptime:20"
        yield f"a={direction}"


def _joined(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


def read_sound(body: bytes, *, encrypted: bool) -> Sound | None:
    """The audio description in ``body``; None if there is none that we can use. Never raises."""
    try:
        return _sound(body.decode("utf-8", "replace").splitlines(), encrypted)
    except (ValueError, IndexError, binascii.Error):
        return None


_NAMES = {PCMU: "PCMU", PCMA: "PCMA"}
_CRYPTO = re.compile(rf"(\d{{1,9}}) {SUITE} inline:([A-Za-z0-9+/=]+)(\|[^ ]*)?$", re.IGNORECASE)


def _sound(lines: list[str], encrypted: bool) -> Sound | None:
    session, media = _sections(lines)
    if not media:
        return None
    _, port, profile, *types = media[0][2:].split()
    attributes = [line[2:].strip() for line in media if line.startswith("a=")]
    general = [line[2:].strip() for line in session if line.startswith("a=")]
    tag, key = _key(attributes) if encrypted else ("1", None)
    chosen = next((int(t) for t in types if t in {str(PCMU), str(PCMA)}), None)
    if chosen is None or profile not in _PROFILES[encrypted] or (encrypted and key is None):
        return None
    number = _port(port.partition("/")[0])
    return Sound(
        host=_host([*media, *session]),
        port=number,
        rtcp_port=_rtcp_port(attributes, number),
        payload_type=chosen,
        digits=_digits(attributes, types),
        direction=_direction([*attributes, *general]),
        key=key,
        tag=tag,
    )


_PROFILES = {False: {"RTP/AVP", "RTP/AVPF"}, True: {"RTP/SAVP", "RTP/SAVPF"}}


def _sections(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines before the first m-line, and those of the first audio that is not refused."""
    starts = [at for at, line in enumerate(lines) if line.startswith("m=")] + [len(lines)]
    for begin, end in pairwise(starts):
        words = lines[begin][2:].split()
        if words[0] == "audio" and words[1] != "0":
            return lines[: starts[0]], lines[begin:end]
    return lines[: starts[0]], []


def _host(lines: list[str]) -> str:
    """The address of the first c-line: names are not looked up, a trunk knows its addresses."""
    connection = next(line for line in [*lines, "c="] if line.startswith("c="))
    return str(ipaddress.ip_address(connection.split()[2].partition("/")[0]))


def _is_nowhere(host: str) -> bool:
    return ipaddress.ip_address(host).is_unspecified  # hold as RFC 2543 had it


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 2**16:
        raise ValueError
    return port


def _rtcp_port(attributes: list[str], port: int) -> int:
    """Where reports go: as said (RFC 3605), or the next port."""
    said = next((a[5:].split()[0] for a in attributes if a.startswith("rtcp:")), "")
    return _port(said) if said else min(port + 1, 2**16 - 1)


def _digits(attributes: list[str], types: list[str]) -> int | None:
    for attribute in attributes:
        found = re.match(r"rtpmap:(\d{1,3}) telephone-event/8000\b", attribute, re.IGNORECASE)
        if found and found[1] in types and int(found[1]) < 128:
            return int(found[1])
    return None


def _direction(attributes: list[str]) -> Direction:
    known = {str(direction): direction for direction in Direction}
    return next((known[a] for a in attributes if a in known), Direction.BOTH)


def _key(attributes: list[str]) -> tuple[str, bytes | None]:
    for attribute in attributes:
        found = _CRYPTO.match(attribute.removeprefix("crypto:"))
        if found and attribute.startswith("crypto:"):
            key = base64.b64decode(found[2], validate=True)
            return found[1], key if len(key) == KEY_BYTES else None
    return "1", None
