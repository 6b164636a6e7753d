"""The playout of one stream of sound: packets come when they like, frames leave on the clock.

Nothing is lost here that was not lost before: a packet that is missing holds nobody up, since its
turn comes when the clock says so, and one that is late by less than the reserve takes its place.
The reserve grows when something was too late, and shrinks again when it was not needed for long.
That is also how two clocks that differ are kept together: now and then a frame is one too many,
or one too few.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from media.phone.carrier import FRAME_SECONDS, Frame
from media.phone.conceal import Concealment
from rooms.policy import PhonePolicy

T = TypeVar("T")

_WRAP = 1 << 32  # RFC 3550 section 5.1: timestamps


class Gap(Enum):
    """What there is to play when it is not a packet."""

    EMPTY = "empty"  # nothing has come yet, or nothing came for long: silence
    MISSING = "missing"  # its turn is over: later ones are here
    STARVED = "starved"  # nothing is here; its turn is put off


@dataclass(slots=True)
class JitterCounters:
    """Totals of one stream, in packets."""

    received: int = 0
    lost: int = 0  # their turn came and they were not there
    late: int = 0  # came after their turn; each was also counted as lost
    concealed: int = 0  # turns at which something else was played
    dropped: int = 0  # were there and were left out, because too many waited
    resets: int = 0


class Playout(Generic[T]):
    """Puts packets in order and gives out one per turn. ``units`` are timestamp units per 20 ms."""

    def __init__(self, policy: PhonePolicy, units: int) -> None:
        self.counters = JitterCounters()
        self._policy = policy
        self._units = units
        self._jump = policy.clock_jump / FRAME_SECONDS * units
        self._window = round(policy.jitter_window / FRAME_SECONDS)
        self._patience = round(policy.jitter_patience / FRAME_SECONDS)
        self._reserve = policy.jitter_frames
        self._begin_anew()
        self._newest = 0

    def _begin_anew(self) -> None:
        self._held: dict[int, tuple[T, int]] = {}
        self._next: int | None = None  # timestamp, unwrapped, of what is to be played next
        self._end = 0  # where the newest packet ends
        self._running = False
        self._starved = 0
        self._calm = 0  # turns since a packet was late
        self._stretch = False
        self._slack: int | None = None  # the least time, in this window, that a packet had left
        self._turns = 0

    @property
    def waiting(self) -> float:
        """Frames between what is played next and the newest packet."""
        return 0.0 if self._next is None else (self._end - self._next) / self._units

    def put(self, timestamp: int, item: T, units: int = 0) -> None:
        """Take a packet that lasts for ``units`` (default: one frame)."""
        at = self._newest + (timestamp - self._newest + _WRAP // 2) % _WRAP - _WRAP // 2
        if self._next is not None and abs(at - self._newest) > self._jump:
            self.counters.resets += 1
            self._begin_anew()
        units = units or self._units
        self.counters.received += 1
        if self._next is None:
            self._next, self._end, self._newest = at, at, at
        if at < self._next and not self._running:
            self._next = at
        self._note_slack(at - self._next)
        if at < self._next:
            self.counters.late += 1
            return
        self._held[at] = (item, units)
        self._end = max(self._end, at + units)
        self._newest = max(self._newest, at)
        self._cut_short()

    def _note_slack(self, slack: int) -> None:
        self._slack = slack if self._slack is None else min(slack, self._slack)
        late = 1 if slack < 0 else self._starved if slack == 0 else 0  # else others were lost
        if late:
            self._calm = 0
            self._reserve = min(self._reserve + late, self._policy.jitter_most)
            self._stretch = slack < 0
        self._starved = 0

    def _cut_short(self) -> None:
        """After a stall everything comes at once: keep the newest, or talk stays late for good."""
        if self.waiting > self._policy.jitter_most:
            self._keep_newest()

    def pull(self) -> T | Gap:
        """What to play at this turn. Whoever plays packets of several frames pulls less often."""
        if not self._running:
            if self.waiting < self._reserve:
                return Gap.EMPTY
            self._start()
        self._adapt()
        if self._stretch and self.waiting < self._reserve:
            self._stretch = False
            return self._concealed(Gap.STARVED)
        self._drop_spare_gap()
        return self._take()

    def _start(self) -> None:
        """Begin with the newest packets: what piled up before the first turn would stay late."""
        self._running = True
        self._keep_newest()

    def _keep_newest(self) -> None:
        at = min(self._end - self._reserve * self._units, max(self._held))
        old = [timestamp for timestamp in self._held if timestamp < at]
        for timestamp in old:
            del self._held[timestamp]
        self._next = min(self._held)
        self.counters.dropped += len(old)

    def _take(self) -> T | Gap:
        assert self._next is not None
        found = self._held.pop(self._next, None)
        if found is not None:
            item, units = found
            self._next += units
            return item
        if self._held:
            self._pass_gap()
            return self._concealed(Gap.MISSING)
        return self._starve()

    def _starve(self) -> Gap:
        self._starved += 1
        if self._starved > self._policy.jitter_most:
            self._begin_anew()
            return Gap.EMPTY
        return self._concealed(Gap.STARVED)

    def _concealed(self, gap: Gap) -> Gap:
        self.counters.concealed += 1
        return gap

    def _drop_spare_gap(self) -> None:
        """A hole is the cheapest thing to leave out when more waits than is needed."""
        while self.waiting > self._reserve + 1 and self._held and self._next not in self._held:
            self._pass_gap()

    def _pass_gap(self) -> None:
        """Give up one frame that is missing, and no more than there is up to the next packet."""
        assert self._next is not None
        self._next = min(self._next + self._units, *self._held)
        self.counters.lost += 1

    def _adapt(self) -> None:
        """Leave out a frame that was spare for a whole window; forget old troubles slowly."""
        self._calm += 1
        if self._calm >= self._patience:
            self._calm = 0
            self._reserve = max(self._reserve - 1, self._policy.jitter_frames)
        self._turns += 1
        if self._turns < self._window:
            return
        spare = self._slack is not None and self._slack >= self._reserve * self._units
        self._turns, self._slack = 0, None
        if spare and self._next in self._held:
            _, units = self._held.pop(self._next)
            self._next += units
            self.counters.dropped += 1


class JitterBuffer:
    """``Playout`` for decoded frames of ``samples`` each, whose timestamps count samples."""

    def __init__(self, policy: PhonePolicy, samples: int) -> None:
        self._playout: Playout[Frame] = Playout(policy, samples)
        self._concealment = Concealment(policy.conceal_frames, samples)

    @property
    def counters(self) -> JitterCounters:
        """What has become of the packets so far."""
        return self._playout.counters

    def put(self, timestamp: int, frame: Frame) -> None:
        """Take a decoded frame, in whatever order they come."""
        self._playout.put(timestamp, frame, len(frame))

    def pull(self) -> Frame | None:
        """The next frame, a lost one concealed; None while there is nothing to play."""
        found = self._playout.pull()
        if found is Gap.EMPTY:
            return None
        if isinstance(found, Gap):
            return self._concealment.miss()
        return self._concealment.play(found)
