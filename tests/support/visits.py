"""A practice with a running server, and visits in it, made as the practice's own systems do."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from media.ports import VOICE_SUFFIX, Impairment
from media.sfu import Sfu
from rooms.model import Prompt
from server import keys
from server.app import NODE, Policies, build
from server.config import load_settings
from server.links import hash_code, new_api_key
from server.node import Node
from server.store import ApiKey, Practice
from tests.support.clock import MovableClock
from tests.support.ports import free_port
from tests.support.sounds import sound_file, tone
from tests.support.voices import ANNOUNCEMENT

PRACTICE = Practice(id="riverside", name="Riverside Family Practice", phone="+1 555 010 0199")
HOST = "the Tuesday clinic"  # nobody's name, so that a leaked name is never taken for it
LASTS = 3600.0
ANNOUNCED_FOR = 1.0  # seconds; what follows until it is repeated is silence

PATIENT = {"role": "patient", "name": "Rosa Alvarez"}
PROVIDER = {"role": "provider", "name": "Amina Reyes"}
ROSAS_PHONE = "+12025550171"
CALLABLE = {"numbers": [{"number": ROSAS_PHONE, "wording": "2026-11"}]}  # she agreed on paper
FAMILY = {"role": "family", "name": "Lucia Marquez", "relationship": "daughter"}


def trunk_settings(phone_port: int) -> dict[str, str]:
    """The settings of a server whose calls all go to a telephone at this port."""
    rtp = free_port()
    return {
        "sip_servers": f"127.0.0.1:{phone_port}",
        "sip_transport": "udp",
        "sip_host": "127.0.0.1",
        "sip_port": str(free_port()),
        "sip_rtp_ports": f"{rtp}-{rtp + 200}",
        "sip_caller": "+12025550199",
    }


@dataclass(frozen=True, slots=True)
class Invitation:
    """One seat and the link that opens it."""

    seat: str
    role: str
    name: str
    link: str

    @property
    def telephone(self) -> str:
        """What the sound of this person's telephone is called where it is heard."""
        return self.seat + VOICE_SUFFIX


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A visit as the practice's system knows it."""

    id: str
    invitations: tuple[Invitation, ...]

    def of(self, name: str) -> Invitation:
        """The invitation of the person with this name."""
        return next(each for each in self.invitations if each.name == name)

    @property
    def patient(self) -> Invitation:
        """The patient's invitation."""
        return self._first("patient")

    @property
    def provider(self) -> Invitation:
        """The (first) provider's invitation."""
        return self._first("provider")

    @property
    def family(self) -> Invitation:
        """The (first) family member's invitation."""
        return self._first("family")

    def _first(self, role: str) -> Invitation:
        return next(each for each in self.invitations if each.role == role)


class Clinic:
    """The practice's own systems: they speak REST with an API key, to any running server."""

    def __init__(self, http: aiohttp.ClientSession, origin: str, api_key: str) -> None:
        self.origin = origin
        self._http = http
        self._headers = {"Authorization": f"Bearer {api_key}"}

    async def plans(self, *seats: dict[str, Any], starts_in: float = 0.0) -> PlannedVisit:
        """A visit, open now unless it starts later; by default of patient, provider and family."""
        seats = seats or (PATIENT, PROVIDER, FAMILY)
        asked = {**_times(starts_in), "host": HOST, "seats": list(seats)}
        made = await self.call("POST", "/v1/visits", asked)
        return PlannedVisit(
            made["visit"],
            tuple(
                Invitation(one["seat"], one["role"], seat["name"], one["link"])
                for one, seat in zip(made["seats"], seats, strict=True)
            ),
        )

    async def moves(self, visit: PlannedVisit, *, starts_in: float) -> None:
        """Give the visit another time."""
        await self.call("POST", f"/v1/visits/{visit.id}/reschedule", _times(starts_in))

    async def desk_link(self) -> str:
        """A new link to the practice's desk."""
        made = await self.call("POST", "/v1/desks", {})
        return str(made["link"])

    async def decided(self, what: str, seat: str) -> list[float]:
        """When this was decided about a seat, by the practice's log: one instant each time."""
        entries = (await self.call("GET", "/v1/events"))["events"]
        this = (what, seat, "ok")
        return [e["at"] for e in entries if (e["type"], e["seat"], e["outcome"]) == this]

    async def admissions(self, seat: str) -> int:
        """How often somebody let this seat in."""
        return len(await self.decided("SeatAdmitted", seat))

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """One request, which must succeed; its reply."""
        async with self._http.request(
            method, self.origin + path, json=body, headers=self._headers
        ) as answer:
            reply = await answer.json()
            assert answer.ok, reply
            return reply


def _times(starts_in: float) -> dict[str, float]:
    starts_at = time.time() + starts_in
    return {"starts_at": starts_at, "ends_at": starts_at + LASTS}


class OwnClinic(Clinic):
    """A practice whose server runs in this very process."""

    node: Node
    clock: MovableClock

    @property
    def media_port(self) -> int:
        """The port of all media."""
        plane = self.node.plane
        assert isinstance(plane, Sfu)
        return plane.port

    async def announces_by_a_tone(self) -> None:
        """What is said at the gate is a tone from now on, so that anything else in an ear shows."""
        recording = sound_file(tone(ANNOUNCEMENT, ANNOUNCED_FOR, 48_000), "wav", "pcm_s16le")
        await self.node.phones.prompts.store(PRACTICE.id, Prompt.GATE, "en", recording)

    def impairs(self, visit: PlannedVisit, seat: Invitation, how: Impairment | None) -> None:
        """Break the network between the server and one seat, or (None) repair it."""
        self.node.plane.impair(visit.id, seat.seat, how)


@asynccontextmanager
async def open_clinic(
    directory: Path, policies: Policies | None = None, **settings: Any
) -> AsyncIterator[OwnClinic]:
    """A practice and its server, closed at the end with everything in it."""
    ports = {"port": free_port(), "media_port": 0}
    chosen = load_settings(data_dir=directory, **{**ports, **settings})
    clock = MovableClock()
    app = build(chosen, keys.load_or_create(chosen.keys_path, chosen.production), policies, clock)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, chosen.host, chosen.port).start()
        async with aiohttp.ClientSession() as http:
            clinic = OwnClinic(http, chosen.origin, await _introduce(app[NODE]))
            clinic.node, clinic.clock = app[NODE], clock
            yield clinic
    finally:
        await runner.cleanup()


async def _introduce(node: Node) -> str:
    api_key = new_api_key()
    await node.store.put_practice(PRACTICE)
    await node.store.add_api_key(
        ApiKey(hash=hash_code(api_key), practice=PRACTICE.id, id="system", created_at=node.clock())
    )
    return api_key
