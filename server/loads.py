"""How busy this node is, as the others are told: measured, and never per packet."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sized
from pathlib import Path

from media.counters import MediaCounters
from server.claims import Load
from server.loop_lag import LoopLag

_STATM = Path("/proc/self/statm")  # proc(5): the second figure is the resident set, in pages
_PAGE = os.sysconf("SC_PAGESIZE")


class LoadMeter:
    """Each call measures since the one before."""

    def __init__(
        self,
        counters: MediaCounters,
        lag: LoopLag,
        pages: Sized,
        visits: Sized,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counters = counters
        self._lag = lag
        self._pages = pages
        self._visits = visits
        self._clock = clock
        self._last = self._packets(), clock()

    def __call__(self) -> Load:
        (before, since), (packets, now) = self._last, (self._packets(), self._clock())
        self._last = packets, now
        return Load(
            packets=(packets - before) / max(now - since, 1e-3),
            lag=self._lag.worst,
            memory=resident(),
            visits=len(self._visits),
            pages=len(self._pages),
        )

    def _packets(self) -> int:
        return self._counters.packets_in + self._counters.packets_out


def resident() -> float:
    """Bytes of this process that are in memory; 0 where nobody tells."""
    try:
        return float(_STATM.read_text(encoding="ascii").split()[1]) * _PAGE
    except OSError:
        return 0.0
