"""One visit of a load, from its creation by REST to its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter

import aiohttp

from tests.load.clinic import PatientClinic
from tests.load.desk import Desk
from tests.load.figures import Figures
from tests.load.person import PATIENCE, Person
from tests.load.plan import Plan
from tests.support.visits import PROVIDER, Invitation

GUEST = {"role": "family", "name": "Somebody", "relationship": "daughter"}
PATIENT = {"role": "patient", "name": "Somebody"}


@dataclass(frozen=True, slots=True)
class Practice:
    """What a visit needs of its practice, and of the load."""

    http: aiohttp.ClientSession
    clinic: PatientClinic
    desk: Desk
    plan: Plan
    figures: Figures

    def person(self, invitation: Invitation) -> Person:
        """Somebody with this invitation."""
        return Person(self.http, invitation, self.plan, self.figures)


@dataclass(slots=True, eq=False)
class Meeting:
    """A provider, and everybody whom they let in."""

    practice: Practice
    id: str = ""
    people: list[Person] = field(default_factory=list)
    begun: bool = False

    @property
    def provider(self) -> Person:
        """Who lets the others in; the first to be there."""
        return self.people[0]

    async def begin(self) -> None:
        """Everybody comes, is let in, and hears the others.

        Raises ``Refused`` and ``TimeoutError``.
        """
        others = max(0, self.practice.plan.people_per_visit - 2)
        visit = await self.practice.clinic.plans(PROVIDER, PATIENT, *[GUEST] * others)
        self.id = visit.id
        self.people = [self.practice.person(each) for each in visit.invitations]
        coming = [asyncio.ensure_future(self._joins(each)) for each in self.people]
        admitting = asyncio.ensure_future(self._admits())
        try:
            await asyncio.gather(*coming)
        finally:
            for task in (*coming, admitting):
                task.cancel()
            await asyncio.gather(*coming, admitting, return_exceptions=True)
        self.begun = True
        self.practice.figures.count("visits_begun")

    async def end(self) -> None:
        """The patient leaves, the provider ends it, and all pages close."""
        if self.begun:
            await self._take_leave()
        for person in self.people:
            await person.goes()

    async def _take_leave(self) -> None:
        figures = self.practice.figures
        with figures.forgiving():
            await self.people[1].page.signals("visit:leave")
            figures.count("left")
        with figures.forgiving(), figures.time("end_to_told"):
            await self.provider.page.signals("visit:end")
            for person in self.people[2:]:
                await person.until(lambda: False)
            figures.count("visits_ended")

    async def second(self) -> None:
        """What happens each second."""
        for person in self.people:
            person.counts()
            await person.reports()

    async def _joins(self, person: Person) -> None:
        figures = self.practice.figures
        with figures.time("join"):
            await person.comes()
            await person.until(lambda: person.page.inside)
            told = perf_counter()
            if person.admitted_at:
                figures.took("admit_to_told", told - person.admitted_at)
            person.speaks(lambda packets: self._heard_by_others(person, packets))
            if len(self.people) > 1:
                await person.until(lambda: person.page.connected)
                figures.took("told_to_connected", perf_counter() - told)
                await person.hears()
        figures.count("joined")

    def _heard_by_others(self, speaker: Person, packets: int) -> None:
        for person in self.people:
            if person is not speaker:
                person.sent_to(packets)

    async def _admits(self) -> None:
        """Let in whoever waits, as soon as the provider's page shows them."""
        page, figures = self.provider.page, self.practice.figures
        waiting = {each.seat: each for each in self.people[1:]}
        while waiting:
            await page.until(lambda: page.inside and _first(page.view, waiting), timeout=PATIENCE)
            person = waiting[_first(page.view, waiting)]
            figures.took("provider_notice", perf_counter() - person.knocked_at)
            person.admitted_at = perf_counter()
            with figures.forgiving():
                await page.signals("seat:admit", {"seat": person.seat})
                del waiting[person.seat]


def _first(view: dict[str, list[dict[str, str]]], among: dict[str, Person]) -> str:
    """The seat of the first who waits, of these."""
    return next((each["seat"] for each in view["waiting"] if each["seat"] in among), "")
