"""A page's line to the server, without the page: it comes back for ever, as ``net/line.ts`` does.

It opens the link (``POST /v1/sessions``) with the credential of its device, keeps a socket at the
``signal_url`` it was given, and renews the token. A socket that is lost is dialled once more; then,
or as soon as the server itself disconnects or refuses the token, the link is opened again, and may
lead to another node. It ends when the server refuses the link, ends the session, or by ``close``.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import partial
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import socketio

from tests.support.light_client import Hears, origin_and_path

# Seconds, as in web_client/src/timing.ts.
ANSWER_WITHIN = 8.0
OPEN_FIRST, OPEN_MOST = 3.0, 12.0
RETRY_FIRST, RETRY_MOST = 0.3, 5.0
QUICK_MOST, QUICK_FOR = 0.7, 10.0
RENEW_AT = 0.6  # share of a token's life

DOORS = {
    "/visit": ("/v1/sessions", "session:renew"),
    "/desk": ("/v1/desk/sessions", "desk:renew"),
}
_SERVER_ASKED = socketio.AsyncClient.reason.SERVER_DISCONNECT
_LOST = (
    aiohttp.ClientError, TimeoutError, OSError, ValueError,
    socketio.exceptions.SocketIOError,
)  # fmt: skip


class Refused(Exception):
    """The server said no, or nothing in time (``no_answer``), or could not be reached (``lost``).

    ``code`` is the stable code of the refusal; ``status`` the HTTP status, if it came that way.
    """

    def __init__(self, code: str, status: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.retry_after = retry_after

    @classmethod
    def by(cls, status: int, problem: Mapping[str, Any]) -> Refused:
        """The refusal in an answer over HTTP."""
        code = str(problem.get("code", f"http_{status}"))
        return cls(code, status, float(problem.get("retry_after") or 0.0))


class ReturningLine:
    """``opened`` is told of each new session, ``changed`` of everything else that happens.

    ``troubled`` is told the code of whatever went wrong and is tried again.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        link: str,
        news: Mapping[str, Hears],
        *,
        namespace: str = "/visit",
        opened: Callable[[], None] = lambda: None,
        changed: Callable[[], None] = lambda: None,
        troubled: Callable[[str], None] = lambda _code: None,
    ) -> None:
        address = urlsplit(link)
        self.origin = f"{address.scheme}://{address.netloc}"
        self.session: dict[str, Any] = {}  # the newest reply to opening the link
        self.ended = ""  # the code with which the server refused the link or ended the session
        self._code = address.fragment
        self._http = http
        self._namespace = namespace
        self._door, self._renewal = DOORS[namespace]
        self._news = dict(news)
        self._opened = opened
        self._changed = changed
        self._troubled = troubled
        self._credential = ""
        self._wanted = False
        self._lost_at = -QUICK_FOR
        self._is_up = asyncio.Event()
        self._socket: socketio.AsyncClient | None = None
        self._renewing: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def up(self) -> bool:
        """Whether the server has accepted the socket."""
        return self._is_up.is_set()

    async def open(self) -> None:
        """Open the link and the socket. Raises ``Refused`` when the link does not open."""
        self._wanted = True
        await self._open_until_answered()

    async def request(self, name: str, payload: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a signal, as soon as the socket is up; its acknowledgement. Raises ``Refused``."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await self._is_up.wait()
                assert self._socket is not None
                answer = await self._socket.call(name, dict(payload or {}), self._namespace)
        except _LOST:
            raise Refused("no_answer") from None
        if "error" in answer:
            raise Refused(str(answer["error"]["code"]))
        return dict(answer)

    async def mention(self, name: str, payload: Mapping[str, Any]) -> None:
        """Send what is worth something now or never."""
        if self._socket is not None and self.up:
            with suppress(*_LOST):
                await self._socket.emit(name, dict(payload), self._namespace)

    async def drops(self) -> None:
        """Lose the socket, as a network does; the line comes back by itself."""
        if self._socket is not None and self._socket.eio.ws is not None:
            await self._socket.eio.ws.close()

    async def hangs_up(self) -> None:
        """Close the socket and stay away until ``open``; idempotent."""
        self._wanted = False
        if self._renewing is not None:
            self._renewing.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._let_go()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something that ends with the line at the latest; a refusal of it is trouble."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Refused):
            self._troubled(error.code)
        elif error is not None:
            raise error

    # Coming and coming back.

    async def _open_until_answered(self) -> None:
        for attempt in itertools.count():
            if not self._wanted:
                return
            try:
                await self._open_link()
                await self._dial()
                return
            except Refused as refused:
                if not self._worth_retrying(refused):
                    self._over(refused.code)
                    raise
                self._troubled(refused.code)
                most = QUICK_MOST if self._is_just_lost else RETRY_MOST
                await asyncio.sleep(max(backoff(attempt, most), refused.retry_after))

    @property
    def _is_just_lost(self) -> bool:
        return time.monotonic() - self._lost_at < QUICK_FOR

    def _worth_retrying(self, refused: Refused) -> bool:
        came_by_http = refused.status >= 500 or (refused.status == 429 and self.session)
        return not refused.status or bool(came_by_http)

    async def _open_link(self) -> None:
        headers = {"Cookie": self._credential} if self._credential else {}
        try:
            async with (
                asyncio.timeout(OPEN_FIRST if self.session else OPEN_MOST),
                self._http.post(
                    self.origin + self._door, json={"code": self._code}, headers=headers
                ) as answer,
            ):
                reply = await answer.json(content_type=None)
                if not answer.ok:
                    raise Refused.by(answer.status, reply or {})
                self._keep_credential(answer.cookies)
        except _LOST:
            raise Refused("lost") from None
        self.session = reply
        self._renew_in(reply["expires_in"])
        self._opened()

    def _keep_credential(self, cookies: SimpleCookie) -> None:
        given = [f"{name}={cookie.value}" for name, cookie in cookies.items() if cookie.value]
        self._credential = "; ".join(given) or self._credential

    async def _dial(self) -> None:
        """A new socket with the newest token."""
        await self._let_go()
        socket = socketio.AsyncClient(
            http_session=self._http, reconnection=False, handle_sigint=False
        )
        for name, hear in self._news.items():
            socket.on(name, hear, self._namespace)
        socket.on("session:ended", self._session_ended, self._namespace)
        socket.on("disconnect", partial(self._lost, socket), self._namespace)
        origin, path = origin_and_path(self.session["signal_url"], self.origin)
        self._socket = socket
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await socket.connect(
                    origin,
                    socketio_path=path,
                    namespaces=[self._namespace],
                    auth={"token": self.session["token"]},
                    transports=["websocket"],
                    wait_timeout=ANSWER_WITHIN,
                )
        except _LOST:
            raise Refused("not_connected") from None
        self._is_up.set()
        self._changed()

    async def _let_go(self) -> None:
        former, self._socket = self._socket, None
        self._is_up.clear()
        if former is not None:
            with suppress(*_LOST):
                await former.disconnect()

    async def _lost(self, socket: socketio.AsyncClient, reason: str) -> None:
        if socket is not self._socket:
            return
        self._is_up.clear()
        self._lost_at = time.monotonic()
        self._changed()
        if self._wanted:
            self.spawn(self._come_back(by_server=reason == _SERVER_ASKED))

    async def _come_back(self, *, by_server: bool) -> None:
        if not by_server:
            await asyncio.sleep(backoff(0))
            with suppress(Refused):
                await self._dial()
                return
        await self._open_until_answered()

    # The session.

    async def _session_ended(self, news: dict[str, Any]) -> None:
        if news["code"] != "token_expired":  # the disconnect that follows opens the link again
            self._over(str(news["code"]))

    def _over(self, code: str) -> None:
        self._wanted = False
        self.ended = code
        self._changed()

    def _renew_in(self, life: float) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
        loop = asyncio.get_running_loop()
        self._renewing = loop.call_later(life * RENEW_AT, lambda: self.spawn(self._renew()))

    async def _renew(self) -> None:
        attempt = 0
        while self.up:  # whoever comes back with a token that has expired opens the link again
            with suppress(Refused):
                renewed = await self.request(self._renewal)
                self.session = {**self.session, "token": renewed["token"]}
                self._renew_in(renewed["expires_in"])
                return
            await asyncio.sleep(backoff(attempt))
            attempt += 1


def backoff(attempt: int, longest: float = RETRY_MOST) -> float:
    """Seconds before try number ``attempt`` (0 is the first repetition), with jitter below it."""
    most = min(RETRY_FIRST * float(2 ** min(attempt, 10)), longest)
    return most * (0.5 + random.random() / 2)
