"""What a log line may hold: ids, numbers, types and outcomes. Everything else is masked here.

Three nets, because each has holes: by the name of the key, by what a value looks like, and by type
(an object's ``repr`` tells everything it knows). Names cannot be recognised by their looks, so they
must never stand in the message itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import PurePath

from rooms.policy import EdgePolicy

MASK = "[redacted]"

_SECRET_WORDS = frozenset({
    "answer", "auth", "authorization", "body", "candidate", "cookie", "cookies", "credential",
    "credentials", "email", "fingerprint", "host", "jwt", "language", "link", "links", "name",
    "names", "notice", "number", "offer", "passphrase", "password", "phone", "phones", "pwd",
    "relationship", "sdp", "secret", "secrets", "text", "title", "token", "tokens", "ufrag",
})  # fmt: skip
_WORDS = re.compile(r"[A-Za-z][a-z]*|[A-Z]+")
_SDP = re.compile(r"(?:^|\s)(?:v=0|[am]=\S|candidate:)|ice-pwd|ice-ufrag", re.IGNORECASE)
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")
_CODE = re.compile(r"[A-Za-z0-9_-]{40,}")  # shorter than any code, longer than any id
_AFTER_PATH = re.compile(r"[?#]\S+")  # queries and fragments, whatever they hold
_PHONE = re.compile(r"(?<![\w.:-])(?:tel:|sip:)?[+(]?\d[\d\s().\-\u2010-\u2015/]{5,}\d(?![\w:])")
_LAST_RUN = re.compile(r"[^\x00-\x20,;]*[\d\s().+/-]*\Z")  # what a cut may have halved
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_DEPTH = 4
_VALUE_LENGTH = EdgePolicy().log_value


def is_secret_key(key: str) -> bool:
    """Whether values under this key are never written, whatever they are."""
    return any(word.lower() in _SECRET_WORDS for word in _WORDS.findall(key))


def clean_mapping(values: Mapping[str, object], depth: int = _DEPTH) -> dict[str, object]:
    """Every value made fit to be written."""
    return {
        clean_text(str(key)): MASK if is_secret_key(str(key)) else clean(value, depth)
        for key, value in values.items()
    }


def clean(value: object, depth: int = _DEPTH) -> object:
    """The value as it may be written: plain types, masked where it looks like a secret."""
    if value is None or (isinstance(value, bool | int | float) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return clean(value.value, depth)
    if isinstance(value, str | PurePath | IPv4Address | IPv6Address):
        return clean_text(str(value))
    if depth and isinstance(value, Mapping):
        return clean_mapping(value, depth - 1)
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [clean(item, depth - 1) for item in value]
    return f"<{type(value).__name__}>"


def clean_text(text: str) -> str:
    """One line, without secrets, and without characters that change how other text is read."""
    if len(text) > _VALUE_LENGTH:
        # Before the patterns, which cost more than a flood is worth, and never inside a secret.
        text = _LAST_RUN.sub("", text[:_VALUE_LENGTH]) + "…"
    if _SDP.search(text):
        return MASK
    for pattern in (_JWT, _AFTER_PATH, _CODE):
        text = pattern.sub(MASK, text)
    text = _PHONE.sub(_mask_phone, text)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _mask_phone(found: re.Match[str]) -> str:
    """Seven digits and more are a telephone number, unless they are an address or a date."""
    text = found[0]
    if sum(character.isdigit() for character in text) < 7 or _DATE.match(text):
        return text
    try:
        ip_address(text)
    except ValueError:
        return MASK
    return text
