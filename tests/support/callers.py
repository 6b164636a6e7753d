"""Visits whose people are called, on a server whose telephones follow scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from media.phone.practice import PracticeCarrier
from media.phone.scripts import NUMBERS, Script
from rooms.model import Line, Seat, Sound
from rooms.policy import FallbackPolicy, Policy
from tests.support.page_clients import Browser, SeatPage
from tests.support.server_clients import Planned, Practice, RunningServer, running_server

NUMBER_OF = {script: number for number, script in NUMBERS.items()}
AGREED = {"wording": "2026-01", "language": "en"}

# The order of a call's story, without its waiting.
SOON = FallbackPolicy(
    media_within=60.0,
    call_after_silence=0.05,
    call_after_unusable=0.05,
    call_after_goodbye=0.05,
    call_after_return=0.05,
    call_after_restart=0.1,
    joins_after=0.05,
    fade_for=0.05,
)


@asynccontextmanager
async def rehearsal(
    data: Path, rules: FallbackPolicy = SOON, **more: Any
) -> AsyncIterator[RunningServer]:
    """A server that calls the practice carrier's telephones."""
    policy = replace(Policy(), fallback=rules)
    async with running_server(data, visit=policy, practice_carrier=True, **more) as server:
        yield server


def patient_on(script: Script, **more: Any) -> dict[str, Any]:
    """A patient whose own telephone does this; they agreed to be called."""
    own = {"number": NUMBER_OF[script], **AGREED}
    return {"role": "patient", "name": "Rosa Alvarez", "numbers": [own], **more}


def phone_only(script: Script, **more: Any) -> dict[str, Any]:
    """A patient without a browser."""
    return patient_on(script, by_phone_only=True, **more)


def carrier(server: RunningServer) -> PracticeCarrier:
    """The telephones of the server."""
    found = server.node.phones.practice_carrier
    assert found is not None
    return found


def calls_at(server: RunningServer) -> int:
    """How many calls the carrier has now."""
    return len(carrier(server)._calls)


@dataclass
class Meeting:
    """A provider inside, watching a patient who is to be called."""

    server: RunningServer
    practice: Practice
    visit: Planned
    provider: SeatPage

    def at(self, server: RunningServer) -> Meeting:
        """The same visit on a server that was started again; nobody looks at it yet."""
        return replace(self, server=server, practice=self.practice.at(server))

    @property
    def patient(self) -> str:
        """The patient's seat."""
        return self.visit.patient.seat

    async def line(self) -> Line:
        """How the patient is connected, as it is stored."""
        return (await self.seat()).line

    async def seat(self) -> Seat:
        """The patient's seat, as it is stored."""
        seat = (await self.practice.stored(self.visit)).seat(self.patient)
        assert seat is not None
        return seat

    async def until(self, **fields: Any) -> dict[str, Any]:
        """Wait until the provider's page reports the patient's line like this."""

        def holds(view: dict[str, Any]) -> bool:
            line = line_of(view, self.patient)
            return line is not None and all(line[name] == value for name, value in fields.items())

        view = await self.provider.until(holds)
        line = line_of(view, self.patient)
        assert line is not None
        return line

    def states(self) -> list[str]:
        """Every state of the patient's line that the provider's page was ever shown, in order."""
        shown: list[str] = []
        for view in self.provider.views:
            line = line_of(view, self.patient)
            if line is not None and line["state"] not in shown[-1:]:
                shown.append(line["state"])
        return shown

    async def sounds(self, sound: Sound) -> None:
        """The media plane says how the patient's browser sounds."""
        self.server.node.phones.calls.sound_changed(self.visit.id, self.patient, sound)
        await self.server.node.phones.reports.settled()


def line_of(view: dict[str, Any], seat: str) -> dict[str, Any] | None:
    """What a view reports of a seat's line."""
    rows = [*view["people"], *view["seats"]]
    return next((row["line"] for row in rows if row["seat"] == seat and row.get("line")), None)


async def meeting_of(server: RunningServer, browser: Browser, patient: dict[str, Any]) -> Meeting:
    """A practice, a visit, and its provider inside."""
    practice = await server.practice()
    visit = await practice.plans({"role": "provider", "name": "Amina Reyes"}, patient)
    provider = await browser.opens(visit.provider.code)
    await (await provider.knocks()).enters()
    return Meeting(server, practice, visit, provider)


async def admitted(meeting: Meeting, browser: Browser) -> SeatPage:
    """The patient's page, present in the visit."""
    page = await browser.opens(meeting.visit.patient.code)
    await page.knocks()
    await meeting.provider.until(lambda view: bool(view["waiting"]))
    await meeting.provider.does("seat:admit", {"seat": meeting.patient})
    return await page.enters()
