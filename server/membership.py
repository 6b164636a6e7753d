"""Which nodes live, and which of them has room: pure, with time as an argument.

Nobody's clock is compared with anybody else's. An observer notes when it last saw each node's beat
change, by its own clock; and one that has seen nothing at all for a while was away itself, together
with the store perhaps, and judges nobody until it has watched anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from rooms.model import VisitId
from rooms.nodes_policy import NodesPolicy
from server.claims import Load, NodeRecord


@dataclass(frozen=True, slots=True)
class _Seen:
    record: NodeRecord
    since: float  # when this beat was first seen


class Watch:
    """One observer's view of all nodes. Times are seconds of the observer's monotonic clock."""

    def __init__(self, policy: NodesPolicy) -> None:
        self._policy = policy
        self._seen: dict[str, _Seen] = {}
        self._missing: dict[str, float] = {}  # owners that were asked for and are not listed
        self._last = float("-inf")

    def saw(self, nodes: Iterable[NodeRecord], now: float) -> None:
        """The store was asked, and these were its nodes."""
        was_away = now - self._last > self._policy.watch_gap
        self._last = now
        self._seen = {record.owner: self._noted(record, now, anew=was_away) for record in nodes}
        if was_away:
            self._missing.clear()
        self._missing = {o: at for o, at in self._missing.items() if o not in self._seen}

    def live(self, now: float) -> tuple[NodeRecord, ...]:
        """The nodes that live, as far as this observer knows, by name."""
        alive = (seen.record for seen in self._seen.values() if not self._is_dead(seen, now))
        return tuple(sorted(alive, key=lambda record: record.name))

    def dead(self, now: float) -> tuple[NodeRecord, ...]:
        """The nodes whose visits may be taken over."""
        return tuple(seen.record for seen in self._seen.values() if self._is_dead(seen, now))

    def node(self, owner: str, now: float) -> NodeRecord | None:
        """The node of this owner, if it lives."""
        seen = self._seen.get(owner)
        return seen.record if seen is not None and not self._is_dead(seen, now) else None

    def is_gone(self, owner: str, now: float) -> bool:
        """Whether this owner is dead, or has not been listed for as long as that takes.

        The first to ask about an owner that is not listed hears no: it may have come since.
        """
        if now - self._last > self._policy.watch_gap:
            return False
        if owner in self._seen:
            return self._is_dead(self._seen[owner], now)
        return now - self._missing.setdefault(owner, now) >= self._policy.stale_after

    def _noted(self, record: NodeRecord, now: float, *, anew: bool) -> _Seen:
        before = self._seen.get(record.owner)
        same_beat = before is not None and before.record.beat == record.beat
        if before is not None and same_beat and not anew:
            return _Seen(record, before.since)
        return _Seen(record, now)

    def _is_dead(self, seen: _Seen, now: float) -> bool:
        if now - self._last > self._policy.watch_gap:
            return False
        return now - seen.since >= self._policy.stale_after or self._has_successor(seen.record)

    def _has_successor(self, record: NodeRecord) -> bool:
        """A name belongs to the process that took it last: the same node, started again."""
        return any(
            other.record.name == record.name
            and (other.record.started_at, other.record.owner) > (record.started_at, record.owner)
            for other in self._seen.values()
        )


def fullness(load: Load, policy: NodesPolicy) -> float:
    """How full a node is, 1 being full: whatever is scarcest decides, in tenths; visits break ties.

    Finer differences are noise, and would send everybody to whichever node was lucky last.
    """
    scarcest = max(
        load.packets / policy.load_packets,
        load.lag / policy.load_lag,
        load.memory / policy.load_memory,
    )
    return round(scarcest, 1) + load.visits / policy.load_visits


def least_loaded(
    nodes: Iterable[NodeRecord], placed: Mapping[str, int], policy: NodesPolicy
) -> NodeRecord | None:
    """The node that the next visit is placed on; None where all are draining.

    ``placed``: how many visits were placed on each owner since its last beat, which its load does
    not show yet. Without them everybody who comes within one beat would go to the same node.
    """
    willing = [node for node in nodes if not node.draining]
    if not willing:
        return None
    return min(
        willing,
        key=lambda node: (
            fullness(node.load, policy) + placed.get(node.owner, 0) / policy.load_visits,
            node.name,
        ),
    )


def whose_turn(subject: VisitId | str, nodes: Iterable[NodeRecord]) -> NodeRecord | None:
    """The one of these nodes that sees to ``subject`` first: rendezvous hashing, so that each has
    its share and hardly any changes hands when a node comes or goes.
    """
    return max(
        (node for node in nodes if not node.draining),
        key=lambda node: sha256(f"{node.owner}/{subject}".encode()).digest(),
        default=None,
    )
