"""What one hearer reports of one stream that we send (RFC 3550 section 6.4).

Loss counts against the packets that *we* sent: gaps in the numbers that came from the sender are
not the hearer's, and a hearer that receives nothing reports no loss at all.
"""

from __future__ import annotations

from collections import deque

from media.rtcp import TICKS_PER_SECOND, ReportBlock
from rooms.policy import MediaPolicy

_HALF_24, _HALF_32 = 1 << 23, 1 << 31


class HearerReports:
    """The newest reports of one hearer, and what they say about the way there.

    ``round_trip`` and ``jitter`` (what the way to the hearer adds) are seconds. ``loss`` is the
    share that two reports in a row speak of, since one alone may hold a single burst that is long
    over; ``since`` is when the newer of the two began to count. Each is None until known.
    """

    __slots__ = (
        "_block",
        "_least",
        "_newest",
        "_remembered",
        "_slack",
        "_started",
        "at",
        "jitter",
        "loss",
        "round_trip",
        "sent",
        "since",
    )

    def __init__(self, policy: MediaPolicy) -> None:
        self.round_trip: float | None = None
        self.jitter: float | None = None
        self.loss: float | None = None
        self.since: float | None = None
        self.at: float | None = None  # when the newest report came
        self.sent = 0  # packets that had gone out by then
        self._remembered: deque[tuple[int, float]] = deque(maxlen=policy.reports_remembered)
        self._least, self._slack = policy.report_least, policy.report_slack
        self._block: ReportBlock | None = None  # what the next one is compared with
        self._started = (0, 0.0)  # packets sent and the time when that came
        self._newest: float | None = None

    def sent_report(self, middle: int, now: float) -> None:
        """A sender report went out, and this is how the hearer will name it."""
        self._remembered.append((middle, now))

    def take(self, block: ReportBlock, sent: int, jitter: float, now: float) -> None:
        """Read a report, having sent so many packets. The round trip counts from *our* sending."""
        self.at, self.sent, self.jitter = now, sent, jitter
        self._time(block, now)
        if self._block is not None:
            if sent - self._started[0] < self._least:
                return
            self._count(self._block, block, sent - self._started[0])
        self._block, self._started = block, (sent, now)

    def _count(self, former: ReportBlock, block: ReportBlock, sent: int) -> None:
        reached = _signed(block.highest - former.highest, _HALF_32)
        received = reached - _signed(block.lost - former.lost, _HALF_24)
        missing = min(sent, max(0, sent - received))
        loss = missing / sent if missing > self._slack else 0.0
        self.since = self._started[1]
        self.loss = None if self._newest is None else min(loss, self._newest)
        self._newest = loss

    def _time(self, block: ReportBlock, now: float) -> None:
        for middle, sent_at in reversed(self._remembered):
            if middle == block.last_report:
                self.round_trip = max(0.0, now - sent_at - block.delay / TICKS_PER_SECOND)
                return


def _signed(difference: int, half: int) -> int:
    """A difference of counters that wrap at twice ``half``."""
    return (difference + half) % (2 * half) - half
