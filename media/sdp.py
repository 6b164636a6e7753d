"""The server's offers, and the little it reads from answers (RFC 8829, 8839, 8842, 9143).

The server always offers, so it decides every payload type, header extension and direction; an
answer only tells the DTLS role, the fingerprint and which lines the browser takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiortc import sdp as parser

from media.addresses import Candidate
from media.errors import SdpRefused
from media.rtp import (
    AUDIO_LEVEL_ID,
    AUDIO_LEVEL_URI,
    OPUS,
    PAYLOAD_TYPE,
    TRANSPORT_CC_ID,
    TRANSPORT_CC_URI,
    VP8,
    Kind,
)
from media.transport import Fingerprint
from rooms.policy import MediaPolicy

_DIGESTS = frozenset({"sha-256", "sha-384", "sha-512"})
_OUR_ROLE = {"client": "server", "server": "client"}  # the other one than the browser's
_READ = (
    "m=",
    "a=fingerprint:",
    "a=setup:",
    "a=sendonly",
    "a=recvonly",
    "a=sendrecv",
    "a=inactive",
)
_LINE_END = "\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLine:
    """One m-line of an offer; its position is its mid.

    ``stream`` names the seat whose media it carries, and is empty for lines that carry none.
    """

    kind: Kind
    direction: str
    stream: str = ""
    ssrc: int = 0
    kbps: int = 0

    def __str__(self) -> str:
        lines = [f"a={self.direction}", *_CODEC[self.kind]]
        upstream = self.direction == "recvonly"
        if self.kind is Kind.AUDIO:
            lines.append(f"a=extmap:{AUDIO_LEVEL_ID} {AUDIO_LEVEL_URI}")
        if upstream:
            lines.append(f"a=extmap:{TRANSPORT_CC_ID} {TRANSPORT_CC_URI}")
            lines.append(f"a=rtcp-fb:{PAYLOAD_TYPE[self.kind]} transport-cc")
        elif self.kind is Kind.VIDEO:
            lines.append(f"a=rtcp-fb:{VP8} goog-remb")
        if self.stream:
            msid = f"{self.stream} {self.stream}-{self.kind}"
            lines.append(f"a=msid:{msid}")
            lines.append(f"a=ssrc:{self.ssrc} cname:{self.stream}")
            lines.append(f"a=ssrc:{self.ssrc} msid:{msid}")
        return _LINE_END.join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What every offer of one peer connection says about the server's transport."""

    ufrag: str
    password: str
    fingerprint: Fingerprint
    candidates: Sequence[Candidate]

    def __str__(self) -> str:
        lines = [
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.password}",
            f"a=fingerprint:{' '.join(self.fingerprint)}",
            "a=setup:actpass",
            "a=rtcp-mux",
            "a=rtcp-rsize",
        ]
        return _LINE_END.join(lines)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server needs from an answer.

    ``role`` is the server's own part in the DTLS handshake; ``taken`` says for each m-line
    whether the browser uses it in the direction that was offered.
    """

    role: str
    fingerprints: tuple[Fingerprint, ...]
    taken: tuple[bool, ...]


_CODEC: dict[Kind, tuple[str, ...]] = {
    Kind.AUDIO: (
        f"a=rtpmap:{OPUS} opus/48000/2",
        # No DTX: packets that never stop are what tells a silent person from a broken line.
        f"a=fmtp:{OPUS} minptime=10;useinbandfec=1;usedtx=0",
    ),
    Kind.VIDEO: (
        f"a=rtpmap:{VP8} VP8/90000",
        f"a=rtcp-fb:{VP8} nack",
        f"a=rtcp-fb:{VP8} nack pli",
        f"a=rtcp-fb:{VP8} ccm fir",
    ),
}


def write_offer(session: int, version: int, agent: Agent, lines: Sequence[MediaLine]) -> str:
    """An offer of one bundled transport with the given m-lines."""
    mids = " ".join(str(mid) for mid in range(len(lines)))
    head = [
        "v=0",
        f"o=- {session} {version} IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        f"a=group:BUNDLE {mids}",
        "a=msid-semantic:WMS *",
    ]
    for mid, line in enumerate(lines):
        head += [f"m={line.kind} 9 UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE[line.kind]}", "c=IN IP4 0.0.0.0"]
        if line.kbps:  # RFC 8866 section 5.8, RFC 3890; Firefox reads the second
            head += [f"b=AS:{line.kbps}", f"b=TIAS:{line.kbps * 1000}"]
        head += [f"a=mid:{mid}", str(agent), str(line)]
        if mid == 0:
            head += [f"a=candidate:{c.attribute(i)}" for i, c in enumerate(agent.candidates)]
            head.append("a=end-of-candidates")
    return _LINE_END.join(head) + _LINE_END


def read_answer(sdp: str, lines: Sequence[MediaLine], policy: MediaPolicy) -> Answer:
    """Read an answer to an offer of ``lines``. Raises ``SdpRefused``."""
    if len(sdp.encode(errors="replace")) > policy.max_sdp:
        raise SdpRefused("too large")
    media = _parsed(_needed(sdp, policy.max_m_lines)).media
    if [m.kind for m in media] != [line.kind for line in lines]:
        raise SdpRefused("m-lines differ from the offer")
    secured = next((m.dtls for m in media if m.dtls and m.port), None)
    if secured is None or secured.role not in _OUR_ROLE:
        raise SdpRefused("no DTLS role")
    fingerprints = {
        (each.algorithm.lower(), each.value.upper())
        for each in secured.fingerprints
        if each.algorithm.lower() in _DIGESTS
    }
    if not fingerprints:
        raise SdpRefused("no fingerprint")
    taken = tuple(_takes(m, line) for m, line in zip(media, lines, strict=True))
    return Answer(_OUR_ROLE[secured.role], tuple(sorted(fingerprints)), taken)


def _needed(sdp: str, max_m_lines: int) -> str:
    """The few lines that are read: some others cost the parser quadratic time and memory."""
    lines = [line for line in sdp.splitlines() if line.startswith(_READ)]
    if sum(line.startswith("m=") for line in lines) > max_m_lines:
        raise SdpRefused("too many m-lines")
    return _LINE_END.join(lines)


def _parsed(sdp: str) -> parser.SessionDescription:
    """The parser trusts its input: what it raises on anything else is not documented."""
    try:
        return parser.SessionDescription.parse(sdp)
    except Exception as error:
        raise SdpRefused("malformed") from error


def _takes(media: parser.MediaDescription, line: MediaLine) -> bool:
    wanted = {"recvonly": "sendonly", "sendonly": "recvonly"}.get(line.direction)
    direction = media.direction or "sendrecv"  # RFC 8866 section 6.7
    return media.port != 0 and wanted is not None and direction in (wanted, "sendrecv")
