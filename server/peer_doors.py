"""The doors that a node opens to other nodes, under ``/internal/``, and to nobody else.

Whoever has no token for exactly this request, and whatever comes from a browser, is answered as if
there were nothing here. So is a token that comes a second time, unless the same order is under way
or was answered a moment ago: then its reply is given again, and nothing is decided twice.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine
from http import HTTPStatus
from typing import Any, TypeVar

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from rooms.codec import encode
from rooms.errors import BedsideError
from rooms.nodes_policy import NodesPolicy
from rooms.reductions import is_reducing
from server.errors import NotFound, problem
from server.peer_messages import (
    AskOwned,
    Current,
    Decide,
    Done,
    KeepOut,
    Order,
    Owned,
    Submit,
    TakeOver,
    read,
    write,
)
from server.peer_replies import PeerReplies, Reply
from server.peer_tokens import PeerClaims, PeerTokens
from server.peering import Host, NodeUnreachable
from server.slow_requests import large_body
from server.store import NotOwner, VersionConflict
from server.tokens import TokenInvalid

log = structlog.get_logger(__name__)

_BEARER = "Bearer "
_BY_BROWSERS = ("origin", "cookie", "referer")
_ELSEWHERE = (NodeUnreachable, NotOwner, VersionConflict)  # nothing was decided here

Asked = TypeVar("Asked", bound=Order)
Perform = Callable[[str, Asked], Awaitable[bytes]]


class PeerDoors:
    """Serves ``host`` to other nodes. ``tokens`` are those of this node."""

    def __init__(
        self,
        host: Host,
        tokens: PeerTokens,
        policy: NodesPolicy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._tokens = tokens
        self._policy = policy
        self._replies = PeerReplies(policy, clock)

    def bind(self, app: web.Application) -> None:
        """Open the doors. Any method reaches them, so that none is told to try another."""
        self._open(app, Submit, self._submit)
        self._open(app, Current, self._current)
        self._open(app, TakeOver, self._take_over)
        self._open(app, KeepOut, self._keep_out)
        self._open(app, AskOwned, self._owned)

    async def close(self) -> None:
        """End what is under way; idempotent."""
        await self._replies.close()

    # -- the verbs --------------------

    async def _submit(self, visit: str, order: Submit) -> bytes:
        after = await self._host.submit_here(visit, order.event, order.links, placed=order.placed)
        return encode(after).encode()

    async def _current(self, visit: str, order: Current) -> bytes:
        return encode(await self._host.current_here(visit, placed=order.placed)).encode()

    async def _take_over(self, visit: str, order: TakeOver) -> bytes:
        await self._host.take_over(visit, order.former)
        return write(Done())

    async def _keep_out(self, visit: str, order: KeepOut) -> bytes:
        await self._host.keep_out(visit, [e for e in order.events if is_reducing(e)])
        return write(Done())

    async def _owned(self, _visit: str, order: AskOwned) -> bytes:
        return write(Owned(tuple(self._host.owned_here(order.visits).items())))

    # -- one request --------------------

    def _open(self, app: web.Application, kind: type[Asked], perform: Perform[Asked]) -> None:
        app.router.add_route("*", kind.path, self._door(kind, perform))

    def _door(self, kind: type[Asked], perform: Perform[Asked]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            claims = self._caller(request)
            body = await large_body(request, self._policy.peer_body, self._policy.forward_within)
            order = self._order(kind, request, claims, body)
            visit = request.match_info.get("visit", "")

            async def work() -> Reply:
                return await _answered(perform(visit, order))

            return _response(await self._reply(order, claims, work))

        return handle

    def _caller(self, request: web.Request) -> PeerClaims:
        """Which node asks. Raises ``NotFound``; the body has not been read yet."""
        header = request.headers.get("Authorization", "")
        if request.method != "POST" or _is_browsers(request) or not header.startswith(_BEARER):
            raise NotFound
        try:
            return self._tokens.verify(header.removeprefix(_BEARER))
        except TokenInvalid as refusal:
            log.warning("peer_refused", cause=refusal.cause)
            raise NotFound from None

    def _order(
        self, kind: type[Asked], request: web.Request, claims: PeerClaims, body: bytes
    ) -> Asked:
        """What is asked. Raises ``NotFound``, and ``PayloadInvalid`` for what is no such order."""
        try:
            self._tokens.require_same(claims, request.method, request.raw_path, body)
            first = self._tokens.use(claims)
            order = read(kind, body)
            if not first and not self._is_known(order, claims):
                raise TokenInvalid("used")
        except TokenInvalid as refusal:
            log.warning("peer_refused", cause=refusal.cause)
            raise NotFound from None
        return order

    def _is_known(self, order: Order, claims: PeerClaims) -> bool:
        return isinstance(order, Decide) and _name(order, claims) in self._replies

    async def _reply(
        self,
        order: Order,
        claims: PeerClaims,
        work: Callable[[], Coroutine[Any, Any, Reply]],
    ) -> Reply:
        if not isinstance(order, Decide):
            return await work()
        return await self._replies.once(_name(order, claims), claims.bh, work)


def _is_browsers(request: web.Request) -> bool:
    """No node sends what browsers put into every request of a page, or into a form's."""
    names = {name.lower() for name in request.headers}
    return any(name in _BY_BROWSERS or name.startswith("sec-") for name in names)


def _name(order: Decide, claims: PeerClaims) -> str:
    return f"{claims.sender}/{order.request}"


async def _answered(performing: Awaitable[bytes]) -> Reply:
    """The reply, or the refusal as the same problem that any other door would make of it."""
    try:
        return Reply(HTTPStatus.OK, await performing)
    except BedsideError as error:
        return _refusal(error, decided=not isinstance(error, _ELSEWHERE))
    except Exception as error:
        log.exception("peer_order_failed")
        return _refusal(error, decided=True)


def _refusal(error: Exception, *, decided: bool) -> Reply:
    refusal = problem(error)
    return Reply(refusal.status, (refusal.text or "").encode(), decided)


def _response(reply: Reply) -> web.Response:
    kind = "application/json" if reply.status == HTTPStatus.OK else "application/problem+json"
    return web.Response(body=reply.body, status=reply.status, content_type=kind)
