"""How late the event loop is: everything that people hear and see waits behind that."""

from __future__ import annotations

import asyncio

from rooms.nodes_policy import SightPolicy
from server.node_metrics import NodeMetrics
from server.tasks import Tasks


class LoopLag:
    """Sleeps again and again and sees how late it wakes. ``start`` it, and ``close`` it."""

    def __init__(self, metrics: NodeMetrics, policy: SightPolicy) -> None:
        self._metrics = metrics
        self._policy = policy
        self._tasks = Tasks()
        self._worst = self._former = 0.0  # of this window, and of the one before
        metrics.lag.set_function(lambda: self.worst)

    @property
    def worst(self) -> float:
        """Seconds that the loop was late at worst, within the last one to two windows."""
        return max(self._worst, self._former)

    def start(self) -> None:
        """Begin to measure the running loop."""
        self._tasks.spawn(self._measure())

    async def close(self) -> None:
        """Measure no more; idempotent."""
        await self._tasks.close()

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        every, turn = self._policy.lag_every, loop.time() + self._policy.lag_window
        while True:
            due = loop.time() + every
            await asyncio.sleep(every)
            now = loop.time()
            late = max(0.0, now - due)
            self._metrics.lag_seconds.observe(late)
            self._worst = max(self._worst, late)
            if now >= turn:
                turn = now + self._policy.lag_window
                self._former, self._worst = self._worst, 0.0
