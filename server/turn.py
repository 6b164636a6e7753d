"""TURN servers for networks that block everything else, with credentials that expire.

coturn's ``use-auth-secret`` (draft-uberti-behave-turn-rest-00): the user name is the instant at
which it expires and an opaque user, the password is its HMAC-SHA1 under a secret that only we and
the TURN server know. The TURN server asks nobody, and nothing has to be taken back.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import SecretStr

from rooms.policy import EdgePolicy


class TurnSettings(Protocol):
    """The part of the settings that speaks of TURN."""

    @property
    def turn_urls(self) -> Sequence[str]: ...

    @property
    def turn_secret(self) -> SecretStr | None: ...


def ice_servers(
    settings: TurnSettings, seat: str, now: float, policy: EdgePolicy
) -> list[dict[str, Any]]:
    """``RTCConfiguration.iceServers`` for one seat; empty if no TURN server is configured.

    The credentials let a browser ask for relays until ``now + policy.turn_life`` (seconds since the
    Unix epoch); a session that is made anew, or renewed by loading the page, gets new ones.
    """
    if not settings.turn_urls or settings.turn_secret is None:
        return []
    secret = settings.turn_secret.get_secret_value().encode()
    username = f"{int(now + policy.turn_life)}:{_opaque(secret, seat)}"
    return [
        {
            "urls": list(settings.turn_urls),
            "username": username,
            "credential": base64.b64encode(_mac(secret, username)).decode(),
        }
    ]


def _opaque(secret: bytes, seat: str) -> str:
    """The same for one seat, so that the TURN server's quota per user works, and meaningless."""
    return base64.urlsafe_b64encode(_mac(secret, f"seat {seat}")).decode().rstrip("=")


def _mac(secret: bytes, text: str) -> bytes:
    return hmac.new(
        secret, text.encode(), hashlib.sha1
    ).digest()  # the draft's; coturn knows no other
