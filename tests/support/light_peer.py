"""A browser without the browser: both peer connections of one leg, on real sockets.

It takes the server's offers, does ICE (as Chromium does: checks that nominate, now and then),
DTLS in either role, SRTP, over UDP or ICE-TCP, IPv4 or IPv6. It sends what it is told to send
and keeps what it receives. One costs about as much as the server's own end, so eight of them make
a visit and a hundred make a load test.

    peer = LightPeer(partial(sfu.answer, visit, seat, leg))
    sfu.attach(visit, seat, leg, peer)            # a LightPeer is a LegListener
    await peer.until(lambda: peer.connected)
    peer.send_audio()
    await other.until(lambda: other.sound("seat-1"))

``until`` waits on events: every packet, offer and state change wakes it.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
import struct
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

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
from media.ports import Connection, LegState, Offer

OPUS, VP8 = 111, 96
TRANSPORT_CC_ID = 5
BUFFER = 1 << 20  # bytes in each socket
PACKETS_PER_WAKE = 64
KEPT = 4_096  # packets a peer remembers of each stream, sent or received
CERTIFICATE = RTCCertificate.generateCertificate()

Answer = Callable[[str, int, str], None]
Address = tuple[str, int]
StreamName = tuple[str, str]  # seat, "audio" or "video"


async def comes_true(condition: Callable[[], object], timeout: float = 10) -> None:
    """Let the event loop turn until ``condition`` is true of something that cannot be awaited."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet as received, decrypted."""

    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


@dataclass(slots=True)
class Outgoing:
    """One stream this peer sends, and what a NACK may ask for."""

    payload_type: int
    ticks: int  # timestamp units from one packet (sound) or picture to the next
    ssrc: int = field(default_factory=lambda: random.getrandbits(32))
    sequence: int = field(default_factory=lambda: random.getrandbits(16))
    timestamp: int = field(default_factory=lambda: random.getrandbits(32))
    packets: int = 0
    kept: dict[int, bytes] = field(default_factory=dict)

    def next(self, payload: bytes, *, marker: bool = False, transport_sequence: int = 0) -> bytes:
        """The next packet, with a transport-wide sequence number."""
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.packets += 1
        head = struct.pack(
            "!BBHLL",
            0x90,
            marker << 7 | self.payload_type,
            self.sequence,
            self.timestamp,
            self.ssrc,
        )
        extension = struct.pack(
            "!HHBHx", 0xBEDE, 1, TRANSPORT_CC_ID << 4 | 1, transport_sequence & 0xFFFF
        )
        packet = head + extension + payload
        self.kept[self.sequence] = packet
        if len(self.kept) > KEPT:
            del self.kept[next(iter(self.kept))]
        return packet

    def report(self, ntp: int) -> bytes:
        """A sender report that pairs this NTP time with the newest timestamp."""
        report = rtcp.SenderReport(self.ssrc, ntp, self.timestamp)
        return rtcp.write_sender_report(report, self.packets, 0, "light")


