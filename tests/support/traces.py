"""Networks as people have them, played against the real measuring code in virtual time.

The traces are generated, from a model with a seed, so an hour of any network can be had again:

* loss follows Gilbert's two states: a share of ``loss``, in runs of ``burst`` on average;
* delay is ``delay`` plus an exponential share of mean ``jitter``; packets keep their order, so what
  waits behind a late packet is late too;
* an *episode* replaces that for a while: nothing passes (a roam), or everything is held and comes
  at once at its end (a handover of a mobile network, a scan of a Wi-Fi radio).

    replay = Replay(QualityPolicy(), up=Network(loss=0.05, delay=0.075))
    replay.run(3600)
    assert Sound.UNUSABLE not in replay.levels
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from media.counters import MediaCounters
from media.forwarding import Feed
from media.monitor import PACKETS_PER_SECOND, Heard, Monitor
from media.reception import Reception
from media.reports import HearerReports
from media.rtp import CLOCK_RATE, OPUS, Kind
from rooms.model import Sound
from rooms.policy import MediaPolicy, QualityPolicy

TICK = MediaPolicy().tick
_RATE = CLOCK_RATE[Kind.AUDIO]
_EVERY = 1 / PACKETS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Episode:
    """From ``start`` until ``end`` nothing passes, or, if ``held``, only at the end."""

    start: float
    end: float
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One direction of one network; seconds and shares."""

    loss: float = 0.0
    burst: float = 1.0
    delay: float = 0.02
    jitter: float = 0.002
    episodes: Sequence[Episode] = ()

    def with_episodes(
        self, seed: int, *, every: float, shortest: float, longest: float, held: bool
    ) -> Network:
        """Add an hour of episodes, about one per ``every`` seconds."""
        chance, now, found = random.Random(seed), 0.0, list(self.episodes)
        while now < 3600:
            now += chance.uniform(0.5, 1.5) * every
            found.append(Episode(now, now + chance.uniform(shortest, longest), held))
        return replace(self, episodes=sorted(found, key=lambda each: each.start))


MEDIOCRE = {
    "random loss": Network(loss=0.05, delay=0.075, jitter=0.01),
    "bursts of loss": Network(loss=0.05, burst=3, delay=0.075, jitter=0.01),
    "a jittery line": Network(loss=0.02, delay=0.08, jitter=0.03),
    "a radio that scans": Network(loss=0.01, burst=2, delay=0.04).with_episodes(
        3, every=20, shortest=0.1, longest=0.35, held=True
    ),
    "a train": Network(loss=0.02, burst=2, delay=0.06, jitter=0.015).with_episodes(
        4, every=60, shortest=0.4, longest=1.3, held=True
    ),
    "corridors": Network(loss=0.01, burst=2, delay=0.03, jitter=0.005).with_episodes(
        5, every=240, shortest=5.0, longest=6.0, held=False
    ),
}
"""Bad enough to notice, good enough to talk."""

_ALIVE = 0.5  # seconds since the last packet: its way is not cut
CUT = Network(loss=1.0)
HEAVY = Network(loss=0.35, delay=0.05, jitter=0.01)
GOOD = Network()


def passage(network: Network, chance: random.Random) -> Iterator[tuple[float, float | None]]:
    """For each packet of an endless stream, when it is sent and when it arrives, if it does."""
    number, last, losing = 0, 0.0, False
    stays = 1 - 1 / network.burst if network.burst > 1 else network.loss
    begins = network.loss * (1 - stays) / (1 - network.loss) if network.loss < 1 else 1.0
    ahead = list(network.episodes)
    while True:
        sent = number * _EVERY
        number += 1
        losing = chance.random() < (stays if losing else begins)
        while ahead and ahead[0].end <= sent:
            ahead.pop(0)
        episode = ahead[0] if ahead and ahead[0].start <= sent else None
        if losing or (episode and not episode.held):
            yield sent, None
            continue
        left = episode.end if episode else sent
        last = max(last, left + network.delay + chance.expovariate(1 / network.jitter))
        yield sent, last


def _packet(number: int) -> bytes:
    return struct.pack("!BBHLL", 0x80, OPUS, number & 0xFFFF, 960 * number & 0xFFFFFFFF, 1)


