"""The node's own copy of the log: JSON Lines on its disk, kept when Redis has long forgotten.

A file for each UTC day, to which lines are only ever added; each is an entry of the log, with
exactly its fields. Whatever this node wrote to a practice's log stands there, and, so that the
chain of a file can be checked by itself, what other nodes wrote in between. So does what was
written without this node being told. Nobody waits for this disk.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

import structlog

from rooms.nodes_policy import NodesPolicy
from server.audit_disk import AuditDisk
from server.store import LogEntry, StoreError

log = structlog.get_logger(__name__)

Found = TypeVar("Found")
Reader: TypeAlias = Callable[[str, int, int], Awaitable[Sequence[LogEntry]]]
"""``Store.log_after``: the practice, after this cursor, how many."""


@dataclass(slots=True)
class AuditCounters:
    """What is counted, for metrics."""

    written: int = 0  # lines
    failures: int = 0  # times that the disk took nothing
    lost: int = 0  # lines that found no room in memory either; Redis has them for a while
    gaps: int = 0  # lines of others that could not be read, or were too many


class AuditFile:
    """Appends entries to the day's file in ``directory``, in the background and in order."""

    def __init__(self, directory: Path, clock: Callable[[], float], policy: NodesPolicy) -> None:
        self.counters = AuditCounters()
        self._disk = AuditDisk(directory, clock)
        self._policy = policy
        self._waiting: deque[LogEntry] = deque()
        self._last: dict[str, int] = {}  # practice → the cursor of its newest line
        self._more = asyncio.Event()
        self._closing = asyncio.Event()
        self._well = True
        self._thread: ThreadPoolExecutor | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Lines that are not on the disk yet, for metrics."""
        return len(self._waiting)

    def open(self, read: Reader) -> None:
        """Begin to write; ``read`` is how what others wrote is found. Idempotent."""
        if self._task is None:
            self._closing.clear()
            self._thread = ThreadPoolExecutor(1, "audit-file")
            running = self._run(self._thread, read)
            self._task = asyncio.get_running_loop().create_task(running)

    async def close(self) -> None:
        """Write what waits, if the disk takes it, and stop; idempotent."""
        task, self._task = self._task, None
        if task is not None and self._thread is not None:
            self._closing.set()
            self._more.set()
            await task
            self._thread.shutdown()

    def append(self, entries: Iterable[LogEntry]) -> None:
        """These are in the log, so they will be in the file. Never waits, never raises."""
        self._waiting.extend(entries)
        self._forget_the_oldest()
        self._more.set()

    # -- in the background ----------------------------------------------------------------------

    async def _run(self, thread: ThreadPoolExecutor, read: Reader) -> None:
        self._last = await self._tried(thread, self._disk.take_up) or {}
        while self._waiting or not self._closing.is_set():
            self._more.clear()
            if not self._waiting:
                await self._more.wait()
            elif not await self._write_some(thread, read):
                await self._pause()

    async def _write_some(self, thread: ThreadPoolExecutor, read: Reader) -> bool:
        """One batch, all of it or nothing; whether the disk took it."""
        most = min(len(self._waiting), self._policy.audit_batch)
        batch = await self._filled([self._waiting.popleft() for _ in range(most)], read)
        if await self._tried(thread, lambda: self._disk.write(batch)) is None:
            self._waiting.extendleft(reversed(batch))
            self._forget_the_oldest()
            return False
        self._last |= {entry.practice: entry.cursor for entry in batch}
        self.counters.written += len(batch)
        return True

    async def _pause(self) -> None:
        """Until the disk is asked again; a node that stops has just asked for the last time."""
        if self._closing.is_set():
            self.counters.lost += len(self._waiting)
            self._waiting.clear()
            return
        try:
            async with asyncio.timeout(self._policy.audit_retry):
                await self._closing.wait()
        except TimeoutError:
            return

    async def _tried(self, thread: ThreadPoolExecutor, work: Callable[[], Found]) -> Found | None:
        """What the disk says; None when it refuses, which is told once."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(thread, work)
        except OSError as error:
            self.counters.failures += 1
            if self._well:
                log.error("audit file cannot be written", error=error.errno)
            self._well = False
            return None
        if not self._well:
            log.info("audit file can be written again")
        self._well = True
        return found

    def _forget_the_oldest(self) -> None:
        while len(self._waiting) > self._policy.audit_spool:
            self._waiting.popleft()
            self.counters.lost += 1

    # -- what others wrote ----------------------------------------------------------------------

    async def _filled(self, batch: Sequence[LogEntry], read: Reader) -> list[LogEntry]:
        """The batch with what stands before each of its entries and is not in the file.

        A cursor that goes back (the log itself lost its end) leaves nothing to be filled.
        """
        last = dict(self._last)
        filled: list[LogEntry] = []
        for entry in batch:
            known = last.get(entry.practice, entry.cursor)
            if entry.cursor > known + 1:
                filled += await self._between(entry.practice, known, entry.cursor, read)
            filled.append(entry)
            last[entry.practice] = entry.cursor
        return filled

    async def _between(
        self, practice: str, known: int, cursor: int, read: Reader
    ) -> Sequence[LogEntry]:
        missing = cursor - known - 1
        most = min(missing, self._policy.audit_backfill)
        try:
            found = await read(practice, cursor - most - 1, most)
        except StoreError:
            found = ()
        between = [entry for entry in found if entry.cursor < cursor]
        self.counters.gaps += missing - len(between)
        return between
