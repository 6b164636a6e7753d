"""The connection a browser sends on: one sound and one picture, each into its feed."""

from __future__ import annotations

from collections.abc import Mapping

from media import rtcp
from media.feedback import Arrivals
from media.forwarding import Feed
from media.peer import Ground, Peer, PeerOwner
from media.ports import Connection
from media.reception import Reception
from media.rtp import KIND_OF_PAYLOAD, Kind
from media.sdp import MediaLine


class Publisher(Peer):
    """Receives one seat's sound and picture, and tells the browser how they arrive."""

    connection = Connection.SEND

    def __init__(self, ground: Ground, owner: PeerOwner, feeds: Mapping[Kind, Feed]) -> None:
        super().__init__(ground, owner)
        self._feeds = feeds
        self._streams: dict[int, Feed] = {}
        self._retired: set[int] = set()  # streams that a newer one replaced
        self._arrivals = Arrivals(ground.policy)
        self.heard: float | None = None  # when the newest packet came, if any did
        self._reported_at = ground.clock()
        self._clock = ground.clock
        self._counters = ground.counters
        self.transport.on_rtp = self._on_rtp
        self.transport.on_rtcp = self._on_rtcp
        self.send_rtcp = self.transport.send_rtcp

    def lines(self) -> tuple[MediaLine, ...]:
        kbps = self.ground.policy.video_kbps
        return (
            MediaLine(kind=Kind.AUDIO, direction="recvonly"),
            MediaLine(kind=Kind.VIDEO, direction="recvonly", kbps=kbps),
        )

    def _on_rtp(self, ssrc: int, packet: bytes) -> None:
        now = self.heard = self._clock()
        counters = self._counters
        counters.packets_in += 1
        counters.bytes_in += len(packet)
        feed = self._streams.get(ssrc) or self._learned(ssrc, packet, now)
        if feed is not None:
            self._arrivals.note((now, packet))
            feed.receive(packet, now)

    def _learned(self, ssrc: int, packet: bytes, now: float) -> Feed | None:
        """A stream tells by its payload type what it is; a newer one takes the older's place."""
        kind = KIND_OF_PAYLOAD.get(packet[1] & 0x7F)
        if kind is None or ssrc in self._retired:
            self._counters.packets_refused += 1
            return None
        feed = self._feeds[kind]
        self._retired.update(old for old, other in self._streams.items() if other is feed)
        self._streams = {old: other for old, other in self._streams.items() if other is not feed}
        self._streams[ssrc] = feed
        feed.connect(self, ssrc, packet, now)
        return feed

    def _on_rtcp(self, compound: bytes) -> None:
        now = self._clock()
        for block in rtcp.blocks(compound):
            report = rtcp.sender_report(block)
            feed = self._streams.get(report.ssrc) if report else None
            if report and feed:
                feed.reported(report, now)

    def allow(self, elapsed: float) -> None:
        limit = self.ground.policy.packets_per_second
        self.transport.allow(int(limit * elapsed) + 1, limit)

    def tick(self, now: float) -> None:
        super().tick(now)
        if not self._streams or not self.connected:
            return
        for message in self._arrivals.messages(next(iter(self._streams))):
            self.send_rtcp(message)
        for feed in self._streams.values():
            feed.ask_for_missing()
            feed.pursue_key_frame(now)
        if now - self._reported_at >= self.ground.policy.report_every:
            self._reported_at = now
            self._report(now)

    @property
    def sound(self) -> Reception | None:
        """The sound that comes through this connection, once a packet of it came."""
        for feed in self._streams.values():
            if feed.kind is Kind.AUDIO:
                return feed.reception
        return None

    def _report(self, now: float) -> None:
        receptions = [feed.reception for feed in self._streams.values() if feed.reception]
        self.send_rtcp(rtcp.write_receiver_report([each.block(now) for each in receptions]))

    def close(self) -> None:
        super().close()
        for feed in self._streams.values():
            feed.disconnect(self)
        self._streams = {}
