"""Requests that never end must not hold connections: headers, bodies and the server's own end."""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.typedefs import Handler, Middleware
from aiohttp.web_log import AccessLogger

from rooms.policy import EdgePolicy
from server.errors import TooSlow, problem

SOCKETS = ("/socket.io/", "/n/")  # /n/<node>/socket.io/, where there are many
UPLOADS = "/v1/practice/announcements/"
PEERS = "/internal/"


def create_runner(
    app: web.Application,
    policy: EdgePolicy,
    access_log: type[AbstractAccessLogger] = AccessLogger,
) -> web.AppRunner:
    """A runner that cuts connections whose headers do not come within ``policy.headers_within``.

    aiohttp's keep-alive timer also runs on a connection's first request, and data that dribbles in
    does not restart it; by default it is an hour.
    """
    return web.AppRunner(
        app,
        access_log_class=access_log,
        keepalive_timeout=policy.headers_within,
        lingering_time=policy.goodbye_within,  # for the rest of a body that was refused
        shutdown_timeout=policy.stop_within,
    )


def bodies_in_time(policy: EdgePolicy) -> Middleware:
    """Middleware: a request's body is there before its handler runs, or it is refused.

    It has ``policy.body_within`` seconds. The sockets read theirs themselves, where being slow ends
    the whole line; what may be larger than other requests is read by ``upload`` and
    ``server.peer_doors``, after it is known who sends it.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.can_read_body and not request.path.startswith((*SOCKETS, UPLOADS, PEERS)):
            try:
                async with asyncio.timeout(policy.body_within):
                    await request.read()
            except TimeoutError:
                answer = problem(TooSlow())
                answer.force_close()
                return answer
        return await handler(request)

    return middleware


async def upload(request: web.Request, largest: int, policy: EdgePolicy) -> bytes:
    """The body of a request that may be larger than others, up to ``largest`` bytes.

    Raises ``TooSlow`` after ``policy.upload_within`` seconds, and ``HTTPRequestEntityTooLarge``.
    """
    return await large_body(request, largest, policy.upload_within)


async def large_body(request: web.Request, largest: int, within: float) -> bytes:
    """The body of a request, up to ``largest`` bytes, if it is there ``within`` seconds.

    Raises ``TooSlow`` and ``HTTPRequestEntityTooLarge``.
    """
    taken = bytearray()
    try:
        async with asyncio.timeout(within):
            async for chunk in request.content.iter_any():
                taken += chunk
                if len(taken) > largest:
                    raise web.HTTPRequestEntityTooLarge(largest, len(taken))
    except TimeoutError:
        raise TooSlow from None
    return bytes(taken)
