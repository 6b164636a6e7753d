"""Secrets that people and machines carry: link codes, device credentials, API keys.

All are 256 random bits in base64url. The server stores only their SHA-256: with that much
randomness a slow hash would protect nothing that the fast one does not.
"""

from __future__ import annotations

import re
import secrets
from hashlib import sha256

API_KEY_PREFIX = "bsk_"  # lets secret scanners find one that was committed by mistake
_SECRET_BYTES = 32
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 bytes in unpadded base64url (RFC 4648 section 5)
_COOKIE_WORD = re.compile(r"[A-Za-z0-9_-]+")


def new_code() -> str:
    """The secret part of a new link."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def new_credential() -> str:
    """The secret that one browser keeps for one seat."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def new_api_key() -> str:
    """A key for the practice's own systems."""
    return API_KEY_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def is_code(value: object) -> bool:
    """Whether this could be a link's code or a credential; ask before hashing or looking it up."""
    return isinstance(value, str) and bool(_SECRET.fullmatch(value))


def is_api_key(value: object) -> bool:
    """Whether this could be an API key; ask before hashing or looking it up."""
    return (
        isinstance(value, str)
        and value.startswith(API_KEY_PREFIX)
        and is_code(value.removeprefix(API_KEY_PREFIX))
    )


def hash_code(code: str) -> str:
    """What a code, credential or API key is known by: SHA-256 in hexadecimal.

    Raises ``ValueError`` for anything that cannot be one.
    """
    if not is_code(code) and not is_api_key(code):
        raise ValueError("not a code")
    return sha256(code.encode("ascii")).hexdigest()


def cookie_name(seat: str, secure: bool) -> str:
    """The cookie of a browser's credential for this seat; one per seat, so that several fit.

    ``__Host-`` (RFC 6265bis section 4.1.3.2) needs HTTPS. Raises ``ValueError`` for an id that
    cannot stand in a cookie's name.
    """
    if not _COOKIE_WORD.fullmatch(seat):
        raise ValueError("not a seat id")
    return cookie_prefix(secure) + seat


def cookie_prefix(secure: bool) -> str:
    """How the name of every credential's cookie begins."""
    return "__Host-bedside-" if secure else "bedside-"
