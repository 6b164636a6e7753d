"""Refusals between nodes: from the problem that one node answered to the error at the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from rooms.errors import BedsideError, RoomError
from server.errors import PayloadInvalid, RateLimited
from server.idempotency import IdempotencyMismatch
from server.peering import NodeSilent, NodeUnreachable
from server.store import StoreError
from server.strict_json import parse_object

_TREES: tuple[type[BedsideError], ...] = (
    RoomError,
    StoreError,
    NodeUnreachable,
    PayloadInvalid,
    RateLimited,
    IdempotencyMismatch,
)


def refusal(body: bytes) -> BedsideError:
    """The error that a problem (RFC 9457) of another node names by its code.

    ``NodeSilent`` if it failed without knowing why; ``NodeUnreachable`` for a code that means
    nothing to a visit, or nothing to this version: the node took no such order.
    """
    try:
        problem = parse_object(body)
    except ValueError:
        return NodeUnreachable()
    code = problem.get("code")
    if code == BedsideError.code:
        return NodeSilent()
    kind = _by_code().get(code) if isinstance(code, str) else None
    return NodeUnreachable() if kind is None else _made(kind, problem)


def _made(kind: type[BedsideError], problem: Mapping[str, Any]) -> BedsideError:
    if issubclass(kind, PayloadInvalid):
        fields = problem.get("fields")
        return kind(tuple(map(str, fields)) if isinstance(fields, list) else ())
    if issubclass(kind, RateLimited):
        wait = problem.get("retry_after")
        return kind(float(wait) if isinstance(wait, int | float) else 0.0)
    return kind()


@cache
def _by_code() -> dict[str, type[BedsideError]]:
    """The errors that say what became of an order, each by its own code."""
    found = (kind for tree in _TREES for kind in _below(tree))
    return {kind.code: kind for kind in found if "code" in vars(kind)}


def _below(kind: type[BedsideError]) -> Iterator[type[BedsideError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _below(child)
