"""What a load has measured: durations, counts and errors, added up over its processes."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from tests.support.returning_line import Refused


class Figures:
    """Durations in seconds by name; counts by name; errors by code."""

    def __init__(self) -> None:
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self.counts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()

    def took(self, what: str, seconds: float) -> None:
        """One more duration."""
        self.times[what].append(seconds)

    def count(self, what: str, many: int = 1) -> None:
        """So many more."""
        self.counts[what] += many

    def trouble(self, code: str) -> None:
        """Something went wrong; whoever met it may try again."""
        self.errors[code] += 1

    @contextmanager
    def time(self, what: str) -> Iterator[None]:
        """Measure the block, unless it fails."""
        begun = perf_counter()
        yield
        self.took(what, perf_counter() - begun)

    @contextmanager
    def forgiving(self) -> Iterator[None]:
        """Count a refusal, or something that took too long, and go on."""
        try:
            yield
        except Refused as refused:
            self.trouble(refused.code)
        except TimeoutError:
            self.trouble("too_long")

    def add(self, other: dict[str, Any]) -> None:
        """Add what another process measured (its ``as_json``)."""
        for name, values in other["times"].items():
            self.times[name] += values
        self.counts.update(other["counts"])
        self.errors.update(other["errors"])

    def as_json(self) -> dict[str, Any]:
        """Everything, for another process."""
        return {
            "times": self.times,
            "counts": self.counts,
            "errors": self.errors,
        }

    def summary(self) -> dict[str, Any]:
        """Milliseconds, counts and errors for people."""
        return {
            "ms": {name: _percentiles(values) for name, values in sorted(self.times.items())},
            "counts": dict(sorted(self.counts.items())),
            "errors": dict(sorted(self.errors.items())),
        }


def _percentiles(seconds: list[float]) -> dict[str, float]:
    if len(seconds) == 1:
        seconds = seconds * 2
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {f"p{at}": round(1000 * cuts[at - 1], 1) for at in (50, 95, 99)}
