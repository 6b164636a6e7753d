"""RTP as bytes: what the server offers, and the few header fields it reads (RFC 3550, 8285, 7741).

The server always offers, so payload types and header extension ids are the same for everybody
and a packet is forwarded with nothing but its numbers changed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import StrEnum


class Kind(StrEnum):
    """The two things a seat can send."""

    AUDIO = "audio"
    VIDEO = "video"


OPUS = 111
VP8 = 96
CLOCK_RATE = {Kind.AUDIO: 48_000, Kind.VIDEO: 90_000}
PAYLOAD_TYPE = {Kind.AUDIO: OPUS, Kind.VIDEO: VP8}
KIND_OF_PAYLOAD = {OPUS: Kind.AUDIO, VP8: Kind.VIDEO}

AUDIO_LEVEL_ID = 1
TRANSPORT_CC_ID = 5
AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
TRANSPORT_CC_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

HEADER_LENGTH = 12
SILENCE = bytes([0x80, OPUS, *bytes(10), 0xF8, 0xFF, 0xFE])
"""20 ms of Opus silence (RFC 6716 section 3.1: CELT, fullband, mono), its numbers still blank."""
MAX_PACKET = 2048

_Read = Callable[["bytes | memoryview", int], "tuple[int, ...]"]
read_ssrc: _Read = struct.Struct("!L").unpack_from
read_sequence_and_timestamp: _Read = struct.Struct("!HL").unpack_from  # at offset 2
write_numbers = struct.Struct("!HLL").pack_into  # sequence number, timestamp, SSRC at offset 2


def extension(packet: bytes, wanted: int) -> int:
    """Offset of the value of a one-byte header extension (RFC 8285 section 4.2), or 0."""
    if not packet[0] & 0x10:
        return 0
    position = HEADER_LENGTH + 4 * (packet[0] & 0x0F)
    if len(packet) < position + 4 or packet[position] != 0xBE or packet[position + 1] != 0xDE:
        return 0
    end = position + 4 + 4 * (packet[position + 2] << 8 | packet[position + 3])
    position += 4
    while position < end and position < len(packet) - 1:
        head = packet[position]
        if head >> 4 == wanted:
            return position + 1
        position += 2 + (head & 0x0F) if head else 1
    return 0


def transport_sequence(packet: bytes) -> int | None:
    """The transport-wide sequence number that the browser stamped on the packet, if any."""
    offset = extension(packet, TRANSPORT_CC_ID)
    if not offset or offset + 2 > len(packet):
        return None
    return packet[offset] << 8 | packet[offset + 1]


def payload_offset(packet: bytes) -> int:
    """Where the payload starts; the packet's length if the header claims more than there is."""
    offset = HEADER_LENGTH + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if len(packet) < offset + 4:
            return len(packet)
        offset += 4 + 4 * (packet[offset + 2] << 8 | packet[offset + 3])
    return min(offset, len(packet))


def starts_key_frame(packet: bytes) -> bool:
    """Whether this is the first packet of a VP8 key frame (RFC 7741 sections 4.2 and 4.3)."""
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
    at = payload_offset(packet)
    if at >= end:
        return False
    first = packet[at]
    if first & 0x17 != 0x10:  # start of partition 0
        return False
    at += 1
    if first & 0x80:
        at += _extended_descriptor(packet, at)
    return at < end and not packet[at] & 0x01


def _extended_descriptor(packet: bytes, at: int) -> int:
    """Bytes taken by the optional fields of the VP8 payload descriptor."""
    if at + 1 >= len(packet):
        return len(packet)
    flags = packet[at]
    size = 1
    if flags & 0x80:
        size += 2 if packet[at + 1] & 0x80 else 1
    if flags & 0x40:
        size += 1
    if flags & 0x30:
        size += 1
    return size
