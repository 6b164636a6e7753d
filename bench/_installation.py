"""What a load is put on: one node alone, or nodes on one Redis behind a proxy; and their CPU."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench._node import serving
from deploy.local.first_visit import api_key
from deploy.local.installation import NAMES
from tests.load.plan import Plan
from tests.load.processes import usage
from tests.load.report import run
from tests.support.cluster import Cluster, cluster
from tests.support.redis_server import RedisServer

# All load comes from one address, and pings are as seldom as in earnest.
RULES = {
    "edge": {
        "ping_every": 5,
        "ping_answer_within": 10,
        "connects_per_minute": 1e7,
        "open_per_address": 100_000,
        "sessions_per_minute": 1e7,
    }
}


@dataclass(frozen=True, slots=True)
class Installation:
    """Something that a load can be put on."""

    origin: str
    api_key: str
    nodes: tuple[int, ...]  # processes
    redis: RedisServer | None = None
    proxy: int = 0
    cluster: Cluster | None = field(default=None, repr=False)

    def node_cpu(self) -> float:
        """Seconds that all nodes have used, by the clock tick of Linux (10 ms)."""
        return sum(usage(pid).cpu for pid in self.nodes)

    def redis_cpu(self) -> float:
        """Seconds that Redis has used; nothing without it."""
        if self.redis is None:
            return 0.0
        used = self.redis.command("INFO", "cpu")
        return float(used["used_cpu_sys"]) + float(used["used_cpu_user"])

    def redis_commands(self) -> int:
        """How many commands Redis has run, those inside scripts included."""
        if self.redis is None:
            return 0
        stats = self.redis.command("INFO", "commandstats")
        return sum(int(each["calls"]) for each in stats.values())

    def redis_memory(self) -> int:
        """Bytes of everything that Redis keeps."""
        return int(self.redis.command("INFO", "memory")["used_memory"]) if self.redis else 0

    async def load(self, **options: Any) -> dict[str, Any]:
        """The report of a load on it."""
        pids = (*self.nodes, *([self.proxy] if self.proxy else []))
        return await run(Plan(url=self.origin, api_keys=(self.api_key,), pids=pids, **options))


@asynccontextmanager
async def one_node() -> AsyncIterator[Installation]:
    """A node with its embedded store."""
    with serving() as served:
        yield Installation(served.base_url, served.api_key, (served.pid,))


@asynccontextmanager
async def on_redis(nodes: int) -> AsyncIterator[Installation]:
    """One node or two on Redis, which keeps what it is told on a disk."""
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as folder:
        async with cluster(Path(folder), rules=RULES, log_level="error") as running:
            for name in NAMES[nodes:]:
                await running.node(name).stops()
            yield installed(running)


def installed(running: Cluster) -> Installation:
    """A running cluster, as it is now."""
    return Installation(
        origin=running.running.origin,
        api_key=api_key(running.running.folder / NAMES[0]),
        nodes=tuple(node.pid for node in running.running.nodes.values() if node.runs),
        redis=running.store,
        proxy=running.running.proxy.pid,
        cluster=running,
    )


def percentiles(values: Sequence[float], *cuts: int) -> dict[str, float]:
    """These percentiles of some values, by the nearest of them."""
    ordered = sorted(values)
    return {f"p{cut}": ordered[min(len(ordered) - 1, len(ordered) * cut // 100)] for cut in cuts}
