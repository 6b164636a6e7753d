"""One node among others: it beats, looks who else does, and does what follows from that.

Without its store a node decides nothing. What people hear and see goes on for the policy's hold;
meanwhile the other nodes are asked whether they have taken visits over, which then end here at
once. When the store is back, every claim is made sure of before anything is decided by it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from rooms.model import VisitId
from rooms.nodes_policy import NodesPolicy
from server.claims import Directory, Load, NodeRecord
from server.config import ConfigurationError
from server.finding import Finder
from server.hosting import Neighbours
from server.store import StoreError, StoreUnavailable
from server.succession import DueVisits, Succession
from server.tasks import Tasks

log = structlog.get_logger(__name__)


class Cluster:
    """``start`` it after the store and before anything is asked of visits; ``close`` it first."""

    def __init__(
        self,
        record: NodeRecord,
        directory: Directory,
        finder: Finder,
        neighbours: Neighbours,
        succession: Succession,
        due: DueVisits,
        policy: NodesPolicy,
    ) -> None:
        self._record = record
        self._directory = directory
        self._finder = finder
        self._ownership = finder.ownership
        self._neighbours = neighbours
        self._succession = succession
        self._due = due
        self._policy = policy
        self._away_since: float | None = None
        self._differs = False  # the store counted other claims than we, one beat ago
        self._unsure = False
        self._idle: dict[VisitId, float] = {}  # since when
        self._tasks = Tasks()
        self._measure: Callable[[], Load] = Load
        self._is_idle: Callable[[VisitId], bool] = lambda _visit: False
        self._sweep: Callable[[], Awaitable[None]] = _nothing
        self._gives_away: Callable[[], Awaitable[None]] = _nothing

    def connect(
        self,
        measure: Callable[[], Load],
        is_idle: Callable[[VisitId], bool],
        sweep: Callable[[], Awaitable[None]],
    ) -> None:
        """Name who measures this node's load, who knows which visits need nobody now, and who
        forgets what has expired.
        """
        self._measure = measure
        self._is_idle = is_idle
        self._sweep = sweep

    def drained_by(self, drain: Callable[[], Awaitable[None]]) -> None:
        """Await this when staff ask this node to give its visits away; it may come again."""
        self._gives_away = drain

    async def start(self) -> None:
        """Join the others. Raises ``StoreUnavailable``, ``ConfigurationError``."""
        await self._beat_once()
        self._share_keys()
        self._tasks.spawn(self._often(self._policy.beat_every, self._beat))
        self._tasks.spawn(self._often(self._policy.beat_every, self._be_sure))
        self._tasks.spawn(self._often(self._policy.due_every, self._see_to_visits))
        self._tasks.spawn(self._often(self._policy.peers_every, self._hold_out))
        self._tasks.spawn(self._often(self._policy.sweep_every, self._sweep))

    @property
    def is_ready(self) -> bool:
        """Whether visits may be placed here."""
        return self._away_since is None and not self._record.draining

    @property
    def is_draining(self) -> bool:
        """Whether this node takes no more visits."""
        return self._record.draining

    @property
    def nodes(self) -> tuple[NodeRecord, ...]:
        """Every node that lives, as far as this one knows."""
        return self._finder.watch.live(time.monotonic())

    async def stop_taking(self) -> None:
        """Let no more visits be placed here, and let the others know."""
        self._record = replace(self._record, draining=True)
        await self._beat()

    async def close(self) -> None:
        """Leave the others: release what is still owned, if the store is there; idempotent."""
        await self._tasks.close()
        await self._succession.close()
        await self._ownership.close()
        try:
            await self._directory.forget_node(self._record.owner)
        except StoreUnavailable:
            log.warning("node_not_forgotten")

    def _share_keys(self) -> None:
        """Tokens and the log of one node are worth something at every other."""
        for node in self.nodes:
            if node.ring != self._record.ring:
                raise ConfigurationError(
                    f"This node has other keys than node {node.name}. Give every node the same "
                    "file, by BEDSIDE_KEYS_FILE."
                )

    # -- beats --------------------

    async def _beat(self) -> None:
        try:
            await self._beat_once()
        except StoreUnavailable:
            self._is_away()

    async def _beat_once(self) -> None:
        self._record = replace(self._record, beat=self._record.beat + 1, load=self._measure())
        census = await self._directory.beat(self._record)
        now = time.monotonic()
        self._finder.watch.saw(census.nodes, now)
        self._finder.beat()
        differs = census.owned != len(self._ownership.claims)
        self._unsure |= self._away_since is not None or (differs and self._differs)
        self._away_since, self._differs = None, differs
        if census.asked_to_drain:
            self._tasks.spawn(self._drain())
        for dead in self._finder.watch.dead(now):
            self._succession.begin(dead)

    async def _be_sure(self) -> None:
        """Which visits are ours? What the store has lost meanwhile is written again.

        Not part of the beat: thousands of visits take longer than a node may be silent.
        """
        if not self._unsure or self._away_since is not None:
            return
        await self._ownership.verify()
        for visit in await self._directory.owned_by(self._record.owner):
            await self._finder.take_if_free(visit)
        log.info("claims_verified", count=len(self._ownership.claims))
        self._unsure = False

    async def _drain(self) -> None:
        await self._gives_away()

    # -- without the store --------------------

    def _is_away(self) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            log.warning("store_away")

    async def _hold_out(self) -> None:
        """What people have goes on, unless it is another node's by now, and not for ever."""
        if self._away_since is None or not self._ownership.claims:
            return
        for visit in await self._neighbours.now_own():
            self._ownership.lost(visit)
        if time.monotonic() - self._away_since > self._policy.media_hold:
            log.error("visits_suspended", count=len(self._ownership.claims))
            self._ownership.suspend()

    # -- visits that need somebody, and visits that need nobody --------------------

    async def _see_to_visits(self) -> None:
        if self._away_since is None and not self._record.draining:
            await self._due.look()
            await self._release_idle()

    async def _release_idle(self) -> None:
        now = time.monotonic()
        self._idle = {
            visit: self._idle.get(visit, now)
            for visit in self._ownership.claims
            if self._is_idle(visit)
        }
        for visit, since in self._idle.items():
            if now - since >= self._policy.idle_release:
                await self._ownership.release(visit, self._is_idle)

    async def _often(self, seconds: float, do: Callable[[], Awaitable[None]]) -> None:
        """Every so many seconds, whatever went wrong the last time."""
        while True:
            due = time.monotonic() + seconds
            try:
                await do()
            except StoreUnavailable:
                log.debug("node_work_postponed")  # that the store is away is said once, by the beat
            except StoreError as error:
                log.warning("node_work_refused", code=error.code)
            except Exception:
                log.exception("node_work_failed")
            await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _nothing() -> None:
    """Nobody asked for anything."""