class _Udp:
    """A plain socket: cheaper than asyncio's transports, which wake the loop for each packet."""

    def __init__(self, receive: Callable[[bytes], None], local: Address, remote: Address) -> None:
        self._receive = receive
        family = socket.AF_INET6 if ":" in remote[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.socket.bind(local)
        self.socket.connect(remote)
        asyncio.get_running_loop().add_reader(self.socket, self._readable)

    def _readable(self) -> None:
        for _ in range(PACKETS_PER_WAKE):
            try:
                data = self.socket.recv(2048)
            except OSError:  # nothing more, or the server's port is closed
                return
            self._receive(data)

    def send(self, data: bytes) -> None:
        with suppress(OSError):
            self.socket.send(data)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()


class _Tcp(asyncio.Protocol):
    """Frames of RFC 4571."""

    def __init__(self, receive: Callable[[bytes], None]) -> None:
        self._receive = receive
        self._pending = b""
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while len(self._pending) >= 2:
            size = int.from_bytes(self._pending[:2], "big")
            if len(self._pending) < 2 + size:
                return
            frame, self._pending = self._pending[2 : 2 + size], self._pending[2 + size :]
            self._receive(frame)

    def send(self, data: bytes) -> None:
        self.transport.write(len(data).to_bytes(2, "big") + data)

    def close(self) -> None:
        self.transport.close()


@dataclass(frozen=True, slots=True)
class _Remote:
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

    def __init__(self, peer: LightPeer, connection: Connection) -> None:
        self.peer = peer
        self.kind = connection
        self.ufrag = secrets.token_hex(4)
        self.remote: _Remote | None = None
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
        self._socket: _Udp | _Tcp | None = None
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

    def _remote(self, description: parser.SessionDescription) -> _Remote:
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
        return _Remote(
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
                lambda: _Tcp(self._receive), *remote, local_addr=local
            )
        else:
            self._socket = _Udp(self._receive, local, remote)
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

    def request(self, *, nominate: bool = True, remote: _Remote | None = None) -> bytes:
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


class LightPeer:
    """One browser's leg. Give it to ``Sfu.attach``, or feed it offers that came by a socket."""

    def __init__(
        self,
        answer: Answer,
        *,
        host: str = "127.0.0.1",
        server_host: str | None = None,
        tcp: bool = False,
        setup: str = "active",
        check_every: float = 2.5,
        decrypt_every: int = 1,
        answers_nacks: bool = True,
    ) -> None:
        self.host = host
        self.server_host = server_host
        self.tcp = tcp
        self.setup = setup
        self.check_every = check_every
        self.decrypt_every = decrypt_every  # 0 only counts packets, which is cheaper
        self.answers_nacks = answers_nacks
        self.certificate = CERTIFICATE
        self.nominate = True  # whether checks of a connected peer nominate, as Chromium's do
        self.silent = False  # sends no checks: the browser is gone, but did not say so
        self.paused_answers = False  # takes offers without answering them
        self.offers: list[Offer] = []
        self.states: list[LegState] = []
        self.connections: dict[str, LightConnection] = {}
        self.audio = Outgoing(OPUS, ticks=960)
        self.video = Outgoing(VP8, ticks=3_000)
        self.drop_outgoing: Callable[[int], bool] = lambda _sequence: False
        self._answer_to = answer
        self._transport_sequence = 0
        self._changed = asyncio.Event()
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    # What the server calls.

    def offered(self, offer: Offer) -> None:
        """Take an offer and answer it, in the order in which they come."""
        self.offers.append(offer)
        task = asyncio.ensure_future(self._take(offer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.wake()

    def media_changed(self, state: LegState) -> None:
        """Note what the server says about this leg."""
        self.states.append(state)
        self.wake()

    async def _take(self, offer: Offer) -> None:
        async with self._turn:
            connection = self.connections.get(offer.peer)
            if connection is None:
                connection = LightConnection(self, Connection(offer.connection))
                await self._replace(connection, offer.peer)
            sdp = await connection.take(offer.sdp)
            if not self.paused_answers:
                self._answer_to(offer.peer, offer.number, sdp)

    async def _replace(self, connection: LightConnection, peer_id: str) -> None:
        """A new peer id takes the place of a former one of the same direction."""
        for former_id, former in list(self.connections.items()):
            if former.kind is connection.kind:
                del self.connections[former_id]
                await former.close()
        self.connections[peer_id] = connection

    # Waiting.

    def wake(self) -> None:
        """Let ``until`` look again."""
        self._changed.set()

    async def until(self, condition: Callable[[], object], timeout: float = 10) -> None:
        """Return as soon as ``condition`` is true; ``TimeoutError`` if that takes too long."""
        async with asyncio.timeout(timeout):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    @property
    def connected(self) -> bool:
        """Both connections are up."""
        return len(self.connections) == 2 and all(c.connected for c in self.connections.values())

    def _of(self, kind: Connection) -> LightConnection:
        return next(c for c in self.connections.values() if c.kind is kind)

    @property
    def send(self) -> LightConnection:
        """The connection this peer sends on."""
        return self._of(Connection.SEND)

    @property
    def receive(self) -> LightConnection:
        """The connection this peer receives on."""
        return self._of(Connection.RECEIVE)

    # Receiving.

    def sound(self, seat: str) -> list[Packet]:
        """What was heard of a seat, oldest first, by the newest offer's streams."""
        return self._received(seat, "audio")

    def picture(self, seat: str) -> list[Packet]:
        """What was seen of a seat, oldest first, by the newest offer's streams."""
        return self._received(seat, "video")

    def _received(self, seat: str, kind: str) -> list[Packet]:
        receive = self.receive
        ssrcs = [ssrc for ssrc, name in receive.streams.items() if name == (seat, kind)]
        return [packet for ssrc in ssrcs for packet in receive.received.get(ssrc, ())]

    def ssrc(self, seat: str, kind: str) -> int:
        """The SSRC under which the server sends a seat's sound or picture."""
        return next(s for s, name in self.receive.streams.items() if name == (seat, kind))

    def feedback(self, connection: LightConnection, block: rtcp.Block) -> None:
        """Answer a NACK on what this peer sends."""
        nack = (block.kind, block.subtype) == (rtcp.TRANSPORT_FEEDBACK, rtcp.NACK)
        if not nack or not self.answers_nacks or connection.kind is not Connection.SEND:
            return
        ssrc, numbers = rtcp.nacked(block)
        for stream in (self.audio, self.video):
            if stream.ssrc == ssrc:
                for number in numbers:
                    if number in stream.kept:
                        connection.send_rtp(stream.kept[number])

    # Sending.

    def send_audio(self, payload: bytes = b"\x78opus") -> int:
        """Send one packet of sound; its sequence number."""
        self.audio.timestamp = (self.audio.timestamp + self.audio.ticks) & 0xFFFFFFFF
        return self._send(self.audio, payload)

    def send_video(self, payload: bytes = b"", *, key: bool = False, packets: int = 1) -> int:
        """Send one picture in so many packets; the sequence number of the last."""
        self.video.timestamp = (self.video.timestamp + self.video.ticks) & 0xFFFFFFFF
        for position in range(packets):
            start, last = position == 0, position == packets - 1
            descriptor = bytes([0x10 if start else 0x00, 0x00 if key else 0x01])
            self._send(self.video, descriptor + payload, marker=last)
        return self.video.sequence

    def _send(self, stream: Outgoing, payload: bytes, *, marker: bool = False) -> int:
        self._transport_sequence += 1
        packet = stream.next(payload, marker=marker, transport_sequence=self._transport_sequence)
        if not self.drop_outgoing(stream.sequence):
            self.send.send_rtp(packet)
        return stream.sequence

    # Living and leaving.

    async def move(self) -> None:
        """Change the local port of both connections, as a new network does, and check at once."""
        for connection in self.connections.values():
            await connection.open_socket()
            connection.check()

    async def close(self) -> None:
        """Leave without a word, as a browser that lost its network does. Idempotent."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in self.connections.values():
            await connection.close()
