"""The one run loop of a visit: take its turn, load, step, save, then let the world follow.

Anything that wants to change a visit goes through ``VisitKeeper.submit``. Nothing is told to
anybody before it is saved: what people see is what a restart will find.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import Protocol, TypeAlias

import structlog

from rooms.effects import Effect
from rooms.errors import NotAdmitted, NotPermitted, RoomError
from rooms.events import (
    CheckStarted,
    DeadlinePassed,
    Event,
    MediaSwitched,
    SeatAdded,
    SeatDeadlinePassed,
    SeatEvent,
    SessionClosed,
)
from rooms.lifecycle import opening
from rooms.line_events import (
    CallOver,
    LineDeadlinePassed,
    NodeRestarted,
    PageHid,
    PageShown,
    SoundChanged,
)
from rooms.model import OVER, Visit, VisitId
from rooms.policy import EdgePolicy, Policy
from rooms.reductions import is_reducing
from rooms.visit import is_covered, next_deadline, step
from server.home import Home, OnlyHome
from server.rate_limits import RateLimiter
from server.store import (
    LinkRecord,
    LogDraft,
    NotOwner,
    Store,
    Stored,
    StoreUnavailable,
    VersionConflict,
)
from server.tasks import Tasks
from server.timers import Clock, Timers

log = structlog.get_logger(__name__)

_UNRECORDED = (CheckStarted, MediaSwitched, PageHid, PageShown)  # happens often, decides nothing


Saved: TypeAlias = Callable[[Visit | None, Visit, float], None]


class World(Protocol):
    """What follows a visit: the media plane, the pages, the desks."""

    def visit_changed(self, visit: Visit, effects: tuple[Effect, ...]) -> None:
        """Make the world follow; must neither block nor raise."""


class VisitKeeper:
    """Owns every change of every visit on this node."""

    def __init__(
        self,
        store: Store,
        world: World,
        clock: Clock,
        policy: Policy,
        edge: EdgePolicy,
        home: Home | None = None,
    ) -> None:
        self._store = store
        self._home: Home = home or OnlyHome()
        self._world = world
        self._clock = clock
        self._policy = policy
        self._edge = edge
        self._turns: dict[VisitId, _Turn] = {}
        self._refusals = RateLimiter(
            edge.refusals_per_minute / 60,
            edge.refusals_burst,
            time.monotonic,
            max_keys=edge.limiter_keys,
        )
        self._saved: Saved = lambda _before, _after, _now: None
        self._timers = Timers(clock, self._deadline_came)
        self._tasks = Tasks()

    async def submit(
        self,
        visit_id: VisitId,
        event: Event,
        *,
        links: tuple[LinkRecord, ...] = (),
    ) -> Visit:
        """The visit after ``event``, saved, with ``links`` in the same transaction.

        Raises ``RoomError`` or ``StoreError``; then nothing has changed.
        """
        async with self._turn(visit_id):
            try:
                return (await self._advance(visit_id, event, links)).visit
            except StoreUnavailable as away:
                return self._take_out_unstored(visit_id, event, away)

    async def current(self, visit_id: VisitId) -> Visit:
        """The visit as it is now, every deadline that has come included."""
        async with self._turn(visit_id):
            return (await self._advance(visit_id)).visit

    def opens_at(self, visit: Visit) -> float:
        """When the links of this visit begin to open it."""
        return opening(visit, self._policy).at

    def adopt(self, visit: Visit) -> None:
        """Begin to keep a visit that was just created."""
        self._follow(visit, ())

    def decides_about(self, visit_id: VisitId) -> bool:
        """Whether this node does, and no other."""
        return self._home.decides_about(visit_id)

    def let_go(self, visit_id: VisitId) -> None:
        """Meet no deadline of this visit any more: another node keeps it."""
        self._timers.arm(visit_id, None)

    def still(self, visit_id: VisitId) -> AbstractAsyncContextManager[None]:
        """Nobody changes the visit while this context lasts."""
        return self._turn(visit_id)

    async def resume(self, visit_id: VisitId) -> None:
        """Take up a visit after a restart: nobody is connected, and deadlines may have passed.

        Lines come first: whatever would have been due meanwhile, nobody was there to be called.
        """
        async with self._turn(visit_id):
            await self._begin_lines_anew(visit_id)
        visit = await self.current(visit_id)
        for seat in visit.seats:
            for device in seat.devices:
                if device.connected:
                    gone = SessionClosed(seat=seat.id, device=device.id)
                    visit = await self.submit(visit_id, gone)
        self._follow(visit, ())

    async def _begin_lines_anew(self, visit_id: VisitId) -> None:
        stored = await self._load(visit_id)
        for seat in stored.visit.seats:
            if is_covered(stored.visit, seat) or seat.line.call is not None:
                restarted = NodeRestarted(seat=seat.id)
                stored = await self._step(stored, restarted, self._clock(), ())

    async def record_refusal(self, refused: LogDraft) -> None:
        """Write down that somebody was told no; a store that is away does not make it a yes.

        Of one seat only so many at a time: whoever asks again and again must not fill the disk.
        """
        if not self._refusals.take(f"{refused.visit}/{refused.actor or refused.seat}"):
            return
        try:
            await self._store.record([refused])
        except StoreUnavailable:
            log.warning("refusal_not_recorded", code=refused.outcome)

    def tell(self, saved: Saved) -> None:
        """Call ``saved`` after each save, and for each visit that is taken up."""
        self._saved = saved

    async def close(self) -> None:
        """No deadline fires any more; idempotent."""
        self._timers.close()
        await self._tasks.close()

    # -- one beat --------------------

    async def _advance(
        self, visit_id: VisitId, event: Event | None = None, links: tuple[LinkRecord, ...] = ()
    ) -> Stored:
        """Let every deadline pass that has come, then ``event``; a lost race is run again."""
        for tries_left in reversed(range(self._edge.save_tries)):
            if not self._home.keeps(visit_id):  # any more: whoever waits for a turn may be too late
                raise NotOwner
            try:
                stored = await self._settled(visit_id)
                return stored if event is None else await self._decide(stored, event, links)
            except VersionConflict:
                if not tries_left:
                    raise
            except NotOwner:
                self._home.lost(visit_id)
                raise
        raise AssertionError("the last try returns or raises")

    async def _decide(self, stored: Stored, event: Event, links: tuple[LinkRecord, ...]) -> Stored:
        now = self._clock()
        try:
            return await self._step(stored, event, now, links)
        except (NotPermitted, NotAdmitted) as error:
            await self.record_refusal(draft(stored.visit, event, now, outcome=error.code))
            raise

    async def _settled(self, visit_id: VisitId) -> Stored:
        """The stored visit after every deadline that has come, each at its own time.

        Those of lines are met when they are met: a telephone that should have rung a while ago
        rings now, and has all its time to be answered.
        """
        stored = await self._load(visit_id)
        while (due := next_deadline(stored.visit)) and due.deadline.at <= self._clock():
            late = isinstance(due, LineDeadlinePassed)
            stored = await self._step(stored, due, self._clock() if late else due.deadline.at, ())
        return stored

    async def _load(self, visit_id: VisitId) -> Stored:
        """What the store has, after what it has lost or has not been told yet."""
        stored = await self._store.load(visit_id)
        known = self._home.known(visit_id)
        if known is not None and known.version > stored.version:
            await self._home.reassert(known)
            stored = known
        unseen = known is not None and known.version < stored.version
        stored = await self._store_held(stored)
        if unseen:
            self._follow(stored.visit, ())  # a save whose confirmation was lost on its way
        self._home.settled(visit_id)
        self._home.remember(stored)
        return stored

    async def _store_held(self, stored: Stored) -> Stored:
        """All at once, and before anything follows: whoever was taken out is never in meanwhile."""
        visit, ordered, entries = stored.visit, list[Effect](), list[LogDraft]()
        now = self._clock()
        for event in self._home.held(visit.id):
            with suppress(RoomError):  # what it was about has taken care of itself
                after, effects = step(visit, event, now, self._policy)
                if after != visit:
                    entries.append(draft(after, event, now))
                visit, ordered = after, [*ordered, *effects]
        if visit == stored.visit:
            return stored
        return await self._save(stored, visit, tuple(ordered), entries, lasting=True)

    def _take_out_unstored(self, visit_id: VisitId, event: Event, away: StoreUnavailable) -> Visit:
        """Without its store a node decides nothing, except that somebody goes: they go at once."""
        shown = self._home.shown(visit_id)
        if shown is None or not is_reducing(event) or not self._home.keeps(visit_id):
            raise away
        visit, effects = step(shown, event, self._clock(), self._policy)
        self._home.hold(visit, event)
        self._world.visit_changed(visit, effects)
        self._timers.arm(visit_id, self._clock() + self._edge.deadline_retry)
        return visit

    async def _step(
        self, stored: Stored, event: Event, now: float, links: tuple[LinkRecord, ...]
    ) -> Stored:
        visit, effects = step(stored.visit, event, now, self._policy)
        if visit == stored.visit:
            if effects and self._home.keeps(visit.id):  # nothing to keep, but somebody has to go
                self._world.visit_changed(visit, effects)
            return stored
        entries = [] if isinstance(event, _UNRECORDED) else [draft(visit, event, now)]
        lasting = is_reducing(event) or visit.stage in OVER
        return await self._save(stored, visit, effects, entries, links, lasting=lasting)

    async def _save(
        self,
        stored: Stored,
        visit: Visit,
        effects: tuple[Effect, ...],
        entries: list[LogDraft],
        links: tuple[LinkRecord, ...] = (),
        *,
        lasting: bool,
    ) -> Stored:
        saving = self._tasks.start(
            self._store.save(visit, stored.version, entries, links=links, lasting=lasting)
        )
        try:
            version = await asyncio.shield(saving)
        except asyncio.CancelledError:
            # Whoever asked is gone; what is saved for them is real all the same, and comes first.
            saving.add_done_callback(partial(self._follow_saved, visit, effects, stored.visit))
            await asyncio.wait((saving,))
            raise
        saved = Stored(visit, version)
        self._home.remember(saved)
        self._follow(visit, effects, stored.visit)
        return saved

    def _follow_saved(
        self,
        visit: Visit,
        effects: tuple[Effect, ...],
        before: Visit,
        saving: asyncio.Task[int],
    ) -> None:
        if not saving.cancelled() and saving.exception() is None:
            self._follow(visit, effects, before)

    def _follow(
        self, visit: Visit, effects: tuple[Effect, ...], before: Visit | None = None
    ) -> None:
        if not self._home.keeps(visit.id):  # any more: another node makes its world follow
            return
        self._saved(before, visit, self._clock())
        due = None if visit.stage in OVER else next_deadline(visit)
        self._timers.arm(visit.id, due.deadline.at if due else None)
        self._world.visit_changed(visit, effects)

    # -- turns and deadlines --------------------

    @asynccontextmanager
    async def _turn(self, visit_id: VisitId) -> AsyncIterator[None]:
        """One writer per visit at a time; the lock lives only while somebody wants it."""
        turn = self._turns.setdefault(visit_id, _Turn())
        turn.wanted += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.wanted -= 1
            if not turn.wanted:
                self._turns.pop(visit_id, None)

    def _deadline_came(self, visit_id: VisitId) -> None:
        self._tasks.spawn(self._meet_deadline(visit_id))

    async def _meet_deadline(self, visit_id: VisitId) -> None:
        try:
            visit = await self.current(visit_id)
        except (StoreUnavailable, VersionConflict) as error:
            log.warning("deadline_postponed", code=error.code)
            self._timers.arm(visit_id, self._clock() + self._edge.deadline_retry)
            return
        except NotOwner:
            return
        due = next_deadline(visit)
        self._timers.arm(visit_id, due.deadline.at if due else None)


class _Turn:
    """A visit's lock and how many hold or await it."""

    __slots__ = ("lock", "wanted")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.wanted = 0


def draft(visit: Visit, event: Event, now: float, outcome: str = "ok") -> LogDraft:
    """The log entry of something that happened to ``visit``, or was refused with ``outcome``.

    Ids, the event's type and an outcome, nothing it carried; a seat that the visit does not have
    is somebody's invention and is left out.
    """
    if isinstance(event, DeadlinePassed | SeatDeadlinePassed | LineDeadlinePassed):
        outcome = event.deadline.name
    elif isinstance(event, SoundChanged):
        outcome = event.sound
    elif isinstance(event, CallOver):
        outcome = event.why
    return LogDraft(
        at=now,
        type=event.name,
        visit=visit.id,
        seat=_seat_in(visit, event),
        actor_kind=event.by.kind,
        actor=event.by.id,
        outcome=outcome,
    )


def _seat_in(visit: Visit, event: Event) -> str:
    named = event.seat if isinstance(event, SeatEvent) else ""
    if isinstance(event, SeatAdded):
        named = event.seat.id
    return named if visit.seat(named) is not None else ""
