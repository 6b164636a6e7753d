"""The page that is the demo's telephone, without a browser: its line, and its media."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Self

import aiohttp

from media.ports import Connection, LegState, Offer
from tests.support.light_peer import LightPeer
from tests.support.server_clients import RunningServer

SOON = 10.0


class PhonePage:
    """One page with the telephone. Use it as a context."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._told: dict[str, Any] = {}
        self._changed = asyncio.Event()
        self.peer = LightPeer(self._answer, server_host="127.0.0.1")
        self.taken = False
        self.closed = False

    async def __aenter__(self) -> Self:
        self.socket = await self._server.http.ws_connect(
            f"{self._server.url}/demo/phone/line", origin=self._server.settings.origin
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self.peer.close()

    async def leave(self) -> None:
        """Close the page."""
        await self.socket.close()

    async def does(self, deed: str, **details: Any) -> None:
        """Press something."""
        await self.socket.send_json({"type": deed, **details})

    async def until(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The telephone, once it is as expected."""
        await self._wait(lambda: self._told and holds(self._told))
        return self._told

    async def is_in(self, state: str) -> dict[str, Any]:
        """The telephone, once it is idle, ringing or talking."""
        return await self.until(lambda told: told["state"] == state)

    async def is_gone(self) -> None:
        """Wait until the server has closed the line."""
        await self._wait(lambda: self.closed)

    async def _wait(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(SOON):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def _read(self) -> None:
        async for frame in self.socket:
            if frame.type is aiohttp.WSMsgType.TEXT:
                self._hear(frame.json())
            self._changed.set()
        self.closed = True
        self._changed.set()

    def _hear(self, news: dict[str, Any]) -> None:
        match news.pop("type"):
            case "phone:changed":
                self._told = news
            case "media:offer":
                connection = Connection(news["connection"])
                self.peer.offered(Offer(news["peer"], connection, news["number"], news["sdp"]))
            case "media:state":
                self.peer.media_changed(LegState(news["state"]))
            case "taken":
                self.taken = True

    def _answer(self, peer: str, number: int, sdp: str) -> None:
        answer = self.does("media:answer", peer=peer, number=number, sdp=sdp)
        self._answering = asyncio.ensure_future(answer)
