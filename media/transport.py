"""DTLS-SRTP of one peer connection (RFC 5764), and the one place where packets are sent.

This is the only file that touches private names of aiortc and pylibsrtp: aiortc's DTLS transport
is used without its ICE and its RTP objects, and libsrtp is called in place on two shared buffers,
because a call through the public ``Session`` copies twice and costs double.
``tests/media/test_transport.py`` fails by name when an upgrade moves one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
)
from OpenSSL import SSL
from pylibsrtp._binding import ffi, lib

from media.counters import MediaCounters
from media.errors import HandshakeFailed
from media.rtp import HEADER_LENGTH, MAX_PACKET, read_ssrc, write_numbers
from media.tasks import Tasks
from rooms.policy import MediaPolicy

_TRAILER = 4 + 16 + 128  # SRTP_MAX_SRTCP_TRAILER_LEN: index, tag and key identifier

_received = ffi.new("unsigned char[]", MAX_PACKET)
_sending = ffi.new("unsigned char[]", MAX_PACKET + _TRAILER)
_length = ffi.new("int *")
_out = memoryview(ffi.buffer(_sending))
_protect, _protect_rtcp = lib.srtp_protect, lib.srtp_protect_rtcp
_unprotect, _unprotect_rtcp = lib.srtp_unprotect, lib.srtp_unprotect_rtcp

RECEIVE_BUFFER = memoryview(ffi.buffer(_received))
"""Where sockets put what they receive; ``DtlsSrtp.received`` decrypts it there."""

_RTCP_FIRST, _RTCP_LAST = 192, 223  # RFC 5761 section 4

Fingerprint: TypeAlias = tuple[str, str]
Address: TypeAlias = Any  # what a socket calls its peer, or a connection itself


class Route(Protocol):
    """Where the packets of one peer go at this moment (an ICE agent)."""

    address: Address | None
    sendto: Callable[[bytes | memoryview, Address], object]


class Certificate(RTCCertificate):
    """The server's self-signed certificate, with one TLS context for all its connections."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            # Browsers never resume, and a shared context would keep 20,000 of their sessions.
            self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        return self._context

    def fingerprint(self) -> Fingerprint:
        """Algorithm and value as SDP writes them (RFC 8122)."""
        first = self.getFingerprints()[0]
        return first.algorithm, first.value


class _Datagrams:
    """The face of an ICE transport that aiortc's DTLS expects; bounded, because anyone may send."""

    role = "controlled"
    state = "completed"

    def __init__(self, route: Route, backlog: int) -> None:
        self._closed = False
        self._route = route
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(backlog)

    def put(self, data: bytes) -> None:
        if not self._queue.full():
            self._queue.put_nowait(data)

    def close(self) -> None:
        self._closed = True

    async def _recv(self) -> bytes:
        if self._closed:
            raise ConnectionError
        return await self._queue.get()

    async def _send(self, data: bytes) -> None:
        send_now(self._route, data)


def send_now(route: Route, data: bytes | memoryview) -> bool:
    """Send on the route's current path; False if there is none or it will not take it."""
    if route.address is None:
        return False
    try:
        route.sendto(data, route.address)
    except OSError:
        return False
    return True


