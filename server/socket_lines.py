"""One browser's connection: its state at the door, and the WebSocket under it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web

from rooms.policy import EdgePolicy
from server.outbound import OutboundQueue
from server.packets import Offence, PacketRefused, check_frame, check_upgrade


class Line:
    """One Engine.IO connection, from its handshake to its end, over both transports.

    ``turn`` is held while one of its packets is acted upon, so that they are never concurrent.
    """

    def __init__(self, socket: Any, block: str) -> None:
        self.socket = socket
        self.sid: str = socket.sid
        self.block = block
        self.turn = asyncio.Lock()
        self.web_socket: GuardedWebSocket | None = None
        self.posting = False
        self.polling = False
        self.ended = False
        self.heard_at = asyncio.get_running_loop().time()
        self._deadline: asyncio.TimerHandle | None = None
        self._silence: asyncio.TimerHandle | None = None

    @property
    def queue(self) -> OutboundQueue:
        """What waits to be sent."""
        queue: OutboundQueue = self.socket.queue
        return queue

    def heard(self) -> None:
        """The browser is alive."""
        self.heard_at = asyncio.get_running_loop().time()

    def expect(self, accepted: bool, within: float, otherwise: Callable[[], None]) -> None:
        """Call ``otherwise`` unless the browser is accepted to a namespace in time."""
        if accepted and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        elif not accepted and self._deadline is None and not self.ended:
            self._deadline = asyncio.get_running_loop().call_later(within, otherwise)

    def watch(self, longest: float, otherwise: Callable[[], None]) -> None:
        """Call ``otherwise`` once nothing has been heard for ``longest`` seconds."""
        loop = asyncio.get_running_loop()
        silent = loop.time() - self.heard_at
        if silent >= longest:
            otherwise()
        elif not self.ended:
            self._silence = loop.call_later(longest - silent, self.watch, longest, otherwise)

    def end(self) -> None:
        """No more timers; idempotent."""
        self.ended = True
        for timer in (self._deadline, self._silence):
            if timer is not None:
                timer.cancel()


class Door(Protocol):
    """What a WebSocket needs of the server it belongs to."""

    policy: EdgePolicy

    def line(self, sid: str) -> Line | None: ...

    def charge(self, line: Line, frames: int = 1) -> None:
        """Count frames against the line's rate. Raises ``PacketRefused``."""

    def refuse(self, line: Line, offence: Offence) -> None:
        """Close the line because of what it did."""


class GuardedWebSocket:
    """The WebSocket of one line, in the shape Engine.IO expects of its drivers.

    Reads one checked text frame at a time and closes within ``EdgePolicy.goodbye_within`` whatever
    the browser does. No compression: nothing to inflate, and no 64 KiB of state per person.
    """

    def __init__(self, handler: Any, door: Door) -> None:
        self._handler = handler
        self._door = door
        self._socket = handler.__self__
        self._ending: asyncio.Task[None] | None = None

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        policy = self._door.policy
        self._request: web.Request = environ["aiohttp.request"]
        self._response = web.WebSocketResponse(
            max_msg_size=policy.max_frame,
            timeout=policy.goodbye_within,
            autoping=False,  # answered below, where they count against the line's rate
            compress=False,
        )
        await self._response.prepare(self._request)
        if line := self._door.line(self._socket.sid):
            line.web_socket = self
            await self._handler(self)
        return self._response

    async def wait(self) -> str:
        """The next frame. Raises ``OSError`` when there will be none."""
        line = self._door.line(self._socket.sid)
        if line is None or line.ended:
            raise ConnectionAbortedError
        try:
            if self._socket.upgraded:
                line.queue.until_sent = True
                return check_frame(await self._text(line))
            return await self._upgrade_frame(line)
        except PacketRefused as refused:
            self._door.refuse(line, refused.offence)
            raise ConnectionAbortedError from refused

    async def send(self, message: str) -> None:
        """Send one frame; returns when the operating system has taken it."""
        line = self._door.line(self._socket.sid)
        try:
            await self._response.send_str(message)
        finally:
            if line is not None and line.queue.until_sent:
                line.queue.sent(message)

    async def close(self, code: int = WSCloseCode.OK) -> None:
        """Say goodbye, wait a moment for the answer, and cut the line; idempotent."""
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._end(code))
        await asyncio.shield(self._ending)

    async def _end(self, code: int) -> None:
        try:
            async with asyncio.timeout(self._door.policy.goodbye_within):
                await self._response.close(code=code)
        except (TimeoutError, ConnectionError):
            pass
        finally:
            if self._request.transport is not None:
                self._request.transport.abort()

    async def _upgrade_frame(self, line: Line) -> str:
        """A frame of the move from polling; if it fails, the polling connection goes on alone."""
        try:
            async with asyncio.timeout(self._door.policy.connect_within):
                return check_upgrade(await self._text(line))
        except (TimeoutError, OSError):
            self._socket.upgrading = False  # else polling would spin, answered with NOOP for ever
            raise ConnectionAbortedError from None

    async def _text(self, line: Line) -> str:
        while True:
            message = await self._response.receive()
            _check_open(message)
            self._door.charge(line)
            if message.type is WSMsgType.PING:
                await self._response.pong(message.data)
            elif message.type is WSMsgType.BINARY:
                raise PacketRefused(Offence.BINARY)
            elif message.type is WSMsgType.TEXT:
                line.heard()
                return str(message.data)


def _check_open(message: WSMessage) -> None:
    """Raises ``PacketRefused`` for what is not WebSocket or UTF-8, ``OSError`` for a lost line."""
    if message.type is WSMsgType.ERROR and isinstance(message.data, WebSocketError):
        too_large = message.data.code == WSCloseCode.MESSAGE_TOO_BIG
        raise PacketRefused(Offence.TOO_LARGE if too_large else Offence.FRAME)
    if message.type in {WSMsgType.ERROR, WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED}:
        raise ConnectionAbortedError
