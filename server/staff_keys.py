"""Keys of practices' own systems, as staff make and withdraw them; each time it is in the log."""

from __future__ import annotations

import time

from server.config import ConfigurationError
from server.invitations import new_id
from server.links import hash_code, new_api_key
from server.staff_store import Installation
from server.store import ApiKey, LogDraft


async def require_practice(found: Installation, practice: str) -> None:
    """Raise ``ConfigurationError`` unless there is a practice with this id."""
    if await found.store.practice(practice) is None:
        raise ConfigurationError(f"There is no practice {practice}.")


async def make(found: Installation, practice: str) -> tuple[str, str]:
    """A new key beside those that there are: its id, and the key itself, told this once.

    Raises ``ConfigurationError`` for a practice that is not there.
    """
    await require_practice(found, practice)
    secret, key_id, now = new_api_key(), new_id(), time.time()
    key = ApiKey(hash=hash_code(secret), practice=practice, id=key_id, created_at=now)
    await found.store.add_api_key(key)
    await found.store.record([_entry("ApiKeyMade", practice, key_id, now)])
    return key_id, secret


async def withdraw(found: Installation, practice: str, key_id: str) -> None:
    """No request with this key is answered any more, at any node.

    Raises ``ConfigurationError`` unless it is a key of this practice that is in force.
    """
    await require_practice(found, practice)
    ours = {key.id for key in await found.store.api_keys(practice)}
    now = time.time()
    if key_id not in ours or not await found.store.revoke_api_key(key_id, now):
        raise ConfigurationError(
            f"The practice {practice} has no key {key_id} in force. "
            f"See: bedside api-keys list {practice}"
        )
    await found.store.record([_entry("ApiKeyWithdrawn", practice, key_id, now)])


def _entry(happened: str, practice: str, key_id: str, at: float) -> LogDraft:
    """Whoever gives commands at a server has no id here; the outcome says which key."""
    return LogDraft(at=at, type=happened, practice=practice, outcome=key_id)
