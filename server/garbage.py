"""When Python looks for garbage in cycles: not while somebody is heard.

A full collection looks at every object there is, in one go. With 5,000 people waiting that was seen
to take most of a second, in which no packet of anybody's sound is forwarded. The small collections
take a millisecond and find most of it. So full ones are left to moments without media on this
node, and otherwise to a process that has grown too much to wait.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable

import structlog

from rooms.nodes_policy import GarbagePolicy
from server.loads import resident
from server.tasks import Tasks

log = structlog.get_logger(__name__)

_NEVER = 1_000_000_000  # middle collections before a full one: Python takes no "never"


class Garbage:
    """One for the process: ``start`` it once everything is built, and ``close`` it.

    ``is_quiet`` says whether nobody would hear a pause now.
    """

    def __init__(
        self,
        is_quiet: Callable[[], bool],
        policy: GarbagePolicy,
        memory: Callable[[], float] = resident,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_quiet = is_quiet
        self._policy = policy
        self._memory = memory
        self._clock = clock
        self._usual = gc.get_threshold()
        self._tasks = Tasks()
        self._last = clock()
        self._memory_then = 0.0

    def start(self) -> None:
        """From now on full collections are ours to make; what the start made is never looked at."""
        gc.collect()
        gc.freeze()
        young, middle, _ = self._usual
        gc.set_threshold(young, middle, _NEVER)
        self._note()
        self._tasks.spawn(self._watch())

    async def close(self) -> None:
        """Leave it to Python again; idempotent."""
        await self._tasks.close()
        gc.set_threshold(*self._usual)
        gc.unfreeze()

    def look(self) -> bool:
        """Collect if it is time to; says whether it was."""
        rested = self._clock() - self._last >= self._policy.apart
        grown = self._memory() - self._memory_then >= self._policy.growth
        if not (grown or (rested and self._is_quiet())):
            return False
        begun = time.perf_counter()
        found = gc.collect()
        pause = round(1_000 * (time.perf_counter() - begun))
        log.info("garbage_collected", found=found, milliseconds=pause, quiet=self._is_quiet())
        self._note()
        return True

    def _note(self) -> None:
        self._last, self._memory_then = self._clock(), self._memory()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._policy.look_every)
            self.look()
