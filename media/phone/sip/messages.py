"""SIP messages as they come in, checked once at the door (RFC 3261 sections 7 and 20).

The parser checks a header only when it is asked for it, so ``read`` asks for every header that is
used later. What came through the door is plain text and numbers, and cannot fail any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import sipmessage

from rooms.policy import PhonePolicy

_FOLD = re.compile(rb"\r\n[ \t]+")
_SPACE_BEFORE_COLON = re.compile(rb"\r\n([^\s:]{1,64})[ \t]+:")
_BARE_IPV6 = re.compile(r"(received\s*=\s*)([0-9A-Fa-f]*:[0-9A-Fa-f:.]+)", re.IGNORECASE)
# The parser knows no host whose last label holds a digit ("sbc01"), which RFC 3261 section 25.1
# allows and every second private network has.
_NUMBERED_HOST = re.compile(
    r"\[[^\]]*\]|received\s*=\s*[^;,\s]+"
    r"|(?<=[@:\s])((?:[A-Za-z0-9-]+\.)*)([A-Za-z][A-Za-z0-9-]*[0-9][A-Za-z0-9-]*)(?=[\s:;>,?]|$)"
)
_NAMED = ("From", "To", "Contact", "Via")
_METHOD = re.compile(r"[A-Z]{1,32}")
_MAX_CSEQ = 2**31  # RFC 3261 section 8.1.1.5
_MAX_DELTA = 2**32  # RFC 3261 section 25.1, delta-seconds
_CODES = range(100, 700)

Uri: TypeAlias = sipmessage.URI
Fields: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What requests and responses have in common.

    ``via``, ``from_`` and ``to`` are kept as they stood, to be echoed; ``contact`` and the record
    route hold URIs and route entries as they stood. ``headers`` has lower-case names.
    """

    via: tuple[str, ...]
    branch: str
    from_: str
    from_tag: str
    to: str
    to_tag: str
    call_id: str
    cseq: int
    cseq_method: str
    contact: str = ""
    record_route: tuple[str, ...] = ()
    content_type: str = ""
    session_expires: tuple[int, str] | None = None  # seconds, refresher (RFC 4028)
    body: bytes = b""
    headers: Mapping[str, tuple[str, ...]]

    def all(self, name: str) -> tuple[str, ...]:
        """The values of a header as they stood, one per line."""
        return self.headers.get(name.lower(), ())

    def tokens(self, name: str) -> frozenset[str]:
        """The items of a header that is a list of tokens, in lower case."""
        items = (item.strip().lower() for value in self.all(name) for item in value.split(","))
        return frozenset(item for item in items if item)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Message):
    """A request that came in."""

    method: str
    sent_by: str  # host and port of the top Via


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Message):
    """A response that came in."""

    code: int
    phrase: str


def read(datagram: bytes, policy: PhonePolicy) -> Request | Response | None:
    """The message in ``datagram``; None if there is none that can be relied on. Never raises."""
    if len(datagram) > policy.sip_message:
        return None
    try:
        return _checked(sipmessage.Message.parse(_plain(datagram, policy)))
    except Exception:  # noqa: BLE001, RUF100  the parser raises whatever its slips raise
        return None


def _plain(datagram: bytes, policy: PhonePolicy) -> bytes:
    """The message without folded lines and without spaces before colons (section 7.3.1)."""
    head, separator, body = datagram.lstrip(b"\r\n").partition(b"\r\n\r\n")
    head = _SPACE_BEFORE_COLON.sub(rb"\r\n\1:", _FOLD.sub(b" ", head))
    lines = head.split(b"\r\n")
    if max(map(len, lines)) > policy.sip_line or len(lines) > policy.sip_lines:
        raise ValueError
    first = _parseable(lines[0].decode()).encode()
    return b"\r\n".join([first, *lines[1:]]) + separator + body


def _parseable(text: str) -> str:
    """The text, as long as before, with hosts that the parser can take; for checks only."""

    def lettered(found: re.Match[str]) -> str:
        if found[2] is None:
            return found[0]  # an IPv6 address
        return found[1] + re.sub("[0-9]", "x", found[2])

    return _NUMBERED_HOST.sub(lettered, text)


def _checked(parsed: sipmessage.Request | sipmessage.Response) -> Request | Response:
    if isinstance(parsed, sipmessage.Request):
        return _request(parsed)
    if parsed.code not in _CODES:
        raise ValueError
    return Response(code=parsed.code, phrase=parsed.phrase, **_common(parsed))


