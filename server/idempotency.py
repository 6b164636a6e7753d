"""``Idempotency-Key``: a repeated request gets the first reply again.

The reply to a new visit holds links, which are secrets that the store must not know. So it is kept
sealed, with a key that only the repeated request itself completes: HKDF (RFC 5869) over the ring's
sealing key and the client's ``Idempotency-Key``, which is stored only as a keyed hash.
See draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from rooms.errors import BedsideError
from rooms.policy import EdgePolicy

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class IdempotencyKeyInvalid(BedsideError):
    """The header's value is not 1 to 255 visible ASCII characters."""

    code = "idempotency_key_invalid"
    title = "An Idempotency-Key has 1 to 255 visible ASCII characters."


class IdempotencyMismatch(BedsideError):
    """The key was used before, for a different request."""

    code = "idempotency_mismatch"
    title = "This Idempotency-Key was already used for a different request."


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentReply:
    """A sealed reply as the store keeps it; worthless without the client's key."""

    key_hash: str
    practice: str
    request_hash: str
    sealed: bytes
    expires_at: float


def parse_key(header: str) -> str:
    """The key in an ``Idempotency-Key`` header, written bare or as a quoted string.

    Raises ``IdempotencyKeyInvalid``.
    """
    text = header.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not _KEY.fullmatch(text):
        raise IdempotencyKeyInvalid
    return text


class ReplySealer:
    """Seals replies and opens them again for whoever repeats the request."""

    def __init__(
        self, sealing_key: bytes, clock: Callable[[], float], policy: EdgePolicy | None = None
    ) -> None:
        self._sealing_key = sealing_key
        self._clock = clock
        self._kept = (policy or EdgePolicy()).reply_kept

    def key_hash(self, practice: str, key: str) -> str:
        """What the store knows the key by; says nothing about the key to whoever reads it there."""
        return self._keyed(b"key", practice, key.encode())

    def seal(self, practice: str, key: str, request: bytes, reply: bytes) -> IdempotentReply:
        """Keep ``reply`` for the one who sends the same ``request`` with the same ``key`` again."""
        return IdempotentReply(
            key_hash=self.key_hash(practice, key),
            practice=practice,
            request_hash=self._keyed(b"request", practice, request),
            sealed=self._fernet(practice, key).encrypt(reply),
            expires_at=self._clock() + self._kept,
        )

    def open(self, kept: IdempotentReply, key: str, request: bytes) -> bytes | None:
        """The first reply, or ``None`` when it is too old to be given again.

        Raises ``IdempotencyMismatch`` when the request is not the one that was answered.
        """
        if kept.expires_at <= self._clock():
            return None
        asked = self._keyed(b"request", kept.practice, request)
        if not hmac.compare_digest(asked, kept.request_hash):
            raise IdempotencyMismatch
        try:
            return self._fernet(kept.practice, key).decrypt(kept.sealed)
        except InvalidToken:  # sealed for another key: a changed ring or a tampered row
            raise IdempotencyMismatch from None

    def _keyed(self, purpose: bytes, practice: str, data: bytes) -> str:
        name = b"bedside idempotency " + purpose + b"\0" + practice.encode() + b"\0"
        return hmac.new(self._sealing_key, name + data, sha256).hexdigest()

    def _fernet(self, practice: str, key: str) -> Fernet:
        hkdf = HKDF(
            algorithm=SHA256(),
            length=32,
            salt=sha256(key.encode()).digest(),
            info=b"bedside idempotent reply\0" + practice.encode(),
        )
        return Fernet(base64.urlsafe_b64encode(hkdf.derive(self._sealing_key)))
