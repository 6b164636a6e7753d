"""The sockets of a light peer: UDP, or ICE-TCP with the frames of RFC 4571."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

BUFFER = 1 << 20  # bytes in each socket
PACKETS_PER_WAKE = 64

Address = tuple[str, int]


class Udp:
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


class Tcp(asyncio.Protocol):
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
