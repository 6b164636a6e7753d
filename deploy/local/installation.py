"""Every program of an installation, started in order and stopped in the reverse one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe

from deploy.local import programs
from deploy.local.ports import free_port
from deploy.local.program import Program
from deploy.local.programs import HERE, NodePlan
from media.addresses import reachable
from server import keys

NAMES = ("a", "b")  # of the nodes; the Caddyfile knows them


@dataclass(frozen=True, slots=True)
class Installation:
    """What runs. ``nodes`` by name; ``others`` in the order of their start."""

    origin: str
    folder: Path
    plans: Mapping[str, NodePlan]
    nodes: Mapping[str, Program]
    proxy: Program
    others: Sequence[Program] = field(default=())

    @property
    def programs(self) -> tuple[Program, ...]:
        """All of them."""
        return (*self.others, *self.nodes.values(), self.proxy)


@asynccontextmanager
async def redis_with_replica(folder: Path) -> AsyncIterator[tuple[str, tuple[Program, ...]]]:
    """A master, its replica and a sentinel; where nodes find them."""
    ports = master, replica, sentinel = free_port(), free_port(), free_port()
    assert len(set(ports)) == len(ports)
    parts = (
        programs.redis_server(folder, "redis-master", master),
        programs.redis_server(folder, "redis-replica", replica, copies=master),
        programs.redis_sentinel(folder, sentinel, master),
    )
    async with _running(*parts):
        yield f"redis+sentinel://{HERE}:{sentinel}/{programs.GROUP}/0", parts


@asynccontextmanager
async def turn_relay(folder: Path) -> AsyncIterator[tuple[dict[str, str], Program]]:
    """A TURN server for the media of this machine; the settings that lead pages to it."""
    port, secret = free_port(), folder / "turn-secret"
    keys.write_private(secret, token_urlsafe())
    ours = sorted({HERE, *reachable(("0.0.0.0",))})  # noqa: S104 - asks which addresses there are
    relay = programs.turn_server(folder, port, secret, ours)
    settings = {"turn_urls": f"turn:{HERE}:{port}", "turn_secret_file": str(secret)}
    async with _running(relay):
        yield settings, relay


@asynccontextmanager
async def nodes_behind_a_proxy(
    folder: Path,
    redis_url: str,
    port: int,
    settings: Mapping[str, str],
    *,
    of_each: Mapping[str, Mapping[str, str]] | None = None,
    others: Sequence[Program] = (),
    plans: Sequence[NodePlan] = (),
) -> AsyncIterator[Installation]:
    """Two nodes on one Redis with one key ring, and Caddy before them on ``port``.

    ``settings`` are of both nodes, ``of_each`` of one, by its name.
    """
    origin = f"http://localhost:{port}"
    ring = folder / "keys.json"
    keys.create(ring)
    shared = {
        "redis_url": redis_url,
        "keys_file": str(ring),
        "public_url": origin,
        "trusted_proxies": f"{HERE},::1",
        **settings,
    }
    planned = {plan.name: plan for plan in plans or map(programs.plan_node, NAMES)}
    own = of_each or {}
    nodes = {
        name: programs.bedside_node(folder, planned[name], {**shared, **own.get(name, {})})
        for name in NAMES
    }
    proxy = programs.reverse_proxy(folder, origin, tuple(planned.values()))
    first, *later = nodes.values()
    # The first node that ever starts makes the practice; two of them at once would make two.
    async with _running(first), _running(proxy, *later, at_once=True):
        yield Installation(origin, folder, planned, nodes, proxy, others)


@asynccontextmanager
async def installation(
    folder: Path, port: int, settings: Mapping[str, str]
) -> AsyncIterator[Installation]:
    """All of it."""
    async with AsyncExitStack() as stack:
        redis_url, stores = await stack.enter_async_context(redis_with_replica(folder))
        turn, relay = await stack.enter_async_context(turn_relay(folder))
        yield await stack.enter_async_context(
            nodes_behind_a_proxy(
                folder, redis_url, port, {**turn, **settings}, others=(*stores, relay)
            )
        )


@asynccontextmanager
async def _running(*parts: Program, at_once: bool = False) -> AsyncIterator[None]:
    """Start these, one after the other unless ``at_once``; stop them together."""
    try:
        if at_once:
            await asyncio.gather(*(part.starts() for part in parts))
        else:
            for part in parts:
                await part.starts()
        yield
    finally:
        await asyncio.gather(*(part.stops() for part in parts))
