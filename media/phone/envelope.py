"""How loud two sounds are over time, and how much one is the other, some time later."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from media.phone.carrier import Frame


def loudness(frame: Frame) -> float:
    """Root mean square of the samples."""
    sound = frame.astype(np.float32)
    return float(np.sqrt(sound @ sound / len(sound)))


class Match(NamedTuple):
    """The best fit of one envelope in another."""

    lag: int  # frames by which the second runs behind the first
    likeness: float  # correlation about the mean, -1 to 1
    gain: float  # how loud the second is next to the first


_NOTHING = Match(0, 0.0, 0.0)


def best_match(early: NDArray[np.float32], late: NDArray[np.float32]) -> Match:
    """Where in ``early``, the longer one, the envelope ``late`` is found.

    Both end now, so that a window of ``early`` that ends ``lag`` frames ago is compared.
    """
    windows = np.lib.stride_tricks.sliding_window_view(early, len(late))
    about = windows - windows.mean(axis=1, keepdims=True)
    wanted = late - late.mean()
    across = about @ wanted
    energy = np.einsum("ij,ij->i", about, about)
    own = float(wanted @ wanted)
    if own <= 0.0:
        return _NOTHING
    likeness = across / np.sqrt(np.maximum(energy * own, np.finfo(np.float32).tiny))
    best = int(np.argmax(likeness))
    found = windows[best]
    power = float(found @ found)
    gain = float(found @ late) / power if power > 0.0 else 0.0
    return Match(len(windows) - 1 - best, float(likeness[best]), gain)


def rises(levels: NDArray[np.float32]) -> int:
    """How often it goes from quiet to loud, as with every syllable; tones and hums hardly do."""
    mean = float(levels.mean())
    count, quiet = 0, True
    for level in levels.tolist():
        if quiet and level > mean:
            count, quiet = count + 1, False
        elif not quiet and level < mean / 2:
            quiet = True
    return count


class Envelope:
    """The loudness of the last frames of one sound, oldest first, silence before the first."""

    def __init__(self, frames: int) -> None:
        self.levels = np.zeros(frames, np.float32)

    def add(self, level: float) -> None:
        """One more frame; the oldest is forgotten."""
        self.levels[:-1] = self.levels[1:]
        self.levels[-1] = level
