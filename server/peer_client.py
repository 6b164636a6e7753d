"""The verbs of other nodes, over HTTP: one connection pool, short patience, one repetition."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
)
from yarl import URL

from rooms.codec import SchemaUnknown, decode
from rooms.events import Event
from rooms.model import Visit, VisitId
from rooms.nodes_policy import NodesPolicy
from server.claims import Claim, NodeRecord
from server.errors import PayloadInvalid
from server.peer_errors import refusal
from server.peer_messages import (
    AskOwned,
    Current,
    Done,
    KeepOut,
    Order,
    Owned,
    Submit,
    TakeOver,
    read,
    write,
)
from server.peer_tokens import PeerTokens
from server.peering import NodeSilent, NodeUnreachable
from server.store import LinkRecord

T = TypeVar("T")

_NOTHING_SENT = (ClientConnectorError, ConnectionTimeoutError, InvalidURL)


class HttpPeers:
    """``Peers`` over HTTP. https is verified with the system's authorities."""

    def __init__(self, tokens: PeerTokens, policy: NodesPolicy) -> None:
        self._tokens = tokens
        self._policy = policy
        self._session: ClientSession | None = None
        self._closed = False

    async def submit(
        self,
        node: NodeRecord,
        visit: VisitId,
        event: Event,
        links: tuple[LinkRecord, ...],
        *,
        placed: bool,
        request: str,
    ) -> Visit:
        order = Submit(request=request, event=event, links=links, placed=placed)
        return _visit(await self._ask(node, order, visit))

    async def current(self, node: NodeRecord, visit: VisitId, *, placed: bool) -> Visit:
        return _visit(await self._ask(node, Current(placed=placed), visit))

    async def take_over(self, node: NodeRecord, visit: VisitId, former: Claim) -> None:
        order = TakeOver(request=secrets.token_hex(16), former=former)
        _reply(Done, await self._ask(node, order, visit))

    async def keep_out(self, node: NodeRecord, visit: VisitId, events: Sequence[Event]) -> None:
        order = KeepOut(request=secrets.token_hex(16), events=tuple(events))
        _reply(Done, await self._ask(node, order, visit))

    async def owned(self, node: NodeRecord, visits: Sequence[VisitId]) -> Mapping[VisitId, int]:
        raw = await self._ask(node, AskOwned(visits=tuple(visits)))
        return dict(_reply(Owned, raw).epochs)

    async def close(self) -> None:
        """Hang up; idempotent. Nobody can be reached any more."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    # -- one order --------------------

    async def _ask(self, node: NodeRecord, order: Order, visit: VisitId = "") -> bytes:
        """What the node answers. An order whose connection is lost is sent once more as it was.

        Raises what the node refuses with, ``NodeUnreachable``, or ``NodeSilent`` once it was sent.
        """
        path = order.path.replace("{visit}", quote(visit, safe=""))
        body = write(order)
        try:
            async with asyncio.timeout(self._policy.forward_within):
                try:
                    return await self._post(node, path, body)
                except _ConnectionLost:
                    return await self._again(node, path, body)
        except TimeoutError:
            raise NodeSilent from None

    async def _again(self, node: NodeRecord, path: str, body: bytes) -> bytes:
        """A node that cannot be reached any more may have carried the first one out."""
        try:
            return await self._post(node, path, body)
        except (_ConnectionLost, NodeUnreachable):
            raise NodeSilent from None

    async def _post(self, node: NodeRecord, path: str, body: bytes) -> bytes:
        token = self._tokens.sign(node.name, "POST", path, body)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        address = _address(node, path)
        pool = self._pool()
        try:
            async with pool.post(
                address, data=body, headers=headers, allow_redirects=False
            ) as response:
                reply = await self._read(response)
        except _NOTHING_SENT:
            raise NodeUnreachable from None
        except (ClientError, OSError):
            raise _ConnectionLost from None
        if response.status != HTTPStatus.OK:
            raise refusal(reply)
        return reply

    async def _read(self, response: ClientResponse) -> bytes:
        taken = bytearray()
        async for chunk in response.content.iter_any():
            taken += chunk
            if len(taken) > self._policy.peer_body:
                raise NodeSilent
        return bytes(taken)

    def _pool(self) -> ClientSession:
        if self._closed:
            raise NodeUnreachable
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(
                    limit=0,
                    limit_per_host=self._policy.peer_lines,
                    keepalive_timeout=self._policy.peer_idle,
                ),
                timeout=ClientTimeout(sock_connect=self._policy.peer_connect),
                cookie_jar=DummyCookieJar(),
            )
        return self._session


class _ConnectionLost(Exception):
    """The order went out, and no whole answer came back."""


def _address(node: NodeRecord, path: str) -> URL:
    """Where to send an order. Raises ``NodeUnreachable`` for a record without a usable address."""
    try:
        url = URL(node.url)
        if url.scheme not in ("http", "https"):
            raise NodeUnreachable
        return url.origin().join(URL(path, encoded=True))
    except ValueError:
        raise NodeUnreachable from None


def _visit(raw: bytes) -> Visit:
    try:
        return decode(raw.decode())
    except (SchemaUnknown, UnicodeDecodeError):  # of a newer version, which did decide
        raise NodeSilent from None


def _reply(kind: type[T], raw: bytes) -> T:
    try:
        return read(kind, raw)
    except PayloadInvalid:
        raise NodeSilent from None
