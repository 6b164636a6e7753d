"""What can be counted, for Prometheus. No label ever holds an id, a name or a phone number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from media.counters import NOW, MediaCounters
from media.phone.sip.counters import TrunkCounters
from rooms.nodes_policy import SightPolicy
from server.node_metrics import NodeMetrics
from server.visit_metrics import VisitMetrics


class Metrics:
    """The counters of one node, in a registry of their own."""

    def __init__(self, policy: SightPolicy | None = None) -> None:
        self.registry = CollectorRegistry()
        self.policy = policy or SightPolicy()
        self.visits = VisitMetrics(self.registry, self.policy)
        self.node = NodeMetrics(self.registry, self.policy)
        ProcessCollector(registry=self.registry)
        self.sessions_opened = Counter(
            "bedside_sessions_opened_total",
            "Links opened, by outcome.",
            ["outcome"],
            registry=self.registry,
        )
        self.signals = Counter(
            "bedside_signals_total",
            "Signals received, by name and outcome.",
            ["signal", "outcome"],
            registry=self.registry,
        )
        self.requests = Counter(
            "bedside_requests_total",
            "HTTP requests, by route and status.",
            ["route", "status"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "bedside_request_seconds",
            "Time to answer an HTTP request, by route.",
            ["route"],
            registry=self.registry,
        )
        self.seats_connected = Gauge(
            "bedside_seats_connected", "Pages of seats that are connected.", registry=self.registry
        )
        self.desks_connected = Gauge(
            "bedside_desks_connected", "Desk pages that are connected.", registry=self.registry
        )

        self.calls = Counter(
            "bedside_calls_total",
            "Telephone calls that are over, by what became of them.",
            ["outcome"],
            registry=self.registry,
        )

        self.calls_in = Counter(
            "bedside_calls_in_total",
            "Telephone calls to the server's own numbers; none is put through.",
            registry=self.registry,
        )

    def watch_media(self, counters: MediaCounters) -> None:
        """Export what the media plane counts, read when somebody asks."""
        self.registry.register(_MediaCollector(counters))

    def watch_trunks(self, trunks: Mapping[str, TrunkCounters]) -> None:
        """Export what SIP trunks count, each under its own name."""
        self.registry.register(_TrunkCollector(trunks))

    def text(self) -> bytes:
        """Everything in the Prometheus text format."""
        return generate_latest(self.registry)


class _TrunkCollector(Collector):
    """The counters of every trunk, one family each."""

    def __init__(self, trunks: Mapping[str, TrunkCounters]) -> None:
        self._trunks = trunks

    def collect(self) -> Iterable[Metric]:
        for field in fields(TrunkCounters):
            family = GaugeMetricFamily(f"bedside_sip_{field.name}", "Of SIP.", labels=["trunk"])
            for name, counters in self._trunks.items():
                family.add_metric([name], getattr(counters, field.name))
            yield family


class _MediaCollector(Collector):
    """The media plane's counters, one family each."""

    def __init__(self, counters: MediaCounters) -> None:
        self._counters = counters

    def collect(self) -> Iterable[Metric]:
        for field in fields(self._counters):
            kind = GaugeMetricFamily if field.name in NOW else CounterMetricFamily
            value = getattr(self._counters, field.name)
            yield kind(f"bedside_media_{field.name}", "Of the media plane.", value=value)
