"""A real media plane on loopback, and people in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from itertools import permutations
from typing import Any

import pytest

from media.ports import LegState, Wiring
from media.sfu import MediaConfig, Sfu
from rooms.model import Link
from rooms.policy import MediaPolicy
from tests.support.light_peer import LightPeer

VISIT = "visit-1"


class Room:
    """One visit on one plane: who is in it, and the light peers of those who came."""

    def __init__(self, sfu: Sfu) -> None:
        self.sfu = sfu
        self.visit = VISIT
        self.seats: list[str] = []
        self.links: set[Link] = set()
        self.peers: list[LightPeer] = []

    def admit(self, *seats: str) -> None:
        """Let these people in too; everybody hears and sees everybody."""
        self.seats += seats
        self.links = {Link(a, b) for a, b in permutations(self.seats, 2)}
        self.wire()

    def remove(self, seat: str) -> None:
        self.seats.remove(seat)
        self.links = {link for link in self.links if seat not in (link.source, link.hearer)}
        self.wire()

    def switch(self, source: str, **what: Any) -> None:
        """Set ``sound`` or ``picture`` of everything that comes from a seat."""
        for link in [link for link in self.links if link.source == source]:
            self.links.remove(link)
            self.links.add(replace(link, **what))
        self.wire()

    def wire(self) -> None:
        self.sfu.wire(Wiring(self.visit, frozenset(self.seats), frozenset(self.links)))

    def peer(self, seat: str, leg: str = "leg-1", **options: Any) -> LightPeer:
        """A browser for this seat, not attached yet."""
        peer = LightPeer(partial(self.sfu.answer, self.visit, seat, leg), **options)
        self.peers.append(peer)
        return peer

    async def enter(self, seat: str, leg: str = "leg-1", **options: Any) -> LightPeer:
        """Admit a seat if needed, and connect a browser for it."""
        if seat not in self.seats:
            self.admit(seat)
        peer = self.peer(seat, leg, **options)
        self.sfu.attach(self.visit, seat, leg, peer)
        await peer.until(lambda: peer.connected and LegState.CONNECTED in peer.states)
        return peer

    async def meet(self, *seats: str, **options: Any) -> list[LightPeer]:
        """Connect these people, and wait until each knows the streams of the others."""
        self.admit(*seats)
        peers = [await self.enter(seat, **options) for seat in seats]
        for peer in peers:
            await self.knows(peer, len(seats) - 1)
        return peers

    async def knows(self, peer: LightPeer, others: int) -> None:
        """Wait until the peer has been told of the streams of so many others."""
        await peer.until(lambda: len(peer.receive.streams) == 2 * others)

    async def close(self) -> None:
        for peer in self.peers:
            await peer.close()


@pytest.fixture
def policy() -> MediaPolicy:
    return MediaPolicy()


@pytest.fixture
async def sfu(policy: MediaPolicy) -> AsyncIterator[Sfu]:
    plane = Sfu(MediaConfig(bind=("127.0.0.1", "::1"), tcp=True), policy)
    await plane.start()
    yield plane
    await plane.close()


@pytest.fixture
async def room(sfu: Sfu) -> AsyncIterator[Room]:
    room = Room(sfu)
    yield room
    await room.close()


@pytest.fixture
def make_room() -> Callable[[Sfu], Room]:
    return Room