class DtlsSrtp:
    """Keys and packets of one peer connection; the owner calls ``allow`` and ``close``."""

    def __init__(
        self,
        certificate: Certificate,
        route: Route,
        policy: MediaPolicy,
        counters: MediaCounters,
        tasks: Tasks,
    ) -> None:
        self.on_rtp: Callable[[int, bytes], None] | None = None
        self.on_rtcp: Callable[[bytes], None] = _ignore
        self.on_closed: Callable[[], None] = lambda: None
        self.ready = False
        self._closed = False
        self._route = route
        self._counters = counters
        self._tasks = tasks
        self._streams_left = policy.max_ssrcs
        self._streams: set[int] = set()
        self._allowance = policy.packets_per_second
        self._datagrams = _Datagrams(route, policy.dtls_backlog)
        self._dtls = RTCDtlsTransport(self._datagrams, [certificate])  # type: ignore[arg-type]
        self._rx: Any = None
        self._tx: Any = None

    async def connect(self, role: str, fingerprints: Sequence[Fingerprint]) -> None:
        """Shake hands as ``client`` or ``server``. Raises ``HandshakeFailed``."""
        self._dtls._set_role(role)
        await self._dtls.start(
            RTCDtlsParameters([RTCDtlsFingerprint(*each) for each in fingerprints], role)
        )
        if self._dtls.state != "connected":
            raise HandshakeFailed(self._dtls.state)
        if self._dtls._task is not None:
            self._tasks.keep(self._dtls._task)
        self._rx = self._dtls._rx_srtp._srtp[0]
        self._tx = self._dtls._tx_srtp._srtp[0]
        self.ready = True
        self._dtls.on("statechange", self._state_changed)

    def _state_changed(self) -> None:
        if self._dtls.state in ("closed", "failed") and self.ready:
            self.ready = False
            self.on_closed()

    def handshake(self, data: bytes) -> None:
        """Take a DTLS record that came from a validated address."""
        self._datagrams.put(data)

    def allow(self, packets: int, at_most: int) -> None:
        """Let so many more packets in; what comes faster than that is dropped."""
        self._allowance = min(self._allowance + packets, at_most)

    def received(self, size: int) -> None:
        """Decrypt the SRTP or SRTCP packet that lies in ``RECEIVE_BUFFER`` and hand it on."""
        if not self.ready or size < HEADER_LENGTH:
            return
        _length[0] = size
        if _RTCP_FIRST <= RECEIVE_BUFFER[1] <= _RTCP_LAST:
            if self._decrypted(_unprotect_rtcp, read_ssrc(RECEIVE_BUFFER, 4)[0]):
                self.on_rtcp(RECEIVE_BUFFER[: _length[0]].tobytes())
        elif self.on_rtp is not None:
            ssrc = read_ssrc(RECEIVE_BUFFER, 8)[0]
            if self._decrypted(_unprotect, ssrc):
                self.on_rtp(ssrc, RECEIVE_BUFFER[: _length[0]].tobytes())

    def _decrypted(self, unprotect: Any, ssrc: int) -> bool:
        """Whether the packet is the peer's. Only authentic ones count against its allowance.

        Each new stream costs memory inside libsrtp, so one peer may begin only so many.
        """
        known = ssrc in self._streams
        if (known or self._streams_left) and not unprotect(self._rx, _received, _length):
            if not known:
                self._streams.add(ssrc)
                self._streams_left -= 1
            self._allowance -= 1
            if self._allowance >= 0:
                return True
        self._counters.packets_refused += 1
        return False

    def send_rtp(self, packet: bytes, sequence: int, timestamp: int, ssrc: int) -> None:
        """Send a copy of ``packet`` under other numbers. The hottest line of the server."""
        size = len(packet)
        _out[:size] = packet
        write_numbers(_out, 2, sequence, timestamp, ssrc)
        _length[0] = size
        if _protect(self._tx, _sending, _length):
            self._counters.packets_dropped += 1
            return
        route = self._route
        try:
            route.sendto(_out[: _length[0]], route.address)
        except OSError:
            self._counters.packets_dropped += 1

    def send_rtcp(self, data: bytes) -> None:
        """Send a compound or reduced-size RTCP packet (RFC 5506); nothing before the keys."""
        if not self.ready:
            return
        size = len(data)
        _out[:size] = data
        _length[0] = size
        if _protect_rtcp(self._tx, _sending, _length) == 0:
            send_now(self._route, _out[: _length[0]])

    def close(self) -> None:
        """Tell the browser, if it can hear, and end the DTLS pump. Idempotent, immediate."""
        if self._closed:
            return
        self._closed, self.ready = True, False
        self.on_rtp, self.on_rtcp = None, _ignore
        if self._dtls._task is not None:
            self._dtls._task.cancel()
            self._dtls._task = None
        self._datagrams.close()
        self._say_goodbye()

    def _say_goodbye(self) -> None:
        connection = self._dtls._ssl
        if connection is None:
            return
        try:
            connection.shutdown()
            send_now(self._route, connection.bio_read(MAX_PACKET))
        except SSL.Error:
            return


def _ignore(_data: bytes) -> None:
    """Before the keys and after the end nobody listens."""
