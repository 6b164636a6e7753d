"""One passive ICE-TCP connection (RFC 6544 section 7.1): frames of RFC 4571 in both directions."""

from __future__ import annotations

import asyncio
from typing import Protocol

from rooms.policy import MediaPolicy


class Frames(Protocol):
    """Where connections report to."""

    def connected(self, connection: TcpPath) -> None:
        """A stranger is here."""

    def framed(self, data: bytes, connection: TcpPath) -> bool:
        """Take one frame; False ends the connection."""

    def disconnected(self, connection: TcpPath) -> None:
        """The connection is gone."""

    def dropped(self) -> None:
        """A packet did not fit the backlog."""


class TcpPath(asyncio.Protocol):
    """A connection that serves as an address of an ICE path; strangers must prove themselves."""

    def __init__(self, frames: Frames, policy: MediaPolicy) -> None:
        self.proven = False
        self.peername: tuple[str, int] = ("0.0.0.0", 0)  # noqa: S104
        self._frames = frames
        self._policy = policy
        self._pending = bytearray()
        self._transport: asyncio.Transport | None = None
        self._hello: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peername = transport.get_extra_info("peername")
        if peername is None:
            transport.abort()
            return
        self._frames.connected(self)
        self.peername = peername[:2]
        loop = asyncio.get_running_loop()
        self._hello = loop.call_later(self._policy.tcp_hello, self.close)

    def data_received(self, data: bytes) -> None:
        pending = self._pending
        pending += data
        while len(pending) >= 2:
            size = pending[0] << 8 | pending[1]
            if not 0 < size <= self._policy.tcp_frame:
                self.close()
                return
            if len(pending) < 2 + size:
                return
            frame = bytes(pending[2 : 2 + size])
            del pending[: 2 + size]
            if not self._take(frame):
                return

    def _take(self, frame: bytes) -> bool:
        if not self._frames.framed(frame, self):
            self.close()
            return False
        if not self.proven:
            self.proven = True
            self._stop_waiting()
        return True

    def _stop_waiting(self) -> None:
        if self._hello is not None:
            self._hello.cancel()
            self._hello = None

    def send(self, data: bytes | memoryview) -> None:
        """Frame and send; a backlog means that the network is slower than the media: drop."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > self._policy.tcp_backlog:
            self._frames.dropped()
            return
        transport.write(len(data).to_bytes(2, "big") + data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._transport = None
        self._frames.disconnected(self)

    def close(self) -> None:
        """End the connection at once. Idempotent."""
        self._stop_waiting()
        if self._transport is not None:
            self._transport.abort()


def send_framed(data: bytes | memoryview, connection: TcpPath) -> None:
    """``sendto`` for paths whose address is a connection."""
    connection.send(data)
