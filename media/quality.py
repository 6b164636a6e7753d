"""How well sound gets through, from what was measured of one second (ITU-T G.107, G.113).

The E-model turns loss and delay into a rating R, from 0 to 93.2; below 50 nearly everybody is
dissatisfied (G.107 Annex B). Ratings are smoothed, down fast and up slowly, and the smoothed score
makes a level (``Sound``) that changes only when a threshold has been crossed for a while.

Times are seconds on any steady clock; shares are 0 to 1. Nothing here reads a clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import exp

from rooms.model import Sound
from rooms.policy import QualityPolicy

BEST = 93.2  # G.107: the rating of a narrow-band call that nothing impairs
_PER_MILLISECOND, _PER_LATE_MILLISECOND = 0.024, 0.11  # Cole and Rosenbluth's form of Id
_LATE = 177.3  # milliseconds from which a conversation suffers
_WORST = 95  # G.107: what equipment impairment grows to


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """One second of one direction.

    ``jitter`` is the mean deviation of RFC 3550 section 6.4.1 in seconds, ``buffer`` the delay of
    the jitter buffer where the hearer has told it.
    """

    loss: float = 0.0
    jitter: float = 0.0
    buffer: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What was measured of one seat in one second. None is unknown, which is not bad."""

    up: Direction | None = None
    down: Direction | None = None
    round_trip: float | None = None


def rating(loss: float, delay: float, policy: QualityPolicy) -> float:
    """R of G.107 for a share of ``loss`` and a ``delay`` in seconds, mouth to ear.

    BurstR of G.107 is left at 1: a second holds too few runs of losses to tell chance from a
    network that loses in runs, and one run would make any second look unusable.
    """
    loss = min(1.0, max(0.0, loss))
    impaired = _WORST * 100 * loss / (100 * loss + policy.loss_robustness)
    milliseconds = 1000 * delay
    late = max(0.0, milliseconds - _LATE)
    delayed = _PER_MILLISECOND * milliseconds + _PER_LATE_MILLISECOND * late
    return min(BEST, max(0.0, BEST - delayed - impaired))


def opinion(r: float) -> float:
    """The mean opinion score, 1 to 4.5, for a rating (G.107 Annex B)."""
    if r <= 0:
        return 1.0
    return 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6


def buffer_for(jitter: float, policy: QualityPolicy) -> float:
    """Seconds by which a receiver delays sound that varies this much."""
    wanted = policy.buffer_least + policy.buffer_jitters * jitter
    return min(policy.buffer_most, wanted)


def late_share(jitter: float, buffer: float) -> float:
    """The share of packets that comes too late for a buffer, where delays vary exponentially."""
    return exp(-buffer / jitter) if jitter > 0 else 0.0


def rate(direction: Direction, round_trip: float | None, policy: QualityPolicy) -> float:
    """R of one direction: what comes late is lost too."""
    buffer = direction.buffer
    late = 0.0
    if buffer is None:
        buffer = buffer_for(direction.jitter, policy)
        late = late_share(direction.jitter, buffer)
    loss = 1 - (1 - direction.loss) * (1 - late)
    delay = (round_trip or 0.0) / 2 + buffer + policy.processing
    return rating(loss, delay, policy)


