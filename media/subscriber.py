"""The connection a browser receives on: everybody else's sound and picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from media import rtcp
from media.forwarding import Feed, Flow, Forward
from media.monitor import Heard
from media.peer import Ground, Peer, PeerOwner
from media.ports import Connection
from media.rtp import Kind
from media.sdp import MediaLine


@dataclass(slots=True)
class Slot:
    """One m-line: empty, or one forward on its way to this browser.

    The line of a forward that ended stays as it is in the browser, so it is used again.
    """

    kind: Kind
    forward: Forward | None = None
    taken: bool = False  # the browser has agreed to receive this very forward
    wanted: Flow = Flow.PAUSED  # what the wiring says

    def line(self) -> MediaLine:
        if self.forward is None:
            return MediaLine(kind=self.kind, direction="inactive")
        stream, ssrc = self.forward.feed.stream, self.forward.ssrc
        return MediaLine(kind=self.kind, direction="sendonly", stream=stream, ssrc=ssrc)


class Subscriber(Peer):
    """Sends feeds to one browser. Two empty lines let it connect before anybody else is there."""

    connection = Connection.RECEIVE

    def __init__(self, ground: Ground, owner: PeerOwner) -> None:
        super().__init__(ground, owner)
        self.remb: int | None = None  # bits per second the browser believes it can take
        self._slots = [Slot(Kind.AUDIO), Slot(Kind.VIDEO)]
        self._forwards: dict[int, Forward] = {}
        self._resends_left = ground.policy.resends_per_second
        self.transport.on_rtcp = self._on_rtcp

    def lines(self) -> tuple[MediaLine, ...]:
        return tuple(slot.line() for slot in self._slots)

    def want(self, wanted: Mapping[Feed, Flow]) -> None:
        """Have a forward of each of these feeds, doing what is said."""
        present = {slot.forward.feed: slot for slot in self._slots if slot.forward}
        for feed, slot in present.items():
            if feed not in wanted:
                self._empty(slot)
        for feed, flow in wanted.items():
            slot = present.get(feed) or self._fill(feed)
            slot.wanted = flow
            self._run(slot)
        if wanted.keys() != present.keys():
            self.renegotiate()

    def _fill(self, feed: Feed) -> Slot:
        free = (slot for slot in self._slots if slot.kind is feed.kind and slot.forward is None)
        slot = next(free, None)
        if slot is None:
            slot = Slot(feed.kind)
            self._slots.append(slot)
        slot.forward = Forward(feed, self.transport)
        self._forwards[slot.forward.ssrc] = slot.forward
        return slot

    def _empty(self, slot: Slot) -> None:
        if slot.forward is not None:
            slot.forward.feed.remove(slot.forward)
            del self._forwards[slot.forward.ssrc]
        slot.forward, slot.taken, slot.wanted = None, False, Flow.PAUSED

    def _run(self, slot: Slot) -> None:
        """A forward runs when it should, the browser knows it, and there are keys."""
        if slot.forward is None:
            return
        slot.forward.hush(slot.wanted is Flow.SILENT)
        if slot.wanted is not Flow.PAUSED and slot.taken and self.connected:
            slot.forward.feed.add(slot.forward, self.ground.clock())
        else:
            slot.forward.feed.remove(slot.forward)

    def hears(self) -> list[Heard]:
        """What runs at the moment, with what the browser reports of it."""
        return [
            Heard(each.feed.kind, each.reports, each.unreported, each.feed.lately_lost)
            for each in self._forwards.values()
            if each.running
        ]

    def agreed(self, lines: Sequence[MediaLine], taken: Sequence[bool]) -> None:
        for slot, line, agreed in zip(self._slots, lines, taken, strict=False):
            if slot.forward is not None and slot.forward.ssrc == line.ssrc:
                slot.taken = agreed
                self._run(slot)

    def opened(self) -> None:
        for slot in self._slots:
            self._run(slot)

    def moved(self) -> None:
        """A fresh picture is smaller than all that was missed, and shows the present."""
        now = self.ground.clock()
        for forward in self._forwards.values():
            if forward.running:
                forward.feed.refresh(forward, now)

    def _on_rtcp(self, compound: bytes) -> None:
        now = self.ground.clock()
        for block in rtcp.blocks(compound):
            if block.kind == rtcp.TRANSPORT_FEEDBACK and block.subtype == rtcp.NACK:
                self._resend(*rtcp.nacked(block))
            elif block.kind == rtcp.PAYLOAD_FEEDBACK:
                self._payload_feedback(block, now)
            else:
                for report in rtcp.report_blocks(block):
                    forward = self._forwards.get(report.ssrc)
                    if forward is not None:
                        forward.heard_back(report, now)

    def _payload_feedback(self, block: rtcp.Block, now: float) -> None:
        if block.subtype in (rtcp.PLI, rtcp.FIR):
            self.ground.counters.plis_in += 1
            forward = self._forwards.get(rtcp.media_ssrc(block))
            if forward is not None and forward.running:
                forward.feed.request_key_frame(now)
            return
        estimate = rtcp.remb(block)
        if estimate is not None:
            self.remb = estimate

    def _resend(self, ssrc: int, numbers: Sequence[int]) -> None:
        self.ground.counters.nacks_in += 1
        forward = self._forwards.get(ssrc)
        if forward is None:
            return
        for number in numbers[: self._resends_left]:
            if forward.resend(number):
                self._resends_left -= 1
                self.ground.counters.resent += 1

    def allow(self, elapsed: float) -> None:
        policy = self.ground.policy
        self.transport.allow(
            int(policy.requests_per_second * elapsed) + 1, policy.requests_per_second
        )
        more = int(policy.resends_per_second * elapsed) + 1
        self._resends_left = min(self._resends_left + more, policy.resends_per_second)

    def close(self) -> None:
        super().close()
        for slot in self._slots:
            self._empty(slot)
