"""A tone and a moving picture, encoded once, for those who speak without a microphone."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

import av
import numpy as np

from media.ports import Connection
from tests.support.light_peer import LightPeer, Outgoing

RATE, PACKET = 48_000, 960  # Opus in packets of 20 ms
WIDTH, HEIGHT, FRAMES = 160, 120, 10  # pictures a second
VIDEO_CLOCK = 90_000  # RFC 7741 section 4.1
_FIRST_OF_FRAME = b"\x10"  # RFC 7741 section 4.2: S=1, partition 0


@cache
def tone() -> tuple[bytes, ...]:
    """One second of sound that swells four times, as speech does: 50 Opus packets."""
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "mono", "s16"
    encoder.options = {"application": "voip"}
    at = np.arange(RATE) / RATE
    wave = np.sin(2 * np.pi * 440 * at) * np.abs(np.sin(2 * np.pi * 2 * at)) * 12_000
    packets: list[bytes] = []
    for start in range(0, RATE, PACKET):
        samples = wave[start : start + PACKET].astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, start
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(packets)


@cache
def picture() -> tuple[bytes, ...]:
    """One second of a brightening picture: VP8 key frames, each small enough for one packet."""
    encoder: Any = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.framerate, encoder.gop_size = FRAMES, 1
    encoder.options = {"deadline": "realtime"}
    frames: list[bytes] = []
    for number in range(FRAMES):
        pixels = np.full((HEIGHT, WIDTH, 3), 20 * number, dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts = number
        frames += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(frames + [bytes(packet) for packet in encoder.encode(None)])


class Speaker:
    """Sends the tone and the picture through a connected peer, in real time, until it stops."""

    def __init__(self, peer: LightPeer, *, shows: bool = True) -> None:
        self._peer = peer
        self._shows = shows
        self._sent = 0
        self._transport_sequence = 0
        peer.video.ticks = VIDEO_CLOCK // FRAMES
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        self._timer = loop.call_soon(self._tick)

    def stop(self) -> None:
        """Fall silent; idempotent."""
        self._timer.cancel()

    def _tick(self) -> None:
        sound, pictures = tone(), picture()
        self._send(self._peer.audio, sound[self._sent % len(sound)])
        every = (RATE // PACKET) // FRAMES
        if self._shows and self._sent % every == 0:
            shown = pictures[self._sent // every % len(pictures)]
            self._send(self._peer.video, _FIRST_OF_FRAME + shown, marker=True)
        self._sent += 1
        due = self._began + self._sent * PACKET / RATE
        self._timer = asyncio.get_running_loop().call_at(due, self._tick)

    def _send(self, stream: Outgoing, payload: bytes, *, marker: bool = False) -> None:
        sending = [c for c in self._peer.connections.values() if c.kind is Connection.SEND]
        self._transport_sequence += 1
        stream.timestamp = (stream.timestamp + stream.ticks) & 0xFFFFFFFF
        packet = stream.next(payload, marker=marker, transport_sequence=self._transport_sequence)
        for connection in sending:
            connection.send_rtp(packet)
