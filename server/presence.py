"""Presence is level, not edge: what is stored of a device follows what is connected.

A drop that cannot be stored because the store is away is stored when it is back, and however
quickly somebody comes and goes, the last word is the right one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from rooms.errors import RoomError
from rooms.events import SessionClosed, SessionOpened
from rooms.policy import EdgePolicy
from server.keeper import VisitKeeper
from server.sessions import DeviceKey
from server.store import NotOwner, StoreUnavailable, VersionConflict
from server.tasks import Tasks

Refused = Callable[[DeviceKey, str], Awaitable[None]]


class Presence:
    """Which devices are connected, here and in the store."""

    def __init__(self, keeper: VisitKeeper, edge: EdgePolicy, refused: Refused) -> None:
        self._keeper = keeper
        self._edge = edge
        self._refused = refused
        self._online: set[DeviceKey] = set()
        self._stored: set[DeviceKey] = set()
        self._settling: set[DeviceKey] = set()
        self._tasks = Tasks()

    def set(self, key: DeviceKey, *, online: bool) -> None:
        """The device's page is here, or gone."""
        (self._online.add if online else self._online.discard)(key)
        if key not in self._settling:
            self._settling.add(key)
            self._tasks.spawn(self._settle(key))

    def forget(self, key: DeviceKey) -> None:
        """Somebody else looks after this device: there is nothing to store of it here."""
        self._online.discard(key)
        self._stored.discard(key)

    async def close(self) -> None:
        """Store nothing more; idempotent."""
        await self._tasks.close()

    async def _settle(self, key: DeviceKey) -> None:
        try:
            while (online := key in self._online) != (key in self._stored):
                await self._store(key, online=online)
        finally:
            self._settling.discard(key)

    async def _store(self, key: DeviceKey, *, online: bool) -> None:
        visit, seat, device = key
        event = SessionOpened if online else SessionClosed
        try:
            await self._keeper.submit(visit, event(seat=seat, device=device))
        except (StoreUnavailable, VersionConflict):
            await asyncio.sleep(self._edge.presence_retry)
            return
        except NotOwner:
            self.forget(key)
            return
        except RoomError as refusal:
            await self._refused(key, refusal.code)
        (self._stored.add if online else self._stored.discard)(key)
