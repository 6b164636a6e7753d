"""Which page has each seat's media, and until when.

Media outlives its page's socket: a reconnect finds it as it was. It never outlives the session: it
ends when the session's token does, and when the seat is given to another device, whether or not
the page that had it can still be told.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from media.ports import LegListener, MediaPlane
from rooms.model import DeviceId, SeatId, VisitId
from server.sessions import SeatSession
from server.timers import Clock


@dataclass(slots=True)
class _Leg:
    session: str
    device: DeviceId
    ending: asyncio.TimerHandle | None = field(default=None, repr=False)


class Legs:
    """The legs of this node's seats: at most one for each, as in the media plane."""

    def __init__(self, plane: MediaPlane, clock: Clock) -> None:
        self._plane = plane
        self._clock = clock
        self._legs: dict[tuple[VisitId, SeatId], _Leg] = {}

    def attach(self, session: SeatSession, listener: LegListener) -> None:
        """Give this page its seat's media; a former page of the seat has it no longer."""
        self._forget(session.visit, session.seat)
        self._legs[session.visit, session.seat] = _Leg(session.id, session.device)
        self._plane.attach(session.visit, session.seat, session.id, listener)

    def detach(self, session: SeatSession) -> None:
        """The page's socket is gone; it may come back for its media until its token expires."""
        self._plane.detach(session.visit, session.seat, session.id)
        leg = self._legs.get((session.visit, session.seat))
        if leg is not None and leg.session == session.id:
            leg.ending = asyncio.get_running_loop().call_later(
                max(0.0, session.expires_at - self._clock()),
                self.end,
                session.visit,
                session.seat,
                session.device,
            )

    def drop(self, session: SeatSession) -> None:
        """End this page's media."""
        self._plane.drop(session.visit, session.seat, session.id)
        leg = self._legs.get((session.visit, session.seat))
        if leg is not None and leg.session == session.id:
            self._forget(session.visit, session.seat)

    def end(self, visit: VisitId, seat: SeatId, device: DeviceId) -> None:
        """End what media the seat has on this device, or on any if ``device`` is empty."""
        leg = self._legs.get((visit, seat))
        if leg is not None and device in ("", leg.device):
            self._plane.drop(visit, seat, leg.session)
            self._forget(visit, seat)

    def any_of(self, visit: VisitId) -> bool:
        """Whether any seat of the visit has media."""
        return any(place[0] == visit for place in self._legs)

    def forget(self, visit: VisitId) -> None:
        """The visit's media ends elsewhere than here."""
        for place in [place for place in self._legs if place[0] == visit]:
            self._forget(*place)

    def close(self) -> None:
        """No timer is left; idempotent."""
        for visit, seat in list(self._legs):
            self._forget(visit, seat)

    def _forget(self, visit: VisitId, seat: SeatId) -> None:
        leg = self._legs.pop((visit, seat), None)
        if leg is not None and leg.ending is not None:
            leg.ending.cancel()
