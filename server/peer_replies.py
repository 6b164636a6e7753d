"""What was answered to other nodes, for those that ask again because the answer was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from rooms.nodes_policy import NodesPolicy
from server.idempotency import IdempotencyMismatch
from server.peering import NodeUnreachable
from server.tasks import Tasks


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it went out. Not ``decided``: nothing came of it, and asking again may help."""

    status: int
    body: bytes
    decided: bool = True


@dataclass(frozen=True, slots=True)
class _Kept:
    asked: str
    reply: asyncio.Task[Reply]
    until: float


class PeerReplies:
    """Carries each order out once. ``clock`` is monotonic, in seconds."""

    def __init__(self, policy: NodesPolicy, clock: Callable[[], float]) -> None:
        self._policy = policy
        self._clock = clock
        self._under_way: dict[str, _Kept] = {}
        self._done: dict[str, _Kept] = {}
        self._tasks = Tasks()
        self._closed = False

    def __contains__(self, order: str) -> bool:
        """Whether this order was begun, and not so long ago that it is forgotten."""
        self._forget()
        return order in self._under_way or order in self._done

    async def once(
        self, order: str, asked: str, work: Callable[[], Coroutine[Any, Any, Reply]]
    ) -> Reply:
        """The reply to ``order``: what ``work`` makes of it the first time, and that again.

        The work goes on when whoever asked is gone. ``asked`` is a fingerprint of the order's
        contents. Raises ``IdempotencyMismatch`` where it differs, ``NodeUnreachable`` after
        ``close``.
        """
        self._forget()
        if self._closed:
            raise NodeUnreachable
        kept = self._under_way.get(order) or self._done.get(order)
        if kept is None:
            kept = _Kept(asked, self._tasks.start(work()), 0.0)
            self._under_way[order] = kept
            kept.reply.add_done_callback(lambda reply: self._finished(order, asked, reply))
        if kept.asked != asked:
            raise IdempotencyMismatch
        return await asyncio.shield(kept.reply)

    async def close(self) -> None:
        """Nothing is carried out any more; idempotent."""
        self._closed = True
        await self._tasks.close()

    def _finished(self, order: str, asked: str, reply: asyncio.Task[Reply]) -> None:
        del self._under_way[order]
        if not reply.cancelled() and reply.exception() is None and reply.result().decided:
            self._done[order] = _Kept(asked, reply, self._clock() + self._policy.replies_kept)

    def _forget(self) -> None:
        """The oldest come first: each is kept for the same time."""
        while self._done:
            oldest = next(iter(self._done))
            if (
                len(self._done) <= self._policy.replies_most
                and self._done[oldest].until > self._clock()
            ):
                return
            del self._done[oldest]
