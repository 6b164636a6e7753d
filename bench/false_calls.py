"""How often mediocre networks are mistaken for broken ones, over hours of virtual time.

Each network of the test suite is played against the real measuring code, both ways, with several
seeds. What would ring a telephone is a crossing to "unusable", or silence of seven seconds. Also
how long it takes to notice a cut and heavy loss, which is what patience costs.
"""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

from rooms.model import Sound
from rooms.policy import FallbackPolicy, QualityPolicy
from tests.support.traces import CUT, GOOD, HEAVY, MEDIOCRE, Network, Replay

HOURS = 5  # of each network
TRIALS = 40
HOUR = 3600
QUALITY = QualityPolicy()
RINGS_AFTER = QUALITY.silent_after + FallbackPolicy().call_after_silence


def run() -> dict[str, Any]:
    """Crossings per network, seconds until trouble is noticed, and what watching one seat costs."""
    networks = {name: _hours(network) for name, network in MEDIOCRE.items()}
    return {
        "false_calls": sum(each["would_ring"] for each in networks.values()),
        "hours_of_each": HOURS,
        "networks": networks,
        "cut_noticed": _delays(CUT, Sound.SILENT),
        "heavy_loss_weak": _delays(HEAVY, Sound.WEAK),
        "heavy_loss_unusable": _delays(HEAVY, Sound.UNUSABLE),
        "cpu_us_per_seat_and_second": _cost(),
    }


def _hours(network: Network) -> dict[str, Any]:
    weak = unusable = silent = long = 0
    longest = 0.0
    for seed in range(HOURS):
        hour = Replay(QUALITY, up=network, down=network, seed=seed).run(HOUR)
        silences = hour.silences()
        weak += hour.levels.count(Sound.WEAK)
        unusable += hour.levels.count(Sound.UNUSABLE)
        silent += len(silences)
        long += sum(each >= RINGS_AFTER - QUALITY.silent_after for each in silences)
        longest = max(longest, *silences, 0.0)
    return {
        "would_ring": unusable + long,
        "weak_per_hour": weak / HOURS,
        "silences_per_hour": silent / HOURS,
        "longest_silence_s": round(longest, 1),
    }


def _delays(broken: Network, level: Sound) -> dict[str, float]:
    """Seconds from the moment a good network breaks until the level is there."""
    found: list[float] = []
    for seed in range(TRIALS):
        seat = Replay(QUALITY, up=GOOD, down=GOOD, seed=seed).run(20 + seed / TRIALS)
        at = seat.now
        seat.change(up=broken, down=broken).run(30)
        found.append((seat.first(level, after=at) or float("inf")) - at)
    return {
        "p50_s": round(statistics.median(found), 2),
        "p95_s": round(sorted(found)[TRIALS * 95 // 100], 2),
        "max_s": round(max(found), 2),
    }


def _cost() -> float:
    """CPU of the monitor alone: ten ticks and one judgement a second."""
    seat = Replay(QUALITY, up=GOOD, down=GOOD).run(20)
    still, begun = 10_000, time.process_time()
    for tick in range(still):
        seat.monitor.tick(seat.now + tick * 1e-4, seat)
    ticks = (time.process_time() - begun) / still
    return round(1e6 * 10 * ticks, 1)


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
