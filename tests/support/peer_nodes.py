"""Nodes that ask one another over real sockets, with a host that writes down what it is asked."""

from __future__ import annotations

import asyncio
import io
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web
from yarl import URL

from rooms.events import Event
from rooms.model import Visit, VisitId
from rooms.nodes_policy import NodesPolicy
from rooms.policy import EdgePolicy
from server import http
from server.claims import Claim, NodeRecord
from server.keys import KeyRing, TokenKey
from server.metrics import Metrics
from server.peer_client import HttpPeers
from server.peer_doors import PeerDoors
from server.peer_messages import Order, write
from server.peer_tokens import PeerTokens
from server.security_headers import origin_check, security_headers
from server.slow_requests import bodies_in_time, create_runner
from server.store import LinkRecord
from tests.support.records import a_visit

ISSUER = "bedside"
EDGE = EdgePolicy()
POLICY = NodesPolicy()
RING = KeyRing(
    (TokenKey("one", bytes(range(32))),),
    audit=bytes(range(64, 96)),
    sealing=bytes(range(96, 128)),
)
OTHER_RING = KeyRing((TokenKey("one", bytes(range(32, 64))),), RING.audit, RING.sealing)


@dataclass
class FakeHost:
    """Answers every order, and remembers it. ``before`` runs first and may wait or raise."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)
    visit: Visit = field(default_factory=a_visit)
    epochs: dict[VisitId, int] = field(default_factory=dict)
    error: BaseException | None = None
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event | None = None

    async def _asked(self, *what: Any) -> None:
        self.asked.append(what)
        self.waiting.set()
        if self.go_on is not None:
            await self.go_on.wait()
        if self.error is not None:
            raise self.error

    async def submit_here(
        self, visit: VisitId, event: Event, links: tuple[LinkRecord, ...], *, placed: bool
    ) -> Visit:
        await self._asked("submit", visit, event, links, placed)
        return self.visit

    async def current_here(self, visit: VisitId, *, placed: bool) -> Visit:
        await self._asked("current", visit, placed)
        return self.visit

    async def take_over(self, visit: VisitId, former: Claim) -> None:
        await self._asked("take_over", visit, former)

    async def keep_out(self, visit: VisitId, events: Sequence[Event]) -> None:
        await self._asked("keep_out", visit, tuple(events))

    def owned_here(self, visits: Sequence[VisitId]) -> Mapping[VisitId, int]:
        self.asked.append(("owned", tuple(visits)))
        return {visit: self.epochs[visit] for visit in visits if visit in self.epochs}


@dataclass
class PeerNode:
    """A node that serves ``host`` at ``record.url``."""

    record: NodeRecord
    host: FakeHost
    runner: web.AppRunner

    async def raw(
        self, order: Order, visit: str = "visit-1", **changes: Any
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Post an order by hand; ``changes`` say what is different about it.

        ``body`` and ``path`` are what is sent, after the token was made for the right ones.
        """
        right = write(order), order.path.replace("{visit}", visit)
        token = changes.get("token")
        if token is None:
            sender: PeerTokens = changes.get("tokens") or tokens("other")
            to = changes.get("to", self.record.name)
            token = sender.sign(to, "POST", right[1], right[0])
        headers = {"Authorization": f"Bearer {token}", **changes.get("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        url = URL(self.record.url + changes.get("path", right[1]), encoded=True)
        async with ClientSession() as session:
            asking = session.request(
                changes.get("method", "POST"),
                url,
                data=io.BytesIO(changes.get("body", right[0])),
                headers=headers,
            )
            async with asking as response:
                return response.status, await response.read(), dict(response.headers)


def tokens(name: str, ring: KeyRing = RING, clock: Callable[[], float] = time.time) -> PeerTokens:
    """The tokens of the node of this name."""
    return PeerTokens(ring, ISSUER, clock, name, edge=EDGE, policy=POLICY)


def peers(policy: NodesPolicy = POLICY, ring: KeyRing = RING) -> HttpPeers:
    """What the node ``other`` asks with."""
    return HttpPeers(tokens("other", ring), policy)


@asynccontextmanager
async def peer_node(
    name: str = "here",
    *,
    policy: NodesPolicy = POLICY,
    clock: Callable[[], float] = time.monotonic,
    ssl_context: ssl.SSLContext | None = None,
) -> AsyncIterator[PeerNode]:
    """A node with the doors of a real one, and all that stands in front of them."""
    host = FakeHost()
    app = web.Application(
        client_max_size=EDGE.request_body,
        middlewares=[
            security_headers(EDGE, "http://127.0.0.1"),
            http.answer_errors(Metrics()),
            origin_check(["http://127.0.0.1"]),
            bodies_in_time(EDGE),
        ],
    )
    doors = PeerDoors(host, tokens(name), policy, clock)
    doors.bind(app)
    runner = create_runner(app, EDGE)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ssl_context)
    await site.start()
    port = runner.addresses[0][1]
    scheme = "http" if ssl_context is None else "https"
    record = NodeRecord(name=name, owner=f"{name}-1", url=f"{scheme}://127.0.0.1:{port}")
    try:
        yield PeerNode(record, host, runner)
    finally:
        await doors.close()
        await runner.cleanup()
