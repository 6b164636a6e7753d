"""Binds the tables of routes and pages to aiohttp: authenticate, parse, perform, reply."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import BaseModel

from rooms.errors import BedsideError
from server.errors import KindlyClosed, NotFound, PayloadInvalid, problem
from server.messages import Payload, parse
from server.metrics import Metrics
from server.node import Node
from server.pages import asset
from server.routes import AUTHENTICATE, PAGES, ROUTES, Route
from server.slow_requests import upload
from server.strict_json import parse_object

log = structlog.get_logger(__name__)


def bind(app: web.Application, node: Node) -> None:
    """Serve every route and page of the tables, and the files of the browser app."""
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _endpoint(node, route))
    for page in PAGES:
        app.router.add_get(page.path, _page(node, page.handler))
    app.router.add_get("/assets/{name}", _page(node, asset))


def answer_errors(metrics: Metrics) -> Middleware:
    """Middleware that turns every error into a problem, and counts and times what is answered."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = time.perf_counter()
        response = await _answered(request, handler)
        resource = request.match_info.route.resource
        name = resource.canonical if resource else "none"
        metrics.requests.labels(route=name, status=str(response.status)).inc()
        if response.status != 101:  # a WebSocket lasts as long as its page
            metrics.request_seconds.labels(route=name).observe(time.perf_counter() - begun)
        return response

    return middleware


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (BedsideError, KindlyClosed) as error:
        return problem(error)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        return _refusal(answer)
    except Exception as error:
        log.exception("request_failed")
        return problem(error)


def _refusal(answer: web.HTTPException) -> web.Response:
    """What aiohttp itself refuses, in the shape of everything else: 404, 405, 413 …"""
    too_large = answer.status == web.HTTPRequestEntityTooLarge.status_code
    response = problem(PayloadInvalid() if too_large else NotFound(), status=answer.status)
    if "Allow" in answer.headers:
        response.headers["Allow"] = answer.headers["Allow"]
    return response


def _endpoint(node: Node, route: Route) -> Handler:
    authenticate = AUTHENTICATE.get(route.auth)

    async def handle(request: web.Request) -> web.StreamResponse:
        caller = await authenticate(node, request) if authenticate else None
        body = await _body(node, route, request)
        return _reply(await route.handler(node, request, caller, body), route.status)

    return handle


async def _body(node: Node, route: Route, request: web.Request) -> Payload | bytes | None:
    if route.body is None:
        return None
    if issubclass(route.body, bytes):
        return await upload(request, node.largest_upload, node.edge)
    return parse(route.body, await _json(request))


def _page(node: Node, handler: Callable[[Node, web.Request], Awaitable[Any]]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        response: web.StreamResponse = await handler(node, request)
        return response

    return handle


def _reply(reply: web.StreamResponse | BaseModel, status: int) -> web.StreamResponse:
    if isinstance(reply, web.StreamResponse):
        return reply
    text = json.dumps(reply.model_dump(mode="json"))
    return web.Response(text=text, status=status, content_type="application/json")


async def _json(request: web.Request) -> dict[str, Any]:
    """The body as one JSON object; nothing at all counts as empty. Raises ``PayloadInvalid``."""
    raw = await request.read()
    if not raw:
        return {}
    try:
        return parse_object(raw)
    except ValueError:
        raise PayloadInvalid from None
