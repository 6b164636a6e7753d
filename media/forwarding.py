"""From one seat's sound or picture to everybody who may have it, packet by packet.

A *feed* is one seat's sound or picture, whichever connection it comes through; a *forward* is one
feed on its way to one hearer, as a stream of its own. Every forward numbers its packets itself:

* while it runs, its sequence numbers follow the sender's, so what was lost on the way in is a gap
  that a retransmission may fill, and what came out of order keeps its place;
* while it pauses, nothing is counted, so the numbers go on where they stopped (libsrtp refuses a
  stream that jumps by 32,768, and receivers would read a shorter jump as loss);
* its timestamps keep running with the sender's clock, as after silence, so lips stay in step.

There is no queue and no task: a packet is sent before the next one is read.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from media import rtcp
from media.counters import MediaCounters
from media.feedback import KeyFrameRequests
from media.history import History
from media.reception import Reception
from media.reports import HearerReports
from media.rtp import (
    CLOCK_RATE,
    HEADER_LENGTH,
    SILENCE,
    Kind,
    read_sequence_and_timestamp,
    starts_key_frame,
)
from rooms.policy import MediaPolicy


class Upstream(Protocol):
    """Where a feed's packets come from, and where its wishes go."""

    def send_rtcp(self, data: bytes) -> None:
        """Send feedback to the sender."""


class Carriage(Protocol):
    """What takes a forward's packets away: a hearer's transport, or a decoder."""

    def send_rtp(self, packet: bytes, sequence: int, timestamp: int, ssrc: int) -> None:
        """Send ``packet`` under these numbers."""

    def send_rtcp(self, data: bytes) -> None:
        """Send a report on the stream."""


class Flow(Enum):
    """What a forward does."""

    PAUSED = "paused"
    SILENT = "silent"  # the rhythm of the sound, and nothing of what is said
    RUNNING = "running"


