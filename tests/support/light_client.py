"""Somebody in a visit without a browser: the page's side of the protocol, as small as can be.

    async with LightClient(http, link) as guest:
        await guest.knocks()
        await guest.until(lambda: guest.inside)
        await guest.enters()
        await guest.until(lambda: guest.peer and guest.peer.connected)

One costs a socket and a few dictionaries, so thousands of them can wait at once. Media begins with
the server's first offer; ``speaks`` then sends real sound and pictures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
import socketio

from media.ports import Connection, LegState, Offer
from tests.support.light_media import Speaker
from tests.support.light_peer import LightPeer

NAMESPACE = "/visit"
ANSWER_WITHIN = 20.0
HANDSHAKE = "socket.io"

Hears = Callable[[dict[str, Any]], Awaitable[None]]


def origin_and_path(signal_url: str, page: str = "") -> tuple[str, str]:
    """Where a socket begins, by the ``signal_url`` that a page was given: origin, path."""
    address = urlsplit(urljoin(page, signal_url))
    path = address.path.strip("/")
    if not path.endswith(HANDSHAKE):
        path = f"{path}/{HANDSHAKE}".lstrip("/")
    return f"{address.scheme}://{address.netloc}", path


class LightClient:
    """One page's hold on a seat. Use it as a context, or ``open`` and ``close`` it."""

    def __init__(self, http: aiohttp.ClientSession, link: str, **peer_options: Any) -> None:
        address = urlsplit(link)
        self._origin = f"{address.scheme}://{address.netloc}"
        self._code = address.fragment
        self._http = http
        # A light peer sends from loopback, and so it has to send to loopback.
        self._peer_options = {"server_host": "127.0.0.1"} | peer_options
        self._socket = socketio.AsyncClient(http_session=http, reconnection=False)
        self._changed = asyncio.Event()
        self._answers: set[asyncio.Task[Any]] = set()
        self._speaker: Speaker | None = None
        self.session: dict[str, Any] = {}  # the reply of POST /v1/sessions
        self.view: dict[str, Any] = {}
        self.ended = ""  # the code of ``session:ended``
        self.peer: LightPeer | None = None
        for name, hear in self._news.items():
            self._socket.on(name, hear, NAMESPACE)

    @property
    def _news(self) -> Mapping[str, Hears]:
        return {
            "visit:changed": self._see,
            "media:offer": self._offered,
            "media:state": self._media_changed,
            "session:ended": self._over,
        }

    @property
    def seat(self) -> str:
        """The seat that the link opened."""
        return str(self.session["seat"])

    @property
    def inside(self) -> bool:
        """Whether this very client is in the visit."""
        return bool(self.view and self.view["me"]["inside"])

    async def open(self) -> None:
        """Open the link and the socket; returns with the first snapshot."""
        async with self._http.post(
            f"{self._origin}/v1/sessions", json={"code": self._code}
        ) as answer:
            self.session = await answer.json()
            assert answer.ok, self.session
        origin, path = origin_and_path(self.session["signal_url"], self._origin)
        await self._socket.connect(
            origin,
            socketio_path=path,
            namespaces=[NAMESPACE],
            auth={"token": self.session["token"]},
            transports=["websocket"],
            wait_timeout=ANSWER_WITHIN,
        )
        await self.until(lambda: self.view)

    async def signals(self, name: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a signal; its acknowledgement, which must be a yes."""
        answer = await self._socket.call(name, payload or {}, NAMESPACE, timeout=ANSWER_WITHIN)
        assert "ok" in answer, (name, answer)
        return dict(answer)

    async def knocks(self, name: str = "") -> None:
        """Ask to come in."""
        await self.signals("visit:knock", {"name": name} if name else {})

    async def enters(self) -> None:
        """Say that the page is ready in the visit."""
        await self.signals("visit:enter")

    async def speaks(self, *, shows: bool = True) -> None:
        """Send sound, and pictures, as soon as there is a connection to send them on."""
        await self.until(lambda: self.peer and self.peer.connected)
        assert self.peer is not None
        self._speaker = Speaker(self.peer, shows=shows)

    async def gets_sound_and_picture(self, seat: str) -> None:
        """New packets of both arrive from this seat, from now on."""
        peer = self.peer
        assert peer is not None
        heard, seen = len(peer.sound(seat)), len(peer.picture(seat))
        await self.until(lambda: len(peer.sound(seat)) > heard and len(peer.picture(seat)) > seen)

    async def until(self, condition: Callable[[], object], timeout: float = ANSWER_WITHIN) -> None:
        """Return once ``condition`` holds; looks again at whatever the server says or sends."""
        async with asyncio.timeout(timeout):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def close(self) -> None:
        """Close the page; idempotent."""
        if self._speaker is not None:
            self._speaker.stop()
        for task in self._answers:
            task.cancel()
        if self.peer is not None:
            await self.peer.close()
        await self._socket.disconnect()

    async def __aenter__(self) -> LightClient:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # What the server says.

    async def _see(self, view: dict[str, Any]) -> None:
        self.view = view
        self._changed.set()

    async def _offered(self, offer: dict[str, Any]) -> None:
        if self.peer is None:
            self.peer = _Page(self._answer, self._changed.set, **self._peer_options)
        connection = Connection(offer["connection"])
        self.peer.offered(Offer(offer["peer"], connection, offer["number"], offer["sdp"]))

    async def _media_changed(self, news: dict[str, Any]) -> None:
        if self.peer is not None:
            self.peer.media_changed(LegState(news["state"]))

    async def _over(self, news: dict[str, Any]) -> None:
        self.ended = str(news["code"])
        self._changed.set()

    def _answer(self, peer: str, number: int, sdp: str) -> None:
        payload = {"peer": peer, "number": number, "sdp": sdp}
        task = asyncio.ensure_future(self.signals("media:answer", payload))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)


class _Page(LightPeer):
    """A peer that also wakes whoever waits for its client."""

    def __init__(
        self, answer: Callable[[str, int, str], None], told: Callable[[], None], **options: Any
    ) -> None:
        super().__init__(answer, **options)
        self._told = told

    def wake(self) -> None:
        super().wake()
        self._told()
