"""Sound and pictures of the size and pace of a browser's, without anybody encoding them.

Sound is 50 packets of 80 bytes a second, a picture 30 frames of five packets of 1,100 bytes:
1.3 Mbit/s, as in ``bench.media_forwarding``. Key frames are sent when they are asked for.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from media import rtcp
from tests.load.plan import Media
from tests.support.light_peer import LightPeer

PACKET_TIME = 0.02
SOUND, PICTURE = bytes(80), bytes(1_100)
FRAMES, PACKETS_PER_FRAME = 30, 5  # a second, each
TICKS = round(1 / PACKET_TIME)  # a second
PLI = (rtcp.PAYLOAD_FEEDBACK, rtcp.PLI)
VIDEO_CLOCK = 90_000  # RFC 7741 section 4.1


class Sender:
    """Sends through whatever peers there are just now, until it is stopped.

    ``sent`` is told how many packets went out, each time some did.
    """

    def __init__(
        self,
        peers: Callable[[], tuple[LightPeer | None, ...]],
        media: Media,
        sent: Callable[[int], None],
    ) -> None:
        self._peers = peers
        self._shows = media == "full"
        self._sent = sent
        self._number = 0
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time() + random.random() * PACKET_TIME  # not all at once
        self._timer = self._loop.call_at(self._began, self._tick)

    def stop(self) -> None:
        """Fall silent; idempotent."""
        self._timer.cancel()

    def _tick(self) -> None:
        shown = self._shows and self._is_frame_due
        connected = [peer for peer in self._peers() if peer is not None and peer.connected]
        for peer in connected:
            peer.send_audio(SOUND)
            if shown:
                _show(peer)
        if connected:
            self._sent(1 + PACKETS_PER_FRAME * shown)
        self._number += 1
        due = self._began + self._number * PACKET_TIME
        if due < self._loop.time() - 1.0:  # a load that cannot keep up sends less, not later
            self._began += self._loop.time() - due
            due = self._loop.time()
        self._timer = self._loop.call_at(due, self._tick)

    @property
    def _is_frame_due(self) -> bool:
        frame, former = (number * FRAMES // TICKS for number in (self._number, self._number - 1))
        return frame != former


def _show(peer: LightPeer) -> None:
    peer.video.ticks = VIDEO_CLOCK // FRAMES
    peer.send_video(PICTURE, key=_asked_for_key_frame(peer), packets=PACKETS_PER_FRAME)


def _asked_for_key_frame(peer: LightPeer) -> bool:
    """Whether the server has asked since the last time (RFC 4585 section 6.3.1)."""
    asked = False
    while peer.send.rtcp:
        block = peer.send.rtcp.popleft()
        asked |= (block.kind, block.subtype) == PLI
    return asked
