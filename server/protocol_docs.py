"""Writes what is said about the protocol from the tables that are the protocol.

``python -m server.protocol_docs`` writes PROTOCOL.md and web_client/src/protocol.ts;
``--check`` only says whether they are fresh. TypeScript is made by json-schema-to-typescript from
the JSON Schema of the same models that parse and write every message.
"""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from rooms.errors import BedsideError
from rooms.model import ActorKind, Role
from rooms.permissions import MATRIX, Action
from server import messages as m
from server import replies as r
from server.desks import DESK
from server.errors import status_of
from server.gateway import VISIT
from server.routes import PAGES, ROUTES, Auth, Route
from server.signals import NOTICES, SIGNALS

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "PROTOCOL.md"
TYPES = ROOT / "web_client" / "src" / "protocol.ts"
CLIENT = ROOT / "web_client"

_REF = "#/$defs/{model}"
_HEAD = "// Generated from the server's tables by `python -m server.protocol_docs`; do not edit."


def main(arguments: list[str]) -> None:
    """Write both files, or with ``--check`` exit with a sentence when one is stale."""
    made = {PAGE: page(), TYPES: types()}
    if arguments != ["--check"]:
        for path, text in made.items():
            path.write_text(text, encoding="utf-8")
        return
    stale = [path.name for path, text in made.items() if _read(path) != text]
    if stale:
        sys.exit(f"{' and '.join(stale)} no longer match the tables: run `make protocol`.")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


# -- PROTOCOL.md --------------------


def page() -> str:
    """PROTOCOL.md, enough to write a client with."""
    parts = [_INTRODUCTION, *_permissions(), *_signals(), *_notices(), *_payloads()]
    return "\n".join([*parts, *_routes(), *_codes()]) + "\n"


_INTRODUCTION = """# Protocol

Generated from the tables in `server/signals.py`, `server/routes.py`, `rooms/permissions.py` and the
error trees. Do not edit: run `make protocol`.

A browser opens a link by `POST /v1/sessions` and gets a session token, a first view and (once) the
credential of its device as a cookie. It connects to Socket.IO at `signal_url`, which may have a
path of its own (`https://…/n/b`: then at `/n/b/socket.io/`, else at `/socket.io/`), with
`auth: {token}`, in the namespace `/visit` (a desk: `/desk`). A page whose socket is closed by the
server, or cannot be opened again, opens its link once more and follows the new `signal_url`: the
visit may have moved to another node. While it does, replies are 503 with `node_unreachable`,
`not_owner` or `store_unavailable`, and worth repeating soon. Each signal is acknowledged with
`{"ok": true, …}` or `{"error": {"code", "title", …}}`. What a page is told of the visit always
comes whole, in `visit:changed`: reconnecting is joining again, and there is no delta to lose.

A session's peer connections belong to the session, not to its socket. The server always offers;
`media:offer` names the peer connection (`peer`), its direction from the browser's side
(`connection`) and a `number` that comes back in `media:answer`. A new `peer` means a new
`RTCPeerConnection`. In `receive` offers the id of each track's stream is the seat it belongs to; in
the `send` offer the first m-line is sound and the second is the picture. The server is ICE-lite
(RFC 8445 section 2.5): it needs no candidates from the browser.
"""


def _permissions() -> Iterator[str]:
    yield "## Who may do what\n"
    columns = [*Role, ActorKind.DESK, ActorKind.PRACTICE]
    yield from _table(
        ["action", *(column.value for column in columns)],
        (
            [action.value, *("✓" if action in MATRIX[column] else "" for column in columns)]
            for action in Action
        ),
    )


def _signals() -> Iterator[str]:
    for namespace in (VISIT, DESK):
        yield f"## Signals from a page to the server, `{namespace}`\n"
        yield from _table(
            ["signal", "payload", "needs", "meaning", "acknowledged with"],
            (
                [
                    f"`{signal.name}`",
                    _name(signal.payload),
                    str(signal.needs),
                    signal.meaning,
                    _name(signal.result) if signal.result else "",
                ]
                for signal in SIGNALS
                if signal.namespace == namespace
            ),
        )


