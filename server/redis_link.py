"""What the server asks of Redis: commands, scripts, and notices. Every failure is one error.

Nothing that writes is ever sent twice: whoever repeats a write must know what became of the first,
and only the caller can find out. Commands that only read are repeated once, when the connection
turns out to be lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import structlog

from rooms.nodes_policy import NodesPolicy
from server.redis_config import RedisConfig
from server.redis_dialer import Dialer
from server.redis_pool import RedisPool
from server.redis_wire import RedisTrouble, ScriptMissing, Wire, Word
from server.store import StoreUnavailable
from server.tasks import Tasks

log = structlog.get_logger(__name__)

Observer: TypeAlias = Callable[[str, float], None]
"""Told of each command or script, by name, and the seconds it took."""

OLDEST = (6, 2)  # the first with GETDEL, ZADD GT and SET … PXAT
READS = frozenset({
    "EXISTS", "GET", "HELLO", "HEXISTS", "HGET", "HGETALL", "HLEN", "HMGET", "MGET", "PING", "PTTL",
    "SCAN", "SCARD", "SISMEMBER", "SMEMBERS", "TIME", "TTL", "TYPE", "XLEN", "XRANGE", "XREVRANGE",
    "ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYSCORE", "ZSCORE",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Script:
    """Lua that Redis runs in one piece. ``name`` is what metrics call it."""

    name: str
    text: str
    reads_only: bool = False
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        # The name that EVALSHA asks for; it guards nothing.
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False)
        object.__setattr__(self, "digest", digest.hexdigest())


@dataclass(frozen=True, slots=True)
class Gap:
    """From here on notices are heard; what was told before may have been missed."""


GAP = Gap()


@dataclass(slots=True)
class RedisCounters:
    """What is counted, for metrics."""

    failures: int = 0  # commands that were not answered, or refused
    lasting: int = 0  # writes that were to survive a failover
    unconfirmed: int = 0  # those of them that no replica confirmed
    gaps: int = 0  # subscriptions made


class RedisLink:
    """One node's way to Redis. Every method may raise ``StoreUnavailable``.

    ``probe`` is the key that ``healthy`` writes.
    """

    def __init__(
        self,
        config: RedisConfig,
        policy: NodesPolicy,
        *,
        probe: str,
        observe: Observer | None = None,
    ) -> None:
        self.counters = RedisCounters()
        self._policy = policy
        self._probe = probe
        self._observe = observe
        self._dialer = Dialer(config, policy)
        self._pool = RedisPool(self._dialer, policy)
        self._well = True
        self._replicated = True
        self._closed = asyncio.Event()
        self._listening: set[asyncio.Timeout] = set()
        self._moves = 0  # of the master, while connections stood
        self._tasks = Tasks()
        self._has_sentinels = bool(config.group)

    async def open(self) -> None:
        """Connect. Raises ``StoreUnavailable``, also for a Redis that is too old."""
        self._closed.clear()
        self._pool.open()
        said = await self.call("HELLO", 2)
        about = dict(zip(said[::2], said[1::2], strict=True))
        if self._has_sentinels:
            self._tasks.spawn(self._follow())
        if about["server"] == "redis" and _version(about["version"]) < OLDEST:
            raise StoreUnavailable("This Redis is too old: 6.2 or newer is needed, or Valkey.")

    async def close(self) -> None:
        """Disconnect, and end whoever waits for notices; idempotent."""
        self._closed.set()
        self._interrupt()
        tasks, self._tasks = self._tasks, Tasks()
        await tasks.close()
        await self._pool.close()

    async def healthy(self) -> bool:
        """Whether a write would succeed now; never raises."""
        life = round(self._policy.redis_answer * 1000)
        try:
            await self.call("SET", self._probe, 1, "PX", life)
        except StoreUnavailable:
            return False
        return True

    async def call(self, *command: Word) -> Any:
        """The answer to one command: text, a number, None, or a list of these.

        What is not UTF-8 comes with surrogate escapes: ``.encode("utf-8", "surrogateescape")``.
        """
        name = str(command[0]).upper()

        async def work(wire: Wire) -> Any:
            return await wire.ask(*command, within=self._policy.redis_answer)

        return await self._run(name, work, again=name in READS)

    async def script(
        self,
        script: Script,
        keys: Sequence[str],
        args: Sequence[Word],
        *,
        lasting: bool = False,
        heard: Callable[[Any], None] | None = None,
    ) -> Any:
        """What the script returns. ``lasting``: come back when a replica has it too, if any does.

        ``heard`` is told what the script returns before that wait: it is done by then. A script
        says what it refuses in what it returns: an error that it raises is a fault.
        """

        async def work(wire: Wire) -> Any:
            answer = await self._evaluate(wire, script, keys, args)
            if heard is not None:
                heard(answer)
            if lasting:
                await self._confirm(wire)
            return answer

        return await self._run(script.name, work, again=script.reads_only)

    async def messages(self, channel: str) -> AsyncIterator[str | Gap]:
        """What is published, and ``GAP`` after each (re)subscription; ends with ``close``."""
        while not self._closed.is_set():
            try:
                async for message in self._subscription(channel):
                    yield message
            except StoreUnavailable:
                self._dialer.forget()
            await self._pause(self._policy.back_every)

    # -- commands -------------------------------------------------------------------------------

    async def _run(
        self, name: str, work: Callable[[Wire], Awaitable[Any]], *, again: bool = False
    ) -> Any:
        began = time.perf_counter()
        try:
            answer = await self._on_a_wire(work, again)
        except RedisTrouble as trouble:
            self._is_ill(trouble)
            raise
        finally:
            if self._observe is not None:
                self._observe(name, time.perf_counter() - began)
        if not again:  # one that is read-only or full answers questions all the same
            self._is_well()
        return answer

    async def _on_a_wire(self, work: Callable[[Wire], Awaitable[Any]], again: bool) -> Any:
        wire = await self._pool.take()
        try:
            return await work(wire)
        except RedisTrouble as trouble:
            if trouble.astray:
                await self._pool.drop(wire)
            if not (again and trouble.reason == "lost"):
                raise
        finally:
            await self._pool.give(wire)
        return await self._on_a_wire(work, again=False)

    async def _evaluate(
        self, wire: Wire, script: Script, keys: Sequence[str], args: Sequence[Word]
    ) -> Any:
        within = self._policy.redis_answer
        rest = (len(keys), *keys, *args)
        try:
            return await wire.ask("EVALSHA", script.digest, *rest, within=within)
        except ScriptMissing:
            return await wire.ask("EVAL", script.text, *rest, within=within)

    async def _confirm(self, wire: Wire) -> None:
        """Wait on the connection of the write, for only it knows how far that write was.

        The write is done: what goes wrong here is counted, and not an error of the write's.
        """
        self.counters.lasting += 1
        patience = self._policy.replica_wait
        replicas = 0
        try:
            role = await wire.ask("ROLE", within=self._policy.redis_answer)
            if role[0] == "master" and role[2]:
                wait = ("WAIT", 1, round(patience * 1000))
                replicas = await wire.ask(*wait, within=patience + self._policy.redis_answer)
        except RedisTrouble as trouble:
            self._is_ill(trouble)
        self._is_replicated(replicas > 0)

    # -- notices --------------------------------------------------------------------------------

    async def _subscription(self, channel: str) -> AsyncIterator[str | Gap]:
        """One subscription, until it is lost."""
        moves = self._moves
        wire = await self._dialer.dial()
        try:
            await wire.ask("SUBSCRIBE", channel, within=self._policy.redis_answer)
            self.counters.gaps += 1
            yield GAP
            while moves == self._moves and (heard := await self._hear(wire)) is not None:
                if heard[0] == "message":
                    yield str(heard[2])
        finally:
            await wire.cut()

    async def _hear(self, wire: Wire) -> Any:
        """The next message, or the answer to a question in a long silence; None to look around."""
        if self._closed.is_set():
            return None
        listening = asyncio.timeout(None)
        self._listening.add(listening)
        try:
            async with listening:
                heard = await wire.hear(self._policy.notices_lost_after)
                if heard is None:
                    await wire.say("PING")
                    heard = await wire.hear(self._policy.redis_answer)
        except TimeoutError:
            return None
        finally:
            self._listening.discard(listening)
        if heard is None:
            raise RedisTrouble("timeout")
        return heard

    def _interrupt(self) -> None:
        """Have everybody who listens look around."""
        for listening in self._listening:
            listening.reschedule(0)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            return

    # -- where the master is --------------------------------------------------------------------

    async def _follow(self) -> None:
        """Leave a master that has been replaced: it may not know, and what it takes is lost."""
        while not self._closed.is_set():
            await self._pause(self._policy.sentinels_every)
            if await self._dialer.has_moved():
                log.warning("the sentinels have chosen another Redis")
                self._moves += 1
                await self._pool.replace()
                self._interrupt()

    # -- what operators are told ----------------------------------------------------------------

    def _is_ill(self, trouble: RedisTrouble) -> None:
        self.counters.failures += 1
        if self._well:
            log.warning("Redis does not do what it is asked", reason=trouble.reason)
        self._well = False

    def _is_well(self) -> None:
        if not self._well:
            log.info("Redis does again what it is asked")
        self._well = True

    def _is_replicated(self, confirmed: bool) -> None:
        self.counters.unconfirmed += not confirmed
        if self._replicated and not confirmed:
            log.warning("no replica confirms writes that are to survive a failover")
        self._replicated = confirmed


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])
