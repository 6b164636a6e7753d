"""One RTCPeerConnection's worth of transport for a light peer: ICE, DTLS, SRTP."""

from __future__ import annotations

import asyncio
import random
import secrets
import struct
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pylibsrtp
from aioice import stun
from aiortc import sdp as parser
from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)

from media import rtcp
from media.ports import Connection
from tests.support.light_wire import Tcp, Udp

KEPT = 4_096  # packets remembered of each stream, sent or received

StreamName = tuple[str, str]  # seat, "audio" or "video"


class Browser(Protocol):
    """What a connection asks of the light peer it belongs to, which documents these."""

    host: str
    server_host: str | None
    tcp: bool
    setup: str
    check_every: float
    decrypt_every: int
    nominate: bool
    silent: bool
    certificate: RTCCertificate

    def wake(self) -> None:
        """Something changed."""

    def feedback(self, connection: LightConnection, block: rtcp.Block) -> None:
        """An RTCP packet has come."""

    async def until(self, condition: Callable[[], object], timeout: float = 10) -> None:
        """Wait for something."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet as received, decrypted."""

    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Remote:
    """What an offer says about the server."""

    ufrag: str
    password: str
    fingerprints: tuple[tuple[str, str], ...]
    host: str
    port: int


class _DtlsDatagrams:
    """The face of an ICE transport that aiortc's DTLS expects."""

    role = "controlling"
    state = "completed"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._send_now = send

    async def _recv(self) -> bytes:
        return await self.queue.get()

    async def _send(self, data: bytes) -> None:
        self._send_now(data)


