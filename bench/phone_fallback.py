"""From a failing network to a ringing telephone, and back to the picture, under the real policy.

Ten visits at a time, each with a patient and a provider who send real sound through real sockets.
The patients' packets are cut, or a third of them is lost; telephones are those of the practice
carrier, which rings half a second after dialling and presses "1". What is measured is what the
provider's page is told.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from media.impairment import Damage, impairment
from media.phone.scripts import Script
from media.sfu import Sfu
from rooms.policy import EdgePolicy, ImpairmentPolicy, SwitchboardPolicy
from server.app import Policies
from server.config import LogLevel
from server.logs import configure
from server.telephony import PhonePolicies
from tests.support.light_client import LightClient
from tests.support.visits import PROVIDER, OwnClinic, open_clinic

VISITS = 10
LONGEST = 90.0  # seconds that any of this may take
SETTLED = 5.0  # seconds in the visit before anything fails: a page that has just come has more time
LIFTED = EdgePolicy(connects_per_minute=1e7, open_per_address=100_000, sessions_per_minute=1e7)
POLICIES = Policies(
    edge=LIFTED,
    # One call a second is what providers allow; here ten networks fail in one instant.
    phones=PhonePolicies(switchboard=SwitchboardPolicy(calls_per_second=1_000.0)),
)


@dataclass(frozen=True, slots=True)
class Meeting:
    """One visit: whose network fails, and who watches."""

    visit: str
    patient: LightClient
    provider: LightClient

    async def until(self, condition: Callable[[dict[str, Any]], object]) -> float:
        """When the provider's page shows the patient like this."""
        await self.provider.until(lambda: condition(self._shown()), timeout=LONGEST)
        return time.perf_counter()

    def _shown(self) -> dict[str, Any]:
        people = self.provider.view["people"]
        return next((p for p in people if p["seat"] == self.patient.seat), {"line": {}})


def run() -> dict[str, Any]:
    """The benchmark."""
    configure(LogLevel.ERROR)
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as directory:
        return asyncio.run(_measure(Path(directory)))


async def _measure(directory: Path) -> dict[str, Any]:
    async with open_clinic(directory, POLICIES, practice_carrier=True) as clinic:
        async with _meetings(clinic, 100) as meetings:
            cut, back = await _cut_and_repaired(clinic, meetings)
        async with _meetings(clinic, 150) as meetings:
            heavy = await _weakened(clinic, meetings)
    return {
        "cut_to_ringing_s": _percentiles(cut),
        "heavy_loss_to_ringing_s": _percentiles(heavy),
        "recovery_to_picture_s": _percentiles(back),
    }


@asynccontextmanager
async def _meetings(clinic: OwnClinic, first: int) -> AsyncIterator[list[Meeting]]:
    """Each patient has a telephone of their own, numbered from ``first``."""
    async with AsyncExitStack() as closing:
        http = await closing.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        numbers = range(first, first + VISITS)
        meetings = [await _meeting(clinic, http, closing, number) for number in numbers]
        await asyncio.sleep(SETTLED)
        yield meetings


async def _meeting(
    clinic: OwnClinic, http: aiohttp.ClientSession, closing: AsyncExitStack, number: int
) -> Meeting:
    telephone = f"+12125550{number}"
    carrier = clinic.node.phones.practice_carrier
    assert carrier is not None
    carrier.rehearse(telephone, Script.PRESSES_1)
    own = [{"number": telephone, "wording": "bench"}]
    patient_seat: dict[str, Any] = {"role": "patient", "name": "Somebody", "numbers": own}
    visit = await clinic.plans(patient_seat, PROVIDER)
    provider, patient = (
        LightClient(http, visit.provider.link),
        LightClient(http, visit.patient.link),
    )
    for client in (provider, patient):
        await closing.enter_async_context(client)
        await client.knocks()
    await patient.until(lambda: patient.view["me"]["admission"] == "waiting")
    await provider.signals("seat:admit", {"seat": patient.seat})
    for client in (provider, patient):
        await client.until(_inside(client))
        await client.enters()
        await client.speaks(shows=False)
    await provider.until(lambda: provider.peer and provider.peer.sound(patient.seat))
    return Meeting(visit.id, patient, provider)


def _inside(client: LightClient) -> Callable[[], bool]:
    return lambda: client.inside


async def _cut_and_repaired(
    clinic: OwnClinic, meetings: list[Meeting]
) -> tuple[list[float], list[float]]:
    begun = _damage(clinic, meetings, Damage.CUT)
    ringing = await _all(meetings, lambda line: line.get("state") == "ringing")
    await _all(meetings, lambda line: line.get("joined"))
    repaired = _damage(clinic, meetings, None)
    shown = await _all(meetings, lambda line: line.get("state") == "recovering")
    return [at - begun for at in ringing], [at - repaired for at in shown]


async def _weakened(clinic: OwnClinic, meetings: list[Meeting]) -> list[float]:
    begun = _damage(clinic, meetings, Damage.HEAVY)
    ringing = await _all(meetings, lambda line: line.get("state") == "ringing")
    return [at - begun for at in ringing]


async def _all(
    meetings: list[Meeting], condition: Callable[[dict[str, Any]], object]
) -> list[float]:
    return list(
        await asyncio.gather(*(m.until(lambda shown: condition(shown["line"])) for m in meetings))
    )


def _damage(clinic: OwnClinic, meetings: list[Meeting], damage: Damage | None) -> float:
    plane = clinic.node.plane
    assert isinstance(plane, Sfu)
    for meeting in meetings:
        broken = impairment(damage, ImpairmentPolicy()) if damage is not None else None
        plane.impair(meeting.visit, meeting.patient.seat, broken)
    return time.perf_counter()


def _percentiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return {"p50": statistics.median(values), "p95": cuts[18]}