class _Stream:
    """A stream of sound over one network, received by the real code."""

    def __init__(self, network: Network, seed: int, policy: MediaPolicy) -> None:
        self.feed = Feed("seat", Kind.AUDIO, policy, MediaCounters())
        self.heard: float | None = None
        self.sent = 0
        self._passage = passage(network, random.Random(seed))
        self._waiting: list[tuple[float, int]] = []
        self._next = next(self._passage)

    def change(self, network: Network, seed: int) -> None:
        """From the next packet on, this is the network."""
        begun = self.sent * _EVERY
        later = passage(network, random.Random(seed))
        self._passage = ((begun + sent, None if at is None else begun + at) for sent, at in later)
        self._next = next(self._passage)

    def play(self, until: float) -> None:
        """Let everything arrive that arrives by then."""
        while self._next[0] <= until:
            if self._next[1] is not None:
                self._waiting.append((self._next[1], self.sent))
            self.sent += 1
            self._next = next(self._passage)
        while self._waiting and self._waiting[0][0] <= until:
            self._arrive(*self._waiting.pop(0))

    def _arrive(self, at: float, number: int) -> None:
        packet = _packet(number)
        if self.feed.reception is None:
            self.feed.connect(_Nobody(), 1, packet, at)
        self.feed.receive(packet, at)
        self.heard = at


class _Nobody:
    def send_rtcp(self, data: bytes) -> None:
        """No feedback: sound has none."""


class _Hearer:
    """A browser that hears one stream and reports on it as seldom as Chromium does."""

    def __init__(self, network: Network, seed: int, policy: MediaPolicy) -> None:
        self.reports = HearerReports(policy)
        self._stream = _Stream(network, seed, policy)
        self._chance = random.Random(seed)
        self._due = 0.0

    def change(self, network: Network, seed: int) -> None:
        """From the next packet on, this is the network."""
        self._stream.change(network, seed)

    def play(self, now: float, *, is_heard: bool) -> None:
        """Hear until ``now``; a report that is due gets through if anything does."""
        self._stream.play(now)
        reception = self._stream.feed.reception
        if reception is None or now < self._due:
            return
        self._due = now + self._chance.uniform(2.5, 7.5)
        if is_heard:
            jitter = reception.jitter / _RATE
            self.reports.take(reception.block(now), self._stream.sent, jitter, now)

    def heard(self) -> Heard:
        return Heard(Kind.AUDIO, self.reports, self._stream.sent - self.reports.sent, 0.0)


@dataclass(slots=True)
class Replay:
    """One leg in virtual time. ``run`` it; ``crossings`` are (when, level), oldest first."""

    policy: QualityPolicy
    up: Network = field(default_factory=Network)
    down: Network | None = None
    seed: int = 1
    id: str = "leg"
    now: float = 0.0
    reported: list[Heard] | None = None  # what the browser reports, in place of ``down``
    crossings: list[tuple[float, Sound]] = field(default_factory=list)
    counters: MediaCounters = field(default_factory=MediaCounters)
    monitor: Monitor = field(init=False)
    _sound: _Stream = field(init=False)
    _hearer: _Hearer | None = field(init=False)

    def __post_init__(self) -> None:
        media = MediaPolicy()
        self.monitor = Monitor(self.policy, 0.0, self.counters)
        self._sound = _Stream(self.up, self.seed, media)
        self._hearer = _Hearer(self.down, self.seed + 1, media) if self.down else None

    def change(self, up: Network | None = None, down: Network | None = None) -> Replay:
        """From now on, this is the network of either direction."""
        if up is not None:
            self._sound.change(up, self.seed)
        if down is not None and self._hearer is not None:
            self._hearer.change(down, self.seed + 1)
        return self

    @property
    def heard(self) -> float | None:
        """When the newest packet came."""
        return self._sound.heard

    @property
    def sound(self) -> Reception | None:
        """The stream that the leg brings."""
        return self._sound.feed.reception

    def hears(self) -> list[Heard]:
        """What the browser reports."""
        if self.reported is not None:
            return self.reported
        return [self._hearer.heard()] if self._hearer else []

    def run(self, seconds: float) -> Replay:
        """Let so much time pass, tick by tick."""
        for _ in range(round(seconds / TICK)):
            self.now = round(self.now + TICK, 3)
            self._sound.play(self.now)
            if self._hearer:
                lately = self.heard is not None and self.now - self.heard < _ALIVE
                self._hearer.play(self.now, is_heard=lately)
            level = self.monitor.tick(self.now, self)
            if level is not None:
                self.crossings.append((self.now, level))
        return self

    @property
    def levels(self) -> list[Sound]:
        """The levels in the order in which they came."""
        return [level for _, level in self.crossings]

    def first(self, level: Sound, after: float = 0.0) -> float | None:
        """When the level was first reached after a moment."""
        return next((at for at, each in self.crossings if each is level and at > after), None)

    def silences(self) -> list[float]:
        """How long each time of silence was, seconds."""
        ends = [at for at, _ in self.crossings[1:]] + [self.now]
        return [
            end - at
            for (at, level), end in zip(self.crossings, ends, strict=True)
            if level is Sound.SILENT
        ]
