"""RTCP as bytes: what is read from browsers, and what is written to them.

RFC 3550 (reports, SDES), RFC 4585 (NACK, PLI), RFC 5104 (FIR), draft-alvestrand-rmcat-remb-03
(REMB), draft-holmer-rmcat-transport-wide-cc-extensions-01 (transport-wide feedback).
Readers never raise: a packet that does not fit its own length is skipped.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

SENDER_REPORT, RECEIVER_REPORT, SDES = 200, 201, 202
TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = 205, 206
NACK, TRANSPORT_CC = 1, 15
PLI, FIR, APPLICATION = 1, 4, 15
OUR_SSRC = 1  # the server sends no stream of its own

TICKS_PER_SECOND = 65_536  # LSR and DLSR count in these (RFC 3550 section 4)
_DELTA = 250  # microseconds in one tick of a transport-wide receive delta
_REFERENCE = 64_000  # microseconds in one tick of its reference time


class Block(NamedTuple):
    """One RTCP packet out of a compound one."""

    subtype: int  # report count or feedback message type
    kind: int
    body: bytes  # what follows the four-byte header; its first four bytes are the sender's SSRC


class SenderReport(NamedTuple):
    """What a sender says about the clocks of one stream (RFC 3550 section 6.4.1)."""

    ssrc: int
    ntp: int
    timestamp: int

    @property
    def middle(self) -> int:
        """The middle 32 bits of the NTP time, by which receivers name this report."""
        return self.ntp >> 16 & 0xFFFFFFFF


class ReportBlock(NamedTuple):
    """What a receiver says about one stream (RFC 3550 section 6.4.1)."""

    ssrc: int
    fraction_lost: int  # of 256
    lost: int
    highest: int
    jitter: int
    last_report: int
    delay: int


def blocks(compound: bytes) -> Iterator[Block]:
    """The packets of a compound RTCP packet, up to the first that is malformed."""
    position = 0
    while position + 8 <= len(compound):
        first, kind, words = struct.unpack_from("!BBH", compound, position)
        end = position + 4 * (words + 1)
        if first >> 6 != 2 or words == 0 or end > len(compound):
            return
        yield Block(first & 0x1F, kind, compound[position + 4 : end])
        position = end


def sender_report(block: Block) -> SenderReport | None:
    """The sender report in ``block``, if it is one."""
    if block.kind != SENDER_REPORT or len(block.body) < 24:
        return None
    return SenderReport(*struct.unpack_from("!LQL", block.body))


def report_blocks(block: Block) -> Iterator[ReportBlock]:
    """The report blocks of a sender or receiver report."""
    start = {SENDER_REPORT: 24, RECEIVER_REPORT: 4}.get(block.kind, len(block.body))
    for offset in range(start, min(start + 24 * block.subtype, len(block.body) - 23), 24):
        ssrc, loss, highest, jitter, lsr, dlsr = struct.unpack_from("!LLLLLL", block.body, offset)
        yield ReportBlock(ssrc, loss >> 24, loss & 0xFFFFFF, highest, jitter, lsr, dlsr)


def nacked(block: Block) -> tuple[int, list[int]]:
    """The media SSRC and the sequence numbers that a generic NACK asks for."""
    body = block.body
    numbers: list[int] = []
    for offset in range(8, len(body) - 3, 4):
        first, mask = struct.unpack_from("!HH", body, offset)
        numbers.append(first)
        numbers += [(first + 1 + bit) & 0xFFFF for bit in range(16) if mask >> bit & 1]
    return media_ssrc(block), numbers


def media_ssrc(block: Block) -> int:
    """The stream that a feedback packet is about; 0 if it does not say."""
    if len(block.body) < 8:
        return 0
    if block.kind == PAYLOAD_FEEDBACK and block.subtype == FIR and len(block.body) >= 12:
        return int.from_bytes(block.body[8:12], "big")
    return int.from_bytes(block.body[4:8], "big")


def remb(block: Block) -> int | None:
    """Bits per second that the receiver believes it can take, if this is a REMB message."""
    body = block.body
    if block.subtype != APPLICATION or len(body) < 16 or body[8:12] != b"REMB":
        return None
    return ((body[13] & 0x03) << 16 | body[14] << 8 | body[15]) << (body[13] >> 2)


def write_pli(ssrc: int) -> bytes:
    """A picture loss indication (RFC 4585 section 6.3.1)."""
    return struct.pack("!BBHLL", 0x80 | PLI, PAYLOAD_FEEDBACK, 2, OUR_SSRC, ssrc)


def write_nack(ssrc: int, numbers: Iterable[int]) -> bytes:
    """A generic NACK (RFC 4585 section 6.2.1) for ``numbers``, given in sending order."""
    entries: list[list[int]] = []
    for number in numbers:
        distance = (number - entries[-1][0]) & 0xFFFF if entries else 0
        if entries and 0 < distance <= 16:
            entries[-1][1] |= 1 << (distance - 1)
        else:
            entries.append([number, 0])
    head = struct.pack("!BBHLL", 0x80 | NACK, TRANSPORT_FEEDBACK, 2 + len(entries), OUR_SSRC, ssrc)
    return head + b"".join(struct.pack("!HH", *entry) for entry in entries)


def write_receiver_report(reports: Sequence[ReportBlock]) -> bytes:
    """A receiver report with up to 31 blocks."""
    head = struct.pack(
        "!BBHL", 0x80 | len(reports), RECEIVER_REPORT, 1 + 6 * len(reports), OUR_SSRC
    )
    return head + b"".join(
        struct.pack("!LLLLLL", r.ssrc, r.fraction_lost << 24 | r.lost, *r[3:]) for r in reports
    )


def write_sender_report(report: SenderReport, packets: int, octets: int, cname: str) -> bytes:
    """A sender report without blocks, and the CNAME that ties sound and picture together."""
    counts = (packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    head = struct.pack("!BBHLQLLL", 0x80, SENDER_REPORT, 6, *report, *counts)
    name = cname.encode()[:255]
    item = struct.pack("!BB", 1, len(name)) + name
    item += bytes(4 - len(item) % 4)
    sdes = struct.pack("!BBHL", 0x81, SDES, 1 + len(item) // 4, report.ssrc)
    return head + sdes + item


def write_transport_feedback(
    ssrc: int, base: int, arrivals: Sequence[int | None], count: int
) -> bytes:
    """Transport-wide feedback on consecutive packets from transport sequence number ``base``.

    ``arrivals`` are microseconds on any steady clock, ``None`` where nothing arrived; at least
    one packet must have arrived. ``count`` numbers the feedback messages.
    """
    reference = next(at for at in arrivals if at is not None) // _REFERENCE
    symbols, deltas = _receive_deltas(arrivals, reference * _REFERENCE)
    chunks = _status_chunks(symbols)
    times = (reference & 0xFFFFFF) << 8 | count & 0xFF
    body = struct.pack("!LLHHL", OUR_SSRC, ssrc, base & 0xFFFF, len(arrivals), times)
    body += chunks + deltas
    padding = -len(body) % 4
    if padding:
        body += bytes(padding - 1) + bytes([padding])
    first = 0x80 | (0x20 if padding else 0) | TRANSPORT_CC
    return struct.pack("!BBH", first, TRANSPORT_FEEDBACK, len(body) // 4) + body


def _receive_deltas(arrivals: Sequence[int | None], last: int) -> tuple[list[int], bytes]:
    """Status symbols (0 lost, 1 small delta, 2 large delta) and the deltas themselves."""
    symbols: list[int] = []
    deltas = bytearray()
    for arrival in arrivals:
        if arrival is None:
            symbols.append(0)
            continue
        delta = (arrival - last) // _DELTA
        last += delta * _DELTA
        if 0 <= delta <= 0xFF:
            symbols.append(1)
            deltas.append(delta)
        else:
            symbols.append(2)
            deltas += struct.pack("!h", max(-0x8000, min(0x7FFF, delta)))
    return symbols, bytes(deltas)


def _status_chunks(symbols: Sequence[int]) -> bytes:
    """One run length chunk if nothing was lost or late, else vectors of seven two-bit symbols."""
    if len(set(symbols)) == 1 and len(symbols) < 0x2000:
        return (symbols[0] << 13 | len(symbols)).to_bytes(2, "big")
    chunks = bytearray()
    for start in range(0, len(symbols), 7):
        value = 0xC000
        for position, symbol in enumerate(symbols[start : start + 7]):
            value |= symbol << (12 - 2 * position)
        chunks += value.to_bytes(2, "big")
    return bytes(chunks)