def _notices() -> Iterator[str]:
    for namespace in (VISIT, DESK):
        yield f"## Signals from the server to a page, `{namespace}`\n"
        yield from _table(
            ["signal", "payload", "meaning"],
            (
                [f"`{notice.name}`", _name(notice.payload), notice.meaning]
                for notice in NOTICES
                if notice.namespace == namespace
            ),
        )


def _payloads() -> Iterator[str]:
    yield "## Payloads\n"
    yield "A field with a default may be left out; unknown fields are ignored.\n"
    for name, schema in sorted(_definitions().items()):
        if "properties" not in schema:
            continue
        yield f"### {name}\n"
        yield _first_line(schema.get("description", "")) + "\n"
        needed = schema.get("required", [])
        yield from _table(
            ["field", "type", "default"],
            (
                [f"`{field}`", _kind(about), "" if field in needed else _default(about)]
                for field, about in schema["properties"].items()
            ),
        )


def _routes() -> Iterator[str]:
    yield "## HTTP\n"
    yield (
        "Callers: *practice* is an API key (`Authorization: Bearer bsk_…`), *staff* an API key or\n"
        "a desk's token, *link* the code in the body. The same table is served as OpenAPI at\n"
        "`/v1/openapi.json`. Errors are `application/problem+json` (RFC 9457).\n"
    )
    yield from _table(
        ["route", "caller", "body", "reply", "meaning"],
        (
            [
                f"`{route.method} {route.path}`",
                route.auth.value,
                _name(route.body) if route.body else "",
                f"{route.status} {_name(route.reply) if route.reply else ''}".strip(),
                route.meaning,
            ]
            for route in ROUTES
        ),
    )
    yield from _table(["page", "is"], ([f"`GET {page.path}`", page.meaning] for page in PAGES))


def _codes() -> Iterator[str]:
    yield "## Error codes\n"
    yield from _table(
        ["code", "status", "title"],
        ([f"`{cls.code}`", str(status), cls.title] for cls, status in _errors()),
    )


def _errors() -> list[tuple[type[BedsideError], int]]:
    """Every error with a code of its own that a client can meet, by code."""
    found = {cls.code: cls for cls in _family(BedsideError) if "code" in vars(cls)}
    rows = [(cls, status_of(cls.__new__(cls))) for cls in found.values()]
    return sorted(rows, key=lambda row: row[0].code)


def _family(cls: type[BedsideError]) -> Iterator[type[BedsideError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from _family(child)


def _table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '∣') for cell in row)} |"
    yield ""


def _name(model: type[Any]) -> str:
    if model is bytes:
        return "a file"
    return f"[{model.__name__}](#{model.__name__.lower()})"


def _kind(about: dict[str, Any]) -> str:
    if "$ref" in about:
        return f"{about['$ref'].rsplit('/', 1)[-1]}"
    if "anyOf" in about:
        return " or ".join(_kind(choice) for choice in about["anyOf"])
    if "enum" in about:
        return " · ".join(f"`{value}`" for value in about["enum"])
    if about.get("type") == "array":
        return f"list of {_kind(about.get('items', {}))}"
    limit = f" ≤ {about['maxLength']}" if "maxLength" in about else ""
    return f"{about.get('type', 'any')}{limit}"


def _default(about: dict[str, Any]) -> str:
    return f"`{json.dumps(about['default'])}`" if "default" in about else "empty"


def _first_line(text: str) -> str:
    return inspect.cleandoc(text).split("\n", 1)[0]


# -- web_client/src/protocol.ts --------------------


