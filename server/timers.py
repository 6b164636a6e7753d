"""One timer per visit, always set to the visit's next deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rooms.model import VisitId

Clock = Callable[[], float]


class Timers:
    """Calls ``fire(visit_id)`` when a visit's next deadline has come."""

    def __init__(self, clock: Clock, fire: Callable[[VisitId], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._handles: dict[VisitId, asyncio.TimerHandle] = {}

    def arm(self, visit_id: VisitId, at: float | None) -> None:
        """Fire at ``at`` (seconds since the epoch) instead of whenever it was; None: never."""
        former = self._handles.pop(visit_id, None)
        if former is not None:
            former.cancel()
        if at is not None:
            delay = max(0.0, at - self._clock())
            self._handles[visit_id] = asyncio.get_running_loop().call_later(
                delay, self._ring, visit_id
            )

    def close(self) -> None:
        """Forget every deadline; idempotent."""
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()

    def _ring(self, visit_id: VisitId) -> None:
        self._handles.pop(visit_id, None)
        self._fire(visit_id)
