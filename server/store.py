"""What the server may ask of whatever keeps its visits. One contract, tested once for every store.

Every method is one transaction: all of it is durable when the call returns, or none of it ever
happened. The log entries of a change are written in the transaction of that change. A caller that
is cancelled does not know which of the two it was, and finds out by loading.

StoreError                    store_error          the store says no
├── StoreUnavailable          store_unavailable    locked, full, closed or broken for now
├── VersionConflict           version_conflict     somebody else saved this visit first; load again
├── NotOwner                  not_owner            another node decides about this visit now
├── UnknownVisit              unknown_visit
└── AlreadyExists             already_exists       a visit, link, key or reply of that id is there
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from media.phone.former_calls import KeptCall
from rooms.errors import BedsideError
from rooms.model import SeatId, Visit, VisitId
from server.idempotency import IdempotentReply


class StoreError(BedsideError):
    """The store says no; nothing was changed."""

    code = "store_error"
    title = "That could not be stored."


class StoreUnavailable(StoreError):
    """The store is locked, full, closed or broken for now."""

    code = "store_unavailable"
    title = "The server cannot store anything at the moment. Please try again."


class VersionConflict(StoreError):
    """The visit was saved by somebody else since it was loaded."""

    code = "version_conflict"
    title = "The visit changed in the meantime. Please try again."


class NotOwner(StoreError):
    """Another node decides about this visit now; nothing was changed."""

    code = "not_owner"
    title = "The visit has moved to another server. Please try again."


class UnknownVisit(StoreError):
    """There is no such visit."""

    code = "unknown_visit"
    title = "There is no such visit."


class AlreadyExists(StoreError):
    """Something with this id is there already."""

    code = "already_exists"
    title = "This exists already."


class LinkKind(StrEnum):
    """What a link opens."""

    SEAT = "seat"
    DESK = "desk"


@dataclass(frozen=True, slots=True)
class Practice:
    """A clinic or hospital unit; ``phone`` is what people may call when a link does not work.

    ``spoken_name`` is how announcements on the telephone call it: a name that tells nobody who
    overhears it of anybody's health.
    """

    id: str
    name: str
    phone: str = ""
    spoken_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRecord:
    """A link as the store knows it: by the hash of its code, never by the code."""

    hash: str
    kind: LinkKind
    practice: str
    visit: VisitId = ""
    seat: SeatId = ""
    desk: str = ""
    revoked_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of the practice's own systems, by its hash."""

    hash: str
    practice: str
    id: str
    created_at: float
    revoked_at: float | None = None


