"""The media plane of one node: every visit's legs behind one UDP port."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from media.addresses import usable
from media.counters import MediaCounters
from media.leg import Leg
from media.peer import Ground
from media.phone.telephone import Telephony
from media.ports import (
    Figures,
    Impairment,
    LegListener,
    MediaPlane,
    PageStats,
    SoundListener,
    Wiring,
)
from media.sockets import MediaSockets
from media.stage import Stage
from media.tasks import Tasks
from media.transport import Certificate
from rooms.model import SeatId, VisitId
from rooms.policy import MediaPolicy, QualityPolicy

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaConfig:
    """Where the media port is, and what browsers are told about it.

    ``advertised`` are IP addresses, best first; empty means whatever this machine calls its own,
    which is right on a laptop and wrong behind a NAT or in a container.
    """

    bind: tuple[str, ...] = ("0.0.0.0", "::")  # noqa: S104
    port: int = 0
    advertised: tuple[str, ...] = ()
    tcp: bool = True


class Sfu(MediaPlane):
    """Makes the world equal to each visit's wiring. ``start`` it, and ``close`` it once or more."""

    def __init__(
        self,
        config: MediaConfig,
        policy: MediaPolicy,
        clock: Callable[[], float] = time.monotonic,
        *,
        quality: QualityPolicy | None = None,
    ) -> None:
        self.counters = MediaCounters()
        self._config = config
        self._policy = policy
        self._clock = clock
        self._tasks = Tasks()
        self._sockets = MediaSockets(policy, self.counters, clock)
        self._ground: Ground | None = None
        self._stages: dict[VisitId, Stage] = {}
        self._quality = quality or QualityPolicy()
        self._sound_listener: SoundListener | None = None
        self._telephony = Telephony()

    @property
    def port(self) -> int:
        """The media port's number, once started."""
        return self._sockets.port

    def report_sound_to(self, listener: SoundListener) -> None:
        """Tell this listener how well sound gets through. Call it before ``start``."""
        self._sound_listener = listener

    def use(self, telephony: Telephony) -> None:
        """Find the lines of telephones, and what is said to them, here. Call it before ``start``.

        Without it, every telephone of a wiring is silent.
        """
        self._telephony = telephony

    async def start(self) -> None:
        """Open the media port. Raises ``OSError`` if it cannot be had."""
        config = self._config
        bound = usable(config.bind)
        await self._sockets.start(bound, config.port, config.tcp)
        self._ground = Ground(
            policy=self._policy,
            clock=self._clock,
            sockets=self._sockets,
            certificate=Certificate.generateCertificate(),
            candidates=self._sockets.candidates(config.advertised, bound),
            counters=self.counters,
            tasks=self._tasks,
            quality=self._quality,
            sound=self._sound_listener,
        )
        self._tasks.start(self._tick())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._policy.tick)
            now = self._clock()
            for stage in list(self._stages.values()):
                self._tick_stage(stage, now)

    def _tick_stage(self, stage: Stage, now: float) -> None:
        """An error in one visit must not stop the clock of the others."""
        try:
            stage.tick(now)
        except Exception:
            log.exception("stage tick failed")

    @property
    def visits(self) -> frozenset[VisitId]:
        """The visits that have media now."""
        return frozenset(self._stages)

    def wire(self, wiring: Wiring) -> None:
        stage = self._stages.get(wiring.visit)
        empty = not wiring.seats and not wiring.phones
        if stage is not None:
            stage.wire(wiring)
        elif not empty and self._ground is not None:
            self._stages[wiring.visit] = Stage(self._ground, self._telephony, wiring)
        if empty and stage is not None:
            del self._stages[wiring.visit]
            stage.close()

    def attach(self, visit: VisitId, seat: SeatId, leg: str, listener: LegListener) -> None:
        stage = self._stages.get(visit)
        if stage is not None:
            stage.attach(seat, leg, listener)

    def _leg(self, visit: VisitId, seat: SeatId, leg: str) -> Leg | None:
        stage = self._stages.get(visit)
        return stage.leg(seat, leg) if stage is not None else None

    def detach(self, visit: VisitId, seat: SeatId, leg: str) -> None:
        found = self._leg(visit, seat, leg)
        if found is not None:
            found.detach()

    def drop(self, visit: VisitId, seat: SeatId, leg: str) -> None:
        stage = self._stages.get(visit)
        if stage is not None:
            stage.drop(seat, leg)

    def answer(
        self, visit: VisitId, seat: SeatId, leg: str, peer: str, number: int, sdp: str
    ) -> None:
        found = self._leg(visit, seat, leg)
        if found is not None:
            found.answer(peer, number, sdp)

    def restart(self, visit: VisitId, seat: SeatId, leg: str) -> None:
        found = self._leg(visit, seat, leg)
        if found is not None:
            found.restart()

    def told(self, visit: VisitId, seat: SeatId, leg: str, stats: PageStats) -> None:
        stage = self._stages.get(visit)
        if stage is not None:
            stage.told(seat, leg, stats)

    def impair(self, visit: VisitId, seat: SeatId, impairment: Impairment | None) -> None:
        stage = self._stages.get(visit)
        if stage is not None:
            stage.impair(seat, impairment)

    def figures(self, visit: VisitId, seat: SeatId) -> Figures | None:
        stage = self._stages.get(visit)
        return stage.figures(seat) if stage is not None else None

    async def close(self) -> None:
        for stage in self._stages.values():
            stage.close()
        self._stages.clear()
        self._ground = None
        await self._tasks.close()
        await self._sockets.close()