class Quality:
    """One seat's level over time. ``sound`` is None until the first second was judged.

    ``sample`` once a second while sound arrives, ``silence`` when none has come for too long; both
    return the new level if it has changed.
    """

    def __init__(self, policy: QualityPolicy) -> None:
        self.sound: Sound | None = None
        self.raw = BEST
        self.score = BEST
        self._policy = policy
        self._sampled: float | None = None
        self._lately: deque[float] = deque(maxlen=policy.unusable_mean)
        self._seconds: dict[str, float] = {}  # condition → how long it has held
        self._returns: deque[float] = deque(maxlen=policy.flaps)  # from silence

    def silence(self) -> Sound | None:
        """Nothing arrives."""
        self.raw, self.score = 0.0, self._policy.floor
        self._lately.clear()
        return self._become(Sound.SILENT)

    def sample(self, now: float, inputs: Inputs) -> Sound | None:
        """Judge the second that ends now."""
        known = [each for each in (inputs.up, inputs.down) if each is not None]
        if not known:
            return None
        self.raw = min(rate(each, inputs.round_trip, self._policy) for each in known)
        if self.sound in (None, Sound.SILENT):
            return self._returned(now, inputs)
        self._smooth()
        self._lately.append(self.raw)
        self._note(now)
        return self._become(self._level())

    def _returned(self, now: float, inputs: Inputs) -> Sound | None:
        """The first window after silence has nothing before it to go by.

        It cannot make sound unusable by itself: networks that come back stumble. One that comes
        back again and again can.
        """
        policy = self._policy
        lost = inputs.up.loss if inputs.up is not None else 0.0
        if 1 - lost < policy.stray_share:
            return None
        self._sampled = now
        if self._flaps(now):
            self.score = policy.floor
            return self._become(Sound.UNUSABLE)
        if 1 - lost >= policy.returned_share and self.raw >= policy.weak:
            return self._become(Sound.FINE)
        self.score = max(policy.floor, self.raw)
        return self._become(Sound.WEAK)

    def _flaps(self, now: float) -> bool:
        """Whether sound has returned too often lately; asked once per return."""
        if self.sound is None:
            return False
        self._returns.append(now)
        often = len(self._returns) == self._policy.flaps
        return often and now - self._returns[0] <= self._policy.flap_window

    def _smooth(self) -> None:
        policy = self._policy
        gain = policy.falls if self.raw < self.score else policy.rises
        self.score = max(policy.floor, self.score + gain * (self.raw - self.score))

    def _note(self, now: float) -> None:
        """Add this second to what holds and begin anew what does not.

        A low score alone does not count: it is slow to rise, so it stays low for seconds after an
        outage that is over, and always where losses come in bursts. What was measured just now
        must be bad too, and so must the mean of the last seconds.
        """
        policy = self._policy
        elapsed = 0.0 if self._sampled is None else round(now - self._sampled, 3)
        elapsed = min(elapsed, 2 * policy.window)  # seconds that nobody judged prove nothing
        self._sampled = now
        holds = {
            "weak": self.score < policy.weak and self.raw < policy.fine,
            "weak lately": self._mean(policy.weak_mean) < policy.weak,
            "unusable": max(self.score, self.raw) < policy.unusable,
            "unusable lately": self._mean(policy.unusable_mean) < policy.unusable,
            "usable": self.raw >= policy.weak,
            "fine": self.raw >= policy.fine,
            "settled": self.score >= policy.settled,
        }
        self._seconds = {
            name: self._seconds.get(name, 0.0) + elapsed if true else 0.0
            for name, true in holds.items()
        }

    def _mean(self, windows: int) -> float:
        lately = list(self._lately)[-windows:]
        return sum(lately) / len(lately)

    def _held(self, condition: str, seconds: float) -> bool:
        return self._seconds[condition] >= seconds

    def _bad(self, condition: str, seconds: float) -> bool:
        return self._held(condition, seconds) and self._seconds[f"{condition} lately"] > 0

    def _level(self) -> Sound:
        policy, level = self._policy, self.sound
        assert level is not None
        if level is not Sound.FINE and (
            self._held("fine", policy.fine_for) or self._held("settled", policy.settled_for)
        ):
            return Sound.FINE
        if level is not Sound.UNUSABLE and self._bad("unusable", policy.unusable_for):
            return Sound.UNUSABLE
        if level is Sound.UNUSABLE and self._held("usable", policy.usable_for):
            return Sound.WEAK
        if level is Sound.FINE and self._bad("weak", policy.weak_for):
            return Sound.WEAK
        return level

    def _become(self, level: Sound) -> Sound | None:
        """Take a level; a better one starts with a score that does not fall back at once."""
        if level is self.sound:
            return None
        if level is Sound.FINE:
            self.score = max(self.score, self._policy.fine)
        elif level is Sound.WEAK and self.sound is Sound.UNUSABLE:
            self.score = max(self.score, self._policy.weak)
        self.sound = level
        self._seconds = dict.fromkeys(self._seconds, 0.0)
        return level