class Feed:
    """One seat's sound or picture. Outlives the connection it comes through.

    ``stream`` is what browsers know it by: the seat, unless the seat has a second sound.
    """

    def __init__(
        self, seat: str, kind: Kind, policy: MediaPolicy, counters: MediaCounters, stream: str = ""
    ) -> None:
        self.seat = seat
        self.stream = stream or seat
        self.kind = kind
        self.packets = self.octets = 0
        self.reception: Reception | None = None
        self.policy = policy
        self._counters = counters
        self._upstream: Upstream | None = None
        self._history = History(policy.history_packets) if kind is Kind.VIDEO else None
        self._key_frames = KeyFrameRequests(policy.key_request_every)
        self._live: list[Forward] = []
        self._waiting: list[Forward] = []

    @property
    def lately_lost(self) -> float:
        """The share of the last second that never came to us."""
        return self.reception.lately_lost if self.reception else 0.0

    def connect(self, upstream: Upstream, ssrc: int, packet: bytes, now: float) -> None:
        """Take packets of the stream that begins with this one, and of no other from now on."""
        if self.reception is not None:
            self._interrupt(self.reception.highest)
        self._upstream = upstream
        self.reception = Reception(ssrc, packet, CLOCK_RATE[self.kind], now)

    def disconnect(self, upstream: Upstream) -> None:
        """The connection is gone; another may come."""
        if self._upstream is upstream:
            self._upstream = None

    def _interrupt(self, highest: int) -> None:
        """What comes next does not continue what came until ``highest``."""
        for forward in self._live:
            forward.stop(highest)
        self._waiting += self._live
        self._live = []
        if self._history:
            self._history.clear()

    def receive(self, packet: bytes, now: float) -> None:
        """Forward one decrypted packet of the connected stream to everybody it is for."""
        reception = self.reception
        assert reception is not None
        sequence, timestamp = read_sequence_and_timestamp(packet, 2)
        ahead = reception.note(sequence, timestamp, now)
        index = reception.highest
        if ahead > 1:
            self._bridge(reception, index, ahead)
        elif ahead <= 0:
            index += ahead
        if self._history is not None:
            self._history.put(index, packet)
        if self._waiting:
            self._start_waiting(packet, index, timestamp, now)
        for forward in self._live:
            if index >= forward.start:
                forward.send_rtp(
                    packet,
                    (index + forward.shift) & 0xFFFF,
                    (timestamp + forward.drift) & 0xFFFFFFFF,
                    forward.ssrc,
                )
        size = len(packet)
        self.packets += 1
        self.octets += size - HEADER_LENGTH
        hearers = len(self._live)
        self._counters.packets_out += hearers
        self._counters.bytes_out += hearers * size

    def _bridge(self, reception: Reception, index: int, ahead: int) -> None:
        """Packets are missing: ask for them, or begin anew if the hole is too wide."""
        before = index - ahead
        if ahead > (self.policy.max_gap if self._history is None else self.policy.nack_limit):
            reception.forget()
            self._interrupt(before)
        elif self._history is not None:
            reception.miss(before + 1, index)
            self.ask_for_missing()

    def _start_waiting(self, packet: bytes, index: int, timestamp: int, now: float) -> None:
        """Sound starts at once, a picture only where a decoder can start."""
        if self.kind is Kind.VIDEO and not starts_key_frame(packet):
            self.request_key_frame(now)
            return
        for forward in self._waiting:
            forward.begin(index, timestamp, now)
        self._live += self._waiting
        self._waiting = []

    def add(self, forward: Forward, now: float) -> None:
        """Let a forward run: it starts with the next packet that it can start with."""
        if forward in self._live or forward in self._waiting:
            return
        self._waiting.append(forward)
        if self.kind is Kind.VIDEO:
            self.request_key_frame(now)

    def remove(self, forward: Forward) -> None:
        """Let a forward pause. Idempotent; nothing is sent on it afterwards."""
        if forward in self._live:
            assert self.reception is not None
            self._live.remove(forward)
            forward.stop(self.reception.highest)
        elif forward in self._waiting:
            self._waiting.remove(forward)

    def refresh(self, forward: Forward, now: float) -> None:
        """Let a running picture start again at the next key frame; sound just goes on."""
        if self.kind is Kind.VIDEO:
            self.remove(forward)
            self.add(forward, now)

    def packet(self, index: int) -> bytes | None:
        """A recent packet, if it is kept."""
        return self._history.get(index) if self._history else None

    def request_key_frame(self, now: float) -> None:
        """Ask the sender for a key frame, at most once per interval."""
        self._key_frames.wanted = True
        self.pursue_key_frame(now)

    def pursue_key_frame(self, now: float) -> None:
        """Send the request that an earlier one kept back, once its time has come."""
        if self._upstream and self.reception and self._key_frames.due(now):
            self._counters.plis_out += 1
            self._upstream.send_rtcp(rtcp.write_pli(self.reception.ssrc))

    def ask_for_missing(self) -> None:
        """Ask the sender for packets that have not come."""
        if not self._upstream or not self.reception or not self.reception.missing:
            return
        numbers = self.reception.to_ask_for(self.policy.nack_tries, self.policy.nack_limit)
        if numbers:
            self._counters.nacks_out += 1
            self._upstream.send_rtcp(rtcp.write_nack(self.reception.ssrc, numbers))

    def reported(self, report: rtcp.SenderReport, now: float) -> None:
        """Hand the sender's clocks on to everybody who has the stream."""
        assert self.reception is not None
        self.reception.reported(report, now)
        for forward in self._live:
            forward.report(report, now)


