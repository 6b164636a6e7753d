"""What stories about telephones have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from media.ports import Impairment, Trouble
from rooms.policy import EdgePolicy, FallbackPolicy, Policy, QualityPolicy
from server.app import Policies
from tests.support.people import Patient, Provider, converse
from tests.support.softphone import Softphone
from tests.support.visits import PlannedVisit
from tests.support.voices import AMINA, ROSA, voice

CUT = Impairment(up=Trouble(cut=True), down=Trouble(cut=True))
WHOLE_CALL = 60.0  # seconds; every call of a story is shorter
TRACE = 1e-4  # of the energy; what one tone leaves at the place of another


def soon(**rules: Any) -> Policies:
    """Trouble is noticed and answered soon: the real waiting is for stories that measure it."""
    given = {"call_after_silence": 0.0, "joins_after": 0.5, "steady_for": 1.0, **rules}
    return Policies(
        visit=Policy(fallback=FallbackPolicy(**given)),
        edge=EdgePolicy(ping_every=1, ping_answer_within=3),
        quality=QualityPolicy(silent_after=1.0, fine_for=1.0),
    )


async def rosa_and_amina(
    visit: PlannedVisit, somebody: Callable[..., Awaitable[Any]], **rosas: Any
) -> tuple[Patient, Provider]:
    """Both in the middle of their visit, each saying a tone of her own."""
    patient = await somebody(Patient, visit.patient, scripts=[voice(ROSA)], **rosas)
    provider = await somebody(Provider, visit.provider, scripts=[voice(AMINA)])
    await converse(patient, provider)
    return patient, provider


async def picks_up(phone: Softphone) -> None:
    """Somebody answers as soon as it rings, and is asked to press a key."""
    await phone.until("CALL_INCOMING")
    await phone.answer()
    await phone.until("CALL_ESTABLISHED")


async def comes_by_telephone(phone: Softphone) -> None:
    """Somebody answers and presses the key that lets them in."""
    await picks_up(phone)
    await phone.press("1")
