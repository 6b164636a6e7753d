"""Socket.IO: who is connected, what they are told, and when a page must go.

A grant in the registry is the only proof that a socket was accepted. Nothing is ever sent to more
than one socket at a time, so nothing can reach a page whose token is still being looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

import socketio

from media.ports import LegState, MediaPlane, Offer
from rooms.errors import DeviceRefused, UnknownDevice
from rooms.model import SeatId, Standing, Visit, VisitId
from rooms.policy import EdgePolicy, Policy
from rooms.view import View, is_inside, view_for
from rooms.visit import door
from server import replies as r
from server.keeper import VisitKeeper
from server.legs import Legs
from server.practices import Practices
from server.presence import Presence
from server.sessions import DeviceKey, Registry, SeatSession
from server.store import NotOwner, UnknownVisit
from server.tasks import Tasks
from server.timers import Clock
from server.tokens import SessionClaims, SessionTokens, TokenInvalid

VISIT = "/visit"


MediaSeen: TypeAlias = Callable[[VisitId, SeatId, LegState], None]


class Gateway:
    """Holds every connected page of every visit and keeps it up to date."""

    def __init__(
        self,
        sio: socketio.AsyncServer,
        keeper: VisitKeeper,
        plane: MediaPlane,
        practices: Practices,
        tokens: SessionTokens,
        clock: Clock,
        policy: Policy,
        edge: EdgePolicy,
    ) -> None:
        self._sio = sio
        self._keeper = keeper
        self._legs = Legs(plane, clock)
        self._practices = practices
        self._tokens = tokens
        self._clock = clock
        self._policy = policy
        self._presence = Presence(keeper, edge, self._refused)
        self._online: dict[DeviceKey, SeatSession] = {}
        self._tasks = Tasks()
        self.media_seen: MediaSeen = lambda _visit, _seat, _state: None
        self.sessions: Registry[SeatSession] = Registry()

    # -- seats come and go --------------------

    async def connect(self, sid: str, token: object) -> None:
        """Accept the socket of a seat. Raises ``BedsideError`` with the reason to refuse it.

        Where another node decides about the visit nobody is accepted: the page opens its link
        again, and is led there.
        """
        claims = self._tokens.verify(token)
        if not self._keeper.decides_about(claims.visit):
            raise NotOwner
        visit = await self._visit_of(claims)
        card = await self._practices.card(visit.practice)
        self._check_seat(visit, claims)
        if not self._keeper.decides_about(claims.visit):  # any more
            raise NotOwner
        session = SeatSession(
            sid=sid,
            id=claims.session,
            visit=claims.visit,
            seat=claims.seat,
            device=claims.device,
            epoch=claims.seat_epoch,
            card=card,
        )
        self._expire_at(session, claims.expires_at)
        self.sessions.add(session)
        former = self._online.get(session.key)
        self._online[session.key] = session
        if former is not None:
            self._tasks.spawn(self._replace(former, session))
        self._tasks.spawn(self._welcome(session, visit))

    def disconnect(self, sid: str) -> None:
        """The socket is gone; its media goes on until it is clear that nobody returns."""
        session = self.sessions.remove(sid)
        if session is None or self._online.get(session.key) is not session:
            return
        del self._online[session.key]
        if session.has_leg:
            self._legs.detach(session)
        self._presence.set(session.key, online=False)

    @property
    def token_life(self) -> int:
        """Seconds that a new token is good for."""
        return self._tokens.life

    def renew(self, session: SeatSession) -> str:
        """A fresh token for the same session."""
        token = self._tokens.mint(
            SessionClaims(
                visit=session.visit,
                seat=session.seat,
                seat_epoch=session.epoch,
                device=session.device,
                session=session.id,
            )
        )
        self._expire_at(session, self._clock() + self._tokens.life)
        return token

    async def _visit_of(self, claims: SessionClaims) -> Visit:
        try:
            return await self._keeper.current(claims.visit)
        except UnknownVisit:
            raise TokenInvalid("visit") from None

    def _check_seat(self, visit: Visit, claims: SessionClaims) -> None:
        seat = visit.seat(claims.seat)
        if seat is None or seat.revoked:
            raise TokenInvalid("seat")
        closed = door(visit, seat)
        if closed is not None:
            raise closed
        device = seat.device(claims.device)
        if device is None or seat.epoch != claims.seat_epoch:
            raise TokenInvalid("epoch")
        if device.standing is Standing.REFUSED:
            raise DeviceRefused

    async def _welcome(self, session: SeatSession, visit: Visit) -> None:
        """First snapshot; runs after the socket was told that it is connected."""
        self._presence.set(session.key, online=True)
        await self._show_to(session, visit)

    async def _replace(self, former: SeatSession, session: SeatSession) -> None:
        """One live socket per device: a reload ends the older page, a reconnect merely moves on."""
        if former.id == session.id:
            self.sessions.remove(former.sid)
            await self._close(former.sid)
            return
        await self._end(former, "session_replaced")

    # -- what pages are told --------------------

    async def show(self, visit: Visit) -> None:
        """Bring every page of the visit up to date."""
        for session in self.sessions.group(visit.id):
            await self._show_to(session, visit)

    async def _show_to(self, session: SeatSession, visit: Visit) -> None:
        seat = visit.seat(session.seat)
        device = seat.device(session.device) if seat else None
        if seat is None or device is None or not self._is_to_see(session, visit):
            return
        view = view_for(visit, session.seat, session.device, self._policy)
        if view != session.view:
            session.view = view
            snapshot = self._wire(view, session.id, session.card)
            await self._tell(session, "visit:changed", snapshot)
        if self._is_to_see(session, visit):  # still
            self._follow_leg(session, is_inside(visit, seat, device))

    def _is_to_see(self, session: SeatSession, visit: Visit) -> bool:
        """Whether the page is still here, and was shown nothing newer."""
        is_older = session.view is not None and session.view.revision > visit.revision
        return self.sessions.get(session.sid) is session and not is_older

    async def snapshot(self, visit: Visit, seat: str, device: str, session: str) -> dict[str, Any]:
        """What one device of one seat may see, as it goes over the wire."""
        view = view_for(visit, seat, device, self._policy)
        card = await self._practices.card(visit.practice)
        return self._wire(view, session, card)

    def _wire(self, view: View, session: str, card: r.PracticeCard) -> dict[str, Any]:
        return r.snapshot(
            view, session, card, self._clock(), calls_people=self._practices.calls_people
        )

    def _follow_leg(self, session: SeatSession, inside: bool) -> None:
        if inside and not session.has_leg:
            self._legs.attach(session, _Reach(self, session))
        elif session.has_leg and not inside:
            self._legs.drop(session)
        session.has_leg = inside

    # -- sessions end --------------------

    async def end_sessions(self, visit: VisitId, seat: str, device: str, code: str) -> None:
        """Tell these pages why and close them, with their media."""
        self._legs.end(visit, seat, device)
        for session in self.sessions.group(visit):
            if session.seat == seat and device in ("", session.device):
                await self._end(session, code)

    async def _end(self, session: SeatSession, code: str) -> None:
        """Only the web session ends: the seat, its admission and its phone are not touched."""
        if self.sessions.remove(session.sid) is None:
            return
        if session.has_leg:
            self._legs.drop(session)
        if self._online.get(session.key) is session:
            del self._online[session.key]
            self._presence.set(session.key, online=False)
        await self._tell(session, "session:ended", r.SessionOver(code=code).model_dump())
        await self._close(session.sid)

    async def _refused(self, key: DeviceKey, code: str) -> None:
        """The visit does not take this device any more; one it has forgotten may open anew."""
        session = self._online.get(key)
        if session is not None:
            await self._end(session, "token_expired" if code == UnknownDevice.code else code)

    def _expire_at(self, session: SeatSession, at: float) -> None:
        if session.expiry is not None:
            session.expiry.cancel()
        session.expires_at = at
        session.expiry = asyncio.get_running_loop().call_later(
            max(0.0, at - self._clock()), self._expired, session
        )

    def _expired(self, session: SeatSession) -> None:
        self._tasks.spawn(self._end(session, "token_expired"))

    def is_needed(self, visit: VisitId) -> bool:
        """Whether any page of the visit is connected here, or has media to come back to."""
        return bool(self.sessions.group(visit)) or self._legs.any_of(visit)

    def leave(self, visit: VisitId) -> None:
        """Another node looks after this visit: its pages open their links again and are led there.

        Nothing is stored of their going, and media is not ended: that is the media plane's to do.
        """
        for session in self.sessions.group(visit):
            self.sessions.remove(session.sid)
            if self._online.get(session.key) is session:
                del self._online[session.key]
            self._presence.forget(session.key)
            self._tasks.spawn(self._close(session.sid))
        self._legs.forget(visit)

    # -- the wire --------------------

    async def close(self) -> None:
        """No task and no timer survives; idempotent."""
        for session in self.sessions.all():
            self.sessions.remove(session.sid)
        self._legs.close()
        await self._presence.close()
        await self._tasks.close()

    def tell_later(self, session: SeatSession, signal: str, data: dict[str, Any]) -> None:
        """Send a signal from where nothing may wait."""
        self._tasks.spawn(self._tell(session, signal, data))

    async def _tell(self, session: SeatSession, signal: str, data: dict[str, Any]) -> None:
        await self._sio.emit(signal, data, to=session.sid, namespace=VISIT)

    async def _close(self, sid: str) -> None:
        await self._sio.disconnect(sid, namespace=VISIT)


class _Reach:
    """How the media plane reaches one page."""

    def __init__(self, gateway: Gateway, session: SeatSession) -> None:
        self._gateway = gateway
        self._session = session

    def offered(self, offer: Offer) -> None:
        message = r.MediaOffer(
            peer=offer.peer,
            connection=offer.connection.value,
            number=offer.number,
            sdp=offer.sdp,
        )
        self._gateway.tell_later(self._session, "media:offer", message.model_dump())

    def media_changed(self, state: LegState) -> None:
        message = r.MediaState(state=state.value)
        self._gateway.media_seen(self._session.visit, self._session.seat, state)
        self._gateway.tell_later(self._session, "media:state", message.model_dump())
