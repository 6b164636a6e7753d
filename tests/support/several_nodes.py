"""Nodes of one installation in the test's own process, each a whole server, on a real Redis."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rooms.model import Visit
from rooms.nodes_policy import NodesPolicy
from server.claims import Census, NodeRecord
from server.many_nodes import ManyNodes
from server.store import NotOwner
from tests.support.clock import MovableClock
from tests.support.http_road import HttpRoad, http_road_to
from tests.support.page_clients import Browser, SeatPage
from tests.support.ports import free_port
from tests.support.redis_server import RedisGroup, RedisServer
from tests.support.server_clients import Planned, Practice, RunningServer, running_server

SOON = 10.0

# The same proportions as in production, in tenths of its time.
BRISK = NodesPolicy(
    beat_every=0.05,
    stale_after=0.8,
    watch_gap=0.5,
    peers_every=0.05,
    due_every=0.05,
    due_grace=0.2,
    takeover_wait=3.0,
    redis_connect=0.4,
    redis_answer=0.4,
    back_every=0.05,
    farewell_grace=0.1,
    drain_apart=0.0,
)


@dataclass
class Installation:
    """Several nodes, and one practice that all of them know."""

    nodes: dict[str, RunningServer]
    practice: Practice
    redis: RedisServer | RedisGroup
    prefix: str
    _awake: dict[str, asyncio.Event] = field(default_factory=dict)

    def __getitem__(self, name: str) -> RunningServer:
        return self.nodes[name]

    def at(self, name: str) -> Practice:
        """The practice's own systems, speaking to this very node."""
        return self.practice.at(self.nodes[name])

    def part(self, name: str) -> ManyNodes:
        """What this node has beyond a node alone."""
        part = self.nodes[name].node.nodes
        assert part is not None
        return part

    def owner(self, visit: Planned) -> str:
        """The name of the node that decides about the visit, as the nodes themselves see it."""
        owners = [name for name in self.nodes if visit.id in self.part(name).ownership.claims]
        assert len(owners) <= 1, owners
        return owners[0] if owners else ""

    def other(self, name: str) -> str:
        """The name of another node."""
        return next(each for each in self.nodes if each != name)

    async def opens(self, browser: Browser, code: str, *, at: str) -> SeatPage:
        """Open a link at this node, and connect where its reply leads."""
        browser.server = self.nodes[at]
        answer = await browser.post(code)
        assert answer.status == 200, answer
        browser.server = self.nodes[answer.body["signal_url"].rpartition("/n/")[2]]
        return await browser.page(answer.body["token"]).connect()

    async def meet(
        self, visit: Planned, provider: Browser, patient: Browser
    ) -> tuple[SeatPage, SeatPage]:
        """A provider, who came by one node, lets a patient in, who came by another."""
        first, *_, last = self.nodes
        clinician = await self.opens(provider, visit.provider.code, at=first)
        person = await self.opens(patient, visit.patient.code, at=last)
        await (await clinician.knocks()).enters()
        await person.knocks()
        await clinician.until(lambda view: view["waiting"])
        await clinician.does("seat:admit", {"seat": visit.patient.seat})
        await person.enters()
        return clinician, person

    def falls_silent(self, name: str) -> None:
        """The node is not seen to beat any more, and does not notice."""
        awake = self._awake[name] = asyncio.Event()
        directory = self.part(name).directory
        beat = directory.beat

        async def beat_when_awake(me: NodeRecord) -> Census:
            await awake.wait()
            return await beat(me)

        directory.beat = beat_when_awake  # type: ignore[method-assign]

    def beats_again(self, name: str) -> None:
        """It goes on as if nothing had been."""
        self._awake[name].set()

    async def placed(self, visit: Planned, name: str) -> None:
        """Have this very node decide about the visit; another may just have met its deadline."""
        ownership, directory = self.part(name).ownership, self.part(name).directory
        while visit.id not in ownership.claims:
            with suppress(NotOwner):
                await ownership.gain(visit.id, await directory.owner_of(visit.id))
        for other in self.nodes:
            if other != name and visit.id in self.part(other).ownership.claims:
                self.part(other).ownership.give_up(visit.id, media_for=0.0)


@asynccontextmanager
async def several_nodes(
    folder: Path,
    redis: RedisServer | RedisGroup,
    *names: str,
    policy: NodesPolicy = BRISK,
    roads: Mapping[str, str] = {},
    **settings: Any,
) -> AsyncIterator[Installation]:
    """Started nodes (a and b, if no names are given) that all know each other.

    ``roads`` are addresses by which some of them reach Redis, instead of its own.
    """
    prefix = str(settings.pop("redis_prefix", "")) or f"test-{uuid.uuid4().hex[:12]}"
    clock = MovableClock()
    async with AsyncExitStack() as stack:
        nodes = {
            name: await stack.enter_async_context(
                running_server(
                    folder / name,
                    nodes=policy,
                    clock=clock,
                    redis_url=roads.get(name, redis.url),
                    redis_prefix=prefix,
                    node=name,
                    keys_file=folder / "keys.json",
                    **settings,
                )
            )
            for name in names or ("a", "b")
        }
        first = next(iter(nodes.values()))
        installation = Installation(nodes, await first.practice(), redis, prefix)
        await until(
            lambda: all(len(installation.part(name).cluster.nodes) == len(nodes) for name in nodes)
        )
        yield installation


async def until(holds: Callable[[], object], within: float = SOON) -> None:
    """Wait for what nobody announces: it is looked at often, and it must come true."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        await asyncio.sleep(0.01)


async def until_stored(
    practice: Practice, visit: Planned, holds: Callable[[Visit], object], within: float = SOON
) -> None:
    """Wait until the store has the visit like this."""
    end = time.monotonic() + within
    while not holds(await practice.stored(visit)):
        assert time.monotonic() < end, "it was not stored in time"
        await asyncio.sleep(0.02)


def slower(**changes: float) -> NodesPolicy:
    """``BRISK`` but for these."""
    return replace(BRISK, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def road_to(redis: RedisServer) -> AsyncIterator[tuple[HttpRoad, str]]:
    """A way to Redis that can be cut, and its address."""
    port = free_port()
    async with http_road_to(redis.port, port) as road:
        yield road, f"redis://127.0.0.1:{port}"
