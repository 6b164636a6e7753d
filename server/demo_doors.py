"""Binds the telephone of rehearsals, and the control of the demo, to aiohttp."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from server.demo_control import change_control, read_control
from server.demo_socket import phone_line
from server.node import Node
from server.pages import phone_page

_DOORS: tuple[tuple[str, str, Callable[[Node, web.Request], Awaitable[web.StreamResponse]]], ...]
_DOORS = (
    ("GET", "/demo/phone", phone_page),
    ("GET", "/demo/phone/line", phone_line),
    ("GET", "/demo/control", read_control),
    ("POST", "/demo/control", change_control),
)


def bind(app: web.Application, node: Node) -> None:
    """Serve them, if calls ring in pages here: never in production."""
    phone = node.demo_phone
    if phone is None:
        return
    for method, path, handler in _DOORS:
        app.router.add_route(method, path, _door(node, handler))

    async def let_go(_app: web.Application) -> None:
        phone.close()

    app.on_shutdown.append(let_go)


def _door(
    node: Node, handler: Callable[[Node, web.Request], Awaitable[web.StreamResponse]]
) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await handler(node, request)

    return handle
