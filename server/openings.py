"""What opening a link over HTTP does: the two routes that browsers use before they have a token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from rooms.errors import BedsideError
from server import messages as m
from server import replies as r
from server.addresses import address_block, client_address
from server.errors import KindlyClosed, LinkUnknown, RateLimited, face_of
from server.links import cookie_name
from server.node import Node
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
        signal_url=node.settings.origin,
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
    return response


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
        signal_url=node.settings.origin,
    )


@contextmanager
def _link_tries(node: Node, request: web.Request) -> Iterator[None]:
    """Bound how often one address opens links, and more so links that open nothing.

    Only guesses count as such: whoever holds a real link may come early and come again.
    """
    address = client_address(request, node.settings.trusted_proxies)
    client = address_block(address, node.edge)
    wait = max(limit.retry_after(client) for limit in (node.session_limit, node.link_limit))
    if wait > 0:
        raise RateLimited(wait)
    node.session_limit.take(client)
    outcome = BedsideError.code
    try:
        yield
        outcome = "ok"
    except (BedsideError, KindlyClosed) as error:
        outcome = face_of(error)["code"]
        if isinstance(error, LinkUnknown):
            node.link_limit.take(client)
        raise
    finally:
        node.metrics.sessions_opened.labels(outcome=outcome).inc()