class LightConnection:
    """One RTCPeerConnection's worth of transport."""

    def __init__(self, peer: Browser, connection: Connection) -> None:
        self.peer = peer
        self.kind = connection
        self.ufrag = secrets.token_hex(4)
        self.remote: Remote | None = None
        self.connected = False
        self.checks_answered = 0
        self.datagrams = 0  # of any kind, from the server
        self.streams: dict[int, StreamName] = {}  # SSRC → whose, from the newest offer
        self.received: dict[int, deque[Packet]] = defaultdict(lambda: deque(maxlen=KEPT))
        self.counts: dict[int, int] = defaultdict(int)
        self.rtcp: deque[rtcp.Block] = deque(maxlen=KEPT)
        self.refused = 0
        self.drop_incoming: Callable[[bytes], bool] = lambda _packet: False
        self.on_packet: Callable[[Packet], object] = lambda _packet: None
        self._socket: Udp | Tcp | None = None
        self._dtls_in = _DtlsDatagrams(self.send_raw)
        self._dtls = RTCDtlsTransport(self._dtls_in, [peer.certificate])  # type: ignore[arg-type]
        self._rx: pylibsrtp.Session | None = None
        self._tx: pylibsrtp.Session | None = None
        self._pending: set[bytes] = set()
        self._handshake: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tie_breaker = random.getrandbits(64)

    async def take(self, offer: str) -> str:
        """Take an offer; the answer. ICE and DTLS begin by themselves."""
        description = parser.SessionDescription.parse(offer)
        self.streams = {
            ssrc.ssrc: ((media.msid or "").split(" ")[0], media.kind)
            for media in description.media
            for ssrc in media.ssrc
        }
        self.remote = self._remote(description)
        if self._socket is None:
            await self.open_socket()
        if self._handshake is None:
            self._handshake = asyncio.ensure_future(self._connect())
        self.check()
        return self._answer(description)

    def _remote(self, description: parser.SessionDescription) -> Remote:
        first = description.media[0]
        assert first.ice
        assert first.dtls
        family = ":" in self.peer.host
        protocol = "tcp" if self.peer.tcp else "udp"
        candidate = next(
            c for c in first.ice_candidates if c.protocol == protocol and (":" in c.ip) is family
        )
        assert first.ice.usernameFragment
        assert first.ice.password
        fingerprints = tuple((f.algorithm, f.value) for f in first.dtls.fingerprints)
        return Remote(
            first.ice.usernameFragment,
            first.ice.password,
            fingerprints,
            self.peer.server_host or candidate.ip,
            candidate.port,
        )

    def _answer(self, description: parser.SessionDescription) -> str:
        fingerprint = self.peer.certificate.getFingerprints()[0]
        lines = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
        mids = " ".join(media.rtp.muxId for media in description.media)
        lines.append(f"a=group:BUNDLE {mids}")
        mirrored = {"sendonly": "recvonly", "recvonly": "sendonly"}
        for media in description.media:
            payload_type = media.fmt[0]
            lines += [
                f"m={media.kind} 9 UDP/TLS/RTP/SAVPF {payload_type}",
                "c=IN IP4 0.0.0.0",
                f"a=mid:{media.rtp.muxId}",
                f"a={mirrored.get(media.direction or '', 'inactive')}",
                "a=rtcp-mux",
                f"a=ice-ufrag:{self.ufrag}",
                f"a=ice-pwd:{secrets.token_hex(12)}",
                f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}",
                f"a=setup:{self.peer.setup}",
            ]
        return "\r\n".join(lines) + "\r\n"

    async def open_socket(self) -> None:
        """Send from a new local port from now on; the former one is gone."""
        assert self.remote is not None
        former = self._socket
        remote, local = (self.remote.host, self.remote.port), (self.peer.host, 0)
        if self.peer.tcp:
            loop = asyncio.get_running_loop()
            _, self._socket = await loop.create_connection(
                lambda: Tcp(self._receive), *remote, local_addr=local
            )
        else:
            self._socket = Udp(self._receive, local, remote)
        if former is not None:
            former.close()

    def check(self) -> None:
        """Send a connectivity check, and the next one after a while."""
        if self._timer is not None:
            self._timer.cancel()
        interval = self.peer.check_every if self.connected else 0.1
        self._timer = asyncio.get_running_loop().call_later(interval, self.check)
        if not self.peer.silent:
            self.send_raw(self.request(nominate=self.peer.nominate or not self.connected))

    def request(self, *, nominate: bool = True, remote: Remote | None = None) -> bytes:
        """A connectivity check as bytes."""
        remote = remote or self.remote
        assert remote is not None
        attributes: dict[str, Any] = {
            "USERNAME": f"{remote.ufrag}:{self.ufrag}",
            "PRIORITY": 1_845_501_695,
            "ICE-CONTROLLING": self._tie_breaker,
        }
        if nominate:
            attributes["USE-CANDIDATE"] = None
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
        message.add_message_integrity(remote.password.encode())
        self._pending.add(message.transaction_id)
        return bytes(message)

    async def _connect(self) -> None:
        assert self.remote is not None
        role = "client" if self.peer.setup == "active" else "server"
        self._dtls._set_role(role)
        await self.peer.until(lambda: self.checks_answered > 0, timeout=30)
        fingerprints = [RTCDtlsFingerprint(*each) for each in self.remote.fingerprints]
        await self._dtls.start(RTCDtlsParameters(fingerprints))
        if self._dtls.state == "connected":
            self._rx, self._tx = self._dtls._rx_srtp, self._dtls._tx_srtp
            self.connected = True
            self.check()
            self.peer.wake()

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        if self._socket is not None:
            self._socket.send(data)

    def send_rtp(self, packet: bytes) -> None:
        """Encrypt and send."""
        if self._tx is not None:
            self.send_raw(self._tx.protect(packet))

    def send_rtcp(self, data: bytes) -> None:
        """Encrypt and send."""
        if self._tx is not None:
            self.send_raw(self._tx.protect_rtcp(data))

    def _receive(self, data: bytes) -> None:
        self.datagrams += 1
        first = data[0]
        if first < 4:
            self._stun(data)
        elif first < 64:
            self._dtls_in.queue.put_nowait(data)
        elif 192 <= data[1] <= 223:
            self._rtcp(data)
        elif not self.drop_incoming(data):
            self._rtp(data)
        self.peer.wake()

    def _stun(self, data: bytes) -> None:
        message = stun.parse_message(data)
        if message.transaction_id in self._pending:
            self._pending.discard(message.transaction_id)
            self.checks_answered += 1

    def _rtp(self, data: bytes) -> None:
        _, sequence, timestamp, ssrc = struct.unpack_from("!HHLL", data)
        self.counts[ssrc] += 1
        every = self.peer.decrypt_every
        if self._rx is None or not every or self.counts[ssrc] % every:
            return
        try:
            plain = self._rx.unprotect(data)
        except pylibsrtp.Error:
            self.refused += 1
            return
        offset = 12
        if plain[0] & 0x10:
            offset += 4 + 4 * int.from_bytes(plain[14:16], "big")
        packet = Packet(sequence, timestamp, ssrc, plain[offset:])
        self.received[ssrc].append(packet)
        self.on_packet(packet)

    def _rtcp(self, data: bytes) -> None:
        if self._rx is None:
            return
        for block in rtcp.blocks(self._rx.unprotect_rtcp(data)):
            self.rtcp.append(block)
            self.peer.feedback(self, block)

    async def close(self) -> None:
        """Close without a word to the server (``LightPeer.close`` says goodbye first)."""
        if self._timer is not None:
            self._timer.cancel()
        if self._handshake is not None:
            self._handshake.cancel()
            await asyncio.gather(self._handshake, return_exceptions=True)
        pump = self._dtls._task
        if pump is not None:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()
            self._socket = None
