"""What a visit's loads and saves cost, at the embedded store and at Redis, from one process.

A visit of three seats; a save writes one entry of the log, as an admission does. "Alone" is one
caller, who waits for each answer; "together" are as many visits of as many practices at once.
"Lasting" saves also wait for a replica, as a denial does. Redis runs on this machine: a network
adds its round trip to what a caller waits, and nothing to what it costs.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rooms.model import Role, Seat, Visit
from rooms.nodes_policy import NodesPolicy
from server.audit_file import AuditFile
from server.claims import Claims
from server.config import load_settings
from server.redis_config import RedisConfig
from server.redis_keys import RedisKeys
from server.redis_link import RedisLink
from server.redis_store import RedisStore, Writer
from server.sqlite_store import SqliteStore
from server.store import LogDraft, Store
from tests.support.redis_server import RedisServer, redis_server

VISITS = 32
OPERATIONS = 3_000
AUDIT_KEY = b"a key of thirty-two bytes to use"


def run() -> dict[str, Any]:
    """The benchmark."""
    return asyncio.run(_measure())


async def _measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as directory:
        return {
            "embedded": await _embedded(Path(directory)),
            "redis": await _many(Path(directory)),
            "redis_with_replica": await _replicated(Path(directory)),
        }


async def _embedded(directory: Path) -> dict[str, Any]:
    store = SqliteStore(directory / "bedside.db", AUDIT_KEY)
    await store.open()
    await _prepare(store)
    figures = await _loads_and_saves(store)
    await store.close()
    return figures


async def _many(directory: Path) -> dict[str, Any]:
    durable: dict[str, Any] = {"appendonly": "yes", "appendfsync": "everysec"}
    async with redis_server(**durable) as server, _store(server, directory / "one") as store:
        await _prepare(store)
        before = _cpu_of(server)
        figures = await _loads_and_saves(store)
        spent = _cpu_of(server) - before
        return figures | {"redis_cpu_ms_each": spent * 1000 / (4 * OPERATIONS)}


async def _replicated(directory: Path) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        master = await stack.enter_async_context(redis_server())
        replica = await stack.enter_async_context(redis_server())
        await asyncio.to_thread(replica.replica_of, master)
        store = await stack.enter_async_context(_store(master, directory / "two"))
        await _prepare(store)
        return {
            "save_lasting_alone": await _timed(_saving(store, lasting=True), 1),
            "save_lasting_together": await _timed(_saving(store, lasting=True), VISITS),
        }


@asynccontextmanager
async def _store(server: RedisServer, audit: Path) -> AsyncIterator[Store]:
    policy, keys = NodesPolicy(), RedisKeys("bench")
    config = RedisConfig.of(load_settings(redis_url=server.url))
    link = RedisLink(config, policy, probe=keys.probe)
    file = AuditFile(audit, time.time, policy)
    writer = Writer(node="bench", claims=Claims(), audit_key=AUDIT_KEY, audit_file=file)
    store = RedisStore(link, keys, writer)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def _prepare(store: Store) -> None:
    for number in range(VISITS):
        await store.create(_visit(number), [], [])


def _visit(number: int) -> Visit:
    roles = (Role.PATIENT, Role.PROVIDER, Role.FAMILY)
    seats = tuple(Seat(id=f"seat-{role.value}", role=role, name="Somebody") for role in roles)
    now = time.time()
    return Visit(
        id=f"visit-{number}",
        practice=f"practice-{number}",
        starts_at=now,
        ends_at=now + 3600,
        seats=seats,
    )


async def _loads_and_saves(store: Store) -> dict[str, Any]:
    return {
        "load_alone": await _timed(_loading(store), 1),
        "load_together": await _timed(_loading(store), VISITS),
        "save_alone": await _timed(_saving(store), 1),
        "save_together": await _timed(_saving(store), VISITS),
    }


def _loading(store: Store) -> Callable[[int], Awaitable[object]]:
    return lambda number: store.load(f"visit-{number}")


def _saving(store: Store, *, lasting: bool = False) -> Callable[[int], Awaitable[object]]:
    versions: dict[int, int] = {}

    async def save(number: int) -> None:
        if number not in versions:
            versions[number] = (await store.load(f"visit-{number}")).version
        visit = replace(_visit(number), revision=versions[number])
        draft = LogDraft(at=time.time(), type="SeatAdmitted", visit=visit.id, seat="seat-patient")
        versions[number] = await store.save(visit, versions[number], [draft], lasting=lasting)

    return save


async def _timed(act: Callable[[int], Awaitable[object]], callers: int) -> dict[str, float]:
    waits: list[float] = []

    async def call(number: int) -> None:
        for _ in range(OPERATIONS // callers):
            begun = time.perf_counter()
            await act(number)
            waits.append((time.perf_counter() - begun) * 1000)

    begun, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(call(number) for number in range(callers)))
    taken, spent = time.perf_counter() - begun, time.process_time() - cpu
    cuts = statistics.quantiles(waits, n=100)
    return {
        "per_second": len(waits) / taken,
        "cpu_ms_each": spent * 1000 / len(waits),
        "p50_ms": cuts[49],
        "p99_ms": cuts[98],
    }


def _cpu_of(server: RedisServer) -> float:
    told = server.command("INFO", "cpu")
    return float(told["used_cpu_user"]) + float(told["used_cpu_sys"])
