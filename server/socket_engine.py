"""The Engine.IO server at the door: who may open a line, and what may come in by polling.

Adds to the library what it leaves to others: limits per address, a deadline to be accepted, one
limit of frames for both transports, bounded output, one request at a time in each direction, and
an end that always comes, for the browser and for the application.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any

import engineio
from aiohttp import WSCloseCode, web
from engineio.payload import Payload
from structlog.typing import FilteringBoundLogger

from rooms.policy import EdgePolicy
from server.outbound import OutboundQueue
from server.packets import Offence, PacketRefused, check_payload
from server.rate_limits import RateLimiter
from server.socket_lines import GuardedWebSocket, Line

BODY = web.RequestKey("body", bytes)
LINE = web.RequestKey("line", Line)

_FORWARDING = ("X-Forwarded-For", "Forwarded")


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorRules:
    """What the door goes by. ``block_of`` an address is what the limits count as one client."""

    policy: EdgePolicy
    origins: Collection[str]
    address_of: Callable[[web.BaseRequest], str]
    block_of: Callable[[str], str]
    log: FilteringBoundLogger
    clock: Callable[[], float]


class GuardedEngine(engineio.AsyncServer):  # type: ignore[misc]  # the library has no types
    """Engine.IO with a guard; owns its lines and every task it starts."""

    _async: dict[str, Any]  # the library's driver for aiohttp, shared by all its servers

    def __init__(self, *, rules: DoorRules, **options: Any) -> None:
        super().__init__(**options)
        self.rules = rules
        self.policy = policy = rules.policy
        self.offences: Counter[Offence] = Counter()
        self._lines: dict[str, Line] = {}
        self._open: Counter[str] = Counter()
        self._tasks: set[asyncio.Future[Any]] = set()
        keys = policy.limiter_keys
        per_minute = policy.connects_per_minute
        self._connects = RateLimiter(per_minute / 60, per_minute, rules.clock, max_keys=keys)
        self._frames = RateLimiter(
            policy.event_rate, policy.event_burst, rules.clock, max_keys=keys
        )
        self._log_lines = RateLimiter(1, policy.offence_lines, rules.clock, max_keys=len(Offence))
        self._translate = self._async["translate_request"]
        self._async = {
            **self._async,
            "translate_request": self._environ,
            "websocket": GuardedWebSocket,
        }

    def line(self, sid: str) -> Line | None:
        """The open line with this Engine.IO session id."""
        return self._lines.get(sid)

    def charge(self, line: Line, frames: int = 1) -> None:
        """Count frames against the line's rate. Raises ``PacketRefused``."""
        if not self._frames.take(line.sid, frames):
            raise PacketRefused(Offence.TOO_OFTEN)

    def note(self, offence: Offence, **more: Any) -> None:
        """Count an offence and say so in the log, unless it says little else already."""
        self.offences[offence] += 1
        if self._log_lines.take(offence):
            self.rules.log.warning(
                "socket refused", offence=offence.value, so_far=self.offences[offence], **more
            )

    def refuse(self, line: Line, offence: Offence) -> None:
        """Close the line because of what it did; idempotent."""
        if not line.ended:
            self.note(offence)
            self.end(line, self.reason.TRANSPORT_ERROR)

    def end(self, line: Line, reason: str, code: int = WSCloseCode.POLICY_VIOLATION) -> None:
        """Close the line, the browser's side and the application's; idempotent."""
        if not line.ended:
            line.end()
            if line.web_socket is not None:
                self.start_background_task(line.web_socket.close, code)
            self.start_background_task(self._close_socket, line, reason)

    def opened(self, sid: str, environ: dict[str, Any]) -> None:
        """Engine.IO has made a connection: watch it."""
        request: web.Request = environ["aiohttp.request"]
        line = Line(self.sockets[sid], self._block(request))
        request[LINE] = self._lines[sid] = line
        self._open[line.block] += 1
        line.queue.on_overflow = lambda: self.refuse(line, Offence.TOO_SLOW)
        line.watch(
            self.policy.ping_every + self.policy.ping_answer_within,
            lambda: self.end(line, self.reason.PING_TIMEOUT),
        )
        self.accepted(line, False)

    def accepted(self, line: Line, is_accepted: bool) -> None:
        """Whether some namespace has let the browser in; if none does, its time runs."""
        line.expect(
            is_accepted,
            self.policy.connect_within,
            lambda: self.refuse(line, Offence.NOT_CONNECTED),
        )

    def closed(self, sid: str) -> None:
        """Engine.IO has closed a connection, for whatever reason; idempotent."""
        line = self._lines.pop(sid, None)
        if line is None:
            return
        line.end()
        line.queue.finish()
        self.sockets.pop(sid, None)
        self._frames.forget(sid)
        self._open[line.block] -= 1
        if not self._open[line.block]:
            del self._open[line.block]

    def create_queue(self, *args: Any, **kwargs: Any) -> OutboundQueue:
        return OutboundQueue(self.policy)

    def start_background_task(
        self, target: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any
    ) -> asyncio.Future[Any]:
        task = asyncio.ensure_future(target(*args, **kwargs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def disconnect(self, sid: str | None = None) -> None:
        """Close one line, or all; unlike the library's, never waits for what was not read."""
        for line in list(self._lines.values()) if sid is None else [self._lines.get(sid)]:
            if line is not None:
                await self._close_socket(line, self.reason.SERVER_DISCONNECT)

    async def shutdown(self) -> None:
        """Close every line, tell the application, and end every task; idempotent."""
        lines = list(self._lines.values())
        for line in lines:
            line.end()
        await asyncio.gather(
            *(self._close_socket(line, self.reason.SERVER_DISCONNECT) for line in lines),
            *(line.web_socket.close(WSCloseCode.GOING_AWAY) for line in lines if line.web_socket),
        )
        await super().shutdown()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Every HTTP request of the socket path, both transports."""
        origin = request.headers.get("Origin")
        if origin is not None and origin not in self.rules.origins:
            return self._turn_away(request, 403, Offence.ORIGIN)
        if request.method not in {"GET", "POST", "OPTIONS"} or "j" in request.query:
            return _answer(400)  # HEAD opens nothing; JSONP is script from another site
        if request.method == "OPTIONS":
            return await self._serve(request, None)
        if "sid" not in request.query:
            return await self._connect(request)
        line = self._lines.get(request.query["sid"])
        if line is None or line.ended:
            return _answer(400)
        if request.method == "POST":
            return await self._post(request, line)
        if request.query.get("transport") == "websocket":
            return await self._upgrade(request, line)
        return await self._poll(request, line)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        block = self._block(request)
        if self._open[block] >= self.policy.open_per_address:
            return self._turn_away(request, 429, Offence.TOO_MANY)
        if not self._connects.take(block):
            after = self._connects.retry_after(block)
            return self._turn_away(request, 429, Offence.TOO_MANY, {"Retry-After": f"{after:.0f}"})
        if request.query.get("transport") == "websocket" and not _can_upgrade(request):
            return _answer(400)
        try:
            return await self._serve(request, None)
        finally:
            line = request.get(LINE)
            if line is not None and line.socket.upgraded:
                self.end(line, self.reason.TRANSPORT_CLOSE)

    async def _upgrade(self, request: web.Request, line: Line) -> web.StreamResponse:
        if line.socket.upgrading or line.socket.upgraded or not _can_upgrade(request):
            return _answer(400)
        return await self._serve(request, line)

    async def _poll(self, request: web.Request, line: Line) -> web.StreamResponse:
        if line.polling:
            self.refuse(line, Offence.OVERLAP)
            return _answer(400)
        line.polling = True
        try:
            return await self._serve(request, line)
        finally:
            line.polling = False

    async def _post(self, request: web.Request, line: Line) -> web.StreamResponse:
        if line.posting:
            self.refuse(line, Offence.OVERLAP)
            return _answer(400)
        line.posting = True
        try:
            request[BODY] = body = await self._body(request)
            self.charge(line, len(check_payload(body, Payload.max_decode_packets)))
            line.heard()
            response = await self._serve(request, line)
            return _answer(400) if line.ended else response
        except PacketRefused as refused:
            self.refuse(line, refused.offence)
            return _answer(400)
        finally:
            line.posting = False

    async def _body(self, request: web.Request) -> bytes:
        """The request's body, by length or chunked. Raises ``PacketRefused``."""
        body = bytearray()
        try:
            async with asyncio.timeout(self.policy.body_within):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > self.policy.max_frame:
                        raise PacketRefused(Offence.TOO_LARGE)
        except TimeoutError:
            raise PacketRefused(Offence.TOO_SLOW) from None
        return bytes(body)

    async def _serve(self, request: web.Request, line: Line | None) -> web.StreamResponse:
        """Let the library answer; what it lets through ends this line only."""
        try:
            response: web.StreamResponse = await super().handle_request(request)
        except web.HTTPException:
            raise
        except Exception as error:
            self.rules.log.warning("socket request failed", error=type(error).__name__)
            if line := line or request.get(LINE):
                self.end(line, self.reason.TRANSPORT_ERROR)
            return _answer(400)
        return response

    async def _close_socket(self, line: Line, reason: str) -> None:
        """Tell the application, and then, by ``closed``, a browser that polls."""
        await line.socket.close(wait=False, abort=True, reason=reason)
        self.closed(line.sid)

    def _environ(self, request: web.Request) -> dict[str, Any]:
        """The library's view of a request, with the client's true address and our checked body."""
        environ: dict[str, Any] = self._translate(request)
        environ["REMOTE_ADDR"] = self.rules.address_of(request)
        environ["wsgi.url_scheme"] = request.scheme
        body = request.get(BODY)
        if body is not None:
            environ["wsgi.input"] = _Body(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return environ

    def _block(self, request: web.Request) -> str:
        return self.rules.block_of(self.rules.address_of(request))

    def _turn_away(
        self,
        request: web.Request,
        status: int,
        offence: Offence,
        headers: dict[str, str] | None = None,
    ) -> web.Response:
        through = any(name in request.headers for name in _FORWARDING)
        if offence is Offence.TOO_MANY and through and self._is_peer(request):
            # Everybody behind that proxy counts as one: most likely it should be trusted.
            self.note(offence, untrusted_proxy=True)
        else:
            self.note(offence)
        return _answer(status, headers)

    def _is_peer(self, request: web.Request) -> bool:
        return self.rules.address_of(request) == request.remote


class _Body:
    """A body that has been read, in the shape the library reads."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, _: int) -> bytes:
        return self._body


def _can_upgrade(request: web.Request) -> bool:
    return bool(web.WebSocketResponse().can_prepare(request))


def _answer(status: int, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, headers=headers)
