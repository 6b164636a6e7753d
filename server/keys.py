"""The server's own secrets: one file, mode 0600, made atomically.

``keys.json`` holds the keys that sign session tokens (one active, older ones only verify, so that
keys can be rotated under way), the key that chains the log and the key that seals replies.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import secrets
import stat
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from rooms.policy import EdgePolicy
from server.config import ConfigurationError
from server.strict_json import parse_object

ALGORITHM = "HS256"
_SCHEMA = 1
_KEY_BYTES = 32  # RFC 7518 section 3.2: a key at least as long as the hash
_FEWEST_DISTINCT = 12  # 32 random bytes practically never have fewer; "aaaa…" and the like do
_KNOWN = {"schema", "active", "tokens", "audit", "sealing"}


@dataclass(frozen=True, slots=True)
class TokenKey:
    """One key for tokens, used with one algorithm only."""

    kid: str
    secret: bytes = field(repr=False)
    alg: str = ALGORITHM


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Every secret of the server. ``tokens[0]`` signs; all of ``tokens`` verify."""

    tokens: tuple[TokenKey, ...]
    audit: bytes = field(repr=False)
    sealing: bytes = field(repr=False)

    @property
    def active(self) -> TokenKey:
        """The key that new tokens are signed with."""
        return self.tokens[0]

    def token_key(self, kid: str) -> TokenKey | None:
        """The key with this id, if it is still believed."""
        return next((key for key in self.tokens if key.kid == kid), None)


class Keys(Protocol):
    """What is asked of a ring, whether or not it follows its file."""

    @property
    def active(self) -> TokenKey:
        """The key that new tokens are signed with."""

    @property
    def audit(self) -> bytes:
        """The key that chains the log."""

    @property
    def sealing(self) -> bytes:
        """The key that seals replies."""

    def token_key(self, kid: str) -> TokenKey | None:
        """The key with this id, if it is still believed."""


def fingerprint(ring: Keys) -> str:
    """A few letters that are the same for the same ring, and stay when its tokens' keys rotate."""
    return hmac.new(ring.audit, b"bedside key ring", sha256).hexdigest()[:12]


def load_or_create(path: Path, production: bool) -> KeyRing:
    """The ring at ``path``. A missing one is made, except in production.

    Raises ``ConfigurationError`` for a missing, weak, readable or broken file.
    """
    if not production and not path.exists():
        try:
            return create(path)
        except FileExistsError:  # another process of the same first start was quicker
            pass
    return load(path)


def create(path: Path) -> KeyRing:
    """Make a new ring at ``path`` (mode 0600). Raises ``FileExistsError``, never overwrites."""
    ring = KeyRing((_new_token_key(),), _new_secret(), _new_secret())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = _write_beside(path, ring)
    try:
        os.link(written, path)
    finally:
        written.unlink()
    _sync_directory(path.parent)
    return ring


def rotate(path: Path, policy: EdgePolicy | None = None) -> KeyRing:
    """Sign with a new key from now on; the latest older ones still verify.

    Running servers follow the file (``server.live_keys``), so it stays readable to whom it was,
    also when root rotates the keys of another user. Raises ``ConfigurationError``, ``OSError``.
    """
    kept = (policy or EdgePolicy()).token_keys_kept
    ring = load(path)
    ring = replace(ring, tokens=(_new_token_key(), *ring.tokens)[:kept])
    written = _write_beside(path, ring)
    try:
        _give_to_whom_it_was(written, path.stat())
        written.replace(path)
    except OSError:
        written.unlink()
        raise
    _sync_directory(path.parent)
    return ring


def load(path: Path) -> KeyRing:
    """The ring at ``path``. Raises ``ConfigurationError`` that says how to put it right."""
    text = _read_private(path)
    try:
        return _checked(_parse(text))
    except _Unusable as problem:
        raise ConfigurationError(
            f"The keys in {path} are not usable: {problem}. "
            f"Move the file away and make new keys with: bedside keys init"
        ) from None


class _Unusable(Exception):
    """What is wrong with a ring, in words that repeat no secret."""


def _read_private(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read()
    except FileNotFoundError:
        raise ConfigurationError(
            f"There are no keys at {path}. Make them with: bedside keys init"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The keys at {path} cannot be read ({type(error).__name__})."
        ) from None
    if mode & 0o037:  # a group may read (mounted secrets are given to one), and nothing more
        raise ConfigurationError(
            f"Others can read or change the keys at {path} (mode {mode:04o}). "
            f"Close the file with: chmod 600 {path}. If somebody may have read it, move it away "
            f"and make new keys with: bedside keys init"
        )
    return text


def _parse(text: str) -> KeyRing:
    try:
        data = parse_object(text)
        if data.keys() != _KNOWN or data["schema"] != _SCHEMA:
            raise _Unusable("its layout is not the one this version writes")
        keys = [_token_key(entry) for entry in data["tokens"]]
        keys.sort(key=lambda key: key.kid != data["active"])
        if not keys or keys[0].kid != data["active"]:
            raise _Unusable("its active key is not among its keys")
        return KeyRing(tuple(keys), _decode(data["audit"]), _decode(data["sealing"]))
    except (ValueError, TypeError, KeyError):
        raise _Unusable("it is not the JSON that this version writes") from None


def _checked(ring: KeyRing) -> KeyRing:
    kids = [key.kid for key in ring.tokens]
    found = [*(key.secret for key in ring.tokens), ring.audit, ring.sealing]
    if len(kids) != len(set(kids)):
        raise _Unusable("two token keys have the same kid")
    if any(key.alg != ALGORITHM for key in ring.tokens):
        raise _Unusable(f"a token key is not for {ALGORITHM}")
    if any(len(secret) < _KEY_BYTES for secret in found):
        raise _Unusable(f"a key is shorter than {_KEY_BYTES} bytes")
    if any(len(set(secret)) < _FEWEST_DISTINCT for secret in found):
        raise _Unusable("a key is not random")
    if len(found) != len(set(found)):
        raise _Unusable("the same secret is used for two purposes")
    return ring


def _token_key(entry: dict[str, Any]) -> TokenKey:
    if not isinstance(entry["kid"], str) or not entry["kid"]:
        raise ValueError("kid")
    return TokenKey(entry["kid"], _decode(entry["secret"]), entry["alg"])


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (AttributeError, binascii.Error) as error:
        raise ValueError("not base64url") from error


def _encode(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).decode("ascii")


def _new_secret() -> bytes:
    return secrets.token_bytes(_KEY_BYTES)


def _new_token_key() -> TokenKey:
    return TokenKey(secrets.token_hex(8), _new_secret())


def _give_to_whom_it_was(path: Path, former: os.stat_result) -> None:
    now = path.stat()
    if (now.st_uid, now.st_gid) != (former.st_uid, former.st_gid):
        os.chown(path, former.st_uid, former.st_gid)
    path.chmod(stat.S_IMODE(former.st_mode))


def _write_beside(path: Path, ring: KeyRing) -> Path:
    """Write the whole ring, durably, to a new private file in the same directory."""
    content = {
        "schema": _SCHEMA,
        "active": ring.active.kid,
        "tokens": [
            {"kid": key.kid, "alg": key.alg, "secret": _encode(key.secret)} for key in ring.tokens
        ],
        "audit": _encode(ring.audit),
        "sealing": _encode(ring.sealing),
    }
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    write_private(beside, json.dumps(content, indent=2))
    return beside


def write_private(path: Path, text: str) -> None:
    """Keep a secret in a new file that only this user can read. Raises ``FileExistsError``."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(directory: Path) -> None:
    """Make a name in the directory as durable as the file it names."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
