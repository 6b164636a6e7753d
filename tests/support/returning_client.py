"""Somebody in a visit without a browser, who comes back as their page would.

    guest = ReturningClient(http, link)
    await guest.open()
    await guest.arrives()                       # as the page does before and at "Join the visit"
    await guest.until(lambda: guest.inside)     # enters by itself, at every return as well
    await guest.reloads()                       # a new page on the same device
    await guest.close()

The HTTP session should keep no cookies: each of them has the credential of a device of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp

from media.ports import Connection
from tests.support.light_client import LightClient
from tests.support.light_connection import LightConnection
from tests.support.light_peer import LightPeer
from tests.support.returning_line import Refused, ReturningLine

__all__ = ["Refused", "ReturningClient"]

HANDOVER_MOST = 4.0  # seconds, as in web_client/src/timing.ts


class ReturningClient(LightClient):
    """A light client on a line that comes back."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        link: str,
        troubled: Callable[[str], None] = lambda _code: None,
        **peer_options: Any,
    ) -> None:
        super().__init__(http, link, **peer_options)
        self.line = ReturningLine(
            http,
            link,
            self._news,
            opened=self._hands_over,
            changed=self._changed.set,
            troubled=troubled,
        )
        self.former: LightPeer | None = None  # of the session before, until this one has media
        self.snapshots = 0  # how often the server has shown the visit
        self._troubled = troubled
        self._entering = False

    async def open(self) -> None:
        """Open the link and the socket; returns with the first snapshot. Raises ``Refused``."""
        seen, self._entering = self.snapshots, False
        await self.line.open()
        self.session = self.line.session
        await self.until(lambda: self.snapshots > seen or self.line.ended)
        if self.line.ended:
            raise Refused(self.line.ended)

    async def arrives(self, *, shows: bool = True) -> None:
        """Look at the devices and ask to come in. Raises ``Refused``."""
        if self.view["me"]["admission"] == "invited":
            await self.signals("visit:check")
        may = self.view["me"]["may"]
        wished = {"microphone": "speak" in may, "camera": shows and "show" in may}
        await self.signals("media:switch", wished)
        await self.knocks()

    async def signals(self, name: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a signal; its acknowledgement. Raises ``Refused``."""
        return await self.line.request(name, payload)

    async def drops(self) -> None:
        """Lose the socket; returns when it is back."""
        seen = self.snapshots
        await self.line.drops()
        await self.until(lambda: (self.line.up and self.snapshots > seen) or self.line.ended)

    async def reloads(self) -> None:
        """Begin again as a new page of the same browser. Raises ``Refused``."""
        await self.line.hangs_up()
        await self._end_media()
        await self.open()

    @property
    def receiving(self) -> LightConnection | None:
        """The newest connection on which others are heard."""
        return receiving(self.peer)

    @property
    def heard(self) -> int:
        """Packets of other people that have come over the newest connection."""
        return heard_by(self.peer)

    @property
    def heard_anyhow(self) -> tuple[int, int]:
        """The same, of the newest connection and of the former one."""
        return heard_by(self.peer), heard_by(self.former)

    @property
    def connected(self) -> bool:
        """Whether media flows, as far as this side knows."""
        return self.peer is not None and self.peer.connected

    async def close(self) -> None:
        """Close the page; idempotent."""
        await self.line.hangs_up()
        await self._end_media()

    async def _end_media(self) -> None:
        if self._speaker is not None:
            self._speaker.stop()
        peers, self.peer, self.former = (self.peer, self.former), None, None
        for peer in peers:
            if peer is not None:
                await peer.close()

    def _hands_over(self) -> None:
        """Another session, perhaps at another node: what flows goes on until it has its own."""
        if self.peer is not None and self.peer.connected:
            self.line.spawn(self._parts_with(self.former))
            self.former, self.peer = self.peer, None
            self.line.spawn(self._parts(self.former))

    async def _parts(self, former: LightPeer) -> None:
        with suppress(TimeoutError):
            await self.until(lambda: self.heard, timeout=HANDOVER_MOST)
        await self._parts_with(former)

    async def _parts_with(self, former: LightPeer | None) -> None:
        if former is not None:
            await former.close()
        if former is self.former:
            self.former = None

    async def _see(self, view: dict[str, Any]) -> None:
        self.snapshots += 1
        await super()._see(view)
        if self.inside and view["me"]["admission"] != "present" and not self._entering:
            self._entering = True
            self.line.spawn(self._enter())

    async def _enter(self) -> None:
        try:
            await self.enters()
        finally:
            self._entering = False

    def _answer(self, peer: str, number: int, sdp: str) -> None:
        payload = {"peer": peer, "number": number, "sdp": sdp}
        self.line.spawn(self._tells_answer(payload))

    async def _tells_answer(self, payload: dict[str, Any]) -> None:
        try:
            await self.signals("media:answer", payload)
        except Refused as refused:
            if refused.code != "not_admitted":  # the visit ended, or they left, in between
                raise


def receiving(peer: LightPeer | None) -> LightConnection | None:
    """The connection on which this peer hears others."""
    connections = peer.connections.values() if peer else ()
    return next((each for each in connections if each.kind is Connection.RECEIVE), None)


def heard_by(peer: LightPeer | None) -> int:
    """Packets of other people that have come over this peer's connection."""
    receive = receiving(peer)
    return sum(receive.counts.get(ssrc, 0) for ssrc in receive.streams) if receive else 0
