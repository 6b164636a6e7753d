"""One visit's media: its wiring, the legs of its seats, and what each seat sends."""

from __future__ import annotations

from collections.abc import Collection

from media.forwarding import Feed, Flow
from media.impairment import Obstacle
from media.leg import Leg
from media.monitor import Monitor
from media.peer import Ground
from media.phone.bridge import Bridge
from media.phone.telephone import Telephony
from media.ports import Figures, Impairment, LegListener, PageStats, Wiring
from media.rtp import Kind
from rooms.model import Link, SeatId


class Stage:
    """Makes one visit's media equal to its wiring. Its legs are closed by ``close``."""

    def __init__(self, ground: Ground, telephony: Telephony, wiring: Wiring) -> None:
        self._ground = ground
        self._telephony = telephony
        self._legs: dict[SeatId, Leg] = {}
        self._feeds: dict[SeatId, dict[Kind, Feed]] = {}
        self._monitors: dict[SeatId, Monitor] = {}
        self._obstacles: dict[SeatId, Obstacle] = {}
        self._bridge: Bridge | None = None
        self._pictures = self._paused = 0
        self.wire(wiring)

    def wire(self, wiring: Wiring) -> None:
        """Cut what is not in the wiring before anything new begins."""
        self._wiring = wiring
        self._heard_by = _heard_by(wiring)
        self._count_pictures(wiring.links)
        for seat in self._legs.keys() - wiring.seats:
            self._close(seat)
        self._wire_phones()
        for leg in self._legs.values():
            self._subscribe(leg)
        for seat in self._feeds.keys() - wiring.seats:
            del self._feeds[seat]
        for seat in self._monitors.keys() - wiring.seats:
            del self._monitors[seat]

    def _count_pictures(self, links: Collection[Link]) -> None:
        counters, shown = self._ground.counters, sum(link.picture for link in links)
        counters.pictures += shown - self._pictures
        counters.pictures_paused += len(links) - shown - self._paused
        self._pictures, self._paused = shown, len(links) - shown

    def _wire_phones(self) -> None:
        """A bridge lives as long as there is a telephone."""
        if self._bridge is None and self._wiring.phones:
            self._bridge = Bridge(self._ground, self._telephony, self._sound_of)
        if self._bridge is not None:
            self._bridge.wire(self._wiring)
            if not self._wiring.phones:
                self._bridge.close()
                self._bridge = None

    def _sound_of(self, seat: SeatId) -> Feed:
        return self._feeds_of(seat)[Kind.AUDIO]

    def _voice_of(self, seat: SeatId) -> Feed | None:
        return self._bridge.voice(seat) if self._bridge is not None else None

    def _subscribe(self, leg: Leg) -> None:
        wanted: dict[Feed, Flow] = {}
        for link in self._heard_by.get(leg.seat, ()):
            feeds = self._feeds_of(link.source)
            wanted[feeds[Kind.AUDIO]] = _flow(link.sound, link.probe)
            wanted[feeds[Kind.VIDEO]] = _flow(link.picture)
            voice = self._voice_of(link.source)
            if voice is not None:
                wanted[voice] = _flow(link.voice, link.probe)
        leg.want(wanted)

    def _feeds_of(self, seat: SeatId) -> dict[Kind, Feed]:
        if seat not in self._feeds:
            ground = self._ground
            self._feeds[seat] = {
                kind: Feed(seat, kind, ground.policy, ground.counters) for kind in Kind
            }
        return self._feeds[seat]

    def attach(self, seat: SeatId, leg_id: str, listener: LegListener) -> None:
        if seat not in self._wiring.seats:
            return
        leg = self._legs.get(seat)
        if leg is not None and leg.id == leg_id:
            leg.attach(listener)
            return
        self._close(seat)
        leg = Leg(leg_id, seat, self._ground, self._feeds_of(seat))
        leg.impair(self._obstacles.get(seat))
        self._legs[seat] = leg
        self._ground.counters.legs += 1
        if seat not in self._monitors:
            self._monitors[seat] = Monitor(
                self._ground.quality, self._ground.clock(), self._ground.counters
            )
        leg.attach(listener)
        self._subscribe(leg)

    def leg(self, seat: SeatId, leg_id: str) -> Leg | None:
        """The seat's leg, if it is this one."""
        leg = self._legs.get(seat)
        return leg if leg is not None and leg.id == leg_id else None

    def drop(self, seat: SeatId, leg_id: str) -> None:
        if self.leg(seat, leg_id) is not None:
            self._close(seat)

    def _close(self, seat: SeatId) -> None:
        leg = self._legs.pop(seat, None)
        if leg is not None:
            self._ground.counters.legs -= 1
            leg.close()

    def tick(self, now: float) -> None:
        for leg in list(self._legs.values()):
            leg.tick(now)
        for seat, monitor in list(self._monitors.items()):
            changed = monitor.tick(now, self._legs.get(seat))
            if changed is not None and self._ground.sound is not None:
                self._ground.sound.sound_changed(self._wiring.visit, seat, changed)

    def impair(self, seat: SeatId, impairment: Impairment | None) -> None:
        former = self._obstacles.pop(seat, None)
        if impairment is not None:
            self._obstacles[seat] = Obstacle(impairment, self._ground.policy)
        if seat in self._legs:
            self._legs[seat].impair(self._obstacles.get(seat))
        if former is not None:
            former.close()

    def told(self, seat: SeatId, leg_id: str, stats: PageStats) -> None:
        if self.leg(seat, leg_id) is not None:
            self._monitors[seat].told(stats, self._ground.clock())

    def figures(self, seat: SeatId) -> Figures | None:
        monitor = self._monitors.get(seat)
        return monitor.figures if monitor is not None else None

    def close(self) -> None:
        """Close every leg and the bridge. Idempotent, immediate."""
        self._count_pictures(())
        for seat in list(self._legs):
            self._close(seat)
        for obstacle in self._obstacles.values():
            obstacle.close()
        if self._bridge is not None:
            self._bridge.close()
            self._bridge = None


def _flow(running: bool, probing: bool = False) -> Flow:
    if running:
        return Flow.RUNNING
    return Flow.SILENT if probing else Flow.PAUSED


def _heard_by(wiring: Wiring) -> dict[SeatId, list[Link]]:
    """The links to each hearer, in a steady order, between seats that may have media."""
    found: dict[SeatId, list[Link]] = {}
    for link in sorted(wiring.links):
        if {link.source, link.hearer} <= wiring.seats:
            found.setdefault(link.hearer, []).append(link)
    return found
