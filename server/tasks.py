"""Tasks with one owner: they are held, their failures are logged, and none survives ``close``."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

from rooms.errors import BedsideError

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Tasks:
    """The background work of one object."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this soon. After ``close`` it is not done at all."""
        if self._closed:
            work.close()
            return
        self.start(work).add_done_callback(_report)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin something whose outcome somebody awaits, and who may stop awaiting it."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    async def settled(self) -> None:
        """Wait until all that was begun, and what it begins, is done."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def close(self) -> None:
        """Cancel what still runs; idempotent."""
        self._closed = True
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever awaits it hears of it; nobody has to


def _report(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if isinstance(error, BedsideError):
        log.warning("background_work_refused", code=error.code)
    elif error is not None:
        log.error("background_work_failed", exc_info=error)
