"""The visits of this node: how it gets them, what it remembers of them, how it lets them go.

A visit is got by a claim that the store grants once, and then taken up as after a restart. It is
let go in one of two ways: at once, when another node decides about it and whoever was taken out
there must not be heard here any more; or gently, when this node gives it away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Protocol

import structlog

from rooms.events import Event
from rooms.model import Visit, VisitId
from rooms.reductions import missing
from server.claims import Claim, Claims, Directory
from server.node_metrics import Why
from server.store import NotOwner, Store, Stored, StoreError, StoreUnavailable, UnknownVisit
from server.tasks import Tasks

log = structlog.get_logger(__name__)


class Keeping(Protocol):
    """What is asked of the keeper."""

    async def resume(self, visit_id: VisitId) -> None:
        """Take up a visit: nobody is connected here, and deadlines may have passed."""

    async def current(self, visit_id: VisitId) -> Visit:
        """Store what is held, meet what is due."""

    def let_go(self, visit_id: VisitId) -> None:
        """Meet no deadline of this visit any more."""

    def still(self, visit_id: VisitId) -> AbstractAsyncContextManager[None]:
        """Nobody changes the visit while this context lasts."""


class Leaving(Protocol):
    """Everything else of a visit on this node: media, pages, telephones."""

    def leave(self, visit_id: VisitId, media_for: float) -> None:
        """End it here; media may go on for this many seconds. Neither blocks nor raises."""


class HandOn(Protocol):
    """How a new owner is told what the store has lost."""

    async def __call__(self, visit: VisitId, events: Sequence[Event]) -> None:
        """Have the owner, whoever it is, decide this again."""


class Ownership:
    """``Home`` of this node's visits."""

    def __init__(
        self,
        directory: Directory,
        store: Store,
        claims: Claims,
        owner: str,
    ) -> None:
        self.owner = owner
        self.claims = claims
        self._directory = directory
        self._store = store
        self._known: dict[VisitId, Stored] = {}
        self._held: dict[VisitId, list[Event]] = {}
        self._shown: dict[VisitId, Visit] = {}  # after what is held
        self._dormant: dict[VisitId, Claim] = {}  # what was stopped while the store is away
        self._gaining: dict[VisitId, asyncio.Task[None]] = {}
        self._tasks = Tasks()

    def connect(
        self, keeper: Keeping, leaving: Leaving, hand_on: HandOn, counted: Callable[[Why], None]
    ) -> None:
        """Name those who keep, leave and are told, who in turn need this; and who counts."""
        self._keeper = keeper
        self._leaving = leaving
        self._hand_on = hand_on
        self._counted = counted

    # -- what the keeper asks --------------------

    def decides_about(self, visit: VisitId) -> bool:
        """Not while it is taken up: whoever connected now would be taken for one of before."""
        return visit in self.claims and visit not in self._gaining

    def keeps(self, visit: VisitId) -> bool:
        return visit in self.claims

    def known(self, visit: VisitId) -> Stored | None:
        return self._known.get(visit)

    def shown(self, visit: VisitId) -> Visit | None:
        known = self._known.get(visit)
        return self._shown.get(visit) or (known.visit if known is not None else None)

    def remember(self, stored: Stored) -> None:
        if stored.visit.id in self.claims:
            self._known[stored.visit.id] = stored

    def held(self, visit: VisitId) -> tuple[Event, ...]:
        return tuple(self._held.get(visit, ()))

    def hold(self, visit: Visit, event: Event) -> None:
        self._held.setdefault(visit.id, []).append(event)
        self._shown[visit.id] = visit

    def settled(self, visit: VisitId) -> None:
        self._held.pop(visit, None)
        self._shown.pop(visit, None)

    async def reassert(self, known: Stored) -> None:
        log.warning("store_lost_writes", visit=known.visit.id)
        if not await self._directory.reassert(known, self.claims.of(known.visit.id)):
            raise NotOwner

    def lost(self, visit: VisitId) -> None:
        """Another node decides: what goes on here ends at once, and nothing is forgotten."""
        if visit not in self.claims:
            return
        self._counted(Why.LOST)
        log.warning("visit_lost", visit=visit)
        self._end_here(visit, media_for=0.0)
        self._hand_on_memory(visit)

    # -- getting --------------------

    async def gain(self, visit: VisitId, instead_of: Claim, why: Why | None = None) -> None:
        """Own the visit from now on, and take it up. Raises ``NotOwner``, ``StoreUnavailable``.

        Whoever else wants it here meanwhile waits for the same.
        """
        under_way = self._gaining.get(visit)
        if under_way is None:
            under_way = self._gaining[visit] = self._tasks.start(self._gain(visit, instead_of, why))
            under_way.add_done_callback(lambda _: self._gaining.pop(visit, None))
        await asyncio.shield(under_way)

    async def _gain(self, visit: VisitId, instead_of: Claim, why: Why | None) -> None:
        if visit in self.claims:
            return
        claim = await self._directory.claim(visit, self.owner, instead_of)
        self._dormant.pop(visit, None)
        self.claims.add(visit, claim)
        self._counted(why or (Why.TAKEN_OVER if instead_of.owner else Why.PLACED))
        try:
            await self._keeper.resume(visit)
        except StoreUnavailable:
            self._dormant[visit] = claim  # taken up when the store is back
            self._end_here(visit, media_for=0.0)
            raise
        except NotOwner:
            self.lost(visit)
            raise
        except Exception:  # it cannot be read, say; half a visit is nobody's help
            log.exception("visit_not_resumed", visit=visit)
            self._end_here(visit, media_for=0.0)
            await self._directory.release(visit, claim)  # to whoever can
            self._hand_on_memory(visit)
            raise NotOwner from None

    # -- letting go --------------------

    def give_up(self, visit: VisitId, media_for: float) -> None:
        """The visit is another node's, by our own wish; it is told what could not be stored."""
        self._end_here(visit, media_for)
        self._hand_on_memory(visit)

    async def release(
        self, visit: VisitId, may_go: Callable[[VisitId], bool] | None = None
    ) -> None:
        """Nobody owns the visit from now on, if it still ``may_go`` when nothing is under way."""
        if self._held.get(visit):
            await self._keeper.current(visit)
        async with self._keeper.still(visit):
            claim = self.claims.of(visit)
            if visit not in self.claims or (may_go is not None and not may_go(visit)):
                return
            self._counted(Why.RELEASED)
            self._drop(visit, media_for=0.0)
            await self._directory.release(visit, claim)

    def suspend(self) -> None:
        """Nobody can decide about any of these visits for too long: stop them cleanly."""
        for visit in self.claims:
            self._dormant[visit] = self.claims.of(visit)
            self._end_here(visit, media_for=0.0)

    async def verify(self) -> None:
        """Make sure of every claim after the store was away, or has other numbers than we."""
        for visit in self.claims:
            if visit in self._gaining:
                continue
            if not await self._is_ours(visit, self.claims.of(visit)):
                self.lost(visit)
            elif self._held.get(visit):
                await self._keeper.current(visit)
        for visit, claim in list(self._dormant.items()):
            await self._wake(visit, claim)

    async def _wake(self, visit: VisitId, claim: Claim) -> None:
        if await self._is_ours(visit, claim):
            await self.gain(visit, claim)
        elif self._dormant.pop(visit, None) is not None:
            self._hand_on_memory(visit)

    async def handed_on(self) -> None:
        """Wait until successors have been told what the store had lost."""
        await self._tasks.settled()

    async def close(self) -> None:
        """Release every visit, as far as the store is there; idempotent."""
        for visit in self.claims:
            try:
                await self.release(visit)
            except StoreError as error:
                log.warning("visit_not_released", visit=visit, code=error.code)
        await self._tasks.close()

    # -- details --------------------

    async def _is_ours(self, visit: VisitId, claim: Claim) -> bool:
        known = self._known.get(visit)
        if known is None:
            with suppress(UnknownVisit):  # it has expired
                return (await self._directory.owner_of(visit)) == claim
            return False
        return await self._directory.reassert(known, claim)

    def _drop(self, visit: VisitId, media_for: float) -> None:
        self._end_here(visit, media_for)
        self._known.pop(visit, None)
        self.settled(visit)

    def _end_here(self, visit: VisitId, media_for: float) -> None:
        self.claims.drop(visit)
        self._keeper.let_go(visit)
        self._leaving.leave(visit, media_for)

    def _hand_on_memory(self, visit: VisitId) -> None:
        known, held = self._known.pop(visit, None), self.held(visit)
        self.settled(visit)
        if known is not None:
            self._tasks.spawn(self._tell_successor(visit, known, held))

    async def _tell_successor(self, visit: VisitId, known: Stored, held: Iterable[Event]) -> None:
        """What was confirmed here and is not in the store was lost in a failover.

        The successor took the visit over from an older state. Only then: what it decided itself,
        from all that we knew, is newer than what we remember.
        """
        events = list(held)
        with suppress(StoreUnavailable):  # cut off: the successor took over what the store has
            if await self._directory.base_of(visit) < known.version:
                stored = await self._store.load(visit)
                events += missing(known.visit, stored.visit)
        if events:
            await self._hand_on(visit, events)
