"""What machines ask a server: is it alive, is it ready, what has it counted, what can it do."""

from __future__ import annotations

import hmac
import json

from aiohttp import web

from server.errors import Unauthorized
from server.node import Node
from server.replies import Health


async def healthy(_node: Node, _request: web.Request) -> web.Response:
    """The process answers. Asks nothing of the store: a restart would not mend that."""
    return _health(Health(status="ok"))


async def ready(node: Node, _request: web.Request) -> web.Response:
    """A visit could be kept now."""
    well = await _is_ready(node)
    return _health(Health(status="ok" if well else "unavailable"))


async def metrics(node: Node, request: web.Request) -> web.Response:
    """Counters, behind a token if one is set. Raises ``Unauthorized``."""
    token = node.settings.metrics_token
    if token is not None:
        expected = f"Bearer {token.get_secret_value()}".encode()
        shown = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        if not hmac.compare_digest(shown, expected):
            raise Unauthorized
    node.metrics.node.ready.set(await _is_ready(node))
    node.metrics.seats_connected.set(len(node.gateway.sessions))
    node.metrics.desks_connected.set(len(node.desks.sessions))
    return web.Response(
        body=node.metrics.text(),
        headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
    )


async def openapi(node: Node, _request: web.Request) -> web.Response:
    """The OpenAPI document, made from the table of routes when the app was built."""
    return web.json_response(node.openapi, dumps=json.dumps)


async def _is_ready(node: Node) -> bool:
    if node.nodes is not None and not node.nodes.cluster.is_ready:
        return False
    return await node.store.healthy()


def _health(health: Health) -> web.Response:
    status = 200 if health.status == "ok" else 503
    return web.Response(
        text=health.model_dump_json(), status=status, content_type="application/json"
    )
