"""What desks see: each practice's visits of the day, kept up to date as they change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rooms.model import OVER, RUNNING, Visit, VisitId
from rooms.policy import EdgePolicy
from rooms.view import guest_list, waiting_list
from server.replies import DeskSeat, DeskVisit
from server.timers import Clock


class DeskBoard:
    """Rows by practice. The first change is told at once, and those that follow it together, every
    ``desk_refresh`` seconds.
    """

    def __init__(self, clock: Clock, edge: EdgePolicy) -> None:
        self._clock = clock
        self._edge = edge
        self._rows: dict[str, dict[VisitId, DeskVisit]] = {}
        self._changed: set[str] = set()
        self._handle: asyncio.TimerHandle | None = None
        self._announced = float("-inf")  # by the loop's clock
        self._tell: Callable[[frozenset[str]], None] = lambda _practices: None

    def connect(self, tell: Callable[[frozenset[str]], None]) -> None:
        """Call ``tell`` with the practices whose rows have changed."""
        self._tell = tell

    def follow(self, visit: Visit) -> None:
        """Note what the visit is like now."""
        self._rows.setdefault(visit.practice, {})[visit.id] = _row(visit)
        self._changed.add(visit.practice)
        if self._handle is None:
            loop = asyncio.get_running_loop()
            rested = self._announced + self._edge.desk_refresh
            soon = loop.time() + self._edge.desk_gather
            self._handle = loop.call_at(max(rested, soon), self._announce)

    def rows(self, practice: str) -> tuple[DeskVisit, ...]:
        """The practice's visits around now and all that run, by their start."""
        return self.shown(practice)[0]

    def shown(self, practice: str) -> tuple[tuple[DeskVisit, ...], int]:
        """As many of them as a desk takes, and how many more there are.

        Left out are those that are furthest from now; never one where somebody waits or talks.
        """
        now = self._clock()
        horizon, most = now + self._edge.desk_window, self._edge.desk_rows
        rows = [
            row
            for row in self._rows.get(practice, {}).values()
            if row.starts_at < horizon and not self._is_past(row)
        ]
        rows.sort(key=lambda row: (not _needs_eyes(row), abs(row.starts_at - now)))
        kept = sorted(rows[:most], key=lambda row: row.starts_at)
        return tuple(kept), len(rows) - len(kept)

    def close(self) -> None:
        """Announce nothing more; idempotent."""
        if self._handle is not None:
            self._handle.cancel()

    def _is_past(self, row: DeskVisit) -> bool:
        return row.stage in OVER and row.ends_at < self._clock() - self._edge.desk_window

    def _announce(self) -> None:
        changed, self._changed, self._handle = frozenset(self._changed), set(), None
        self._announced = asyncio.get_running_loop().time()
        for practice in changed:
            self._forget_past(self._rows[practice])
        self._tell(changed)

    def _forget_past(self, rows: dict[VisitId, DeskVisit]) -> None:
        """Here and not where a desk looks: a practice may have none."""
        for visit_id in [row.visit for row in rows.values() if self._is_past(row)]:
            del rows[visit_id]


def _needs_eyes(row: DeskVisit) -> bool:
    return bool(row.waiting) or row.stage in RUNNING


def _row(visit: Visit) -> DeskVisit:
    return DeskVisit(
        visit=visit.id,
        host=visit.host,
        stage=visit.stage,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        seats=tuple(
            DeskSeat(
                seat=seat.seat,
                role=seat.role,
                name=seat.name,
                admission=seat.admission,
                connected=seat.connected,
                line=seat.line,
            )
            for seat in guest_list(visit)
        ),
        waiting=() if visit.stage in OVER else waiting_list(visit),
    )
