"""Pages of seats and desks without a browser: their cookies, their socket, what they saw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import aiohttp
import socketio

from tests.support.server_clients import Answer, RunningServer

SOON = 5.0


class Refused(Exception):
    """The server did not take the socket; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Page:
    """One socket of one namespace. ``received`` is every signal that ever came, in order."""

    namespace = ""
    snapshot = ""

    def __init__(self, server: RunningServer, token: str) -> None:
        self.server = server
        self.token = token
        self.received: list[tuple[str, Any]] = []
        self.gone = asyncio.Event()
        self._news = asyncio.Event()
        self._refusal: Any = None
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._sio = socketio.AsyncClient(reconnection=False, http_session=self._http)
        self._sio.on("*", self._heard, namespace=self.namespace)
        self._sio.on("disconnect", self._left, namespace=self.namespace)
        self._sio.on("connect_error", self._turned_away, namespace=self.namespace)

    async def connect(self, transport: str = "websocket", auth: object = None) -> Self:
        """Open the socket. Raises ``Refused``."""
        try:
            await self._sio.connect(
                self.server.url,
                auth={"token": self.token} if auth is None else auth,
                namespaces=[self.namespace],
                transports=[transport],
                wait_timeout=SOON,
            )
        except socketio.exceptions.ConnectionError:
            await self.close()
            data = self._refusal if isinstance(self._refusal, dict) else {}
            raise Refused((data.get("data") or {}).get("code", "unknown")) from None
        return self

    async def ask(self, signal: str, payload: object = None) -> dict[str, Any]:
        """Send a signal and wait for its acknowledgement."""
        answer: dict[str, Any] = await self._sio.call(
            signal, {} if payload is None else payload, namespace=self.namespace, timeout=SOON
        )
        return answer

    async def does(self, signal: str, payload: object = None) -> dict[str, Any]:
        """Send a signal that must be taken."""
        answer = await self.ask(signal, payload)
        assert answer.get("ok") is True, (signal, answer)
        return answer

    async def refused(self, signal: str, payload: object = None) -> str:
        """Send a signal that must be refused; the code it is refused with."""
        answer = await self.ask(signal, payload)
        assert set(answer) == {"error"}, (signal, answer)
        return str(answer["error"]["code"])

    async def until(self, holds: Callable[[dict[str, Any]], bool], within: float = SOON) -> Any:
        """The latest snapshot, as soon as it is as expected."""
        await self._wait_until(lambda: bool(self.views) and holds(self.views[-1]), within)
        return self.views[-1]

    async def hears(self, signal: str, count: int = 1, within: float = SOON) -> list[Any]:
        """Everything that came with this signal, once it has come so often."""
        await self._wait_until(lambda: len(self.heard_of(signal)) >= count, within)
        return self.heard_of(signal)

    async def _wait_until(self, holds: Callable[[], bool], within: float) -> None:
        async with asyncio.timeout(within):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def over(self, within: float = SOON) -> str:
        """Wait until the server has closed the socket; why, or nothing if it did not say."""
        await asyncio.wait_for(self.gone.wait(), within)
        codes = [data["code"] for name, data in self.received if name == "session:ended"]
        return str(codes[-1]) if codes else ""

    @property
    def views(self) -> list[dict[str, Any]]:
        """Every snapshot so far."""
        return [data for name, data in self.received if name == self.snapshot]

    def heard_of(self, signal: str) -> list[Any]:
        """What came with every signal of this name."""
        return [data for name, data in self.received if name == signal]

    async def vanish(self) -> None:
        """The network is gone: nobody says goodbye."""
        await self._sio.eio.disconnect(abort=True)
        await self._end()

    async def close(self) -> None:
        """Close the socket; idempotent."""
        with suppress(asyncio.CancelledError):
            await self._sio.disconnect()
        await self._end()

    async def _end(self) -> None:
        """The library leaves its own tasks to themselves."""
        eio = self._sio.eio
        tasks = [task for task in (eio.read_loop_task, eio.write_loop_task) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _heard(self, signal: str, *data: Any) -> None:
        self.received.append((signal, data[0] if data else None))
        self._news.set()

    async def _left(self, *_: Any) -> None:
        self.gone.set()

    async def _turned_away(self, data: Any = None) -> None:
        self._refusal = data


class SeatPage(Page):
    """The page of somebody on a seat."""

    namespace = "/visit"
    snapshot = "visit:changed"

    async def view(self) -> Any:
        """The first snapshot, or whichever is the latest."""
        return await self.until(lambda _: True)

    async def knocks(self, name: str = "") -> Self:
        """Ask to come in."""
        await self.does("visit:knock", {"name": name})
        return self

    async def is_inside(self) -> Self:
        """Wait to be let in."""
        await self.until(lambda view: bool(view["me"]["inside"]))
        return self

    async def enters(self) -> Self:
        """Wait to be let in, and be there."""
        await self.is_inside()
        await self.does("visit:enter")
        await self.until(lambda view: view["me"]["admission"] == "present")
        return self


class DeskPage(Page):
    """The page of staff at a desk."""

    namespace = "/desk"
    snapshot = "desk:changed"


class Browser:
    """One browser: it keeps its cookies, whatever tabs it opens."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.cookies: dict[str, str] = {}
        self._pages: list[Page] = []

    async def post(self, code: str, path: str = "/v1/sessions") -> Answer:
        """Open a link as the join page does."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Origin": self.server.settings.origin} | ({"Cookie": cookie} if cookie else {})
        answer = await self.server.call("POST", path, {"code": code}, headers=headers)
        if "Set-Cookie" in answer.headers:
            name, _, rest = answer.headers["Set-Cookie"].partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer

    async def opens(self, code: str) -> SeatPage:
        """Open a link and connect."""
        opened = await self.post(code)
        assert opened.status == 200, opened
        return await self.page(opened.body["token"]).connect()

    def page(self, token: str) -> SeatPage:
        """A tab that holds this token and has not connected yet."""
        page = SeatPage(self.server, token)
        self._pages.append(page)
        return page

    async def opens_desk(self, code: str) -> DeskPage:
        """Open a desk link and connect."""
        opened = await self.post(code, "/v1/desk/sessions")
        assert opened.status == 200, opened
        page = DeskPage(self.server, opened.body["token"])
        self._pages.append(page)
        await page.connect()
        return page

    async def close(self) -> None:
        """Close every tab."""
        for page in self._pages:
            await page.close()
