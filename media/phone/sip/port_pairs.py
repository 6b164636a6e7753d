"""Pairs of UDP ports for sound: an even one for RTP, the next for RTCP (RFC 3550 section 11)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TypeAlias

from media.phone.sip.transport import Address

Listener: TypeAlias = Callable[[bytes, Address], None]


class PortPair:
    """Two bound sockets; nothing is heard before ``listen``."""

    def __init__(self, port: int, sockets: tuple[_Socket, _Socket]) -> None:
        self.port = port
        self._sound, self._reports = sockets

    def listen(self, packet: Listener, report: Listener) -> None:
        """Who is given what arrives on each."""
        self._sound.listener, self._reports.listener = packet, report

    def send(self, packet: bytes, to: Address) -> None:
        self._sound.send(packet, to)

    def send_report(self, packet: bytes, to: Address) -> None:
        self._reports.send(packet, to)

    def close(self) -> None:
        """Give both back; idempotent."""
        self._sound.close()
        self._reports.close()


class _Socket(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.listener: Listener | None = None
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(host, port)
        )

    def send(self, packet: bytes, to: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(packet, to)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.listener is not None:
            self.listener(data, (addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """A telephone that does not listen is noticed otherwise."""


async def open_pair(host: str, ports: tuple[int, int], attempts: int) -> PortPair:
    """A free pair in the range, chosen at random. Raises ``OSError`` if none was found."""
    first, last = ports[0] + ports[0] % 2, ports[1]
    candidates = range(first, last, 2)
    tried = random.sample(candidates, min(attempts, len(candidates)))
    for port in tried:
        sockets = (_Socket(), _Socket())
        try:
            await sockets[0].open(host, port)
            await sockets[1].open(host, port + 1)
        except OSError:
            for each in sockets:
                each.close()
            continue
        return PortPair(port, sockets)
    raise OSError
