"""What media and carriers report of a visit: submitted in order, and with patience."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

import structlog

from rooms.errors import BedsideError
from rooms.events import Event
from rooms.model import Visit, VisitId
from rooms.policy import EdgePolicy
from server.store import StoreUnavailable, VersionConflict
from server.tasks import Tasks

log = structlog.get_logger(__name__)


class Submit(Protocol):
    """``VisitKeeper.submit``."""

    async def __call__(self, visit_id: VisitId, event: Event) -> Visit: ...


class Reports:
    """One queue per visit. What a visit no longer takes is dropped: the world has moved on.

    A store that is away is waited for: a call that was answered must not be taken for one that
    rings. The queue is bounded by what can happen to a few telephones meanwhile.
    """

    def __init__(self, edge: EdgePolicy) -> None:
        self._edge = edge
        self._submit: Submit | None = None
        self._queues: dict[VisitId, deque[Event]] = {}
        self._tasks = Tasks()

    def connect(self, submit: Submit) -> None:
        """Name the keeper; it in turn needs the world, which needs those who report."""
        self._submit = submit

    def add(self, visit: VisitId, event: Event) -> None:
        """Submit this after whatever was reported before it. Neither blocks nor raises."""
        queue = self._queues.get(visit)
        if queue is not None:
            queue.append(event)
            return
        self._queues[visit] = deque([event])
        self._tasks.spawn(self._drain(visit))

    async def settled(self) -> None:
        """Wait until everything that was reported has been submitted."""
        await self._tasks.settled()

    async def close(self) -> None:
        """Drop what was reported; idempotent."""
        await self._tasks.close()

    async def _drain(self, visit: VisitId) -> None:
        queue = self._queues[visit]
        try:
            while queue:
                if await self._submitted(visit, queue[0]):
                    queue.popleft()
                else:
                    await asyncio.sleep(self._edge.deadline_retry)
        finally:
            del self._queues[visit]

    async def _submitted(self, visit: VisitId, event: Event) -> bool:
        assert self._submit is not None
        try:
            await self._submit(visit, event)
        except (StoreUnavailable, VersionConflict) as error:
            log.warning("report_postponed", code=error.code)
            return False
        except BedsideError as error:
            log.info("report_dropped", type=event.name, code=error.code)
        except Exception:
            log.exception("report_failed", type=event.name)
        return True
