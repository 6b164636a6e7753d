"""A guarded Socket.IO server on a free port, and clients rude enough to need one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
import structlog
from aiohttp import web
from structlog.testing import LogCapture
from structlog.typing import FilteringBoundLogger

from rooms.policy import EdgePolicy
from server.addresses import Networks
from server.socket_guard import GuardedServer, create_socket_server
from server.socket_lines import Line

NAMESPACE = "/visit"
ORIGIN = "https://visits.example.org"
CONNECT = '40/visit,{"token":"good"}'
OPEN = "/socket.io/?EIO=4&transport="


async def accept(sid: str, environ: dict[str, Any], auth: object) -> bool:
    """The ordinary ``connect`` handler: only the token ``good`` is let in."""
    return auth == {"token": "good"}


@dataclass
class SocketRig:
    """The server, what its application was told, and what it logged."""

    sio: GuardedServer
    url: str
    port: int
    http: aiohttp.ClientSession
    log: LogCapture
    connections: Callable[[], int]
    told: asyncio.Queue[tuple[str, ...]] = field(default_factory=asyncio.Queue)
    environs: list[dict[str, Any]] = field(default_factory=list)
    kept: list[aiohttp.ClientWebSocketResponse] = field(default_factory=list)
    accept: Callable[..., Awaitable[Any]] = accept
    answer: Callable[..., Awaitable[Any]] | None = None

    async def connect(self, sid: str, environ: dict[str, Any], auth: object) -> Any:
        self.environs.append(environ)
        self.told.put_nowait(("connect", sid))
        return await self.accept(sid, environ, auth)

    async def disconnect(self, sid: str, reason: str) -> None:
        self.told.put_nowait(("disconnect", sid))

    async def event(self, name: str, sid: str, payload: Any = None) -> Any:
        self.told.put_nowait((name, sid))
        return await self.answer(name, sid, payload) if self.answer else {"ok": True}

    async def next_told(self, what: str, within: float = 2.0) -> str:
        """Wait for what the application is told next, which must be this; the socket's id."""
        name, sid = await asyncio.wait_for(self.told.get(), within)
        assert name == what
        return sid

    def refusals(self) -> list[str]:
        """The offences that were logged; everything logged is one of these."""
        return [entry["offence"] for entry in self.log.entries]

    def lines(self) -> list[Line]:
        """Every line that is open."""
        return [line for sid in self.sio.eio.sockets if (line := self.sio.eio.line(sid))]

    async def ws_connect(
        self, more: str = "", *, headers: dict[str, str] | None = None, compress: int = 0
    ) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket that is open until the end of the test; ``more`` goes behind its address."""
        url = f"{self.url}{OPEN}websocket{more}"
        self.kept.append(await self.http.ws_connect(url, headers=headers, compress=compress))
        return self.kept[-1]

    async def web_socket(self, **headers: str) -> RawWebSocket:
        """A line that has done nothing but open."""
        raw = RawWebSocket(await self.ws_connect(headers=headers))
        assert (await raw.next()).startswith("0{")
        return raw

    async def accepted(self) -> RawWebSocket:
        """A line that is connected to the namespace, as far as both sides are concerned."""
        raw = await self.web_socket()
        await raw.send(CONNECT)
        assert (await raw.next()).startswith("40/visit,{")
        await self.next_told("connect")
        return raw

    async def polling(self, **headers: str) -> RawPolling:
        """A polling line that has done nothing but open."""
        async with self.http.get(self.url + OPEN + "polling", headers=headers) as answer:
            assert answer.status == 200
            sid = (await answer.text()).split('"sid":"')[1].split('"')[0]
        return RawPolling(self, sid)


@dataclass
class RawWebSocket:
    """A WebSocket client that answers pings and otherwise does as it is told."""

    socket: aiohttp.ClientWebSocketResponse
    answers_pings: bool = True

    async def send(self, frame: str) -> None:
        await self.socket.send_str(frame)

    async def next(self, within: float = 2.0) -> str:
        """The next frame that is not a ping; ``closed`` when the server has closed."""
        async with asyncio.timeout(within):
            while True:
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return "closed"
                if message.data != "2":
                    return str(message.data)
                if self.answers_pings:
                    await self.send("3")

    async def closed(self, within: float) -> int | None:
        """Wait until the server has closed; its close code."""
        async with asyncio.timeout(within):
            while await self.next(within) != "closed":
                pass
        return self.socket.close_code


@dataclass
class RawPolling:
    """A polling client; each method is one request."""

    rig: SocketRig
    sid: str

    @property
    def url(self) -> str:
        return f"{self.rig.url}{OPEN}polling&sid={self.sid}"

    async def post(self, body: Any) -> int:
        async with self.rig.http.post(self.url, data=body) as answer:
            return answer.status

    async def poll(self) -> tuple[int, str]:
        async with self.rig.http.get(self.url) as answer:
            return answer.status, await answer.text()

    async def accept(self) -> None:
        assert await self.post(CONNECT) == 200
        await self.rig.next_told("connect")
        assert (await self.poll())[1].startswith("40/visit,{")


@asynccontextmanager
async def socket_rig(
    policy: EdgePolicy, *, origins: tuple[str, ...] = (ORIGIN,), trusted_proxies: Networks = ()
) -> AsyncIterator[SocketRig]:
    """A running server; at the end nothing of it may be left."""
    log = LogCapture()
    logger = structlog.wrap_logger(
        None, processors=[log], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    sio = create_socket_server(
        policy,
        origins,
        cast("FilteringBoundLogger", logger),
        trusted_proxies=trusted_proxies,
    )
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]

    def connections() -> int:
        """How many TCP connections the server still has."""
        return len(runner.server.connections) if runner.server else 0

    try:
        async with aiohttp.ClientSession() as http:
            rig = SocketRig(sio, f"http://127.0.0.1:{port}", port, http, log, connections)
            sio.on("connect", rig.connect, namespace=NAMESPACE)
            sio.on("disconnect", rig.disconnect, namespace=NAMESPACE)
            sio.on("*", rig.event, namespace=NAMESPACE)
            try:
                yield rig
            finally:
                for socket in rig.kept:
                    await socket.close()
    finally:
        await sio.shutdown()
        await runner.cleanup()


async def raw_web_socket(
    r: SocketRig,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket opened by hand, for bytes that a library would not send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", r.port)
    writer.write(
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def masked(text: bytes) -> bytes:
    """A short text frame under a mask of zeros (RFC 6455 section 5.2)."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


async def closed(reader: asyncio.StreamReader, within: float) -> None:
    """Wait until the other side has closed."""
    async with asyncio.timeout(within):
        while await reader.read(4_096):
            pass


def stop_reading(writer: asyncio.StreamWriter) -> None:
    """Let the other side's packets pile up."""
    cast("asyncio.Transport", writer.transport).pause_reading()
