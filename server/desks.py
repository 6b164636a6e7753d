"""The pages of staff desks: who is connected and what they are shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import socketio

from server.board import DeskBoard
from server.practices import Practices
from server.replies import SessionOver, desk_snapshot
from server.sessions import DeskSession, Registry
from server.store import Store
from server.tasks import Tasks
from server.timers import Clock
from server.tokens import DeskClaims, DeskTokens, TokenInvalid

DESK = "/desk"


class DeskGateway:
    """Holds every connected desk page and keeps it up to date."""

    def __init__(
        self,
        sio: socketio.AsyncServer,
        store: Store,
        board: DeskBoard,
        practices: Practices,
        tokens: DeskTokens,
        clock: Clock,
    ) -> None:
        self._sio = sio
        self._store = store
        self._board = board
        self._practices = practices
        self._tokens = tokens
        self._clock = clock
        self._first_look: Callable[[str], Awaitable[None]] = _sees_everything
        self._tasks = Tasks()
        self.sessions: Registry[DeskSession] = Registry()

    def look_first(self, first_look: Callable[[str], Awaitable[None]]) -> None:
        """Await this, with the practice, before a desk is shown anything."""
        self._first_look = first_look

    async def connect(self, sid: str, token: object) -> None:
        """Accept the socket of a desk. Raises ``TokenInvalid``."""
        claims = self._tokens.verify(token)
        card = await self._practices.card(claims.practice)
        await self._first_look(claims.practice)
        await self._check_link(claims.desk)
        session = DeskSession(sid=sid, desk=claims.desk, practice=claims.practice, card=card)
        self._expire_at(session, claims.expires_at)
        self.sessions.add(session)
        self._tasks.spawn(self._show(session))

    def disconnect(self, sid: str) -> None:
        """The desk's socket is gone."""
        self.sessions.remove(sid)

    @property
    def token_life(self) -> int:
        """Seconds that a new token is good for."""
        return self._tokens.life

    async def verify(self, token: object) -> DeskClaims:
        """Whose token this is. Raises ``TokenInvalid``, also when its link was revoked."""
        claims = self._tokens.verify(token)
        await self._check_link(claims.desk)
        return claims

    async def renew(self, session: DeskSession) -> str:
        """A fresh token for the same desk. Raises ``TokenInvalid`` when its link was revoked."""
        await self._check_link(session.desk)
        self._expire_at(session, self._clock() + self._tokens.life)
        return self._tokens.mint(DeskClaims(desk=session.desk, practice=session.practice))

    async def end(self, practice: str, desk: str) -> None:
        """Close the pages of a desk whose link was revoked."""
        for session in self.sessions.group(practice):
            if session.desk == desk:
                await self._end(session, "link_unknown")

    def changed(self, practice: str) -> None:
        """Something of this practice has, at whichever node: a desk may have been withdrawn."""
        for session in self.sessions.group(practice):
            self._tasks.spawn(self._close_withdrawn(session))

    def all_changed(self) -> None:
        """Any of them may have been, unnoticed."""
        for session in self.sessions.all():
            self._tasks.spawn(self._close_withdrawn(session))

    def tell(self, practices: frozenset[str]) -> None:
        """Show these practices' desks what has changed."""
        for practice in practices:
            for session in self.sessions.group(practice):
                self._tasks.spawn(self._show(session))

    async def close(self) -> None:
        """No task and no timer survives; idempotent."""
        for session in self.sessions.all():
            self.sessions.remove(session.sid)
        await self._tasks.close()

    async def _close_withdrawn(self, session: DeskSession) -> None:
        try:
            await self._check_link(session.desk)
        except TokenInvalid:
            await self._end(session, "link_unknown")

    async def _check_link(self, desk: str) -> None:
        link = await self._store.find_desk(desk)
        if link is None or link.revoked_at is not None:
            raise TokenInvalid("revoked")

    def _expire_at(self, session: DeskSession, at: float) -> None:
        if session.expiry is not None:
            session.expiry.cancel()
        session.expiry = asyncio.get_running_loop().call_later(
            max(0.0, at - self._clock()), self._expired, session
        )

    def _expired(self, session: DeskSession) -> None:
        self._tasks.spawn(self._end(session, "token_expired"))

    async def _end(self, session: DeskSession, code: str) -> None:
        if self.sessions.remove(session.sid) is None:
            return
        over = SessionOver(code=code).model_dump()
        await self._sio.emit("session:ended", over, to=session.sid, namespace=DESK)
        await self._sio.disconnect(session.sid, namespace=DESK)

    async def _show(self, session: DeskSession) -> None:
        rows, more = self._board.shown(session.practice)
        data = desk_snapshot(session.card, self._clock(), rows, more)
        await self._sio.emit("desk:changed", data, to=session.sid, namespace=DESK)


async def _sees_everything(_practice: str) -> None:
    """The board of a node that has no others knows every visit."""
