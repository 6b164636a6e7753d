"""From a link to a session: the one door for browsers. A link grants waiting, never admission."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from rooms.errors import DeviceRefused, DoorClosed
from rooms.events import LinkOpened
from rooms.model import Device, Seat, Standing, Visit
from rooms.policy import EdgePolicy
from rooms.visit import door
from server.errors import KindlyClosed, LinkUnknown
from server.links import cookie_name, hash_code, is_code, new_credential
from server.routing import Visits
from server.store import LinkKind, LinkRecord, LogDraft, Practice, Store
from server.timers import Clock
from server.tokens import DeskClaims, DeskTokens, SessionClaims, SessionTokens


@dataclass(frozen=True, slots=True)
class OpenedSeat:
    """A session of a browser on a seat. ``credential`` is set when this browser is new."""

    visit: Visit
    seat: Seat
    device: Device
    session: str
    token: str
    credential: str


class Entrance:
    """Opens links."""

    def __init__(
        self,
        store: Store,
        keeper: Visits,
        tokens: SessionTokens,
        desk_tokens: DeskTokens,
        clock: Clock,
        edge: EdgePolicy,
        *,
        secure: bool,
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._tokens = tokens
        self._desk_tokens = desk_tokens
        self._clock = clock
        self._edge = edge
        self._secure = secure

    async def open_seat(self, code: str, cookies: Mapping[str, str]) -> OpenedSeat:
        """A session for the browser that holds this code, on the device its cookie proves.

        Raises ``LinkUnknown`` (unknown and revoked alike) and ``KindlyClosed`` for a real code.
        """
        link = await self._find(code, LinkKind.SEAT)
        visit = await self._keeper.current(link.visit)
        seat = visit.seat(link.seat)
        if seat is None or seat.revoked:
            raise LinkUnknown
        practice = await self._store.practice(visit.practice)
        try:
            return await self._open(visit, seat, cookies)
        except DoorClosed as closed:
            await self._keeper.record_refusal(self._entry("LinkRefused", link, closed.code))
            raise KindlyClosed(
                closed, kind_words(visit, practice, self._keeper.opens_at(visit))
            ) from None

    async def open_desk(self, code: str) -> tuple[DeskClaims, str]:
        """A desk session for the browser that holds this code. Raises ``LinkUnknown``."""
        link = await self._find(code, LinkKind.DESK)
        claims = DeskClaims(desk=link.desk, practice=link.practice)
        await self._store.record([self._entry("DeskOpened", link, "ok")])
        return claims, self._desk_tokens.mint(claims)

    def credential_life(self, visit: Visit) -> float:
        """Seconds that a browser should keep its credential: the visit may be moved a little."""
        return max(0.0, visit.ends_at - self._clock()) + self._edge.credential_slack

    async def _open(self, visit: Visit, seat: Seat, cookies: Mapping[str, str]) -> OpenedSeat:
        closed = door(visit, seat)
        if closed is not None:
            raise closed
        device = known_device(seat, cookies.get(cookie_name(seat.id, self._secure), ""))
        credential = ""
        if device is None:
            visit, device, credential = await self._introduce(visit, seat)
        if device.standing is Standing.REFUSED:
            raise DeviceRefused
        return self._session(visit, seat, device, credential)

    async def _introduce(self, visit: Visit, seat: Seat) -> tuple[Visit, Device, str]:
        credential, device_id = new_credential(), secrets.token_hex(8)
        opened = LinkOpened(seat=seat.id, device=device_id, credential=hash_code(credential))
        visit = await self._keeper.submit(visit.id, opened)
        opened_seat = visit.seat(seat.id)
        device = opened_seat.device(device_id) if opened_seat else None
        assert device is not None
        return visit, device, credential

    def _session(self, visit: Visit, seat: Seat, device: Device, credential: str) -> OpenedSeat:
        session = secrets.token_hex(8)
        token = self._tokens.mint(
            SessionClaims(
                visit=visit.id,
                seat=seat.id,
                seat_epoch=seat.epoch,
                device=device.id,
                session=session,
            )
        )
        return OpenedSeat(visit, seat, device, session, token, credential)

    async def _find(self, code: str, kind: LinkKind) -> LinkRecord:
        link = await self._store.find_link(hash_code(code)) if is_code(code) else None
        if link is None or link.revoked_at is not None or link.kind is not kind:
            raise LinkUnknown
        return link

    def _entry(self, what: str, link: LinkRecord, outcome: str) -> LogDraft:
        return LogDraft(
            at=self._clock(),
            type=what,
            practice=link.practice,
            visit=link.visit,
            seat=link.seat,
            actor_kind="desk" if link.desk else "",
            actor=link.desk,
            outcome=outcome,
        )


def known_device(seat: Seat, credential: str) -> Device | None:
    """The device whose credential the browser holds, compared in constant time."""
    if not is_code(credential):
        return None
    shown = hash_code(credential)
    matches = [d for d in seat.devices if hmac.compare_digest(d.credential, shown)]
    return matches[0] if matches else None


def kind_words(visit: Visit, practice: Practice | None, opens_at: float) -> dict[str, object]:
    """What the holder of a real link may be told when it does not open: never the roster."""
    return {
        "practice_name": practice.name if practice else "",
        "practice_phone": practice.phone if practice else "",
        "host": visit.host,
        "starts_at": visit.starts_at,
        "opens_at": opens_at,
        "moved_from": visit.moved_from,
    }