class Forward:
    """One feed on its way to one hearer: a stream with numbers of its own."""

    def __init__(self, feed: Feed, carriage: Carriage) -> None:
        self.feed = feed
        self.ssrc = secrets.randbits(32)
        self._carriage = carriage
        self.send_rtp: Callable[[bytes, int, int, int], None] = carriage.send_rtp
        self.start = 0  # index of the first packet since the last pause
        self.shift = 0  # what turns an index into a sequence number
        self.drift = secrets.randbits(32)  # what turns the sender's timestamps into ours
        self.reports = HearerReports(feed.policy)
        self.running = False
        self._source: Reception | None = None
        self._clock = 0.0  # our timestamp when the server's clock was 0, in timestamp units
        self._next = secrets.randbits(15)  # RFC 3711 section 3.3.1: far from the wrap
        self._packets = self._octets = 0
        self._counted_from = (0, 0)

    def hush(self, hushed: bool) -> None:
        """Send silence in place of the sound, or the sound itself, from the next packet on."""
        self.send_rtp = self._send_silence if hushed else self._carriage.send_rtp

    def _send_silence(self, _packet: bytes, sequence: int, timestamp: int, ssrc: int) -> None:
        """Nothing of the packet is sent: even its extension tells how loud somebody speaks."""
        self._carriage.send_rtp(SILENCE, sequence, timestamp, ssrc)

    def begin(self, index: int, timestamp: int, now: float) -> None:
        """Number packets so that this one follows the last one sent."""
        reception = self.feed.reception
        assert reception is not None
        if self._source is not reception:
            if self._source is not None:  # another clock: go on by the time that has passed
                self.drift = int(self._clock + now * reception.clock_rate) - timestamp
            self._source = reception
        self.start, self.shift = index, self._next - index
        self._counted_from = (self.feed.packets, self.feed.octets)
        self.running = True
        if reception.report:
            self.report(reception.report, now)

    def stop(self, highest: int) -> None:
        """Remember where the numbers stand after the packet with this index."""
        assert self._source is not None
        self._next = (highest + self.shift + 1) & 0xFFFF
        self._clock = self.drift - self._source.transit
        self._packets, self._octets = self._counts()
        self.running = False

    def _counts(self) -> tuple[int, int]:
        """Packets and bytes sent so far."""
        if not self.running:
            return self._packets, self._octets
        packets, octets = self._counted_from
        return (
            self._packets + self.feed.packets - packets,
            self._octets + self.feed.octets - octets,
        )

    def report(self, report: rtcp.SenderReport, now: float) -> None:
        """Tell the hearer the sender's clocks in this stream's timestamps (RFC 3550 6.4.1).

        The NTP time stays the sender's own, which is what keeps sound and picture together.
        """
        timestamp = (report.timestamp + self.drift) & 0xFFFFFFFF
        ours = rtcp.SenderReport(self.ssrc, report.ntp, timestamp)
        self.reports.sent_report(report.middle, now)
        compound = rtcp.write_sender_report(ours, *self._counts(), self.feed.stream)
        self._carriage.send_rtcp(compound)

    def heard_back(self, block: rtcp.ReportBlock, now: float) -> None:
        """Read what the hearer reports; jitter from before us is not the hearer's."""
        source = self._source
        if source is not None:
            jitter = max(0.0, block.jitter - source.jitter) / source.clock_rate
            self.reports.take(block, self._counts()[0], jitter, now)

    @property
    def unreported(self) -> int:
        """Packets sent since the hearer's newest report."""
        return self._counts()[0] - self.reports.sent

    def resend(self, sequence: int) -> bool:
        """Send a kept packet again under the number it had. False if it is not there to send."""
        reception = self.feed.reception
        if not self.running or reception is None:
            return False
        highest = reception.highest
        behind = (highest + self.shift - sequence) & 0xFFFF
        index = highest - behind
        packet = self.feed.packet(index) if index >= self.start else None
        if packet is None:
            return False
        _, timestamp = read_sequence_and_timestamp(packet, 2)
        self.send_rtp(packet, sequence, (timestamp + self.drift) & 0xFFFFFFFF, self.ssrc)
        return True
