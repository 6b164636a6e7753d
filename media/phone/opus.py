"""Opus, the sound of browsers (RFC 6716, RFC 7587), by libopus through PyAV.

The decoder is libopus without its repair of lost packets, which PyAV does not pass on: what is
missing is concealed after decoding.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av import AudioFrame, CodecContext, FFmpegError, Packet
from av.audio.codeccontext import AudioCodecContext
from numpy.typing import NDArray

from media.phone.carrier import FRAME_SAMPLES, SAMPLE_RATE, Frame
from media.phone.resample import OPUS_RATE
from rooms.policy import PhonePolicy

_MILLISECOND = OPUS_RATE // 1_000
_SILK = (10, 20, 40, 60)  # milliseconds by the last two bits of the configuration, table 2
_CELT = (2.5, 5, 10, 20)
_LONGEST = 120 * _MILLISECOND  # section 3.2.5, requirement 5
_FIRST_HYBRID, _FIRST_CELT = 12, 16  # configurations of table 2


def duration(payload: bytes) -> int:
    """How long a packet lasts at 48 kHz, from its first bytes (section 3.1); 0 if invalid."""
    if not payload:
        return 0
    configuration, count = payload[0] >> 3, payload[0] & 0x03
    if configuration < _FIRST_HYBRID:
        frame = float(_SILK[configuration & 3])
    elif configuration < _FIRST_CELT:
        frame = float(_SILK[configuration & 1])
    else:
        frame = _CELT[configuration & 3]
    frames = (1, 2, 2, payload[1] & 0x3F if len(payload) > 1 else 0)[count]
    samples = int(frame * _MILLISECOND) * frames
    return samples if samples <= _LONGEST else 0


class OpusDecoder:
    """One stream of packets to mono sound at 48 kHz."""

    def __init__(self) -> None:
        self._codec = _new_decoder()

    def decode(self, payload: bytes) -> NDArray[np.int16] | None:
        """The packet's samples; None if it cannot be decoded, whatever is in it."""
        if not payload:  # would end the stream inside the library, for good
            return None
        try:
            frames = self._codec.decode(Packet(payload))
        except FFmpegError:
            self._codec = _new_decoder()
            return None
        sound = [np.frombuffer(memoryview(f.planes[0]), np.int16)[: f.samples] for f in frames]
        if len(sound) == 1:
            return sound[0]
        return np.concatenate(sound) if sound else None


class OpusEncoder:
    """One telephone's sound to packets of 20 ms, mono, at the telephone's own rate."""

    def __init__(self, policy: PhonePolicy) -> None:
        self._codec = _new_encoder(policy)
        self._position = 0

    def encode(self, frame: Frame) -> bytes:
        """The packet for 20 ms of sound at 8 kHz."""
        sound = AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
        sound.sample_rate = SAMPLE_RATE
        sound.time_base = Fraction(1, SAMPLE_RATE)
        sound.pts = self._position
        self._position += FRAME_SAMPLES
        sound.planes[0].update(frame.tobytes())
        return b"".join(bytes(packet) for packet in self._codec.encode(sound))


def _new_decoder() -> AudioCodecContext:
    codec = CodecContext.create("libopus", "r")
    codec.format = "s16"
    codec.layout = "mono"
    codec.sample_rate = OPUS_RATE
    return codec


def _new_encoder(policy: PhonePolicy) -> AudioCodecContext:
    codec = CodecContext.create("libopus", "w")
    codec.format = "s16"
    codec.layout = "mono"
    codec.sample_rate = SAMPLE_RATE
    codec.bit_rate = policy.voice_kbps * 1_000
    codec.options = {
        "application": "voip",
        "frame_duration": "20",
        "fec": "1",
        "packet_loss": str(policy.voice_loss),
        "compression_level": str(policy.voice_effort),
    }
    codec.open()
    return codec
