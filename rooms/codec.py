"""A visit as text and back, derived from the dataclass fields; never a second list of them."""

from __future__ import annotations

import json
import types
import typing
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from rooms.model import Visit

SCHEMA = 1
# What JSON knows; whoever counts whole seconds may write them without a fraction.
_NATIVE = {str: (str,), bool: (bool,), int: (int,), float: (float, int)}


class SchemaUnknown(ValueError):
    """The text was written by a newer Bedside, or is no visit at all."""


def encode(visit: Visit) -> str:
    """The visit as compact JSON with the schema's number."""
    return json.dumps({"schema": SCHEMA, "visit": plain(visit)}, separators=(",", ":"))


def decode(text: str) -> Visit:
    """The visit that ``encode`` wrote. Raises ``SchemaUnknown``."""
    try:
        document = json.loads(text)
        schema, stored = document["schema"], document["visit"]
    except (ValueError, TypeError, KeyError) as error:
        raise SchemaUnknown("not a stored visit") from error
    if schema != SCHEMA:
        raise SchemaUnknown(f"schema {schema!r} is not {SCHEMA}")
    try:
        visit = build(Visit, stored)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SchemaUnknown("a stored visit whose fields are not ours") from error
    assert isinstance(visit, Visit)
    return visit


def plain(value: Any) -> Any:
    """Dataclasses, tuples, sets and enums as what JSON knows."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def build(kind: Any, value: Any) -> Any:
    """The value of type ``kind`` that ``plain`` wrote; a field that is left out has its default.

    Raises ``ValueError``, ``TypeError``, ``KeyError`` or ``AttributeError`` for anything else.
    """
    if kind in _NATIVE:
        if type(value) not in _NATIVE[kind]:
            raise TypeError("a value of another type")
        return value
    origin = get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _build_optional(kind, value)
    if origin is tuple:
        return _build_tuple(get_args(kind), value)
    if origin is frozenset:
        return frozenset(build(get_args(kind)[0], item) for item in value)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(**{name: build(hints[name], item) for name, item in value.items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    raise TypeError("a type that is not written")


def _build_optional(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    (inner,) = (arg for arg in get_args(kind) if arg is not type(None))
    return build(inner, value)


def _build_tuple(args: tuple[Any, ...], value: Any) -> Any:
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(build(args[0], item) for item in value)
    return tuple(build(arg, item) for arg, item in zip(args, value, strict=True))
