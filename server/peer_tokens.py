"""Tokens between nodes: good for one order, to one node, for seconds.

A node that knows the key ring may ask another anything, so a token is bound to what is asked: it
carries a fingerprint of method, path and body, and its id is believed once.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from rooms.nodes_policy import NodesPolicy
from rooms.policy import EdgePolicy
from server.keys import Keys
from server.tokens import TokenInvalid, Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerClaims:
    """Which node asks which, by their names. ``bh`` is the ``fingerprint`` of what is asked."""

    sender: str
    to: str
    bh: str
    id: str = ""
    issued_at: int = 0
    expires_at: int = 0


def fingerprint(method: str, path: str, body: bytes) -> str:
    """SHA-256 (hex) over an HTTP request; ``path`` as it is in the request's first line."""
    head = json.dumps([method, path]).encode()  # ends where it says, whatever is in the path
    return sha256(head + body).hexdigest()


class PeerTokens(Tokens[PeerClaims]):
    """Mints tokens of the node ``me``, and verifies those that are meant for it."""

    typ = "peer+jwt"
    audience = "bedside:peer"
    subject = "sender"
    words = ("to", "bh")

    def __init__(
        self,
        ring: Keys,
        issuer: str,
        clock: Callable[[], float],
        me: str,
        *,
        edge: EdgePolicy | None = None,
        policy: NodesPolicy | None = None,
    ) -> None:
        self._edge = edge or EdgePolicy()
        super().__init__(ring, issuer, clock, self._edge)
        self._me = me
        self._now = clock
        self._seconds = int((policy or NodesPolicy()).peer_token_life)
        self._used: dict[str, float] = {}

    @property
    def life(self) -> int:
        return self._seconds

    def sign(self, to: str, method: str, path: str, body: bytes) -> str:
        """A token for this one request to the node of that name."""
        asked = fingerprint(method, path, body)
        return self.mint(PeerClaims(sender=self._me, to=to, bh=asked))

    def require_same(self, claims: PeerClaims, method: str, path: str, body: bytes) -> None:
        """Raise ``TokenInvalid`` unless this is the request that the token was made for."""
        if not hmac.compare_digest(claims.bh.encode(), fingerprint(method, path, body).encode()):
            raise TokenInvalid("body")

    def use(self, claims: PeerClaims) -> bool:
        """Whether this token is used for the first time; remembered as long as it is believed."""
        now = self._now()
        while self._used and next(iter(self._used.values())) <= now:
            del self._used[next(iter(self._used))]
        if claims.id in self._used:
            return False
        self._used[claims.id] = claims.expires_at + self._edge.token_leeway
        return True

    @property
    def remembered(self) -> int:
        """How many used tokens are remembered."""
        return len(self._used)

    def _claims(self, payload: Mapping[str, Any]) -> PeerClaims:
        if payload["to"] != self._me:
            raise TokenInvalid("to")
        return PeerClaims(
            sender=payload["sub"],
            to=payload["to"],
            bh=payload["bh"],
            id=payload["jti"],
            issued_at=payload["iat"],
            expires_at=payload["exp"],
        )
