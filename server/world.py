"""What follows a saved visit: media first and at once, then effects and pages in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Protocol, TypeAlias

import structlog

from media.ports import MediaPlane, Wiring
from rooms.effects import Effect
from rooms.model import Visit, VisitId
from rooms.wiring import inside, phone_ends, who_hears_whom
from server.performers import PERFORMERS, Hands
from server.tasks import Tasks

log = structlog.get_logger(__name__)

_Queue: TypeAlias = deque[tuple[Visit, tuple[Effect, ...]]]
_Work: TypeAlias = Callable[[], Awaitable[None]]


class Board(Protocol):
    """The desks that look at a practice's visits."""

    def follow(self, visit: Visit) -> None:
        """Note what the visit is like now."""


class LiveWorld:
    """Makes media, pages and desks equal to each visit after its save.

    Media is wired synchronously, so that somebody who was removed hears nothing more. Effects and
    snapshots go through one queue per visit, which keeps their order without holding up the turn.
    """

    def __init__(self, plane: MediaPlane, board: Board) -> None:
        self._plane = plane
        self._board = board
        self._hands: Hands | None = None
        self._queues: dict[VisitId, _Queue] = {}
        self._ending: dict[VisitId, asyncio.TimerHandle] = {}
        self._tasks = Tasks()

    def connect(self, hands: Hands) -> None:
        """Name those who act; they in turn need the keeper, which needs this."""
        self._hands = hands

    def visit_changed(self, visit: Visit, effects: tuple[Effect, ...]) -> None:
        self._stay(visit.id)
        self._plane.wire(
            Wiring(
                visit=visit.id,
                seats=inside(visit),
                links=who_hears_whom(visit),
                phones=phone_ends(visit),
            )
        )
        self._board.follow(visit)
        queue = self._queues.get(visit.id)
        if queue is not None:
            queue.append((visit, effects))
            return
        self._queues[visit.id] = queue = deque([(visit, effects)])
        self._tasks.spawn(self._drain(visit.id, queue))

    def let_go(self, visit: VisitId, media_for: float) -> None:
        """Another node makes the world follow this visit: forget what was ordered, end its media.

        Media may go on for ``media_for`` seconds, for pages that change over.
        """
        self._queues.pop(visit, None)
        self._stay(visit)
        if media_for:
            loop = asyncio.get_running_loop()
            self._ending[visit] = loop.call_later(media_for, self._end_media, visit)
        else:
            self._end_media(visit)

    async def settled(self) -> None:
        """Wait until everything that was ordered has been done."""
        await self._tasks.settled()

    async def close(self) -> None:
        """Drop what was ordered; idempotent."""
        for visit in list(self._ending):
            self._end_media(visit)
        await self._tasks.close()

    def _stay(self, visit: VisitId) -> None:
        """Media that was about to end does not: the visit came back."""
        if (ending := self._ending.pop(visit, None)) is not None:
            ending.cancel()

    def _end_media(self, visit: VisitId) -> None:
        self._stay(visit)
        self._plane.wire(Wiring(visit=visit, seats=frozenset(), links=frozenset()))

    async def _drain(self, visit_id: VisitId, queue: _Queue) -> None:
        try:
            while queue:
                for work in self._orders(*queue.popleft()):
                    if self._queues.get(visit_id) is not queue:  # let go: others do the rest
                        return
                    await _attempt(work())
        finally:
            if self._queues.get(visit_id) is queue:
                del self._queues[visit_id]

    def _orders(self, visit: Visit, effects: tuple[Effect, ...]) -> Iterator[_Work]:
        hands = self._hands
        assert hands is not None
        for effect in effects:
            yield partial(PERFORMERS[type(effect)], hands, visit, effect)
        yield partial(hands.pages.show, visit)


async def _attempt(work: Awaitable[None]) -> None:
    """What fails must not keep the rest from being done."""
    try:
        await work
    except Exception:
        log.exception("effect_failed")
