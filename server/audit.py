"""The log as a chain: each entry's MAC covers the entry and the MAC before it.

``mac = HMAC-SHA256(key, previous_mac || canonical entry)``, a chain for each practice. Whoever
changes, drops, swaps or inserts an entry breaks the chain there, unless they hold the key. A chain
cannot see that its newest entries were cut off: that is seen by whoever keeps a later cursor and
MAC elsewhere, which every reader of the event feed does.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from hashlib import sha256

from rooms.policy import EdgePolicy
from server.store import LogDraft, LogEntry, Store

GENESIS = "0" * 64  # what stands before the first entry

_DRAFT_FIELDS = tuple(sorted(field.name for field in fields(LogDraft)))


def chain(draft: LogDraft, cursor: int, previous_mac: str, key: bytes) -> LogEntry:
    """The draft as entry number ``cursor``, after the entry with ``previous_mac``."""
    mac = _mac(draft, cursor, previous_mac, key)
    return LogEntry(**asdict(draft), cursor=cursor, previous_mac=previous_mac, mac=mac)


def verify_chain(
    entries: Iterable[LogEntry],
    key: bytes,
    *,
    after: LogEntry | None = None,
    trimmed: bool = False,
) -> int | None:
    """The cursor at which the chain first breaks, or ``None`` when it holds.

    ``entries`` are one practice's, in order, from the first, or from the one after ``after``. With
    ``trimmed``, older ones have expired: the first that is there says itself where it stood.
    """
    cursor, previous_mac = (after.cursor, after.mac) if after else (0, GENESIS)
    practice = after.practice if after else None
    for entry in entries:
        if trimmed and practice is None:
            cursor, previous_mac = entry.cursor - 1, entry.previous_mac
        cursor += 1
        expected = _mac(entry, cursor, previous_mac, key)
        intact = (
            entry.cursor == cursor
            and entry.previous_mac == previous_mac
            and (practice is None or entry.practice == practice)
            and hmac.compare_digest(entry.mac, expected)
        )
        if not intact:
            return cursor
        previous_mac, practice = entry.mac, entry.practice
    return None


async def first_break(
    store: Store,
    practice: str,
    key: bytes,
    policy: EdgePolicy | None = None,
    *,
    trimmed: bool = False,
) -> int | None:
    """Read the practice's whole log and say where it breaks first; ``None`` when it holds.

    ``trimmed`` as in ``verify_chain``: for stores whose log expires.
    """
    page = (policy or EdgePolicy()).log_page
    last: LogEntry | None = None
    while entries := await store.log_after(practice, last.cursor if last else 0, page):
        broken = verify_chain(entries, key, after=last, trimmed=trimmed)
        if broken is not None:
            return broken
        last = entries[-1]
    return None


def _mac(draft: LogDraft, cursor: int, previous_mac: str, key: bytes) -> str:
    values = [getattr(draft, name) for name in _DRAFT_FIELDS]
    canonical = json.dumps([cursor, *values], separators=(",", ":")).encode("ascii")
    return hmac.new(key, previous_mac.encode("ascii") + canonical, sha256).hexdigest()
