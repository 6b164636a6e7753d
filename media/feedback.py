"""What is asked of senders and told to them, beyond reports: key frames and arrival times."""

from __future__ import annotations

from media import rtcp
from media.rtp import transport_sequence
from rooms.policy import MediaPolicy

_MICROSECONDS = 1_000_000
_HALF = 0x8000


class KeyFrameRequests:
    """Merges requests for a key frame and lets one through per interval (seconds)."""

    __slots__ = ("_asked_at", "_interval", "wanted")

    def __init__(self, interval: float) -> None:
        self.wanted = False
        self._interval = interval
        self._asked_at: float | None = None

    def due(self, now: float) -> bool:
        """Whether to ask the sender now, for all who wanted one since it was last asked."""
        recently = self._asked_at is not None and now - self._asked_at < self._interval
        if recently or not self.wanted:
            return False
        self._asked_at, self.wanted = now, False
        return True


class Arrivals:
    """Arrival times of one sender's packets, for transport-wide congestion control.

    The browser estimates what its uplink carries; the server only reports when packets came.
    """

    def __init__(self, policy: MediaPolicy) -> None:
        self._policy = policy
        self._unread: list[tuple[float, bytes]] = []
        self.note = self._unread.append
        """Takes ``(now, packet)`` as it comes; reading waits for ``messages``, off the hot path."""
        self._times: dict[int, int] = {}  # extended transport sequence number → microseconds
        self._highest: int | None = None
        self._next = 0
        self._count = 0

    def _read(self) -> None:
        """Find the numbers of the packets that came, if their sender numbers them."""
        for now, packet in self._unread:
            number = transport_sequence(packet)
            if number is not None:
                self._place(number, now)
        self._unread.clear()

    def _place(self, number: int, now: float) -> None:
        if self._highest is None:
            self._highest = self._next = number + (1 << 16)
        extended = self._highest + ((number - self._highest + _HALF) & 0xFFFF) - _HALF
        self._highest = max(self._highest, extended)
        self._times[extended] = int(now * _MICROSECONDS)

    def messages(self, ssrc: int) -> list[bytes]:
        """Feedback on everything since the last time; late packets are reported again."""
        self._read()
        if self._highest is None or not self._times:
            return []
        written: list[bytes] = []
        base = min(self._next, *self._times)
        base = max(base, self._highest + 1 - self._policy.feedback_span)
        while base <= self._highest:
            end = min(base + self._policy.feedback_packets, self._highest + 1)
            times = [self._times.get(number) for number in range(base, end)]
            if any(at is not None for at in times):
                count, self._count = self._count, self._count + 1
                written.append(rtcp.write_transport_feedback(ssrc, base, times, count))
            base = end
        self._times.clear()
        self._next = self._highest + 1
        return written
