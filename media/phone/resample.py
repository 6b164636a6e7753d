"""From the browser's 48 kHz to the telephone's 8 kHz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.phone.carrier import SAMPLE_RATE, Frame

OPUS_RATE = 48_000  # what Opus decodes to (RFC 7587 section 4.1)
RATIO = OPUS_RATE // SAMPLE_RATE

_TAPS = 73  # with a Hamming window: 50 dB down from 4.4 kHz on
_CUTOFF = 3_600  # Hz; telephones carry 300 to 3,400


def _low_pass() -> NDArray[np.float32]:
    """A windowed sinc with unit gain at 0 Hz."""
    offset = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(2 * _CUTOFF / OPUS_RATE * offset) * np.hamming(_TAPS)
    scaled: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return scaled


_FILTER = _low_pass()
_KEPT = _TAPS - 1


class Decimator:
    """One stream on its way from 48 to 8 kHz; remembers the end of what it was given."""

    def __init__(self) -> None:
        self._make_line(np.zeros(_KEPT, np.float32), 0)

    def decimate(self, sound: NDArray[np.int16]) -> Frame:
        """A sixth as many samples; ``len(sound)`` must be a multiple of six, and not 0."""
        line = self._line
        if len(sound) != len(line) - _KEPT:
            self._make_line(line[-_KEPT:], len(sound))
            line = self._line
        else:
            line[:_KEPT] = line[-_KEPT:]
        line[_KEPT:] = sound
        frame: Frame = np.clip(self._windows @ _FILTER, -32_768, 32_767).astype(np.int16)
        return frame

    def _make_line(self, past: NDArray[np.float32], length: int) -> None:
        """Packets of one stream are alike, so the view is made once: that costs half a turn."""
        self._line: NDArray[np.float32] = np.concatenate((past, np.zeros(length, np.float32)))
        padded = self._line if length else np.zeros(_TAPS, np.float32)
        self._windows = np.lib.stride_tricks.sliding_window_view(padded, _TAPS)[::RATIO]
