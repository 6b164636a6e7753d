"""What waits to be sent to one browser: counted until it has left, and never too much.

A browser that stops reading but still answers pings would otherwise make the server keep every
packet for it. The queue tells once that it is over its bounds and drops what comes afterwards;
whoever owns the connection closes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from engineio import packet

from rooms.policy import EdgePolicy


class OutboundQueue(asyncio.Queue[Any]):
    """The packets of one connection. Engine.IO puts packets in, and ``None`` to wake its writer.

    ``on_overflow`` is called once. With ``until_sent`` a packet counts until ``sent`` is called for
    it, because it waits in the writer after it has left the queue; otherwise until it is taken.
    """

    def __init__(self, policy: EdgePolicy) -> None:
        super().__init__()
        self._policy = policy
        self.messages = 0
        self.octets = 0
        self.until_sent = False
        self.overflowed = False
        self.on_overflow: Callable[[], None] = lambda: None

    def sent(self, encoded: str) -> None:
        """One packet has been handed to the operating system, or can't be any more."""
        self.messages -= 1
        self.octets -= len(encoded)

    def finish(self) -> None:
        """Wake whoever waits for packets: a polling request gets CLOSE, a writer goes home."""
        self.put_nowait(packet.Packet(packet.CLOSE))
        self.put_nowait(None)

    def _put(self, item: Any) -> None:
        if item is None:
            super()._put(item)
        elif not self.overflowed:
            self._count(len(item.encode()))
            super()._put(item)

    def _get(self) -> Any:
        item = super()._get()
        if item is not None and not self.until_sent:
            self.sent(item.encode())
        return item

    def _count(self, octets: int) -> None:
        self.messages += 1
        self.octets += octets
        policy = self._policy
        if self.messages > policy.outbound_messages or self.octets > policy.outbound_bytes:
            self.overflowed = True
            self.on_overflow()
