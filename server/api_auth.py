"""Who calls the REST API: a practice's own system by API key, or its desk by token."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from rooms.model import Actor, ActorKind
from server.errors import Unauthorized
from server.links import hash_code, is_api_key
from server.node import Node
from server.tokens import TokenInvalid


@dataclass(frozen=True, slots=True)
class Caller:
    """A practice and the actor that stands for it."""

    practice: str
    actor: Actor


async def practice_system(node: Node, request: web.Request) -> Caller:
    """The caller behind an API key. Raises ``Unauthorized``."""
    secret = _bearer(request)
    key = await node.store.find_api_key(hash_code(secret)) if is_api_key(secret) else None
    if key is None or key.revoked_at is not None:
        raise Unauthorized
    return Caller(key.practice, Actor(ActorKind.PRACTICE, key.id))


async def practice_or_desk(node: Node, request: web.Request) -> Caller:
    """The caller behind an API key or a desk's token. Raises ``Unauthorized``."""
    if is_api_key(_bearer(request)):
        return await practice_system(node, request)
    try:
        claims = await node.desks.verify(_bearer(request))
    except TokenInvalid:
        raise Unauthorized from None
    return Caller(claims.practice, Actor(ActorKind.DESK, claims.desk))


def _bearer(request: web.Request) -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""
