"""What one incoming stream looks like: its true order, what is missing, what to report."""

from __future__ import annotations

from media.rtcp import TICKS_PER_SECOND, ReportBlock, SenderReport
from media.rtp import read_sequence_and_timestamp

_HALF = 0x8000
_JITTER_GAIN = 16  # RFC 3550 section 6.4.1


class Reception:
    """One SSRC as received. Indexes are sequence numbers that never wrap (RFC 3711 3.3.1)."""

    def __init__(self, ssrc: int, packet: bytes, clock_rate: int, now: float) -> None:
        sequence, timestamp = read_sequence_and_timestamp(packet, 2)
        self.ssrc = ssrc
        self.clock_rate = clock_rate
        self.first = sequence + (1 << 16)  # room for packets from before the first
        self.highest = self.first - 1
        self.packets = 0
        self.lately_lost = 0.0  # the share missing of the last second that was judged
        self.jitter = 0.0  # timestamp units
        self.transit = now * clock_rate - timestamp  # of the highest packet, timestamp units
        self.missing: dict[int, int] = {}  # index → how often it was asked for
        self.report: SenderReport | None = None
        self._reported_at = 0.0
        self._expected_before = self._packets_before = 0

    def note(self, sequence: int, timestamp: int, now: float) -> int:
        """Count a packet; how far it is ahead of the highest so far (0 or less: a late one)."""
        self.packets += 1
        ahead = ((sequence - self.highest + _HALF) & 0xFFFF) - _HALF
        if ahead > 0:
            self.highest += ahead
            transit = now * self.clock_rate - timestamp
            change = abs(transit - self.transit)
            if change < self.clock_rate:  # otherwise the timestamp wrapped, or the stream paused
                self.jitter += (change - self.jitter) / _JITTER_GAIN
            self.transit = transit
        elif self.missing:
            self.missing.pop(self.highest + ahead, None)
        return ahead

    def miss(self, start: int, end: int) -> None:
        """Packets ``start`` up to, not including, ``end`` have not come yet."""
        self.missing.update((index, 0) for index in range(start, end))

    def forget(self) -> None:
        """Ask for nothing that is missing so far: it is not worth having any more."""
        self.missing.clear()

    def to_ask_for(self, tries: int, limit: int) -> list[int]:
        """The sequence numbers to ask for now: not too often, and only the newest."""
        newest = sorted(self.missing)[-limit:]
        self.missing = {i: self.missing[i] + 1 for i in newest if self.missing[i] < tries}
        return [index & 0xFFFF for index in self.missing]

    def reported(self, report: SenderReport, now: float) -> None:
        """Remember the sender's report, so that ours can refer to it."""
        self.report, self._reported_at = report, now

    def block(self, now: float) -> ReportBlock:
        """The report block of this interval (RFC 3550 sections 6.4.1 and A.3)."""
        expected = self.highest - self.first + 1
        lost_now = (expected - self._expected_before) - (self.packets - self._packets_before)
        fraction = (lost_now << 8) // max(expected - self._expected_before, 1)
        self._expected_before, self._packets_before = expected, self.packets
        delay = int((now - self._reported_at) * TICKS_PER_SECOND) if self.report else 0
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=max(0, min(0xFF, fraction)),
            lost=max(0, min(0x7FFFFF, expected - self.packets)),
            highest=(self.highest - (1 << 16)) & 0xFFFFFFFF,
            jitter=int(self.jitter) & 0xFFFFFFFF,
            last_report=self.report.middle if self.report else 0,
            delay=delay & 0xFFFFFFFF,
        )
