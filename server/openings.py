"""What opening a link over HTTP does: the two routes that browsers use before they have a token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from aiohttp import web

from rooms.errors import BedsideError, RoomError
from rooms.line_events import PageLeft
from rooms.model import Actor, ActorKind, SeatId
from server import messages as m
from server import replies as r
from server.addresses import address_block, client_address
from server.errors import KindlyClosed, LinkUnknown, RateLimited, face_of
from server.links import cookie_name, cookie_prefix
from server.node import Node
from server.peering import NodeUnreachable
from server.rate_limits import RateLimiter
from server.store import NotOwner, StoreUnavailable
from server.turn import ice_servers


async def open_session(
    node: Node, request: web.Request, _caller: None, body: m.LinkCode
) -> web.Response:
    """Open a link: a session, and for a new browser its credential as a cookie."""
    with _link_tries(node, request):
        opened = await node.entrance.open_seat(body.code, request.cookies)
    reply = r.SessionReply(
        session=opened.session,
        token=opened.token,
        expires_in=node.gateway.token_life,
        seat=opened.seat.id,
        role=opened.seat.role,
        view=await node.gateway.snapshot(
            opened.visit, opened.seat.id, opened.device.id, opened.session
        ),
        signal_url=await node.signal_url(opened.visit.id),
        ice_servers=[
            r.IceServer(**entry)
            for entry in ice_servers(node.settings, opened.seat.id, node.clock(), node.edge)
        ],
    )
    response = web.json_response(reply.model_dump(mode="json"))
    if opened.credential:
        response.set_cookie(
            cookie_name(opened.seat.id, node.settings.secure),
            opened.credential,
            max_age=round(node.entrance.credential_life(opened.visit)),
            httponly=True,
            secure=node.settings.secure,
            samesite="Strict",
            path="/",
        )
    _forget_oldest(node, request, response, opened.seat.id)
    return response


def _forget_oldest(
    node: Node, request: web.Request, response: web.Response, opened: SeatId
) -> None:
    """Take back what credentials are too many; browsers name the oldest first (RFC 6265, 5.4).

    A clinician's browser opens a new seat for each visit. Its cookies go with every request, and
    one day the headers would be too large for any server or proxy to take.
    """
    secure = node.settings.secure
    held = [name for name in request.cookies if name.startswith(cookie_prefix(secure))]
    others = [name for name in held if name != cookie_name(opened, secure)]
    for name in others[: -node.edge.credentials_kept]:
        response.del_cookie(name, path="/", secure=secure, httponly=True, samesite="Strict")


async def say_goodbye(
    node: Node, _request: web.Request, _caller: None, body: m.Goodbye
) -> web.Response:
    """The page closes without "Leave": it may be back in a moment, so nobody is called yet."""
    claims = node.tokens.verify(body.token)
    _take(node.limits.goodbyes, claims.session)  # each is written to the log
    by = Actor(ActorKind.SEAT, claims.seat, claims.device)
    event = PageLeft(seat=claims.seat, device=claims.device, by=by)
    with suppress(RoomError):  # a page that no longer holds its seat has no last word
        await node.keeper.submit(claims.visit, event)
    return web.Response(status=204)


async def open_desk(
    node: Node, request: web.Request, _caller: None, body: m.LinkCode
) -> r.DeskReply:
    """Open a desk link."""
    with _link_tries(node, request):
        claims, token = await node.entrance.open_desk(body.code)
    return r.DeskReply(
        desk=claims.desk,
        token=token,
        expires_in=node.desks.token_life,
        signal_url=node.desk_signal_url,
    )


@contextmanager
def _link_tries(node: Node, request: web.Request) -> Iterator[None]:
    """Bound how often one address opens links, and more so links that open nothing.

    Only guesses count as such: whoever holds a real link may come early and come again. A page
    that is to come again because its visit is on its way to another node costs nobody anything: a
    whole ward may stand behind one address.
    """
    address = client_address(request, node.settings.trusted_proxies)
    client = address_block(address, node.edge)
    outcome = BedsideError.code
    try:
        _take(node.limits.sessions, client)
        yield
        outcome = "ok"
    except LinkUnknown:
        node.limits.sessions.give_back(client)
        outcome = LinkUnknown.code
        _take(node.limits.links, client)
        raise
    except (BedsideError, KindlyClosed) as error:
        outcome = face_of(error)["code"]
        if isinstance(error, NotOwner | NodeUnreachable | StoreUnavailable):
            node.limits.sessions.give_back(client)
        raise
    finally:
        node.metrics.sessions_opened.labels(outcome=outcome).inc()


def _take(limit: RateLimiter, client: str) -> None:
    if not limit.take(client):
        raise RateLimited(limit.retry_after(client)) from None
