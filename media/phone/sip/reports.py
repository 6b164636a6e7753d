"""What one call's two sides tell each other about its sound (RFC 3550 section 6.4, appendix A)."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from media.phone.carrier import SAMPLE_RATE
from media.rtcp import (
    RECEIVER_REPORT,
    SDES,
    SENDER_REPORT,
    TICKS_PER_SECOND,
    Block,
    ReportBlock,
    report_blocks,
    sender_report,
)

BYE = 203  # RFC 3550 section 6.6
_NTP_EPOCH = 2_208_988_800  # RFC 3550 section 4: seconds from 1900 to 1970
_WRAP = 1 << 16  # RFC 3550 section 5.1: sequence numbers
_DROPOUT = 3_000  # RFC 3550 appendix A.1: a larger step is a new beginning


class Arrivals:
    """Counts what arrives of one stream; ``loss`` is what the other side lost of ours, 0 to 1."""

    def __init__(self) -> None:
        self.loss = 0.0
        self._ssrc: int | None = None
        self._sender: tuple[int, float] | None = None
        self._restart(0)

    def _restart(self, sequence: int) -> None:
        self._base = self._highest = sequence
        self._received = 0
        self._before = (0, 0)  # expected and received when last reported
        self._transit: float | None = None
        self._jitter = 0.0

    def came(self, ssrc: int, sequence: int, timestamp: int, arrival: float) -> None:
        """A packet; ``arrival`` is in samples, on any clock."""
        step = (sequence - self._highest + _WRAP // 2) % _WRAP - _WRAP // 2
        if ssrc != self._ssrc or abs(step) > _DROPOUT:
            self._ssrc = ssrc
            self._restart(sequence)
        else:
            self._highest = max(self._highest, self._highest + step)
        self._received += 1
        transit = arrival - timestamp
        if self._transit is not None and abs(transit - self._transit) < SAMPLE_RATE:
            self._jitter += (abs(transit - self._transit) - self._jitter) / 16  # appendix A.8
        self._transit = transit

    def reported(self, found: Iterable[Block], now: float) -> None:
        """The other side's report came."""
        for block in found:
            sender = sender_report(block)
            if sender is not None:
                self._sender = (sender.middle, now)
            for each in report_blocks(block):
                self.loss = each.fraction_lost / 256

    def block(self, now: float) -> ReportBlock | None:
        """What to report now, None while nothing has arrived."""
        if self._ssrc is None:
            return None
        expected = self._highest - self._base + 1
        due, got = expected - self._before[0], self._received - self._before[1]
        self._before = (expected, self._received)
        fraction = max(0, due - got) * 256 // due if due > 0 else 0
        middle, at = self._sender or (0, now)
        return ReportBlock(
            self._ssrc,
            min(fraction, 255),
            max(0, min(expected - self._received, 0x7FFFFF)),
            self._highest & 0xFFFFFFFF,
            int(self._jitter),
            middle,
            round((now - at) * TICKS_PER_SECOND) & 0xFFFFFFFF,
        )


def write_report(
    ssrc: int, wall: float, sent: tuple[int, int, int], block: ReportBlock | None
) -> bytes:
    """A compound report: SR (RR if nothing was sent) and SDES.

    ``wall`` are seconds since the Unix epoch; ``sent`` the timestamp of that instant, the packets
    and the octets sent so far.
    """
    timestamp, packets, octets = sent
    body = struct.pack("!L", ssrc)
    if packets:
        ntp = round((wall + _NTP_EPOCH) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF
        counts = (packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
        body += struct.pack("!QLLL", ntp, timestamp, *counts)
    if block is not None:
        body += struct.pack("!LL", block.ssrc, block.fraction_lost << 24 | block.lost)
        body += struct.pack("!LLLL", *block[3:])
    kind = SENDER_REPORT if packets else RECEIVER_REPORT
    name = f"{ssrc:08x}".encode()
    item = struct.pack("!LBB", ssrc, 1, len(name)) + name + bytes(4 - (2 + len(name)) % 4)
    return _packet(0 if block is None else 1, kind, body) + _packet(1, SDES, item)


def _packet(count: int, kind: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body
