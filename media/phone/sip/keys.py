"""The keys of a telephone in RTP: telephone events (RFC 4733 section 2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from media.phone.carrier import FRAME_SAMPLES, SAMPLE_RATE

KEYS = "0123456789*#ABCD"  # RFC 4733 section 3.2: events 0 to 15
_VOLUME = 10  # RFC 4733 section 2.3.3: -10 dBm0, what telephones send
_END = 0x80
_REPEATS_OF_END = 3  # RFC 4733 section 2.5.1.4


class KeyReader:
    """Presses out of packets: each press is many packets with one timestamp."""

    def __init__(self) -> None:
        self._pressed_at: int | None = None

    def read(self, timestamp: int, payload: bytes) -> str | None:
        """The key of a press that was not told yet."""
        if len(payload) < 4 or payload[0] >= len(KEYS) or timestamp == self._pressed_at:
            return None
        if self._pressed_at is not None and _is_before(timestamp, self._pressed_at):
            return None  # a packet of the press before, late
        self._pressed_at = timestamp
        return KEYS[payload[0]]


def _is_before(timestamp: int, other: int) -> bool:
    """Whether it lies less than a second before ``other``; further off, a new clock began."""
    return 0 < (other - timestamp) & 0xFFFFFFFF < SAMPLE_RATE


def press(key: str, frames: int) -> Iterator[tuple[bool, bytes]]:
    """The payloads of one press of ``frames`` × 20 ms: whether each begins it, and the bytes."""
    event = KEYS.index(key)
    for frame in range(1, frames + 1):
        yield frame == 1, struct.pack("!BBH", event, _VOLUME, frame * FRAME_SAMPLES)
    for _ in range(_REPEATS_OF_END):
        yield False, struct.pack("!BBH", event, _END | _VOLUME, frames * FRAME_SAMPLES)


def read_info(body: bytes) -> str | None:
    """The key in the body of an INFO: ``application/dtmf-relay``, or a bare key."""
    lines = body.decode("ascii", "replace").upper().splitlines()
    for line in lines:
        name, found, value = line.partition("=")
        text = (
            value.strip() if found and name.strip() == "SIGNAL" else "" if found else line.strip()
        )
        if len(text) == 1 and text in KEYS:
            return text
    return None


def write_info(key: str, milliseconds: int) -> bytes:
    """The body of an INFO that presses a key."""
    return f"Signal={key}\r\nDuration={milliseconds}\r\n".encode()
