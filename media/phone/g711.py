"""G.711, the sound of telephones: one byte per sample at 8 kHz (ITU-T G.711, RFC 3551 4.5.14).

Both laws are tables made once from the definition: 256 values to decode, 65,536 to encode.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.phone.carrier import Frame

_Levels = NDArray[np.int32]

_ULAW_BIAS = 33  # on the 14-bit scale of G.711 table 2a
_ULAW_LOUDEST = 8_158  # decision value of the last segment, table 2a
_SIGN = 0x80


def _ulaw_levels() -> _Levels:
    """What each byte stands for, on the 16-bit scale."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((code & 0x0F) * 2 + _ULAW_BIAS << (code >> 4 & 0x07)) - _ULAW_BIAS
    return np.where(code & _SIGN, -magnitude, magnitude) * 4


def _ulaw_codes() -> NDArray[np.uint8]:
    """The byte for each 16-bit sample, indexed by its bits."""
    sample = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(sample) >> 2, _ULAW_LOUDEST) + _ULAW_BIAS
    segment = _highest_bit(magnitude) - 5
    code = segment << 4 | magnitude >> (segment + 1) & 0x0F
    codes: NDArray[np.uint8] = (~np.where(sample < 0, code | _SIGN, code) & 0xFF).astype(np.uint8)
    return codes


def _alaw_levels() -> _Levels:
    """What each byte stands for, on the 16-bit scale; even bits travel inverted."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment, step = code >> 4 & 0x07, code & 0x0F
    magnitude = np.where(segment, step * 2 + 33 << np.maximum(segment - 1, 0), step * 2 + 1)
    return np.where(code & _SIGN, magnitude, -magnitude) * 8


def _alaw_codes() -> NDArray[np.uint8]:
    """The byte for each 16-bit sample, indexed by its bits."""
    sample = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.where(sample < 0, ~sample, sample) >> 3  # 0 to 4,095: table 1a
    segment = np.maximum(_highest_bit(np.maximum(magnitude, 1)) - 4, 0)
    code = segment << 4 | magnitude >> np.maximum(segment, 1) & 0x0F
    codes: NDArray[np.uint8] = (np.where(sample < 0, code, code | _SIGN) ^ 0x55).astype(np.uint8)
    return codes


def _highest_bit(values: _Levels) -> _Levels:
    return np.floor(np.log2(values)).astype(np.int32)


_FROM_ULAW = _ulaw_levels().astype(np.int16)
_TO_ULAW = _ulaw_codes()
_FROM_ALAW = _alaw_levels().astype(np.int16)
_TO_ALAW = _alaw_codes()


def decode_ulaw(data: bytes) -> Frame:
    """Samples of µ-law (payload type 0), one per byte."""
    return _FROM_ULAW[np.frombuffer(data, np.uint8)]


def encode_ulaw(frame: Frame) -> bytes:
    """µ-law of these samples, one byte each."""
    return _TO_ULAW[frame.view(np.uint16)].tobytes()


def decode_alaw(data: bytes) -> Frame:
    """Samples of A-law (payload type 8), one per byte."""
    return _FROM_ALAW[np.frombuffer(data, np.uint8)]


def encode_alaw(frame: Frame) -> bytes:
    """A-law of these samples, one byte each."""
    return _TO_ALAW[frame.view(np.uint16)].tobytes()
