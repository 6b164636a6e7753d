"""The OpenAPI 3.1 document of the API, made from the table of routes and the models."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from server import messages as m
from server import replies as r
from server.announcements import AUDIO
from server.routes import ROUTES, Auth, Route

_BINARY = {"type": "string", "format": "binary"}
_REF = "#/components/schemas/{model}"
_SECURITY: dict[Auth, list[dict[str, list[str]]]] = {
    Auth.NONE: [],
    Auth.LINK: [],
    Auth.PRACTICE: [{"apiKey": []}],
    Auth.STAFF: [{"apiKey": []}, {"deskToken": []}],
}


@functools.cache
def document() -> dict[str, Any]:
    """The whole document: made once in a process, and never changed."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Bedside", "version": _version()},
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": _SCHEMES},
    }


_SCHEMES = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "a practice's API key"},
    "deskToken": {"type": "http", "scheme": "bearer", "description": "a desk's session token"},
}


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.meaning,
        "security": _SECURITY[route.auth],
        "parameters": [*_path_parameters(route.path), *_query_parameters(route)],
        "responses": {str(route.status): _reply(route), "default": _problem()},
    }
    if route.path == "/v1/visits" and route.method == "POST":
        operation["parameters"].append(_IDEMPOTENCY)
    if route.body is not None:
        operation["requestBody"] = _request(route.body)
    return operation


def _request(body: type[BaseModel] | type[bytes]) -> dict[str, Any]:
    if issubclass(body, bytes):
        return {"required": True, "content": {"application/octet-stream": {"schema": _BINARY}}}
    needed = any(field.is_required() for field in body.model_fields.values())
    return {"required": needed, "content": _content(body)}


_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "the same key and request again give the same reply again",
}


def _operation_id(route: Route) -> str:
    words = re.findall(r"[a-z]+", re.sub(r"\{[a-z]+\}", "", route.path.removeprefix("/v1/")))
    return "_".join([route.method.lower(), *words, *(["one"] if route.path.endswith("}") else [])])


def _path_parameters(path: str) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"\{([a-z]+)\}", path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(route: Route) -> Iterable[dict[str, Any]]:
    schema = {"type": "number", "minimum": 0, "maximum": m.LAST_INSTANT}
    for name in route.query:
        yield {"name": name, "in": "query", "schema": schema}


def _content(model: type[BaseModel]) -> dict[str, Any]:
    reference = {"$ref": _REF.format(model=model.__name__)}
    return {"application/json": {"schema": reference}}


def _reply(route: Route) -> dict[str, Any]:
    described: dict[str, Any] = {"description": route.meaning}
    if route.reply is not None and issubclass(route.reply, bytes):
        described["content"] = {AUDIO: {"schema": _BINARY}}
    elif route.reply is not None:
        described["content"] = _content(route.reply)
    return described


def _problem() -> dict[str, Any]:
    reference = {"$ref": _REF.format(model=r.Problem.__name__)}
    return {
        "description": "a problem with a stable code",
        "content": {"application/problem+json": {"schema": reference}},
    }


def _schemas() -> dict[str, Any]:
    taken = {(route.body, "validation") for route in ROUTES if route.body not in (None, bytes)}
    given = {(route.reply, "serialization") for route in ROUTES if route.reply not in (None, bytes)}
    models = sorted(taken | given | {(r.Problem, "validation")}, key=lambda pair: pair[0].__name__)
    _, definitions = models_json_schema(models, ref_template=_REF)  # type: ignore[arg-type]
    return dict(definitions["$defs"])


def _version() -> str:
    try:
        return version("bedside")
    except PackageNotFoundError:
        return "0"
