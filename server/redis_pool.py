"""The connections of one node to Redis: a bounded number, reused, and dropped together."""

from __future__ import annotations

import asyncio

from rooms.nodes_policy import NodesPolicy
from server.redis_dialer import Dialer
from server.redis_wire import RedisTrouble, Wire


class RedisPool:
    """Lends connections. What was lent must be given back, whatever happened to it."""

    def __init__(self, dialer: Dialer, policy: NodesPolicy) -> None:
        self._dialer = dialer
        self._policy = policy
        self._places = asyncio.Semaphore(policy.redis_pool)
        self._idle: list[Wire] = []
        self._generation = 0
        self._closed = False

    def open(self) -> None:
        """Lend, from now on."""
        self._closed = False

    async def close(self) -> None:
        """Disconnect from Redis; idempotent. What is still lent is cut when it comes back."""
        self._closed = True
        self._generation += 1
        idle, self._idle = self._idle, []
        for wire in idle:
            await wire.cut(waiting=True)

    async def take(self) -> Wire:
        """A connection that works as far as anybody knows. Raises ``RedisTrouble``."""
        try:
            async with asyncio.timeout(self._policy.redis_answer):
                await self._places.acquire()
        except TimeoutError:
            raise RedisTrouble("busy", astray=False) from None
        try:
            return await self._idle_or_new()
        except BaseException:
            self._places.release()
            raise

    async def give(self, wire: Wire) -> None:
        """Back again. One that was left in the middle of an answer is never lent again."""
        try:
            if wire.born == self._generation and await wire.ready():
                self._idle.append(wire)
            else:
                await wire.cut()
        finally:
            self._places.release()

    async def drop(self, wire: Wire) -> None:
        """``wire`` led astray: every connection as old as it is replaced, idle ones at once."""
        if wire.born == self._generation:
            await self.replace()

    async def replace(self) -> None:
        """None of the connections there are is lent again."""
        self._generation += 1
        self._dialer.forget()
        idle, self._idle = self._idle, []
        for each in idle:
            await each.cut()

    async def _idle_or_new(self) -> Wire:
        if self._closed:
            raise RedisTrouble("closed", astray=False)
        while self._idle:
            wire = self._idle.pop()
            if await wire.ready():
                return wire
            await wire.cut()
        return await self._dialer.dial(self._generation)
