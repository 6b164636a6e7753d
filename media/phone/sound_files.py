"""Recordings of any common kind, as what a telephone plays: mono, 8 kHz, equally loud.

``Sound`` is ``numpy.int16`` of shape ``(samples,)``. Files come from people, so that only known
kinds are opened, by their content and never by name: a playlist could make the reader fetch others.
"""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Iterator
from typing import TypeAlias

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from media.phone.carrier import FRAME_SAMPLES, SAMPLE_RATE
from media.phone.errors import PromptTooLong, PromptUnreadable
from rooms.policy import PromptPolicy

Sound: TypeAlias = NDArray[np.int16]

_FULL_SCALE = 32_768.0
_SAMPLE_BYTES = 2
_KINDS = (  # what stands where in a file, and the reader for it
    (0, b"RIFF", "wav"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (4, b"ftyp", "mp4"),
    (0, b"\x1aE\xdf\xa3", "matroska"),  # what Chromium's recorder makes
    (0, b"ID3", "mp3"),
    (0, b"\xff\xfb", "mp3"),
    (0, b"\xff\xf3", "mp3"),
)


def read_sound(data: bytes, policy: PromptPolicy) -> Sound:
    """Decode a recording.

    Raises ``PromptUnreadable`` and ``PromptTooLong``; reads no more than is allowed of a file that
    unpacks to hours.
    """
    if len(data) > policy.largest:
        raise PromptTooLong
    try:
        pieces = list(_decoded(data, policy))
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise PromptUnreadable from error
    if not pieces:
        raise PromptUnreadable
    return np.concatenate(pieces)


def levelled(sound: Sound, policy: PromptPolicy, lead: float = 0.0) -> Sound:
    """Speech at the level of all announcements, after ``lead`` seconds of silence.

    Silence around it is cut off; the length is whole frames of 20 ms. Raises ``PromptUnreadable``
    where there is nothing to be heard.
    """
    frames = _whole_frames(sound).reshape(-1, FRAME_SAMPLES) / _FULL_SCALE
    levels = np.sqrt(np.mean(frames**2, axis=1))
    audible = levels > _ratio(policy.quietest)
    if not audible.any():
        raise PromptUnreadable
    active = levels > _loud(levels[audible], policy) * _ratio(policy.speech_floor)
    level = math.sqrt(np.mean(_without_knocks(levels[active], policy) ** 2))
    peak = _without_knocks(np.abs(frames[active]).max(axis=1), policy).max()
    gain = min(_ratio(policy.speech_level) / level, _ratio(policy.peak_level) / peak)
    heard = frames[_span(active, round(policy.margin * SAMPLE_RATE / FRAME_SAMPLES))]
    silence = np.zeros(round(lead * SAMPLE_RATE))
    loud = np.concatenate((silence, heard.reshape(-1) * gain)).clip(-peak * gain, peak * gain)
    return frozen(_whole_frames(np.rint(loud * _FULL_SCALE).astype(np.int16)))


def wave_file(sound: Sound) -> bytes:
    """The sound as a WAVE file, which everything can play."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(_SAMPLE_BYTES)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(sound.tobytes())
    return made.getvalue()


def read_wave(file: bytes) -> Sound:
    """What ``wave_file`` made. Raises ``PromptUnreadable`` for anything else."""
    try:
        with wave.open(io.BytesIO(file), "rb") as found:
            made = (found.getnchannels(), found.getsampwidth(), found.getframerate())
            if made != (1, _SAMPLE_BYTES, SAMPLE_RATE):
                raise PromptUnreadable
            return frozen(np.frombuffer(found.readframes(found.getnframes()), np.int16).copy())
    except (EOFError, ValueError, wave.Error):
        raise PromptUnreadable from None


def frozen(sound: Sound) -> Sound:
    """The same samples, which nobody can change: one announcement plays to many telephones."""
    sound.setflags(write=False)
    return sound


def _decoded(data: bytes, policy: PromptPolicy) -> Iterator[Sound]:
    most = int(policy.longest * SAMPLE_RATE)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    samples = 0
    with av.open(io.BytesIO(data), "r", format=_kind(data)) as container:
        for frame in _and_the_rest(container.decode(audio=0)):
            if frame is not None and frame.sample_rate < policy.lowest_rate:
                raise PromptUnreadable
            for piece in resampler.resample(frame):
                samples += piece.samples
                if samples > most:
                    raise PromptTooLong
                yield np.frombuffer(memoryview(piece.planes[0]), np.int16)[: piece.samples].copy()


def _and_the_rest(frames: Iterator[AudioFrame]) -> Iterator[AudioFrame | None]:
    yield from frames
    yield None  # what the resampler still holds


def _kind(data: bytes) -> str:
    for start, mark, kind in _KINDS:
        if data[start : start + len(mark)] == mark:
            return kind
    raise PromptUnreadable


def _whole_frames(sound: Sound) -> Sound:
    return np.pad(sound, (0, -len(sound) % FRAME_SAMPLES))


def _loud(levels: NDArray[np.float64], policy: PromptPolicy) -> float:
    """What loud speech comes to; the loudest of all may be a click."""
    return float(np.percentile(levels, policy.speech_loud))


def _without_knocks(values: NDArray[np.float64], policy: PromptPolicy) -> NDArray[np.float64]:
    """The values with what is far above all others brought down to what may be speech."""
    return np.minimum(values, _loud(values, policy) * _ratio(policy.peak_outlier))


def _span(active: NDArray[np.bool_], margin: int) -> slice:
    first, last = np.flatnonzero(active)[[0, -1]]
    return slice(max(0, int(first) - margin), int(last) + margin + 1)


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 20))
