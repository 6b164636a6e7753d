"""Sounds that tests make, and what is in those that they hear."""

from __future__ import annotations

import io

import av
import numpy as np
from numpy.typing import NDArray


def tone(
    frequency: float, duration: float, rate: int = 8_000, level: float = 0.2
) -> NDArray[np.int16]:
    """A sine of ``level`` (1 is full scale)."""
    moments = np.arange(round(duration * rate)) / rate
    return np.rint(level * 32_767 * np.sin(2 * np.pi * frequency * moments)).astype(np.int16)


def purity(sound: NDArray[np.int16], frequency: float, rate: int = 8_000) -> float:
    """How much of the energy lies within 10 Hz of ``frequency``: 1 is all of it, 0 for silence."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(sound), 1 / rate) - frequency) <= 10
    return float(spectrum[near].sum() / max(spectrum.sum(), 1e-9))


def sound_file(sound: NDArray[np.int16], kind: str, codec: str, rate: int = 48_000) -> bytes:
    """The mono sound as a file: ``("wav", "pcm_s16le")``, ``("webm", "libopus")`` …"""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format, "mono", rate, stream.frame_size or None)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file.getvalue()