def _request(parsed: sipmessage.Request) -> Request:
    via = next(_vias(parsed))
    if not _METHOD.fullmatch(parsed.method) or parsed.cseq.method != parsed.method:
        raise ValueError
    sent_by = f"{via.host}:{via.port or ''}".lower()
    return Request(method=parsed.method, sent_by=sent_by, **_common(parsed))


def _common(parsed: sipmessage.Request | sipmessage.Response) -> dict[str, Any]:
    keys = parsed.headers.keys()
    names = {name.lower(): tuple(parsed.headers.getlist(name)) for name in keys}
    for name in _NAMED:
        values = [_parseable(value) for value in parsed.headers.getlist(name)]
        parsed.headers.setlist(name, values)
    vias = list(_vias(parsed))
    contacts = parsed.contact if "contact" in names else []
    media_type = parsed.content_type
    return {
        "via": names["via"],
        "branch": vias[0].parameters.get("branch") or "",
        "from_": names["from"][0],
        "from_tag": parsed.from_address.parameters.get("tag") or "",
        "to": names["to"][0],
        "to_tag": parsed.to_address.parameters.get("tag") or "",
        "call_id": _filled(parsed.call_id),
        "cseq": _bounded(parsed.cseq.sequence, _MAX_CSEQ),
        "cseq_method": parsed.cseq.method,
        "contact": _uri_as_written(names["contact"][0]) if contacts else "",
        "record_route": tuple(_entries(names.get("record-route", ()))),
        "content_type": media_type.mime_type.lower() if media_type else "",
        "session_expires": _session_expires(names.get("session-expires", ())),
        "body": _body(parsed),
        "headers": names,
    }


def _vias(parsed: sipmessage.Message) -> Iterator[sipmessage.Via]:
    """Every Via, with IPv6 addresses in ``received`` bracketed as the parser wants them."""
    values = parsed.headers.getlist("Via")
    if not values:
        raise ValueError
    for value in values:
        yield from sipmessage.Via.parse_many(_BARE_IPV6.sub(r"\1[\2]", value))


def _body(parsed: sipmessage.Message) -> bytes:
    """The body, cut to its announced length (section 18.3); one that is cut short is refused."""
    length = parsed.content_length
    if length is None:
        return parsed.body
    if not 0 <= length <= len(parsed.body):
        raise ValueError
    return parsed.body[:length]


def _entries(values: tuple[str, ...]) -> Iterator[str]:
    """The entries of a route header as they stood, each checked."""
    for value in values:
        rest = value
        for address in sipmessage.Address.parse_many(_parseable(value)):
            entry, rest = _first_entry(rest)
            if sipmessage.Address.parse(_parseable(entry)) != address:
                raise ValueError
            yield entry


def _first_entry(text: str) -> tuple[str, str]:
    """The text up to the first comma outside of angle brackets and quotes, and what follows."""
    inside = ""
    for at, character in enumerate(text):
        if inside:
            inside = "" if character == inside else inside
        elif character in '<"':
            inside = ">" if character == "<" else '"'
        elif character == ",":
            return text[:at].strip(), text[at + 1 :]
    return text.strip(), ""


def _uri_as_written(address: str) -> str:
    """The URI of a contact exactly as it stood: some proxies hide state in how it is escaped."""
    entry, _ = _first_entry(address)
    written = re.search(r"<([^>]*)>", entry)
    uri = written[1].strip() if written else entry.partition(";")[0].strip()
    read_uri(uri)
    return uri


def read_uri(text: str) -> Uri:
    """A URI, its host as it stood. Raises ``ValueError``."""
    uri = sipmessage.URI.parse(_parseable(text))
    start = (text.find("@") if "@" in text else text.find(":")) + 1
    return replace(uri, host=text[start : start + len(uri.host)])


def _session_expires(values: tuple[str, ...]) -> tuple[int, str] | None:
    if not values:
        return None
    seconds, _, rest = values[0].partition(";")
    refresher = re.search(r"refresher\s*=\s*(uac|uas)", rest, re.IGNORECASE)
    return _bounded(int(seconds), _MAX_DELTA), refresher[1].lower() if refresher else ""


def _bounded(number: int, bound: int) -> int:
    if not 0 <= number < bound:
        raise ValueError
    return number


def _filled(text: str) -> str:
    if not text:
        raise ValueError
    return text