# Shorter than any link, credential or token (43 characters and more), and without the characters
# that names, telephone numbers and addresses are written with: none of those fits into the log.
_LOG_WORD = re.compile(r"(?![0-9-]{7,}\Z)[A-Za-z0-9_.:-]{0,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDraft:
    """Something that happened, before it has a place in the log: ids, types and outcomes only.

    ``practice`` may be left out where ``visit`` is given; an entry with neither belongs to the
    server itself. Raises ``ValueError`` for anything that does not look like an id.
    """

    at: float
    type: str
    visit: VisitId = ""
    seat: SeatId = ""
    actor_kind: str = ""
    actor: str = ""
    outcome: str = "ok"
    practice: str = ""

    def __post_init__(self) -> None:
        for name in ("type", "visit", "seat", "actor_kind", "actor", "outcome", "practice"):
            if not _LOG_WORD.fullmatch(getattr(self, name)):
                raise ValueError(f"the log holds ids, types and outcomes only; {name} is neither")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry(LogDraft):
    """One link of a practice's log: cursors count 1, 2, 3 …, and ``mac`` covers all before it."""

    cursor: int
    previous_mac: str
    mac: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A visit and the version to save it against."""

    visit: Visit
    version: int


class Store(Protocol):
    """Keeps practices, visits, links, keys, sealed replies and the log.

    Any method may raise ``StoreUnavailable``; other errors are named where they can happen.
    """

    async def open(self) -> None:
        """Make the store ready. Raises ``StoreUnavailable``, also for a newer server's data."""

    async def close(self) -> None:
        """Finish what was begun and let go; idempotent."""

    async def healthy(self) -> bool:
        """Whether a write would succeed now; never raises."""

    async def create(
        self,
        visit: Visit,
        links: Sequence[LinkRecord],
        entries: Sequence[LogDraft],
        *,
        idempotency: IdempotentReply | None = None,
    ) -> None:
        """Keep a new visit at version 1, and the reply to whoever asked for it.

        Raises ``AlreadyExists`` for the visit, a link, or an unexpired reply to the same key.
        """

    async def load(self, visit_id: VisitId) -> Stored:
        """The visit and its version. Raises ``UnknownVisit``."""

    async def save(
        self,
        visit: Visit,
        version: int,
        entries: Sequence[LogDraft],
        *,
        links: Sequence[LinkRecord] = (),
        lasting: bool = False,
    ) -> int:
        """Replace version ``version`` of the visit; returns the new version.

        ``lasting``: what somebody may no longer do is decided here; it is to survive a failover.
        Withdrawn links, desks and keys always are. Raises ``VersionConflict``, ``NotOwner``,
        ``UnknownVisit``, ``AlreadyExists`` (a link).
        """

    async def record(self, entries: Sequence[LogDraft]) -> None:
        """Write to the log and nothing else."""

    async def add_links(self, links: Sequence[LinkRecord], entries: Sequence[LogDraft]) -> None:
        """Keep new links. Raises ``AlreadyExists``, ``UnknownVisit``."""

    async def revoke_links(
        self, visit_id: VisitId, seat_id: SeatId, at: float, entries: Sequence[LogDraft]
    ) -> int:
        """Revoke every link of the seat; returns how many were in force."""

    async def replace_links(
        self,
        visit_id: VisitId,
        seat_id: SeatId,
        new: LinkRecord,
        at: float,
        entries: Sequence[LogDraft],
    ) -> None:
        """Revoke every link of the seat and keep ``new``. Raises like ``add_links``."""

    async def find_link(self, link_hash: str) -> LinkRecord | None:
        """The link with this hash, revoked or not."""

    async def find_desk(self, desk: str) -> LinkRecord | None:
        """The link of this desk, revoked or not."""

    async def revoke_desk(
        self, practice: str, desk: str, at: float, entries: Sequence[LogDraft]
    ) -> bool:
        """Revoke the link of the practice's desk; says whether one was in force."""

    async def unfinished(self) -> list[VisitId]:
        """Every visit that is not over, soonest first: what a starting server takes up again."""

    async def visits_between(self, practice: str, since: float, until: float) -> list[Visit]:
        """The practice's visits that start in [since, until), and all that run; by start."""

    async def log_after(self, practice: str, cursor: int, limit: int) -> list[LogEntry]:
        """Up to ``limit`` entries of the practice's log after ``cursor``, in order.

        The empty practice is the server's own log.
        """

    async def put_practice(self, practice: Practice) -> None:
        """Keep a practice, or change its name and number."""

    async def practice(self, practice_id: str) -> Practice | None:
        """The practice with this id."""

    async def practices(self) -> list[Practice]:
        """Every practice, by id."""

    async def add_api_key(self, key: ApiKey) -> None:
        """Keep a new key. Raises ``AlreadyExists``."""

    async def find_api_key(self, key_hash: str) -> ApiKey | None:
        """The key with this hash, revoked or not."""

    async def api_keys(self, practice: str) -> list[ApiKey]:
        """Every key of the practice, revoked or not, the oldest first; not made to be quick."""

    async def revoke_api_key(self, key_id: str, at: float) -> bool:
        """Revoke the key with this id; says whether one was in force."""

    async def keep_call(self, call: KeptCall) -> None:
        """Keep, or replace, what a carrier needs to end a call that outlived the process."""

    async def forget_call(self, call: str) -> None:
        """The call is over."""

    async def kept_calls(self) -> list[KeptCall]:
        """Every call that was kept and not forgotten."""

    async def find_reply(self, practice: str, key_hash: str) -> IdempotentReply | None:
        """The reply kept for this key, unless it has expired."""
