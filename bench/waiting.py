"""People waiting on one node: memory and idle cost of 5,000, admit → told, and how many may wait.

Every person is a real session: link opened, Engine.IO WebSocket, knocked, pings answered. The time
from sending the admission to the person's page being told is measured in the process of the load,
which sees both ends with one clock.

The search adds people until the p99 of that time passes 100 ms. As many people are let in and
come anew each second as a wait of ten minutes makes of those who wait, and never fewer than
twenty: it is the coming and going that costs, and a p99 of a handful says nothing. It stops at the
number of sockets that one process may have, or after a while: ``ended_by`` says which.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import resource
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

LEVELS = (2_500, 5_000, 7_500, 10_000, 12_500, 15_000, 17_500)
WAIT = 600.0  # seconds that somebody waits, on average
LEAST_RATE = 20.0  # admissions a second
HELD = 15.0  # seconds at each level
MOST_MS = 100.0  # what an answer may take to feel like one
SEARCH_WITHIN = 240.0  # seconds for all levels
SPARE_FILES = 500


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
    most = _lift_file_limit() - SPARE_FILES
    with serving() as server:
        cost = asyncio.run(_measure(server))
    with serving() as server:
        return cost | {"search": asyncio.run(_search(server, most))}


def _lift_file_limit() -> int:
    """As many open files as the system allows, for this process and those that it starts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


async def _measure(server: Served) -> dict[str, Any]:
    async with _line_to(server) as http:
        links = await _create(http, server, PEOPLE)
        empty_kb, begun = server.resident_kb(), server.cpu_seconds()
        people = await _all_wait(http, links)
        connected_kb, connected = server.resident_kb(), server.cpu_seconds()
        idle = await _idle_cost(server)
        _keep_collector_away()
        told = await _admit_some(http, server, people)
        _stop_reading(people)
    return {
        "people_waiting": len(people),
        "kb_each": (connected_kb - empty_kb) / len(people),
        "cpu_ms_to_join_each": (connected - begun) * 1000 / len(people),
        "idle_share_of_one_core": idle,
        "admit_to_told_ms": _percentiles(told),
    }


def _line_to(server: Served) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        server.base_url,
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


async def _search(server: Served, most: int) -> dict[str, Any]:
    """Levels in turn, with what each cost, until one is too many."""
    people: list[Person] = []
    found: dict[str, Any] = {"people": 0, "ended_by": "levels", "levels": {}}
    over = time.perf_counter() + SEARCH_WITHIN
    async with _line_to(server) as http:
        for level in LEVELS:
            if level > most or time.perf_counter() > over:
                found["ended_by"] = "files" if level > most else "time"
                break
            links = await _create(http, server, level - len(people))
            people += await _all_wait(http, links)
            held = found["levels"][str(level)] = await _hold(http, server, people)
            if held["admit_to_told_ms"]["p99"] > MOST_MS:
                found["ended_by"] = "p99"
                break
            found["people"] = level
        _stop_reading(people)
    return found


async def _hold(http: aiohttp.ClientSession, server: Served, people: list[Person]) -> Any:
    """Let people in and others come, at the pace of a waiting room of this size."""
    each_second = max(LEAST_RATE, len(people) / WAIT)
    _keep_collector_away()
    cpu, begun = server.cpu_seconds(), time.perf_counter()
    turns = await asyncio.gather(
        *(
            _turn(http, server, people, after=number / each_second)
            for number in range(int(HELD * each_second))
        )
    )
    share = (server.cpu_seconds() - cpu) / (time.perf_counter() - begun)
    return {
        "admissions_per_second": each_second,
        "share_of_one_core": share,
        "kb": server.resident_kb(),
        "admit_to_told_ms": _percentiles(turns),
    }


def _keep_collector_away() -> None:
    """A pause of this process would look like one of the server."""
    gc.collect()
    gc.freeze()


async def _turn(
    http: aiohttp.ClientSession, server: Served, people: list[Person], after: float
) -> float:
    """Somebody is let in and goes, and somebody else comes; how long the first waited for word."""
    await asyncio.sleep(after)
    person = people.pop(0)
    told = await _admit(http, server, person)
    await person.line.close()
    [link, *_] = await _create(http, server, PER_VISIT)
    people.append(await _wait(http, *link))
    return told


def _stop_reading(people: list[Person]) -> None:
    for person in people:
        assert person.reader is not None
        person.reader.cancel()


async def _create(
    http: aiohttp.ClientSession, server: Served, people: int
) -> list[tuple[str, str, str]]:
    now, found = time.time(), []
    seats = [{"role": "patient", "name": "Somebody"}] * PER_VISIT
    body = {"starts_at": now, "ends_at": now + 3600, "seats": seats}
    for _ in range(people // PER_VISIT):
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
