"""Which browsers are connected now, and as whom. In memory only: a restart begins empty."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from rooms.model import DeviceId, SeatId, VisitId
from rooms.view import View
from server.replies import PracticeCard

DeviceKey = tuple[VisitId, SeatId, DeviceId]


@dataclass(slots=True, eq=False)
class SeatSession:
    """One connected page of one device. ``id`` names the session, ``sid`` its socket."""

    sid: str
    id: str
    visit: VisitId
    seat: SeatId
    device: DeviceId
    epoch: int
    card: PracticeCard
    view: View | None = None
    has_leg: bool = False
    expires_at: float = 0.0
    expiry: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def group(self) -> VisitId:
        """What sessions are looked up by together."""
        return self.visit

    @property
    def key(self) -> DeviceKey:
        """The device, of which only one page is connected at a time."""
        return self.visit, self.seat, self.device


@dataclass(slots=True, eq=False)
class DeskSession:
    """One connected desk page."""

    sid: str
    desk: str
    practice: str
    card: PracticeCard
    expiry: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def group(self) -> str:
        """What sessions are looked up by together."""
        return self.practice


class _Grouped(Protocol):
    sid: str
    expiry: asyncio.TimerHandle | None

    @property
    def group(self) -> str: ...


S = TypeVar("S", bound=_Grouped)


class Registry(Generic[S]):
    """Sessions by socket and by group (a visit, a practice)."""

    def __init__(self) -> None:
        self._by_sid: dict[str, S] = {}
        self._by_group: dict[str, dict[str, S]] = {}

    def __len__(self) -> int:
        return len(self._by_sid)

    def add(self, session: S) -> None:
        """Keep a session; the grant stored here is the only proof that a socket was accepted."""
        self._by_sid[session.sid] = session
        self._by_group.setdefault(session.group, {})[session.sid] = session

    def get(self, sid: str) -> S | None:
        """The session of this socket."""
        return self._by_sid.get(sid)

    def group(self, group: str) -> tuple[S, ...]:
        """The sessions of this group."""
        return tuple(self._by_group.get(group, {}).values())

    def groups(self) -> Collection[str]:
        """Every group that somebody is of."""
        return self._by_group.keys()

    def remove(self, sid: str) -> S | None:
        """Forget the session of this socket and its timer; returns it if there was one."""
        session = self._by_sid.pop(sid, None)
        if session is None:
            return None
        members = self._by_group[session.group]
        del members[sid]
        if not members:
            del self._by_group[session.group]
        if session.expiry is not None:
            session.expiry.cancel()
        return session

    def all(self) -> tuple[S, ...]:
        """Every session."""
        return tuple(self._by_sid.values())
