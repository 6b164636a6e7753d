"""What one hearer reports of one stream that we send (RFC 3550 section 6.4).

Loss counts against the packets that *we* sent: gaps in the numbers that came from the sender are
not the hearer's, and a hearer that receives nothing reports no loss at all.
"""

from __future__ import annotations

from collections import deque

from media.rtcp import TICKS_PER_SECOND, ReportBlock

_HALF_24, _HALF_32 = 1 << 23, 1 << 31


class HearerReports:
    """The newest report of one hearer, and what it says about the way there.

    ``round_trip`` and ``jitter`` (what the way to the hearer adds) are seconds, ``loss`` is the
    share of what was sent between the last two reports; each None until known.
    """

    __slots__ = (
        "_block",
        "_least",
        "_remembered",
        "_sent",
        "at",
        "jitter",
        "loss",
        "missing",
        "round_trip",
        "sent",
    )

    def __init__(self, remembered: int, least: int) -> None:
        self.round_trip: float | None = None
        self.loss: float | None = None
        self.missing = 0  # packets, of those sent between the two reports
        self.jitter: float | None = None
        self.at: float | None = None  # when the newest report came
        self._remembered: deque[tuple[int, float]] = deque(maxlen=remembered)
        self._block: ReportBlock | None = None
        self._least = least
        self.sent = 0  # packets that had gone out when the newest report came
        self._sent = 0  # …when the report came that the next is compared with

    def sent_report(self, middle: int, now: float) -> None:
        """A sender report went out, and this is how the hearer will name it."""
        self._remembered.append((middle, now))

    def take(self, block: ReportBlock, sent: int, jitter: float, now: float) -> None:
        """Read a report, having sent so many packets. The round trip counts from *our* sending."""
        self.at = now
        self.jitter = jitter
        self._time(block, now)
        self.sent = sent
        if self._block is not None and sent - self._sent < self._least:
            return
        if self._block is not None:
            self._count(self._block, block, sent - self._sent)
        self._block, self._sent = block, sent

    def _count(self, former: ReportBlock, block: ReportBlock, sent: int) -> None:
        reached = _signed(block.highest - former.highest, _HALF_32)
        received = reached - _signed(block.lost - former.lost, _HALF_24)
        self.missing = min(sent, max(0, sent - received))
        self.loss = self.missing / sent

    def _time(self, block: ReportBlock, now: float) -> None:
        for middle, sent_at in reversed(self._remembered):
            if middle == block.last_report:
                self.round_trip = max(0.0, now - sent_at - block.delay / TICKS_PER_SECOND)
                return


def _signed(difference: int, half: int) -> int:
    """A difference of counters that wrap at twice ``half``."""
    return (difference + half) % (2 * half) - half
