"""The road between one browser's media and the server, with a NAT on it that can be told to act.

The browser believes the NAT's port to be the server's; the server sees only the NAT's addresses.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Page

Address = tuple[str, int]

_REDIRECT = """(() => {
  const native = RTCPeerConnection.prototype.setRemoteDescription;
  const led = (line) => {
    if (!line.startsWith("a=candidate:")) return [line];
    const [foundation, component, protocol, priority, host, , ...rest] = line.split(" ");
    if (protocol !== "udp" || host.includes(":")) return [];
    const port = window.roadPort ?? PORT;
    return [[foundation, component, protocol, priority, host, port, ...rest].join(" ")];
  };
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    return native.call(this, { type, sdp: sdp.split("\\r\\n").flatMap(led).join("\\r\\n") });
  };
})();"""

# Networks that let less through. Each is a script for `Browsers.page(scripts=…)`.
_ONLY = """(() => {
  const native = RTCPeerConnection.prototype.setRemoteDescription;
  const usable = (line) => !line.startsWith("a=candidate:") || line.includes(" PROTOCOL ");
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    return native.call(this, { type, sdp: sdp.split("\\r\\n").filter(usable).join("\\r\\n") });
  };
})();"""
ONLY_TCP = _ONLY.replace("PROTOCOL", "tcp")
ONLY_UDP = _ONLY.replace("PROTOCOL", "udp")
ONLY_TURN = """(() => {
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(configuration) {
      super({ ...configuration, iceTransportPolicy: "relay" });
    }
  };
})();"""


class _Side(asyncio.DatagramProtocol):
    def __init__(self, receive: Callable[[bytes, Address], None]) -> None:
        self._receive = receive

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._receive(data, addr[:2])

    def error_received(self, exc: Exception) -> None:
        return  # a port that nobody has any more: what a moved NAT leaves behind


class Network:
    """One browser's road to the server. ``road_to`` makes and closes it."""

    def __init__(self, server: Address) -> None:
        self._server = server
        self._front: asyncio.DatagramTransport | None = None
        self._outside: dict[Address, asyncio.DatagramTransport] = {}
        self._waiting: dict[Address, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._works = True
        self.to_browser = 0  # datagrams so far
        self.last_to_browser = 0.0  # seconds since the epoch

    @property
    def script(self) -> str:
        """Leads the media of every page it is given to over this road."""
        return _REDIRECT.replace("PORT", str(self.port))

    @property
    def port(self) -> int:
        """Where the road begins on the browser's side."""
        assert self._front is not None
        number: int = self._front.get_extra_info("sockname")[1]
        return number

    async def open(self) -> None:
        """Begin to carry packets."""
        self._front = await self._socket(self._up, "0.0.0.0")

    def moves(self) -> None:
        """Another outer address from now on, as after a NAT's restart; nobody is told."""
        for transport in self._outside.values():
            transport.close()
        self._outside.clear()  # the next packet from the inside opens a new one

    async def is_replaced(self, page: Page) -> None:
        """The old way to the server is gone for good; what is negotiated next finds a new one.

        Wi-Fi gives way to mobile data like this. The page is not told.
        """
        self.moves()
        if self._front is not None:
            self._front.close()
        self._front = await self._socket(self._up, "0.0.0.0")
        await page.evaluate("port => { window.roadPort = port; }", self.port)

    def is_cut(self) -> None:
        """Carry nothing."""
        self._works = False

    def is_mended(self) -> None:
        """Carry everything again."""
        self._works = True

    async def close(self) -> None:
        """Close every socket; idempotent."""
        if self._front is not None:
            self._front.close()
        await asyncio.gather(*self._tasks)
        self.moves()

    def _up(self, data: bytes, inside: Address) -> None:
        if not self._works:
            return
        outside = self._outside.get(inside)
        if outside is not None:
            outside.sendto(data, self._server)
        elif inside in self._waiting:
            self._waiting[inside].append(data)
        else:
            self._waiting[inside] = [data]
            task = asyncio.ensure_future(self._connect(inside))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, inside: Address) -> None:
        outside = await self._socket(self._down_to(inside), "127.0.0.1")
        self._outside[inside] = outside
        for data in self._waiting.pop(inside):
            outside.sendto(data, self._server)

    def _down_to(self, inside: Address) -> Callable[[bytes, Address], None]:
        def down(data: bytes, _server: Address) -> None:
            if self._works and self._front is not None:
                self.to_browser += 1
                self.last_to_browser = time.time()
                self._front.sendto(data, inside)

        return down

    async def _socket(
        self, receive: Callable[[bytes, Address], None], host: str
    ) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Side(receive), local_addr=(host, 0)
        )
        return transport


@asynccontextmanager
async def road_to(media_port: int) -> AsyncIterator[Network]:
    """A road to the server on this machine whose media port this is."""
    network = Network(("127.0.0.1", media_port))
    await network.open()
    try:
        yield network
    finally:
        await network.close()
