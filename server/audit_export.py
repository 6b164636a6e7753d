"""The log as JSON Lines, and the proof that nobody has touched it.

An export is one practice's log from some entry on; a node's own files hold many practices, and of
each whatever stood in between. Both are checked the same way: every entry against its own MAC, and
each against the one before it.

Files may tell two stories from some entry on, each of them proved: a failover or a restored backup
took back what had been written, and the log went on from there. That is told, and no break.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

from rooms.errors import BedsideError
from rooms.policy import EdgePolicy
from server.audit import verify_chain
from server.store import LogDraft, LogEntry, Store
from server.strict_json import parse_object

_PAGE = EdgePolicy().log_page
_KINDS = get_type_hints(LogEntry)


class ChainBroken(BedsideError):
    """The log is not as it was written."""

    code = "chain_broken"
    title = "The log is not as it was written."


@dataclass(frozen=True, slots=True)
class Gap:
    """Entries of one practice that are not there: from ``first`` to ``last``."""

    practice: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Fork:
    """Two entries of one practice with this cursor, both as they were written."""

    practice: str
    cursor: int


def before(entry: LogEntry) -> LogEntry | None:
    """As much of the entry before this one as a check of this one needs."""
    if entry.cursor == 1:
        return None
    values: dict[str, Any] = {name: getattr(entry, name) for name in LogDraft.__slots__}
    return LogEntry(**values, cursor=entry.cursor - 1, previous_mac="", mac=entry.previous_mac)


async def read(
    store: Store, practice: str, after: int, key: bytes, *, expires: bool
) -> AsyncIterator[LogEntry]:
    """The practice's entries after this cursor, checked. Raises ``ChainBroken`` at the first that
    is wrong; those before it have been yielded.

    ``expires``: the store forgets what is old, so the first it has may be any.
    """
    last: LogEntry | None = None
    while entries := await store.log_after(practice, last.cursor if last else after, _PAGE):
        if last is None and not expires and entries[0].cursor != after + 1:
            raise ChainBroken(_broken_at(practice, after + 1))
        previous = last or before(entries[0])
        broken = verify_chain(entries, key, after=previous)
        if broken is None and entries[0].practice != practice:
            broken = entries[0].cursor
        for entry in entries:
            if broken is not None and entry.cursor >= broken:
                raise ChainBroken(_broken_at(practice, broken))
            yield entry
        last = entries[-1]


def parse(line: str | bytes) -> LogEntry:
    """The entry in one line. Raises ``ValueError`` for anything else."""
    told = parse_object(line)
    if told.keys() != _KINDS.keys():
        raise ValueError("not the fields of an entry")
    if any(type(value) is not _KINDS[name] for name, value in told.items()):
        raise ValueError("not the types of an entry")
    return LogEntry(**told)


def verify(entries: Iterable[LogEntry], key: bytes) -> Iterator[Gap | Fork]:
    """Check entries of any practices, in order of their cursors; yields what is missing, and where
    there are two of one. Raises ``ChainBroken``. The same entry may stand there twice.
    """
    ends: dict[str, _Ends] = {}
    for entry in entries:
        if verify_chain([entry], key, after=before(entry)) is not None:
            raise ChainBroken(_broken_at(entry.practice, entry.cursor))
        end = ends.get(entry.practice)
        if end is None:
            ends[entry.practice] = _Ends(entry)
        elif entry.mac not in end.macs or entry.cursor != end.cursor:
            yield from end.follow(entry)


def require_whole(practice: str, texts: Iterable[str], key: bytes) -> None:
    """Check a practice's log, an entry a text; its beginning may have expired.

    Raises ``ChainBroken`` where one was changed or is missing.
    """
    last: LogEntry | None = None
    for text in texts:
        at = last.cursor + 1 if last else 1
        try:
            entry = parse(text)
        except ValueError:
            raise ChainBroken(_broken_at(practice, at)) from None
        whole = verify_chain([entry], key, after=last or before(entry)) is None
        if not whole or entry.practice != practice:
            raise ChainBroken(_broken_at(practice, at if last else entry.cursor))
        last = entry


class _Ends:
    """The newest entries of one practice that were met: one, or one of each story."""

    def __init__(self, first: LogEntry) -> None:
        self.cursor, self.macs = first.cursor, {first.mac}
        self._before: set[str] | None = None  # MACs at the cursor before; unknown at a beginning

    def follow(self, entry: LogEntry) -> Iterator[Gap | Fork]:
        """Raises ``ChainBroken`` unless this one comes after one that was met, or after a gap."""
        if entry.cursor > self.cursor + 1:
            yield Gap(entry.practice, self.cursor + 1, entry.cursor - 1)
        if entry.cursor == self.cursor:
            yield Fork(entry.practice, entry.cursor)
        else:
            self._before = self.macs if entry.cursor == self.cursor + 1 else None
            self.cursor, self.macs = entry.cursor, set()
        if self._before is not None and entry.previous_mac not in self._before:
            raise ChainBroken(_broken_at(entry.practice, entry.cursor))
        self.macs.add(entry.mac)


def _broken_at(practice: str, cursor: int) -> str:
    whose = f"practice {practice}" if practice else "the server itself"
    return f"The log of {whose} is broken at entry {cursor}: it is not as it was written."
