"""Two nodes on Redis: a node is killed, a node is drained, and a desk sees what happens elsewhere.

Visits with a patient and a provider who send sound through real sockets; their pages come back as
browsers' do. A kill takes the node of every visit, and ``back_s`` is from ``kill -9`` until packets
of the others arrive again: of each person, and of the last person of each kill. A drain is the
longest time without any packet, for each person whose visit moved. A notice is from the knock
until a desk page shows it, at the node that decides about the visit and at the other one; desks
are told of changes within 250 ms together.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bench._installation import RULES, percentiles
from deploy.local.first_visit import api_key
from deploy.local.installation import NAMES
from tests.load.clinic import PatientClinic
from tests.load.desk import Desk
from tests.load.figures import Figures
from tests.load.meeting import Meeting, Practice
from tests.load.plan import Plan
from tests.support.cluster import Cluster, cluster
from tests.support.light_peer import LightPeer
from tests.support.returning_client import ReturningClient, heard_by
from tests.support.visits import PATIENT, PlannedVisit

VISITS, KILLS, DRAINS, KNOCKS = 4, 20, 4, 40
SETTLED = 3.0  # seconds between two kills: nobody is unlucky twice in a row
LONGEST = 60.0  # seconds that anything may take
LOOK_EVERY = 0.005


def run() -> dict[str, Any]:
    """The benchmark."""
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> dict[str, Any]:
    async with AsyncExitStack() as closing:
        nodes = await closing.enter_async_context(cluster(folder, rules=RULES, log_level="error"))
        http = await closing.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
            )
        )
        notices = await _notices(nodes, http)
        meetings = await closing.enter_async_context(_meetings(nodes, http))
        kills = [await _kill(nodes, meetings) for _ in range(KILLS)]
        drains = [await _drain(nodes, meetings) for _ in range(DRAINS)]
        ended = [each.page.line.ended for meeting in meetings for each in meeting.people]
    return {
        "kill_to_media_back_s": {
            "people": percentiles([back for kill in kills for back in kill], 50, 95),
            "kills": percentiles([max(kill) for kill in kills], 50, 95),
        },
        "drain": {
            "silence_s": percentiles([s for drain in drains for s in drain["silence"]], 50, 95),
            "whole_s": percentiles([drain["whole"] for drain in drains], 50, 95),
        },
        "knock_to_desk_ms": notices,
        "pages_ended": len([code for code in ended if code]),
    }


@asynccontextmanager
async def _meetings(nodes: Cluster, http: aiohttp.ClientSession) -> AsyncIterator[list[Meeting]]:
    practice = await _practice(nodes, http)
    meetings = [Meeting(practice) for _ in range(VISITS)]
    for meeting in meetings:
        await meeting.begin()
    yield meetings
    for meeting in meetings:
        for person in meeting.people:
            await person.goes()


async def _practice(nodes: Cluster, http: aiohttp.ClientSession) -> Practice:
    figures, origin, key = Figures(), nodes.running.origin, _key(nodes)
    clinic = PatientClinic(http, origin, key, figures)
    desk = Desk(http, await clinic.desk_link(), figures)
    return Practice(http, clinic, desk, Plan(url=origin, api_keys=(key,)), figures)


def _key(nodes: Cluster) -> str:
    return api_key(nodes.running.folder / NAMES[0])


# -- kill --------------------


async def _kill(nodes: Cluster, meetings: Sequence[Meeting]) -> list[float]:
    """Kill the node of the first visit; seconds until each of its people hears again."""
    await asyncio.sleep(SETTLED)
    victim = await _owner(nodes, meetings[0])
    pages = [each.page for meeting in await _of(nodes, victim, meetings) for each in meeting.people]
    begun = time.perf_counter()
    waiting = [asyncio.ensure_future(_hears_anew(page, page.peer)) for page in pages]
    await nodes.node(victim).is_killed()
    back = [at - begun for at in await asyncio.gather(*waiting)]
    await nodes.node(victim).starts()
    await nodes.is_ready(victim)
    return back


async def _hears_anew(page: ReturningClient, former: LightPeer | None) -> float:
    await page.until(lambda: page.peer is not former and page.heard, timeout=LONGEST)
    return time.perf_counter()


async def _owner(nodes: Cluster, meeting: Meeting) -> str:
    names = await asyncio.to_thread(nodes.names)
    claim = await asyncio.to_thread(nodes.claim_of, PlannedVisit(meeting.id, ()))
    return names[claim.owner]


async def _of(nodes: Cluster, name: str, meetings: Sequence[Meeting]) -> list[Meeting]:
    return [meeting for meeting in meetings if await _owner(nodes, meeting) == name]


# -- drain --------------------


class _Ear:
    """The longest time in which a page received nothing of anybody, over any connection."""

    def __init__(self, page: ReturningClient) -> None:
        self.longest = 0.0
        self._page = page
        self._counted: dict[LightPeer, int] = {}
        self._at = time.perf_counter()

    def listen(self) -> None:
        """Look whether anything has come."""
        peers = [peer for peer in (self._page.peer, self._page.former) if peer is not None]
        counts = {peer: heard_by(peer) for peer in peers}
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._at)
        if any(count > self._counted.get(peer, 0) for peer, count in counts.items()):
            self._at = now
        self._counted = counts


async def _drain(nodes: Cluster, meetings: Sequence[Meeting]) -> dict[str, Any]:
    """Ask the node of the first visit to stop, and listen meanwhile."""
    await asyncio.sleep(SETTLED)
    leaving = await _owner(nodes, meetings[0])
    moved = await _of(nodes, leaving, meetings)
    ears = [_Ear(each.page) for meeting in moved for each in meeting.people]
    listening = asyncio.ensure_future(_listen(ears))
    begun = time.perf_counter()
    nodes.node(leaving).is_asked_to_stop()
    await nodes.node(leaving).is_gone(LONGEST)
    whole = time.perf_counter() - begun
    await asyncio.sleep(SETTLED)  # the old connections are gone by now
    listening.cancel()
    await nodes.node(leaving).starts()
    await nodes.is_ready(leaving)
    return {"silence": [ear.longest for ear in ears], "whole": whole}


async def _listen(ears: Sequence[_Ear]) -> None:
    while True:
        for ear in ears:
            ear.listen()
        await asyncio.sleep(LOOK_EVERY)


# -- notices --------------------


async def _notices(nodes: Cluster, http: aiohttp.ClientSession) -> dict[str, Any]:
    link = await nodes.clinic.desk_link()
    figures = {name: Figures() for name in NAMES}
    desks = {
        name: Desk(http, link.replace(nodes.running.origin, nodes.running.plans[name].url), counted)
        for name, counted in figures.items()
    }
    for desk in desks.values():
        await desk.open()
    told: dict[str, list[float]] = {"at_the_owner": [], "at_the_other": []}
    for number in range(KNOCKS):
        owner = await _knock(nodes, http, tuple(desks.values()))
        async with asyncio.timeout(LONGEST):
            while min(len(each.times["desk_notice"]) for each in figures.values()) <= number:  # noqa: ASYNC110 - desks tell nobody
                await asyncio.sleep(LOOK_EVERY)
        for name, counted in figures.items():
            where = "at_the_owner" if name == owner else "at_the_other"
            told[where].append(1000 * counted.times["desk_notice"][-1])
    for desk in desks.values():
        await desk.close()
    return {where: percentiles(values, 50, 99) for where, values in told.items()}


async def _knock(nodes: Cluster, http: aiohttp.ClientSession, desks: Sequence[Desk]) -> str:
    """Somebody comes to a visit of their own and knocks; the node that decides about it."""
    visit = await nodes.clinic.plans(PATIENT)
    async with ReturningClient(http, visit.patient.link) as page:
        for desk in desks:
            desk.expects(visit.id, visit.patient.seat)
        await page.signals("visit:knock")
        await asyncio.sleep(SETTLED / 10)  # until desks have been told, while the page is there
        return await nodes.owner_of(visit)
