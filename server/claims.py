"""Which node decides about which visit: the words that nodes share, and this node's own claims.

A claim is proof and fence in one: every write of a visit names it, and the store refuses a write
whose claim is not the visit's. The epoch grows with each change of owner; a failover of the store
may hand out an epoch twice, but never an owner, which is new with each start of a node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rooms.model import VisitId
from server.store import Stored


@dataclass(frozen=True, slots=True)
class Claim:
    """``owner`` is a node's id, new with each of its starts; nobody's is empty."""

    owner: str
    epoch: int


NOBODY = Claim("", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How busy a node is, as it measured itself."""

    packets: float = 0.0  # a second
    lag: float = 0.0  # seconds that its loop is late
    memory: float = 0.0  # bytes
    visits: int = 0
    pages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRecord:
    """What a node says of itself with each beat.

    ``name`` is the one in ``/n/<name>/`` and stays over restarts; ``owner`` is new each time.
    ``url`` is where other nodes reach it. ``beat`` counts 1, 2, 3 … ``ring`` tells key rings apart
    and nothing about them.
    """

    name: str
    owner: str
    url: str
    beat: int = 0
    draining: bool = False
    version: str = ""
    ring: str = ""
    started_at: float = 0.0
    load: Load = Load()


@dataclass(frozen=True, slots=True)
class Census:
    """What one beat finds: every node, and how many visits this one owns, for the store.

    ``asked_to_drain``: staff want this node to give its visits away.
    """

    nodes: tuple[NodeRecord, ...]
    owned: int
    asked_to_drain: bool = False


class Directory(Protocol):
    """Who is there, and who owns what. Any method may raise ``StoreUnavailable``."""

    async def beat(self, me: NodeRecord) -> Census:
        """Say that this node lives, and see who else does."""

    async def roll(self) -> Mapping[NodeRecord, float]:
        """Every node that is listed, with the seconds since its beat changed; joins nobody."""

    async def ask_to_drain(self, owner: str) -> None:
        """Have this node give its visits away from its next beat on; idempotent."""

    async def forget_node(self, owner: str) -> None:
        """A node is gone and owns nothing any more; idempotent."""

    async def owner_of(self, visit: VisitId) -> Claim:
        """Who owns the visit; ``owner`` is empty for nobody. Raises ``UnknownVisit``."""

    async def claim(self, visit: VisitId, owner: str, instead_of: Claim) -> Claim:
        """Own the visit from now on, if ``instead_of`` still does. Raises ``NotOwner``,
        ``UnknownVisit``.
        """

    async def release(self, visit: VisitId, claim: Claim) -> None:
        """Own it no longer, if one does; the epoch stays. Never raises ``NotOwner``."""

    async def owned_by(self, owner: str) -> frozenset[VisitId]:
        """Every visit of this owner."""

    async def due(self, now: float, limit: int) -> Sequence[VisitId]:
        """Visits that nobody owns and whose next deadline has come, the earliest first."""

    async def base_of(self, visit: VisitId) -> int:
        """The version that its owner found when it claimed the visit. Raises ``UnknownVisit``."""

    async def reassert(self, known: Stored, claim: Claim) -> bool:
        """Write what this owner knows over an older version: the store has lost its last writes.

        True if the visit is this owner's now, at ``known`` or later; False if it is another's.
        """


class Claims:
    """The claims of this node, as the store asks for them with every write."""

    def __init__(self) -> None:
        self._claims: dict[VisitId, Claim] = {}

    def __len__(self) -> int:
        return len(self._claims)

    def __iter__(self) -> Iterator[VisitId]:
        return iter(tuple(self._claims))

    def __contains__(self, visit: VisitId) -> bool:
        return visit in self._claims

    def of(self, visit: VisitId) -> Claim:
        """This node's claim, or nobody's."""
        return self._claims.get(visit, NOBODY)

    def add(self, visit: VisitId, claim: Claim) -> None:
        """This node decides about the visit from now on."""
        self._claims[visit] = claim

    def drop(self, visit: VisitId) -> None:
        """It no longer does; idempotent."""
        self._claims.pop(visit, None)

    def owned(self, among: Sequence[VisitId]) -> Mapping[VisitId, int]:
        """The epochs of those of these visits that this node owns."""
        return {visit: self._claims[visit].epoch for visit in among if visit in self._claims}
