"""Records with sensible fields, so that a test states only what it is about."""

from __future__ import annotations

from typing import Any

from rooms.model import Visit
from server.store import LinkKind, LinkRecord, LogDraft


def a_visit(visit_id: str = "visit-1", **fields: Any) -> Visit:
    """A scheduled visit of practice ``north``, from second 1,000 to second 2,000."""
    given = {"practice": "north", "starts_at": 1_000.0, "ends_at": 2_000.0, **fields}
    return Visit(id=visit_id, **given)


def a_link(digest: str = "hash-1", **fields: Any) -> LinkRecord:
    """A link to seat ``seat-1`` of ``visit-1``."""
    given = {
        "kind": LinkKind.SEAT,
        "practice": "north",
        "visit": "visit-1",
        "seat": "seat-1",
        **fields,
    }
    return LinkRecord(hash=digest, **given)


def happened(what: str = "Happened", **fields: Any) -> LogDraft:
    """A log entry about ``visit-1``."""
    return LogDraft(type=what, **{"at": 1_000.0, "visit": "visit-1", **fields})


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
