"""One seat's sound over time: reads what its leg counts, once a second, and keeps its level.

Nothing is added to the handling of a packet. The gap after the last packet has a deadline of its
own, looked at on every tick, because in a cut nothing is lost: nothing is counted at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from media.counters import MediaCounters
from media.ports import Figures, PageStats
from media.quality import Direction, Inputs, Quality, opinion
from media.reception import Reception
from media.reports import HearerReports
from media.rtp import Kind
from rooms.model import Sound
from rooms.policy import QualityPolicy

PACKETS_PER_SECOND = 50  # RFC 7587 section 4.2: 20 ms each, what every browser sends


class Heard(NamedTuple):
    """One stream on its way to a browser, as that browser reports it.

    ``unreported`` packets went out since its newest report; ``source_loss`` is the share that was
    already missing when the stream came to us.
    """

    kind: Kind
    reports: HearerReports
    unreported: int
    source_loss: float


class Measured(Protocol):
    """What a monitor reads of a leg."""

    id: str

    @property
    def heard(self) -> float | None:
        """When the newest packet of any kind came."""

    @property
    def sound(self) -> Reception | None:
        """The sound that comes through this leg, once a packet of it came."""

    def hears(self) -> Sequence[Heard]:
        """What is being sent to the browser at the moment."""


class Uplink:
    """The sound that a browser sends, in windows."""

    def __init__(
        self, reception: Reception, now: float, policy: QualityPolicy, counters: MediaCounters
    ) -> None:
        self.reception = reception
        self.heard = now
        self._policy = policy
        self._counters = counters
        self._seen = reception.packets
        self.begin(now)

    def begin(self, now: float) -> None:
        """Forget what was before: a new window starts."""
        reception = self.reception
        self.started = now
        self._packets = reception.packets
        self._due = self._due_by(now)
        self._jitter = reception.jitter

    def _due_by(self, now: float) -> float:
        """The number of the packet that should have come by now, by sequence and by clock."""
        overdue = max(0.0, now - self.heard - self._policy.patience)
        return self.reception.highest + overdue * PACKETS_PER_SECOND

    def notice(self, now: float, newest: float | None) -> None:
        """Look whether packets came; ``newest`` is when the last of any kind did."""
        if self._seen != self.reception.packets:
            self._seen = self.reception.packets
            self.heard = now if newest is None else min(now, newest)
        self._jitter = max(self._jitter, self.reception.jitter)

    def forgive(self, seconds: float, now: float) -> None:
        """Nobody read the sockets for so long, so nothing can have been heard."""
        self.heard += seconds
        self.begin(now)

    def measure(self, now: float) -> Direction:
        """What became of the packets of this window; the next one starts."""
        reception = self.reception
        due = self._due_by(now) - self._due
        lost = max(0.0, due - (reception.packets - self._packets))
        loss = min(1.0, lost / due) if due > 0 else 0.0
        self._counters.sound_due += max(0, round(due))
        self._counters.sound_lost += round(loss * max(0.0, due))
        jitter = self._jitter / reception.clock_rate
        reception.lately_lost = loss
        self.begin(now)
        return Direction(loss=loss, jitter=jitter)


class Monitor:
    """Keeps one seat's level through all its legs. ``tick`` it; nothing to close."""

    def __init__(
        self, policy: QualityPolicy, now: float, counters: MediaCounters | None = None
    ) -> None:
        self._policy = policy
        self._counters = counters or MediaCounters()
        self._quality = Quality(policy)
        self._uplink: Uplink | None = None
        self._leg = ""
        self._resting = False  # nothing has come since silence began
        self._resumed = now  # what was counted before tells of an outage that is over
        self._ticked = now
        self._inputs = Inputs()
        self._told: tuple[float, PageStats] | None = None

    def told(self, stats: PageStats, now: float) -> None:
        """The page says how it hears."""
        self._told = now, stats

    def tick(self, now: float, leg: Measured | None) -> Sound | None:
        """Look at the seat's leg, if it has one; its level, if that has changed."""
        asleep, self._ticked = now - self._ticked, now
        source = leg.sound if leg is not None else None
        if self._uplink is not None and (leg is None or source is None or leg.id != self._leg):
            self._uplink = None
            return self._silence()
        if leg is None or source is None:
            return None
        if self._uplink is None or self._uplink.reception is not source:
            self._uplink, self._leg = self._uplink_of(source, now), leg.id
            self._resumed = now
            return None
        if asleep > self._policy.deaf_after:
            self._uplink.forgive(asleep, now)
            return None
        return self._look(now, leg, self._uplink)

    def _look(self, now: float, leg: Measured, uplink: Uplink) -> Sound | None:
        uplink.notice(now, leg.heard)
        if now - uplink.heard >= self._policy.silent_after:
            self._resting = True
            return self._silence()
        if self._resting:  # what comes now did not follow what came before
            self._resting, self._resumed = False, now
            uplink.begin(now)
        if now - uplink.started < self._window:
            return None
        heard = leg.hears()
        down = self._down([each for each in heard if each.kind is Kind.AUDIO], now)
        round_trip = self._round_trip(heard, now)
        self._inputs = Inputs(up=uplink.measure(now), down=down, round_trip=round_trip)
        changed = self._quality.sample(now, self._inputs)
        self._counters.sounds_judged += 1
        self._counters.sounds_bad += self._quality.raw < self._policy.unusable
        return changed

    def _uplink_of(self, source: Reception, now: float) -> Uplink:
        return Uplink(source, now, self._policy, self._counters)

    @property
    def _window(self) -> float:
        """Whoever was silent is believed sooner: a call may be about to be placed."""
        waited_for = self._quality.sound in (None, Sound.SILENT)
        return self._policy.returned if waited_for else self._policy.window

    def _silence(self) -> Sound | None:
        self._inputs = Inputs(up=Direction(loss=1.0))
        return self._quality.silence()

    def _down(self, heard: Sequence[Heard], now: float) -> Direction | None:
        """How the browser hears the others. Nothing to hear is unknown, and so is no report."""
        told = self._page(now)
        losses = [loss for each in heard if (loss := self._loss(each, now)) is not None]
        if not heard or not (losses or told):
            return None
        loss = sum(losses) / len(losses) if losses else 0.0
        if told:
            return Direction(loss=max(loss, _own_share(told, heard)), buffer=told.buffer)
        return Direction(loss=loss, jitter=max(each.reports.jitter or 0.0 for each in heard))

    def _loss(self, heard: Heard, now: float) -> float | None:
        """Of one stream: what a report says, or everything if reports have ceased to come."""
        policy, reports = self._policy, heard.reports
        if reports.at is None:
            return None
        if min(heard.unreported, self._sent_since_resumed(now)) >= policy.unreported:
            return 1.0
        if now - reports.at > policy.reports_stale or (reports.since or 0.0) < self._resumed:
            return None
        return reports.loss

    def _sent_since_resumed(self, now: float) -> float:
        """Packets of one stream at most; nobody reported on those that a cut swallowed."""
        return (now - self._resumed) * PACKETS_PER_SECOND

    def _round_trip(self, heard: Sequence[Heard], now: float) -> float | None:
        """By the newest report on sound or picture; else what the page says, or what was before."""
        timed = [
            (each.reports.at, each.reports.round_trip)
            for each in heard
            if each.reports.at is not None and each.reports.round_trip is not None
        ]
        if timed and now - max(timed)[0] <= self._policy.reports_stale:
            return max(timed)[1]
        told = self._page(now)
        return told.round_trip if told and told.round_trip else self._inputs.round_trip

    def _page(self, now: float) -> PageStats | None:
        """What the page told lately."""
        if self._told is None or now - self._told[0] > self._policy.told_stale:
            return None
        return self._told[1]

    @property
    def figures(self) -> Figures | None:
        """The last second in numbers; None until the first was judged."""
        quality, inputs = self._quality, self._inputs
        if quality.sound is None:
            return None
        return Figures(
            sound=quality.sound,
            score=quality.score,
            opinion=opinion(quality.score),
            loss_up=inputs.up.loss if inputs.up else None,
            loss_down=inputs.down.loss if inputs.down else None,
            round_trip=inputs.round_trip,
        )


def _own_share(told: PageStats, heard: Sequence[Heard]) -> float:
    """What the page had to guess, less what never came to us from the others."""
    source = max(each.source_loss for each in heard)
    concealed = min(1.0, told.concealed)
    return 0.0 if source >= concealed else 1 - (1 - concealed) / (1 - source)
