"""Sound as loud and quiet as speech is, in the packets that browsers make of it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av import AudioFrame, CodecContext

from tests.support.speech import Sound, speech

RATE, PACKET = 48_000, 960
SECONDS = 10


def speech_packets(sound: Sound | None = None) -> list[bytes]:
    """Opus at 48 kHz and 32 kbit/s, 20 ms each, of a sound at 8 kHz (default: ten seconds)."""
    sound = speech(SECONDS, seed=1) if sound is None else sound
    wide = np.repeat(sound, RATE // 8_000)  # its images make it as bright as a real voice
    codec = CodecContext.create("libopus", "w")
    codec.format, codec.layout, codec.sample_rate = "s16", "mono", RATE
    codec.bit_rate = 32_000
    codec.options = {"application": "voip"}
    codec.open()
    packets: list[bytes] = []
    for at in range(0, len(wide) - PACKET + 1, PACKET):
        frame = AudioFrame(format="s16", layout="mono", samples=PACKET)
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), at
        frame.planes[0].update(wide[at : at + PACKET].tobytes())
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets
