"""Session tokens: short JWTs (RFC 7519) that name a seat or a desk and grant nothing themselves.

PyJWT checks the signature; everything it accepts by default and we must not is refused here
(RFC 8725): any header but ``alg``, ``kid`` and ``typ``, another class of token, any claim that is
missing, additional, repeated or of another type, an audience list, a life longer than the policy's.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import jwt

from rooms.errors import BedsideError
from rooms.policy import EdgePolicy
from server.keys import Keys, TokenKey
from server.strict_json import parse_object

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class TokenInvalid(BedsideError):
    """The token is worthless. One face for every cause; ``cause`` is for the audit log only."""

    code = "token_invalid"
    title = "Your session is no longer valid."

    def __init__(self, cause: str = "malformed") -> None:
        super().__init__()
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClaims:
    """Who a web session is. ``id``, ``issued_at`` and ``expires_at`` are set by minting."""

    visit: str
    seat: str
    seat_epoch: int
    device: str
    session: str
    id: str = ""
    issued_at: int = 0
    expires_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskClaims:
    """Who a desk session is. ``id``, ``issued_at`` and ``expires_at`` are set by minting."""

    desk: str
    practice: str
    id: str = ""
    issued_at: int = 0
    expires_at: int = 0


Claims = TypeVar("Claims")


class Tokens(ABC, Generic[Claims]):
    """Mints and verifies one class of token; each class says which claims it has, and no others."""

    typ: ClassVar[str]
    audience: ClassVar[str]
    subject: ClassVar[str]  # the field of the claims that is ``sub``
    words: ClassVar[tuple[str, ...]]  # further fields that are text
    numbers: ClassVar[tuple[str, ...]] = ()  # further fields that are whole numbers

    def __init__(
        self,
        ring: Keys,
        issuer: str,
        clock: Callable[[], float],
        policy: EdgePolicy | None = None,
    ) -> None:
        self._ring = ring
        self._issuer = issuer
        self._clock = clock
        self._policy = policy or EdgePolicy()

    @property
    def life(self) -> int:
        """Seconds that a new token is good for."""
        return int(self._policy.token_life)

    def mint(self, claims: Claims) -> str:
        """A token for these claims, good for the policy's life from now on."""
        issued_at = int(self._clock())
        payload = {
            "iss": self._issuer,
            "aud": self.audience,
            "sub": getattr(claims, self.subject),
            "iat": issued_at,
            "exp": issued_at + self.life,
            "jti": secrets.token_urlsafe(16),
            **{name: getattr(claims, name) for name in (*self.words, *self.numbers)},
        }
        key = self._ring.active
        headers = {"kid": key.kid, "typ": self.typ}
        return jwt.encode(payload, key.secret, algorithm=key.alg, headers=headers)

    def verify(self, token: object) -> Claims:
        """Whose token this is, as it came from outside. Raises ``TokenInvalid`` for any fault."""
        if not isinstance(token, str) or len(token) > self._policy.token_bytes:
            raise TokenInvalid("malformed")
        if not _COMPACT.fullmatch(token):
            raise TokenInvalid("malformed")
        head, body, _ = (_decode(segment) for segment in token.split("."))
        key = self._key_for(_object(head))
        self._check_signature(token, key)
        payload = _object(body)
        self._check_names_and_types(payload)
        self._check_times(payload["iat"], payload["exp"])
        return self._claims(payload)

    @abstractmethod
    def _claims(self, payload: Mapping[str, Any]) -> Claims:
        """The checked payload as a value."""

    def _key_for(self, header: Mapping[str, Any]) -> TokenKey:
        if header.keys() != {"alg", "kid", "typ"} or header["typ"] != self.typ:
            raise TokenInvalid("header")
        kid = header["kid"]
        key = self._ring.token_key(kid) if isinstance(kid, str) else None
        if key is None or header["alg"] != key.alg:
            raise TokenInvalid("key")
        return key

    def _check_signature(self, token: str, key: TokenKey) -> None:
        """Signature, issuer and audience. Times are ours to judge: PyJWT reads its own clock."""
        try:
            jwt.decode(
                token,
                key.secret,
                algorithms=[key.alg],
                audience=self.audience,
                issuer=self._issuer,
                options={
                    "require": ["iss", "aud", "sub", "iat", "exp", "jti"],
                    "strict_aud": True,
                    "enforce_minimum_key_length": True,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.InvalidSignatureError:
            raise TokenInvalid("signature") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise TokenInvalid("claims") from None

    def _check_names_and_types(self, payload: Mapping[str, Any]) -> None:
        texts: tuple[str, ...] = ("iss", "aud", "sub", "jti", *self.words)
        numbers: tuple[str, ...] = ("iat", "exp", *self.numbers)
        if payload.keys() != {*texts, *numbers}:
            raise TokenInvalid("claims")
        if not all(isinstance(payload[name], str) and payload[name] for name in texts):
            raise TokenInvalid("claims")
        if not all(type(payload[name]) is int for name in numbers):  # True is an int to Python
            raise TokenInvalid("claims")

    def _check_times(self, issued_at: int, expires_at: int) -> None:
        now, leeway = self._clock(), self._policy.token_leeway
        if not 0 < expires_at - issued_at <= self._policy.token_longest:
            raise TokenInvalid("life")
        if issued_at > now + leeway:
            raise TokenInvalid("early")
        if expires_at <= now - leeway:
            raise TokenInvalid("expired")


class SessionTokens(Tokens[SessionClaims]):
    """Tokens of web sessions: somebody's browser on a seat."""

    typ = "visit+jwt"
    audience = "bedside:visit"
    subject = "seat"
    words = ("visit", "device", "session")
    numbers = ("seat_epoch",)

    def _claims(self, payload: Mapping[str, Any]) -> SessionClaims:
        return SessionClaims(
            visit=payload["visit"],
            seat=payload["sub"],
            seat_epoch=payload["seat_epoch"],
            device=payload["device"],
            session=payload["session"],
            id=payload["jti"],
            issued_at=payload["iat"],
            expires_at=payload["exp"],
        )


class DeskTokens(Tokens[DeskClaims]):
    """Tokens of staff at a desk."""

    typ = "desk+jwt"
    audience = "bedside:desk"
    subject = "desk"
    words = ("practice",)

    def _claims(self, payload: Mapping[str, Any]) -> DeskClaims:
        return DeskClaims(
            desk=payload["sub"],
            practice=payload["practice"],
            id=payload["jti"],
            issued_at=payload["iat"],
            expires_at=payload["exp"],
        )


def _decode(segment: str) -> bytes:
    """The bytes of a segment in their only spelling: no padding, no stray bits at the end."""
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error:
        raise TokenInvalid("malformed") from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != segment:
        raise TokenInvalid("malformed")
    return raw


def _object(raw: bytes) -> dict[str, Any]:
    try:
        return parse_object(raw.decode("utf-8"))
    except ValueError:
        raise TokenInvalid("malformed") from None
