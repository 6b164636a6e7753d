"""Visits that nobody decides about: those of dead nodes, and those whose time has come.

Whoever is asked for such a visit takes it at once (``server/finding.py``). What nobody asks for is
shared out among the nodes by its id; after a grace any node takes what is left.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

import structlog

from rooms.model import VisitId
from rooms.nodes_policy import NodesPolicy
from server.claims import Directory, NodeRecord
from server.finding import Finder
from server.membership import whose_turn
from server.store import NotOwner, StoreError, StoreUnavailable
from server.tasks import Tasks
from server.timers import Clock

log = structlog.get_logger(__name__)


class Succession:
    """Takes over what is left behind."""

    def __init__(
        self,
        directory: Directory,
        finder: Finder,
        end_calls_of: Callable[[str], Awaitable[None]],
        policy: NodesPolicy,
    ) -> None:
        self._directory = directory
        self._finder = finder
        self._end_calls_of = end_calls_of
        self._policy = policy
        self._calls_ended: dict[str, asyncio.Task[None]] = {}  # by owner
        self._succeeding: set[str] = set()
        self._tasks = Tasks()

    def begin(self, dead: NodeRecord) -> None:
        """Take over this node's visits, unless that is under way."""
        if dead.owner not in self._succeeding:
            self._succeeding.add(dead.owner)
            log.warning("node_lost", node=dead.name)
            self._tasks.spawn(self._succeed(dead))

    async def calls_ended(self, owner: str) -> None:
        """The telephone calls of this owner, who is gone, have been ended: they can be made anew.

        A name that lives again ends what its former process left behind by itself.
        """
        name = owner.partition(".")[0]
        if any(node.name == name for node in self._finder.watch.live(time.monotonic())):
            return
        if owner not in self._calls_ended:
            self._calls_ended[owner] = self._tasks.start(self._end_calls(name))
        await asyncio.shield(self._calls_ended[owner])

    async def close(self) -> None:
        """Take over nothing more; idempotent."""
        await self._tasks.close()

    async def _succeed(self, dead: NodeRecord) -> None:
        begun = time.monotonic()
        try:
            await self.calls_ended(dead.owner)
            while visits := await self._left_by(dead):
                late = time.monotonic() - begun > self._policy.due_grace
                await self._take([v for v in visits if late or self._is_ours_to_take(v)])
                await self._finder.news(within=self._policy.beat_every)
            if self._finder.watch.is_gone(dead.owner, time.monotonic()):
                await self._directory.forget_node(dead.owner)
        except StoreUnavailable as error:
            log.warning("succession_interrupted", node=dead.name, code=error.code)
        finally:
            self._succeeding.discard(dead.owner)
            self._calls_ended.pop(dead.owner, None)

    async def _end_calls(self, name: str) -> None:
        await self._end_calls_of(name)

    async def _left_by(self, dead: NodeRecord) -> frozenset[VisitId]:
        if not self._finder.watch.is_gone(dead.owner, time.monotonic()):
            return frozenset()  # it beats again
        return await self._directory.owned_by(dead.owner)

    def _is_ours_to_take(self, visit: VisitId) -> bool:
        turn = whose_turn(visit, self._finder.watch.live(time.monotonic()))
        return turn is not None and turn.owner == self._finder.ownership.owner

    async def _take(self, visits: Iterable[VisitId]) -> None:
        room = asyncio.Semaphore(self._policy.take_at_once)

        async def take(visit: VisitId) -> None:
            async with room:
                with suppress(NotOwner):  # another node was quicker
                    await self._finder.take_if_free(visit)

        await asyncio.gather(*(take(visit) for visit in visits))


class DueVisits:
    """Meets the deadlines of visits that nobody owns."""

    def __init__(
        self,
        directory: Directory,
        finder: Finder,
        meet: Callable[[VisitId], Awaitable[None]],
        policy: NodesPolicy,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._finder = finder
        self._meet = meet
        self._policy = policy
        self._clock = clock
        self._seen: dict[VisitId, float] = {}  # since when each has been due

    async def look(self) -> None:
        """Meet what is this node's to meet. Raises ``StoreUnavailable``."""
        now = self._clock()
        due = await self._directory.due(now, self._policy.due_batch)
        self._seen = {visit: self._seen.get(visit, now) for visit in due}
        live = self._finder.watch.live(time.monotonic())
        for visit, since in list(self._seen.items()):
            turn = whose_turn(visit, live)
            ours = turn is not None and turn.owner == self._finder.ownership.owner
            if ours or now - since >= self._policy.due_grace:
                await self._meet_one(visit)

    async def _meet_one(self, visit: VisitId) -> None:
        try:
            if await self._finder.take_if_free(visit):
                await self._meet(visit)
        except StoreUnavailable:
            raise
        except StoreError as error:
            log.warning("deadline_not_met", visit=visit, code=error.code)
