"""A desk that looks at a practice's day, and notes how soon it sees whoever knocks."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import aiohttp

from tests.load.figures import Figures
from tests.support.returning_line import ReturningLine


class Desk:
    """``expects`` whoever is about to knock; ``desk_notice`` is the time until they are shown."""

    def __init__(self, http: aiohttp.ClientSession, link: str, figures: Figures) -> None:
        self._figures = figures
        self._knocked: dict[tuple[str, str], float] = {}
        self._line = ReturningLine(
            http, link, {"desk:changed": self._see}, namespace="/desk", troubled=figures.trouble
        )

    async def open(self) -> None:
        """Open the desk's link. Raises ``Refused``."""
        await self._line.open()

    def expects(self, visit: str, seat: str) -> None:
        """Somebody knocks now."""
        self._knocked[visit, seat] = perf_counter()

    async def close(self) -> None:
        """Close the desk; whoever was never shown is an error."""
        await self._line.hangs_up()
        self._figures.errors.update(
            {"desk_never_told": len(self._knocked)} if self._knocked else {}
        )

    async def _see(self, day: dict[str, Any]) -> None:
        self._figures.count("desk_snapshots")
        for visit in day["visits"]:
            for waiting in visit["waiting"]:
                knocked = self._knocked.pop((visit["visit"], waiting["seat"]), None)
                if knocked is not None:
                    self._figures.took("desk_notice", perf_counter() - knocked)
