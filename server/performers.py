"""TABLE: effect → what is done about it. Each may be done twice harmlessly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from rooms.effects import Effect, EndCall, EndSession, PlaceCall
from rooms.model import Visit


class Pages(Protocol):
    """The pages that look at a visit."""

    async def end_sessions(self, visit: str, seat: str, device: str, code: str) -> None:
        """Tell these pages why and close them, with their media."""

    async def show(self, visit: Visit) -> None:
        """Bring every page of the visit up to date."""


class Telephones(Protocol):
    """Whoever places calls."""

    async def place(self, visit: Visit, order: PlaceCall) -> None:
        """Place a call."""

    async def end(self, visit: Visit, order: EndCall) -> None:
        """End a call, whatever has become of it."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What effects are done with."""

    pages: Pages
    telephones: Telephones


async def end_session(hands: Hands, visit: Visit, effect: EndSession) -> None:
    """Close the pages of a seat, or of one device of it."""
    await hands.pages.end_sessions(visit.id, effect.seat, effect.device, effect.code)


async def place_call(hands: Hands, visit: Visit, effect: PlaceCall) -> None:
    """Have the seat called."""
    await hands.telephones.place(visit, effect)


async def end_call(hands: Hands, visit: Visit, effect: EndCall) -> None:
    """Have the call ended."""
    await hands.telephones.end(visit, effect)


PERFORMERS: dict[type[Effect], Callable[[Hands, Visit, Any], Awaitable[None]]] = {
    EndSession: end_session,
    PlaceCall: place_call,
    EndCall: end_call,
}
