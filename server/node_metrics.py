"""What is counted of the node itself: its loop, its store, its place among the others, its disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from rooms.nodes_policy import SightPolicy


class Why(StrEnum):
    """Why a visit has another owner now."""

    PLACED = "placed"  # nobody had it
    TAKEN_OVER = "taken_over"  # its owner was gone
    MOVED = "moved"  # its owner asked for it
    LOST = "lost"  # this node had it, and somebody else has it now
    RELEASED = "released"  # nobody needs it for now


class NodeMetrics:
    """The instruments of one node; whoever knows a figure sets or counts it."""

    def __init__(self, registry: CollectorRegistry, policy: SightPolicy) -> None:
        self._registry = registry
        self.lag = Gauge(
            "bedside_loop_lag_seconds",
            "How late the event loop was at worst, lately.",
            registry=registry,
        )
        self.lag_seconds = Histogram(
            "bedside_loop_late_seconds",
            "How late the event loop was.",
            registry=registry,
            buckets=policy.lag_buckets,
        )
        self.store_seconds = Histogram(
            "bedside_store_seconds",
            "Time of one operation of the store, by operation and outcome.",
            ["operation", "outcome"],
            registry=registry,
            buckets=policy.store_buckets,
        )
        self.ready = Gauge(
            "bedside_ready", "1 while this node can take new visits.", registry=registry
        )
        self._of_many(registry)

    def _of_many(self, registry: CollectorRegistry) -> None:
        self.ownership = Counter(
            "bedside_ownership_changes_total",
            "Visits that came to this node or went, by why.",
            ["why"],
            registry=registry,
        )
        for why in Why:
            self.ownership.labels(why=why.value)
        self.nodes = Gauge(
            "bedside_nodes_alive", "Nodes that live, as this one sees it.", registry=registry
        )
        self.nodes.set(1)
        self.draining = Gauge(
            "bedside_draining", "1 while this node gives its visits away.", registry=registry
        )
        self.audit_backlog = Gauge(
            "bedside_audit_backlog",
            "Entries of the log that are not in this node's own file yet.",
            registry=registry,
        )
        self._unconfirmed = _Reading(
            "bedside_lasting_writes_unconfirmed",
            "Decisions that no replica of Redis has confirmed in time.",
        )
        registry.register(self._unconfirmed)

    def owner_changed(self, why: Why) -> None:
        """A visit came to this node, or went."""
        self.ownership.labels(why=why.value).inc()

    def watch_disk(self, directory: Path) -> None:
        """Export how much room there is where this node keeps its data."""
        for name, text, field in (
            ("bedside_data_free_bytes", "Room left on the disk of the data directory.", "free"),
            ("bedside_data_disk_bytes", "Size of the disk of the data directory.", "total"),
        ):
            gauge = Gauge(name, text, registry=self._registry)
            gauge.set_function(_disk(directory, field))

    def watch_nodes(self, alive: Callable[[], float], draining: Callable[[], bool]) -> None:
        """Read, when somebody asks, how many nodes live and whether this one drains."""
        self.nodes.set_function(alive)
        self.draining.set_function(draining)

    def watch_audit(self, backlog: Callable[[], float]) -> None:
        """Read, when somebody asks, how many entries the audit file is behind."""
        self.audit_backlog.set_function(backlog)

    def watch_unconfirmed(self, total: Callable[[], float]) -> None:
        """Read, when somebody asks, how many lasting writes no replica has confirmed."""
        self._unconfirmed.read = total


class _Reading(Collector):
    """A counter that somebody else keeps."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text
        self.read: Callable[[], float] = float

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily(self._name, self._text, value=self.read())


def _disk(directory: Path, field: str) -> Callable[[], float]:
    def read() -> float:
        try:
            return float(getattr(shutil.disk_usage(directory), field))
        except OSError:  # not there yet, or not there any more
            return 0.0

    return read
