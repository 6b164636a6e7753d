"""What visits and admissions cost: one node alone, one node on Redis, two nodes on Redis.

CPU time of the processes, so that others on the machine matter little. Visits have two people;
sound is 50 packets a second from each, full media 200. An admission is measured alone: REST, the
decision, its log entry, and the patient's page being told; pages here do not take up their media.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import Any

import aiohttp

from bench._installation import Installation, on_redis, one_node, percentiles
from tests.support.returning_client import ReturningClient
from tests.support.visits import PATIENT, Clinic

SECONDS, IDLE = 15.0, 5.0
VISITS = {"sound": 24, "full": 8}
ADMITTED = 200
ARRIVALS = 10.0  # visits a second


def run() -> dict[str, Any]:
    """The benchmark."""
    measured = {
        "one_node_alone": asyncio.run(_measure(one_node)),
        "one_node_on_redis": asyncio.run(_measure(partial(on_redis, 1))),
        "two_nodes_on_redis": asyncio.run(_measure(partial(on_redis, 2))),
    }
    alone, one, two = measured.values()
    return measured | {
        "redis_to_alone": _ratios(one, alone),
        "two_nodes_to_one": _ratios(two, one),
    }


async def _measure(start: Callable[[], AbstractAsyncContextManager[Installation]]) -> Any:
    async with start() as there:
        idle = there.node_cpu()
        await asyncio.sleep(IDLE)
        idle = (there.node_cpu() - idle) / IDLE
        return {
            "idle_share_of_one_core": idle,
            **{media: await _visits(there, media) for media in VISITS},
            "admission": await _admissions(there),
        }


async def _visits(there: Installation, media: str) -> dict[str, Any]:
    visits = VISITS[media]
    before = there.redis_cpu()
    report = await there.load(visits=visits, media=media, seconds=SECONDS, arrivals=ARRIVALS)
    minutes = visits * SECONDS / 60
    nodes = [report["servers"][str(pid)] for pid in there.nodes]
    joined = report["counts"]["joined"]
    memory = sum(node["memory_kb_full"] - node["memory_kb_empty"] for node in nodes)
    return {
        "cpu_s_per_visit_minute": sum(node["cpu_s_steady"] for node in nodes) / minutes,
        "cpu_ms_to_join_each": 1000 * sum(node["cpu_s_arriving"] for node in nodes) / joined,
        "redis_cpu_ms_per_visit": 1000 * (there.redis_cpu() - before) / visits,
        "memory_kb_per_visit": memory / visits,
        "media_received_share": report["media_received_share"],
        "errors": sum(report["errors"].values()),
    }


async def _admissions(there: Installation) -> dict[str, Any]:
    async with AsyncExitStack() as closing:
        http = await closing.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
            )
        )
        clinic = Clinic(http, there.origin, there.api_key)
        empty = there.redis_memory()
        people = [await _waits(http, clinic, closing) for _ in range(ADMITTED)]
        kept = there.redis_memory()
        before = there.node_cpu(), there.redis_cpu(), there.redis_commands()
        told = [await _admit(clinic, *each) for each in people]
        node, redis, commands = (
            (now - then) / ADMITTED
            for now, then in zip(
                (there.node_cpu(), there.redis_cpu(), there.redis_commands()), before, strict=True
            )
        )
    return {
        "cpu_ms": 1000 * node,
        "redis_cpu_ms": 1000 * redis,
        "redis_commands": commands,
        "redis_bytes_per_visit": (kept - empty) / ADMITTED,
        "told_ms": percentiles(told, 50, 99),
    }


class _Waits(ReturningClient):
    """A page that does nothing once it is in."""

    async def _see(self, view: dict[str, Any]) -> None:
        self.snapshots += 1
        self.view = view
        self._changed.set()

    async def _offered(self, offer: dict[str, Any]) -> None:
        return


async def _waits(
    http: aiohttp.ClientSession, clinic: Clinic, closing: AsyncExitStack
) -> tuple[str, _Waits]:
    visit = await clinic.plans(PATIENT)
    page = _Waits(http, visit.patient.link)
    await closing.enter_async_context(page)
    await page.arrives()
    await page.until(lambda: page.view["me"]["admission"] == "waiting")
    return visit.id, page


async def _admit(clinic: Clinic, visit: str, page: _Waits) -> float:
    """Milliseconds until the page knows."""
    begun = time.perf_counter()
    await clinic.call("POST", f"/v1/visits/{visit}/seats/{page.seat}/admit", {})
    await page.until(lambda: page.inside)
    return 1000 * (time.perf_counter() - begun)


def _ratios(one: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    cost = "cpu_s_per_visit_minute"
    ratios = {media: one[media][cost] / other[media][cost] for media in VISITS}
    return ratios | {"admission": one["admission"]["cpu_ms"] / other["admission"]["cpu_ms"]}
