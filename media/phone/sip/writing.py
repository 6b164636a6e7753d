"""SIP messages as they go out (RFC 3261 sections 8.1.1, 8.2.6, 9.1, 17.1.1.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import sipmessage

from media.phone.sip.messages import Fields, Request, Response

USER_AGENT = "Bedside"
METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "UPDATE", "INFO", "NOTIFY")
ALLOW = ("Allow", ", ".join(METHODS))
SUPPORTED = ("Supported", "timer")
SDP = "application/sdp"
MAX_FORWARDS = "70"  # RFC 3261 section 8.1.1.6
MAGIC = "z9hG4bK"  # RFC 3261 section 8.1.1.7
PROOFS = frozenset({"authorization", "proxy-authorization"})

PHRASES = {
    100: "Trying",
    200: "OK",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    420: "Bad Extension",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    603: "Decline",
}

_RPORT = re.compile(r";\s*rport\s*(?=;|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Written(sipmessage.URI):
    """A URI that is sent exactly as it came, whatever the serialiser would make of it."""

    text: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request of ours. ``target``, ``from_``, ``to`` and ``route`` are text as sent.

    ``sent_by`` is what the Via says of us: transport and address, such as ``UDP 192.0.2.1:5060``.
    ``hop`` is the URI of the server that gets it, if the target and the route do not say.
    """

    method: str
    target: str
    sent_by: str
    branch: str
    from_: str
    to: str
    call_id: str
    cseq: int
    route: tuple[str, ...] = ()
    headers: Fields = ()
    body: bytes = b""
    content_type: str = ""
    hop: str = ""

    @property
    def next_hop(self) -> str:
        """The URI of whoever gets this first (section 8.1.2)."""
        if self.hop or not self.route:
            return self.hop or self.target
        return self.route[0].partition("<")[2].partition(">")[0] or self.route[0]

    @property
    def proofs(self) -> Fields:
        """The headers that say who we are, which an ACK must repeat (section 22.1)."""
        return tuple(field for field in self.headers if field[0].lower() in PROOFS)

    def encode(self) -> bytes:
        """The request as bytes."""
        written = _Written(scheme="sip", host="", text=self.target)
        request = sipmessage.Request(self.method, written, self.body)
        add = request.headers.add
        add("Via", f"SIP/2.0/{self.sent_by};branch={self.branch};rport")
        add("Max-Forwards", MAX_FORWARDS)
        for entry in self.route:
            add("Route", entry)
        add("From", self.from_)
        add("To", self.to)
        add("Call-ID", self.call_id)
        add("CSeq", f"{self.cseq} {self.method}")
        for name, value in self.headers:
            add(name, value)
        add("User-Agent", USER_AGENT)
        if self.body:
            add("Content-Type", self.content_type)
        add("Content-Length", str(len(self.body)))
        return bytes(request)


def cancel_of(invite: Outgoing) -> Outgoing:
    """The CANCEL of an INVITE that is still pending (section 9.1)."""
    return replace(invite, method="CANCEL", headers=(), body=b"", content_type="")


def ack_of_refusal(invite: Outgoing, response: Response) -> Outgoing:
    """The ACK of a final response other than 2xx (section 17.1.1.3)."""
    return replace(cancel_of(invite), method="ACK", to=response.to)


def reply(
    request: Request,
    code: int,
    source: tuple[str, int],
    *,
    to_tag: str = "",
    headers: Fields = (),
    body: bytes = b"",
) -> bytes:
    """The response to ``request``, with what RFC 3581 wants to be said of its ``source``."""
    response = sipmessage.Response(code, PHRASES[code], body)
    add = response.headers.add
    for value in (_received(request.via[0], source), *request.via[1:]):
        add("Via", value)
    for value in request.all("Record-Route"):
        add("Record-Route", value)
    add("From", request.from_)
    add("To", request.to if request.to_tag or not to_tag else f"{request.to};tag={to_tag}")
    add("Call-ID", request.call_id)
    add("CSeq", f"{request.cseq} {request.cseq_method}")
    for name, value in headers:
        add(name, value)
    add("Server", USER_AGENT)
    if body:
        add("Content-Type", SDP)
    add("Content-Length", str(len(body)))
    return bytes(response)


def _received(via: str, source: tuple[str, int]) -> str:
    top, comma, others = via.partition(",")
    top = _RPORT.sub(f";rport={source[1]}", top)
    return f"{top};received={source[0]}{comma}{others}"


def answer_address(request: Request, source: tuple[str, int]) -> tuple[str, int]:
    """Where the response goes: back to the source (RFC 3581), else to the port of the Via."""
    if _RPORT.search(request.via[0].partition(",")[0]):
        return source
    port = request.sent_by.rpartition(":")[2]
    return source[0], int(port) if port.isdigit() and 0 < int(port) < 2**16 else 5060
