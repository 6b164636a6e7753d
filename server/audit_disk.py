"""The files of the audit: one for each UTC day, lines added to their end and synced.

Whoever writes has the file locked: a command, or a second node by mistake, may look into the same
directory, and must not take half of a line for what a crash left. Nobody waits for a lock.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from server.store import LogEntry

_FIELDS = tuple(field.name for field in fields(LogEntry))
_NAMES = "audit-????-??-??.jsonl"
_ALONE = fcntl.LOCK_EX | fcntl.LOCK_NB
_APPENDING = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class AuditDisk:
    """Blocks, so it has a thread. Any method may raise ``OSError``; then nothing was added."""

    def __init__(self, directory: Path, clock: Callable[[], float]) -> None:
        self._directory = directory
        self._clock = clock

    def take_up(self) -> dict[str, int]:
        """Mend the newest file after a crash; the newest cursor of each practice in it."""
        newest = max(self._directory.glob(_NAMES), default=None)
        return _last_cursors(newest) if newest else {}

    def write(self, entries: Sequence[LogEntry]) -> int:
        """Add a line for each, all or none; returns the bytes."""
        lines = "".join(line(entry) for entry in entries).encode("ascii")
        with self._today() as file:
            size = os.fstat(file).st_size
            try:
                _write_all(file, lines)
                os.fsync(file)
            except OSError:
                os.ftruncate(file, size)
                raise
        return len(lines)

    @contextmanager
    def _today(self) -> Iterator[int]:
        """Opened each time: whoever moves the files of an audit away must not be written to."""
        day = datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
        path = self._directory / f"audit-{day}.jsonl"
        self._make_directory()
        new = not path.exists()
        file = os.open(path, _APPENDING, 0o600)
        try:
            fcntl.flock(file, _ALONE)  # ends with the file
            if new:
                _sync_directory(self._directory)
            yield file
        finally:
            os.close(file)

    def _make_directory(self) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def line(entry: LogEntry) -> str:
    """The entry as one line of JSON."""
    told = {name: getattr(entry, name) for name in _FIELDS}
    return json.dumps(told, separators=(",", ":")) + "\n"


def _last_cursors(path: Path) -> dict[str, int]:
    """Of each practice; what a crash left of a last line is cut off, for Redis has it whole."""
    found: dict[str, int] = {}
    whole = 0
    with path.open("rb+") as file:
        fcntl.flock(file, _ALONE)
        for each in file:
            if not each.endswith(b"\n"):
                file.truncate(whole)
                break
            whole += len(each)
            told = _parsed(each)
            if told is not None:
                found[told[0]] = told[1]
    return found


def _parsed(text: bytes) -> tuple[str, int] | None:
    """Practice and cursor of a line; nothing for what is none of ours."""
    try:
        told = json.loads(text)
        return str(told["practice"]), int(told["cursor"])
    except (ValueError, TypeError, KeyError):
        return None


def _write_all(file: int, data: bytes) -> None:
    """A disk that is nearly full takes a part."""
    while data:
        data = data[os.write(file, data) :]


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
