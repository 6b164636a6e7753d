"""Everybody in one process of a load: they arrive, stay for a while, and leave."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from itertools import cycle
from time import perf_counter

import aiohttp

from tests.load.clinic import PatientClinic
from tests.load.desk import Desk
from tests.load.figures import Figures
from tests.load.meeting import PATIENT, Meeting, Practice
from tests.load.person import Person
from tests.load.plan import Plan

LAG_EVERY = 0.1
AT_ONCE = 50  # pages that close together


class Crowd:
    """``arrive``, ``steady``, ``leave``, once each and in this order."""

    def __init__(self, plan: Plan) -> None:
        self.figures = Figures()
        self._plan = plan
        self._meetings: set[Meeting] = set()
        self._waiting: list[Person] = []
        self._leaving = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def arrive(self) -> None:
        """Everybody comes, at the rate of the plan; returns when all are there."""
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )
        practices = [await self._practice(key) for key in self._plan.api_keys]
        self._desks = [practice.desk for practice in practices]
        self._tasks = [asyncio.ensure_future(beat) for beat in (self._watches_lag(), self._beats())]
        everybody = [self._hosts] * self._plan.visits + [self._waits] * self._plan.waiting
        random.shuffle(everybody)
        there: list[asyncio.Event] = []
        for comes, practice in zip(everybody, cycle(practices), strict=False):
            there.append(asyncio.Event())
            self._tasks.append(asyncio.ensure_future(_comes(comes, practice, there[-1])))
            await asyncio.sleep(random.expovariate(self._plan.arrivals))
        for each in there:
            await each.wait()

    async def steady(self) -> None:
        """The time that is measured: people speak, and some of them come and go."""
        for meeting in self._meetings:
            for person in meeting.people:
                person.starts_counting()
        over = perf_counter() + self._plan.seconds
        await asyncio.gather(asyncio.sleep(self._plan.seconds), self._churns(over))
        for meeting in self._meetings:
            self._counts(meeting)

    async def leave(self) -> None:
        """Every visit ends and every page closes."""
        self._leaving.set()
        watching, everybody = self._tasks[:2], self._tasks[2:]
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        try:
            await asyncio.gather(*everybody)
        finally:
            await self._close()

    async def _close(self) -> None:
        for start in range(0, len(self._waiting), AT_ONCE):
            await asyncio.gather(*(each.goes() for each in self._waiting[start : start + AT_ONCE]))
        for desk in self._desks:
            await desk.close()
        await self._http.close()

    async def _practice(self, key: str) -> Practice:
        clinic = PatientClinic(self._http, self._plan.url, key, self.figures)
        desk = Desk(self._http, await clinic.desk_link(), self.figures)
        await desk.open()
        return Practice(self._http, clinic, desk, self._plan, self.figures)

    async def _hosts(self, practice: Practice, there: asyncio.Event) -> None:
        """One visit after the other, or a single one that lasts."""
        while not self._leaving.is_set():
            meeting = Meeting(practice)
            with self.figures.forgiving():
                await meeting.begin()
                self._meetings.add(meeting)
            there.set()
            await self._lasts()
            self._counts(meeting)
            self._meetings.discard(meeting)
            await meeting.end()

    async def _lasts(self) -> None:
        lasts = self._plan.visit_lasts * random.uniform(0.5, 1.5) or None
        try:
            await asyncio.wait_for(self._leaving.wait(), lasts)
        except TimeoutError:
            return

    async def _waits(self, practice: Practice, there: asyncio.Event) -> None:
        with self.figures.forgiving():
            visit = await practice.clinic.plans(PATIENT)
            person = practice.person(visit.patient)
            with self.figures.time("wait"):
                await person.comes(lambda: practice.desk.expects(visit.id, person.seat))
                await person.until(lambda: person.waits)
            self._waiting.append(person)
            self.figures.count("waiting")
        there.set()

    async def _churns(self, over: float) -> None:
        """Somebody stumbles now and then; whoever did so last is back when this returns."""
        dice = random.Random(self._plan.seed)
        async with asyncio.TaskGroup() as stumbling:
            while self._plan.churn:
                pause = dice.expovariate(self._plan.churn)
                if perf_counter() + pause > over:
                    break
                await asyncio.sleep(pause)
                inside = [each for meeting in self._meetings for each in meeting.people]
                if free := [each for each in inside + self._waiting if not each.busy]:
                    stumbling.create_task(self._stumbles(dice.choice(free), dice))

    async def _stumbles(self, person: Person, dice: random.Random) -> None:
        person.busy = True
        with self.figures.forgiving():
            await (person.drops() if dice.random() < 0.5 else person.reloads())
            self.figures.count("returned")
        person.busy = False

    async def _beats(self) -> None:
        """Each second: count what has come, and say how it was heard."""
        while True:
            await asyncio.sleep(1.0)
            for meeting in list(self._meetings):
                await meeting.second()
            self.figures.count("seconds")

    async def _watches_lag(self) -> None:
        """A load that is itself too slow measures nothing but itself."""
        while True:
            begun = perf_counter()
            await asyncio.sleep(LAG_EVERY)
            self.figures.took("load_late", max(0.0, perf_counter() - begun - LAG_EVERY))

    def _counts(self, meeting: Meeting) -> None:
        for person in meeting.people:
            person.counts()
            self.figures.count("media_expected", person.expected)
            self.figures.count("media_received", person.received)
            person.expected = person.received = 0


async def _comes(
    comes: Callable[[Practice, asyncio.Event], Awaitable[None]],
    practice: Practice,
    there: asyncio.Event,
) -> None:
    """What fails is raised when everybody leaves; nobody need wait for it until then."""
    try:
        await comes(practice, there)
    finally:
        there.set()
