"""Desks see visits that other nodes decide about: by notices, which only ever say "look again".

A notice changes nothing and lets nobody in; it names a visit or a practice, which is then read from
the store. So a forged one costs a read, and a lost one costs the time until the next: everything is
read again after each gap, and now and then in any case.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from typing import Protocol

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from rooms.codec import SchemaUnknown
from rooms.model import Visit, VisitId
from rooms.nodes_policy import NodesPolicy
from rooms.policy import EdgePolicy
from server.practices import Practices
from server.store import Store, StoreUnavailable, UnknownVisit
from server.tasks import Tasks
from server.timers import Clock

log = structlog.get_logger(__name__)


class Notice(BaseModel):
    """What is published of a change; ``visit`` is empty for the practice itself."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    practice: str
    visit: VisitId = ""


class Board(Protocol):
    """What desks are shown."""

    def follow(self, visit: Visit) -> None:
        """Note what the visit is like now."""


class Follower(Protocol):
    """Who else follows what practices choose."""

    def changed(self, practice: str) -> None:
        """Something of this practice has changed; never blocks."""

    def all_changed(self) -> None:
        """Notices may have been missed; never blocks."""


class News:
    """Keeps the board of one node up to date. ``start`` it, and ``close`` it."""

    def __init__(
        self,
        messages: Callable[[], AsyncIterator[object]],
        store: Store,
        board: Board,
        practices: Practices,
        policy: NodesPolicy,
        edge: EdgePolicy,
        clock: Clock,
    ) -> None:
        self._messages = messages
        self._store = store
        self._board = board
        self._practices = practices
        self._policy = policy
        self._edge = edge
        self._clock = clock
        self._looking: Callable[[], Collection[str]] = tuple
        self._is_here: Callable[[VisitId], bool] = lambda _visit: False
        self._followers: Iterable[Follower] = ()
        self._wanted: dict[str, set[VisitId] | None] = {}  # by practice; None: all of its visits
        self._work = asyncio.Event()
        self._tasks = Tasks()

    def connect(
        self,
        looking: Callable[[], Collection[str]],
        is_here: Callable[[VisitId], bool],
        *followers: Follower,
    ) -> None:
        """Name who knows whose desks look, and which visits this node shows by itself; and who
        else is to hear of practices.
        """
        self._looking = looking
        self._is_here = is_here
        self._followers = followers

    def start(self) -> None:
        """Begin to listen and to read."""
        self._tasks.spawn(self._listen())
        self._tasks.spawn(self._read_on())
        self._tasks.spawn(self._now_and_then())

    async def close(self) -> None:
        """Listen and read no more; idempotent."""
        await self._tasks.close()

    async def first_look(self, practice: str) -> None:
        """A desk of this practice opens: know all of its visits. Raises ``StoreUnavailable``."""
        if practice not in self._looking():
            await self._read_all(practice)

    # -- what is to be read --------------------

    async def _listen(self) -> None:
        async for message in self._messages():
            if isinstance(message, str):
                self._heard(message)
            else:
                self._look_again_at_everything()
                for each in self._followers:
                    each.all_changed()

    def _heard(self, message: str) -> None:
        try:
            notice = Notice.model_validate_json(message)
        except ValidationError:
            log.warning("notice_unreadable")
            return
        if not notice.visit:
            self._practices.changed(notice.practice)
            for each in self._followers:
                each.changed(notice.practice)
        elif notice.practice in self._looking() and not self._is_here(notice.visit):
            wanted = self._wanted.setdefault(notice.practice, set())
            if wanted is not None:
                wanted.add(notice.visit)
            self._work.set()

    def _look_again_at_everything(self) -> None:
        self._practices.all_changed()
        self._wanted |= dict.fromkeys(self._looking())
        self._work.set()

    async def _now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._policy.desk_reread)
            self._look_again_at_everything()

    # -- reading --------------------

    async def _read_on(self) -> None:
        """One after the other, so that an older reading never follows a newer one."""
        while True:
            await self._work.wait()
            self._work.clear()
            wanted, self._wanted = self._wanted, {}
            for practice, visits in wanted.items():
                try:
                    await (self._read_all(practice) if visits is None else self._read(visits))
                except StoreUnavailable:
                    pass  # it is all read when the store is back: a gap
                except Exception:
                    log.exception("news_not_read", practice=practice)

    async def _read(self, visits: Iterable[VisitId]) -> None:
        for visit_id in visits:
            try:
                self._show((await self._store.load(visit_id)).visit)
            except (SchemaUnknown, UnknownVisit):
                log.info("visit_not_shown", visit=visit_id)

    async def _read_all(self, practice: str) -> None:
        now, day = self._clock(), self._edge.desk_window
        for visit in await self._store.visits_between(practice, now - day, now + day):
            self._show(visit)

    def _show(self, visit: Visit) -> None:
        if not self._is_here(visit.id):
            self._board.follow(visit)