def types() -> str:
    """The protocol as TypeScript, in the house layout of the browser app."""
    made = subprocess.run(  # noqa: S603 - our own tool on our own schema
        [_tool("node"), _tool("json2ts"), *_JSON2TS],
        input=json.dumps(schema()),
        capture_output=True,
        text=True,
        check=True,
        cwd=CLIENT,
    ).stdout
    return _formatted(f"{_HEAD}\n\n{made}\n{_ACK}")


_JSON2TS = ("--bannerComment", "", "--unreachableDefinitions", "--no-additionalProperties")
_ACK = """
/** How every signal is acknowledged. */
export type Ack<Result> = ({ ok: true } & Result) | { error: SignalError };
"""


def _formatted(text: str) -> str:
    return subprocess.run(  # noqa: S603
        [_tool("node"), _tool("biome"), "format", "--stdin-file-path=src/protocol.ts"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        cwd=CLIENT,
    ).stdout


def _tool(name: str) -> str:
    if name == "node":
        return str(Path(sys.executable).with_name("node"))
    return str((CLIENT / "node_modules" / ".bin" / name).resolve())


def schema() -> dict[str, Any]:
    """One JSON Schema with every message, the signal maps and the codes."""
    definitions = _definitions(
        route for route in ROUTES if route.auth is Auth.LINK or _at_desk(route)
    )
    definitions["ProblemCode"] = _words([cls.code for cls, _ in _errors()])
    definitions["Problem"]["properties"]["code"] = {"$ref": _REF.format(model="ProblemCode")}
    definitions["VisitSignals"] = _signal_map(VISIT)
    definitions["DeskSignals"] = _signal_map(DESK)
    definitions["VisitNews"] = _news_map(VISIT)
    definitions["DeskNews"] = _news_map(DESK)
    _drop_titles(definitions)
    return {"title": "Protocol", "type": "object", "$defs": definitions}


def _at_desk(route: Route) -> bool:
    """Whether the desk's page calls it; all else it does by signals."""
    return route.auth is Auth.STAFF and route.reply is r.Announcements


def _drop_titles(schema: Any) -> None:
    """Pydantic titles every field, and each title would become a type of its own."""
    if isinstance(schema, list):
        for item in schema:
            _drop_titles(item)
    if isinstance(schema, dict):
        if isinstance(schema.get("title"), str):
            del schema["title"]
        for value in schema.values():
            _drop_titles(value)


def _definitions(routes: Iterable[Route] = ROUTES) -> dict[str, Any]:
    taken: set[type[Any]] = {signal.payload for signal in SIGNALS}
    given: set[type[Any]] = {notice.payload for notice in NOTICES}
    given |= {signal.result for signal in SIGNALS if signal.result is not None}
    for route in routes:
        taken |= {route.body} if route.body not in (None, bytes) else set()
        given |= {route.reply} if route.reply not in (None, bytes) else set()
    taken |= {r.Problem, r.SignalError}  # what a problem need not have is optional to its reader
    adapters: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        *((model.__name__, "validation", TypeAdapter(model)) for model in taken),
        *((model.__name__, "serialization", TypeAdapter(model)) for model in given),
    ]
    adapters.sort(key=lambda adapter: adapter[0])
    _, document = TypeAdapter.json_schemas(adapters, ref_template=_REF)
    return dict(document["$defs"])


def _signal_map(namespace: str) -> dict[str, Any]:
    return _object(
        {
            signal.name: _object(
                {"payload": _ref(signal.payload), "result": _ref(signal.result or m.Nothing)}
            )
            for signal in SIGNALS
            if signal.namespace == namespace
        }
    )


def _news_map(namespace: str) -> dict[str, Any]:
    return _object(
        {notice.name: _ref(notice.payload) for notice in NOTICES if notice.namespace == namespace}
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _words(values: list[str]) -> dict[str, Any]:
    return {"type": "string", "enum": values}


def _ref(model: type[Any]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


if __name__ == "__main__":
    main(sys.argv[1:])
