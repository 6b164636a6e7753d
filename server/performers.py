"""TABLE: effect → what is done about it. Each may be done twice harmlessly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from rooms.effects import Effect, EndSession
from rooms.model import Visit


class Hands(Protocol):
    """What effects are done with."""

    async def end_sessions(self, visit: str, seat: str, device: str, code: str) -> None:
        """Tell these pages why and close them, with their media."""


async def end_session(hands: Hands, visit: Visit, effect: EndSession) -> None:
    """Close the pages of a seat, or of one device of it."""
    await hands.end_sessions(visit.id, effect.seat, effect.device, effect.code)


PERFORMERS: dict[type[Effect], Callable[[Hands, Visit, Any], Awaitable[None]]] = {
    EndSession: end_session,
}
