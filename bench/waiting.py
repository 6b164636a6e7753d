"""5,000 people waiting on one node: memory and idle cost of each, and admit → told.

Every person is a real session: link opened, Engine.IO WebSocket, knocked, pings answered. The time
from sending the admission to the person's page being told is measured in the process of the load,
which sees both ends with one clock.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench._node import Served, serving

PEOPLE = 5_000
PER_VISIT = 2
ADMITTED = 300
AT_ONCE = 50


@dataclass(slots=True)
class Person:
    """One waiting page."""

    visit: str
    seat: str
    line: aiohttp.ClientWebSocketResponse
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    told_at: asyncio.Future[float] | None = None
    reader: asyncio.Task[None] | None = None


def run() -> dict[str, Any]:
    """The benchmark."""
    with serving() as server:
        return asyncio.run(_measure(server))


async def _measure(server: Served) -> dict[str, Any]:
    limits = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        server.base_url, connector=limits, cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        links = await _create(http, server)
        empty_kb, begun = server.resident_kb(), server.cpu_seconds()
        people = await _all_wait(http, links)
        connected_kb, connected = server.resident_kb(), server.cpu_seconds()
        idle = await _idle_cost(server)
        told = await _admit_some(http, server, people)
        for person in people:
            assert person.reader is not None
            person.reader.cancel()
    return {
        "people_waiting": len(people),
        "kb_each": (connected_kb - empty_kb) / len(people),
        "cpu_ms_to_join_each": (connected - begun) * 1000 / len(people),
        "idle_share_of_one_core": idle,
        "admit_to_told_ms": _percentiles(told),
    }


async def _create(http: aiohttp.ClientSession, server: Served) -> list[tuple[str, str, str]]:
    now, found = time.time(), []
    seats = [{"role": "patient", "name": "Somebody"}] * PER_VISIT
    body = {"starts_at": now, "ends_at": now + 3600, "seats": seats}
    for _ in range(PEOPLE // PER_VISIT):
        async with http.post("/v1/visits", json=body, headers=_key(server)) as response:
            made = await response.json()
        found += [
            (made["visit"], seat["seat"], seat["link"].partition("#")[2]) for seat in made["seats"]
        ]
    return found


async def _all_wait(http: aiohttp.ClientSession, links: list[tuple[str, str, str]]) -> list[Person]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def join(visit: str, seat: str, code: str) -> Person:
        async with gate:
            return await _wait(http, visit, seat, code)

    return await asyncio.gather(*(join(*link) for link in links))


async def _wait(http: aiohttp.ClientSession, visit: str, seat: str, code: str) -> Person:
    async with http.post("/v1/sessions", json={"code": code}) as response:
        token = (await response.json())["token"]
    line = await http.ws_connect("/socket.io/?EIO=4&transport=websocket")
    person = Person(visit, seat, line)
    person.reader = asyncio.create_task(_read(person))
    await line.send_str("40/visit," + json.dumps({"token": token}))
    await line.send_str('42/visit,0["visit:knock",{}]')
    await person.waiting.wait()
    return person


async def _read(person: Person) -> None:
    """Answer pings and notice the two snapshots that matter."""
    async for message in person.line:
        text = str(message.data)
        if text == "2":
            await person.line.send_str("3")
        elif '"admission":"waiting"' in text:
            person.waiting.set()
        elif '"admission":"admitted"' in text and person.told_at and not person.told_at.done():
            person.told_at.set_result(time.perf_counter())


async def _idle_cost(server: Served) -> float:
    """Share of one core that keeping everybody waiting takes, over two ping rounds."""
    before, begun = server.cpu_seconds(), time.perf_counter()
    await asyncio.sleep(10)
    return (server.cpu_seconds() - before) / (time.perf_counter() - begun)


async def _admit_some(
    http: aiohttp.ClientSession, server: Served, people: list[Person]
) -> list[float]:
    by_visit: dict[str, list[Person]] = {}
    for person in people:
        by_visit.setdefault(person.visit, []).append(person)
    chosen = [person for group in by_visit.values() for person in group]
    random.Random(7).shuffle(chosen)
    return [await _admit(http, server, person) for person in chosen[:ADMITTED]]


async def _admit(http: aiohttp.ClientSession, server: Served, person: Person) -> float:
    person.told_at = asyncio.get_running_loop().create_future()
    path = f"/v1/visits/{person.visit}/seats/{person.seat}/admit"
    begun = time.perf_counter()
    async with http.post(path, json={}, headers=_key(server)) as response:
        assert response.status == 200, await response.text()
    return (await person.told_at - begun) * 1000


def _key(server: Served) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.api_key}"}


def _percentiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100)
    return {"p50": cuts[49], "p99": cuts[98]}
