"""One seat's sound on its way from its browser to telephones: decoded, in order, gaps concealed."""

from __future__ import annotations

import numpy as np

from media.forwarding import Feed, Forward
from media.phone.carrier import FRAME_SAMPLES, Frame
from media.phone.conceal import Concealment
from media.phone.jitter import Gap, Playout
from media.phone.opus import OpusDecoder, duration
from media.phone.resample import OPUS_RATE, Decimator
from media.rtp import payload_offset
from rooms.policy import PhonePolicy

_FRAME_UNITS = OPUS_RATE // 50  # RTP timestamps of Opus count 48,000 a second (RFC 7587)


class Tap:
    """A hearer of a feed that is no browser. Runs from ``open`` to ``close``."""

    def __init__(self, feed: Feed, policy: PhonePolicy) -> None:
        self.feed = feed
        self._forward = Forward(feed, self)
        self._playout: Playout[bytes] = Playout(policy, _FRAME_UNITS)
        self._decoder = OpusDecoder()
        self._decimator = Decimator()
        self._concealment = Concealment(policy.conceal_frames, FRAME_SAMPLES)
        self._ready = np.zeros(0, np.int16)

    def open(self, now: float) -> None:
        """Hear what comes from now on."""
        self.feed.add(self._forward, now)

    def close(self) -> None:
        """Hear nothing more. Idempotent."""
        self.feed.remove(self._forward)

    def send_rtp(self, packet: bytes, _sequence: int, timestamp: int, _ssrc: int) -> None:
        """Keep the payload until its turn; it is decoded then, in order."""
        end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
        payload = packet[payload_offset(packet) : end]
        units = duration(payload)
        if units:
            self._playout.put(timestamp, payload, units)

    def send_rtcp(self, data: bytes) -> None:
        """Reports tell a tap nothing."""

    def pull(self) -> Frame | None:
        """The next 20 ms at 8 kHz; None while there is nothing."""
        while len(self._ready) < FRAME_SAMPLES:
            piece = self._next_piece()
            if piece is None:
                return None
            self._ready = np.concatenate((self._ready, piece)) if len(self._ready) else piece
        frame, self._ready = self._ready[:FRAME_SAMPLES], self._ready[FRAME_SAMPLES:]
        return frame

    def _next_piece(self) -> Frame | None:
        """One packet's sound, however long it is, or what stands in for it."""
        found = self._playout.pull()
        if found is Gap.EMPTY:
            return None
        return self._concealment.miss() if isinstance(found, Gap) else self._decoded(found)

    def _decoded(self, payload: bytes) -> Frame:
        sound = self._decoder.decode(payload)
        if sound is None:
            return self._concealment.miss()
        return self._concealment.play(self._decimator.decimate(sound))
