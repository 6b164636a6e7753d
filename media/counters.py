"""What the media plane counts, for metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class MediaCounters:
    """Totals since start, except those of ``NOW``. Packets are RTP, bytes are plain RTP.

    Loss and quality are counted where each seat's sound is judged anyway, once a second.
    """

    legs: int = 0
    packets_in: int = 0
    bytes_in: int = 0
    packets_out: int = 0  # to browsers, and to the decoder of a sound that telephones hear
    bytes_out: int = 0
    packets_dropped: int = 0  # the socket or connection would not take them
    packets_refused: int = 0  # did not authenticate, came too fast, or belong to no stream
    nacks_in: int = 0
    nacks_out: int = 0
    resent: int = 0
    plis_in: int = 0
    plis_out: int = 0
    handshakes_failed: int = 0
    legs_lost: int = 0
    sound_due: int = 0  # packets of sound that should have come from browsers
    sound_lost: int = 0  # of those, never came
    sounds_judged: int = 0  # seconds of somebody's sound
    sounds_bad: int = 0  # of those, unusable for people, the worse way deciding
    pictures: int = 0  # on their way to somebody
    pictures_paused: int = 0  # held back: a camera is off, or a connection is too weak


NOW = frozenset({"legs", "pictures", "pictures_paused"})
