"""A telephone's sound as browsers hear it: a feed of Opus packets that the server makes itself."""

from __future__ import annotations

import secrets
import struct
import time

from media import rtcp
from media.counters import MediaCounters
from media.forwarding import Feed
from media.phone.carrier import Frame
from media.phone.opus import OpusEncoder
from media.phone.resample import OPUS_RATE
from media.ports import VOICE_SUFFIX
from media.rtp import OPUS, Kind
from rooms.model import SeatId
from rooms.policy import MediaPolicy, PhonePolicy

_FRAME_UNITS = OPUS_RATE // 50  # RTP timestamps of Opus count 48,000 a second (RFC 7587)
_NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970 (RFC 868)
_header = struct.Struct("!BBHLL").pack


class Voice:
    """Encodes once, whoever hears it. Packets never stop, so that silence is not taken for loss."""

    def __init__(
        self, seat: SeatId, media: MediaPolicy, phones: PhonePolicy, counters: MediaCounters
    ) -> None:
        self.feed = Feed(seat, Kind.AUDIO, media, counters, stream=seat + VOICE_SUFFIX)
        self._encoder = OpusEncoder(phones)
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(15)  # RFC 3711 section 3.3.1: far from the wrap
        self._start = secrets.randbits(32)
        self._connected = False
        self._report_every = media.report_every
        self._reported_at = 0.0

    def speak(self, frame: Frame, turn: int, now: float) -> None:
        """Send 20 ms of sound; ``turn`` counts them, with those that were left out."""
        timestamp = (self._start + turn * _FRAME_UNITS) & 0xFFFFFFFF
        self._sequence = (self._sequence + 1) & 0xFFFF
        head = _header(0x80, OPUS, self._sequence, timestamp, self._ssrc)
        packet = head + self._encoder.encode(frame)
        if not self._connected:
            self._connected = True
            self.feed.connect(self, self._ssrc, packet, now)
        self.feed.receive(packet, now)
        if now - self._reported_at >= self._report_every:
            self._reported_at = now
            self.feed.reported(rtcp.SenderReport(self._ssrc, _ntp_time(), timestamp), now)

    def send_rtcp(self, data: bytes) -> None:
        """There is nothing that a telephone could do about what browsers miss."""


def _ntp_time() -> int:
    """The wall clock as NTP writes it (RFC 3550 section 4)."""
    return int((time.time() + _NTP_EPOCH) * (1 << 32))
