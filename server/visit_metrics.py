"""What is counted of visits and the people in them. No label ever holds an id, a name, a number."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from rooms.model import Fallback, Stage
from rooms.nodes_policy import SightPolicy


class VisitMetrics:
    """The instruments; ``server.sight`` plays them. Durations are seconds."""

    def __init__(self, registry: CollectorRegistry, policy: SightPolicy) -> None:
        self.visits = Gauge(
            "bedside_visits", "Visits that this node keeps, by stage.", ["stage"], registry=registry
        )
        for stage in Stage:
            self.visits.labels(stage=stage.value)
        self.waiting = Gauge(
            "bedside_waiting_people", "People who wait to be let in.", registry=registry
        )
        self.waiting_longest = Gauge(
            "bedside_waiting_longest_seconds",
            "How long the one has waited who has waited longest.",
            registry=registry,
        )
        self.visits_over = Counter(
            "bedside_visits_over_total", "Visits that are over, by how.", ["how"], registry=registry
        )
        self.admissions = Counter(
            "bedside_admissions_total",
            "What became of people at the door.",
            ["outcome"],
            registry=registry,
        )
        self.waited = Histogram(
            "bedside_waiting_seconds",
            "From the knock until somebody was let in.",
            registry=registry,
            buckets=policy.waiting_buckets,
        )
        self.joins = Counter(
            "bedside_joins_total",
            "People who were let in, by what carried their sound first.",
            ["outcome"],
            registry=registry,
        )
        self.join_seconds = Histogram(
            "bedside_join_seconds",
            "From being let in until both connections of the browser were up.",
            registry=registry,
            buckets=policy.join_buckets,
        )
        self._of_lines(registry, policy)

    def _of_lines(self, registry: CollectorRegistry, policy: SightPolicy) -> None:
        self.lines = Gauge(
            "bedside_lines",
            "People inside, by how their sound reaches the visit.",
            ["state"],
            registry=registry,
        )
        for state in Fallback:
            self.lines.labels(state=state.value)
        self.line_seconds = Histogram(
            "bedside_line_seconds",
            "Time in each state of how somebody is connected, when it ends.",
            ["state"],
            registry=registry,
            buckets=policy.line_buckets,
        )
        self.fallbacks = Counter(
            "bedside_fallbacks_total",
            "Connections that failed, by what became of the person.",
            ["outcome"],
            registry=registry,
        )
        self.fallback_seconds = Histogram(
            "bedside_fallback_seconds",
            "From a failing connection until the person is heard again, by what carries them.",
            ["by"],
            registry=registry,
            buckets=policy.line_buckets,
        )
