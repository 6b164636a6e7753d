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
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from aiortc.rtcdtlstransport import RTCCertificate

from media import rtcp
from media.ports import Connection, LegState, Offer
from tests.support.light_connection import KEPT, LightConnection, Packet

__all__ = ["LightPeer", "Outgoing", "Packet", "comes_true"]

OPUS, VP8 = 111, 96
TRANSPORT_CC_ID = 5
CERTIFICATE = RTCCertificate.generateCertificate()

Answer = Callable[[str, int, str], None]


async def comes_true(condition: Callable[[], object], timeout: float = 10) -> None:
    """Let the event loop turn until ``condition`` is true of something that cannot be awaited."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


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
