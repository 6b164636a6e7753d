"""Records as fields of hashes, and back. What Redis holds is data of others: it is checked here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TypeVar

from media.phone.former_calls import KeptCall
from server.idempotency import IdempotentReply
from server.redis_plans import number
from server.store import ApiKey, LinkKind, LinkRecord, Practice, StoreUnavailable

Plain = TypeVar("Plain", KeptCall, Practice)

# Redis's answers are text; the sealed reply is bytes, and comes back as it was by PEP 383.
_BYTES = ("utf-8", "surrogateescape")


def link_of(link_hash: str, said: Sequence[str]) -> LinkRecord:
    """The link in a hash that ``redis_plans.link_fields`` filled."""
    fields = pairs(said)
    try:
        return LinkRecord(
            hash=link_hash,
            kind=LinkKind(fields["kind"]),
            practice=fields["practice"],
            visit=fields["visit"],
            seat=fields["seat"],
            desk=fields["desk"],
            revoked_at=_time_or_none(fields["revoked_at"]),
        )
    except (KeyError, ValueError):
        raise StoreUnavailable from None


def api_key_words(key: ApiKey) -> list[str]:
    """A key as names and values of its hash."""
    revoked = "" if key.revoked_at is None else number(key.revoked_at)
    fields = {
        "practice": key.practice,
        "id": key.id,
        "created_at": number(key.created_at),
        "revoked_at": revoked,
    }
    return [word for field in fields.items() for word in field]


def api_key_of(key_hash: str, said: Sequence[str]) -> ApiKey:
    """The key in such a hash."""
    fields = pairs(said)
    try:
        return ApiKey(
            hash=key_hash,
            practice=fields["practice"],
            id=fields["id"],
            created_at=float(fields["created_at"]),
            revoked_at=_time_or_none(fields["revoked_at"]),
        )
    except (KeyError, ValueError):
        raise StoreUnavailable from None


def reply_of(practice: str, key_hash: str, said: Sequence[str]) -> IdempotentReply:
    """The reply in a hash."""
    fields = pairs(said)
    try:
        return IdempotentReply(
            practice=practice,
            key_hash=key_hash,
            request_hash=fields["request_hash"],
            sealed=fields["sealed"].encode(*_BYTES),
            expires_at=float(fields["expires_at"]),
        )
    except (KeyError, ValueError):
        raise StoreUnavailable from None


def to_json(record: KeptCall | Practice) -> str:
    """A record that only ever is replaced whole."""
    return json.dumps(asdict(record))


def from_json(kind: type[Plain], text: str) -> Plain:
    """That record."""
    try:
        return kind(**json.loads(text))
    except (ValueError, TypeError):
        raise StoreUnavailable from None


def pairs(said: Sequence[str]) -> Mapping[str, str]:
    """A hash, as scripts and HGETALL give it: name, value, name, value."""
    return dict(zip(said[::2], said[1::2], strict=True))


def _time_or_none(text: str) -> float | None:
    return float(text) if text else None
