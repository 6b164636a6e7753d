"""The pages of the browser app: built files, with the practice's name in them before any script."""

from __future__ import annotations

import html
from functools import cache
from pathlib import Path

from aiohttp import web

from server.errors import NotFound
from server.node import Node

_HERE = Path(__file__).parent
# In the wheel the built app lies inside this package; in a checkout where Vite puts it.
CANDIDATES = (_HERE / "web", _HERE.parent / "web_client" / "dist")


@cache
def app_directory() -> Path | None:
    """Where the built browser app is, if it was built."""
    return next((path for path in CANDIDATES if (path / "join.html").is_file()), None)


async def join_page(node: Node, _request: web.Request) -> web.Response:
    """The page behind a link. It says the same to everybody: the code never reaches us by GET."""
    return await _page(node, "join.html")


async def desk_page(node: Node, _request: web.Request) -> web.Response:
    """The page behind a desk link."""
    return await _page(node, "desk.html")


async def phone_page(node: Node, _request: web.Request) -> web.Response:
    """The telephone that rings in rehearsals and in the demo."""
    return await _page(node, "phone.html")


async def front_page(node: Node, _request: web.Request) -> web.Response:
    """In a demo the list of its links; otherwise nobody is meant to come here without one."""
    if not node.demo_links:
        raise web.HTTPFound("/join")
    rows = "".join(
        f'<li><a href="{html.escape(link)}">{html.escape(_invitation(name))}</a></li>'
        for name, link in node.demo_links.items()
    )
    text = _template("demo.html").replace("{{demo_links}}", rows)
    return web.Response(text=text, content_type="text/html")


def _invitation(name: str) -> str:
    return "Open the demo phone" if name == "phone" else f"Open as {name}"


async def asset(_node: Node, request: web.Request) -> web.FileResponse:
    """A file of the built app. Raises ``NotFound``.

    Known before it is answered: aiohttp's own static files find out too late, and a missing file
    would be marked as good for ever.
    """
    path = _assets().get(request.match_info["name"])
    if path is None or not path.is_file():
        raise NotFound
    return web.FileResponse(path)


@cache
def _assets() -> dict[str, Path]:
    directory = app_directory()
    found = (directory / "assets").iterdir() if directory is not None else ()
    return {path.name: path for path in found}


async def _page(node: Node, name: str) -> web.Response:
    practices = await node.store.practices()
    # With several practices on one server only the link says which; the page then names none.
    practice = practices[0] if len(practices) == 1 else None
    text = _template(name)
    text = text.replace("{{practice_name}}", html.escape(practice.name if practice else ""))
    text = text.replace("{{practice_phone}}", html.escape(practice.phone if practice else ""))
    return web.Response(text=text, content_type="text/html")


@cache
def _template(name: str) -> str:
    directory = app_directory()
    if directory is None:
        raise NotFound
    return (directory / name).read_text(encoding="utf-8")
