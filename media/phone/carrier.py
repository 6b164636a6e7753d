"""What the phone bridge may ask of whoever places calls, and what it is told.

A *carrier* is a SIP trunk, a programmable-voice provider or the built-in practice carrier. Sound
crosses this door as frames of 20 ms: ``numpy.int16`` arrays of shape ``(160,)``, mono, 8 kHz.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rooms.model import CallFailure, CallId

FRAME_SECONDS = 0.02  # RFC 3551 section 4.5: the default of G.711
SAMPLE_RATE = 8_000
FRAME_SAMPLES = 160

Frame: TypeAlias = NDArray[np.int16]


class CallState(StrEnum):
    """What has become of one call."""

    DIALING = "dialing"  # asked for, nothing heard of it
    RINGING = "ringing"  # the telephone rings, or the network says that it is about to
    ANSWERED = "answered"  # somebody, or something, picked up
    OVER = "over"  # ended, or never came about: ``Progress.failure`` says why


class Ending(StrEnum):
    """Who ended a call that had been answered."""

    BY_US = "by_us"
    BY_PHONE = "by_phone"  # they hung up
    BROKEN = "broken"  # the carrier lost it: no sound, no reports, no answer to a refresh


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """One call to place.

    ``id`` is unguessable, unique for all time and stored before the call is placed: whatever a
    carrier needs to find the call again after a restart is derived from it. ``number`` is E.164
    with its plus sign. ``digits`` are dialled after the answer (an extension, say).
    """

    id: CallId
    number: str
    ring_for: float  # seconds until the call counts as not answered
    digits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One change of one call, with its reason where it is over."""

    call: CallId
    state: CallState
    failure: CallFailure | None = None  # why it never came about
    ending: Ending | None = None  # who ended it, once it had been answered


class CallListener(Protocol):
    """How a carrier tells what becomes of calls. No method may block or raise."""

    def progressed(self, progress: Progress) -> None:
        """The call has moved on. ``OVER`` comes exactly once and last."""

    def pressed(self, call: CallId, digit: str) -> None:
        """A key was pressed: one of ``0123456789*#ABCD``, once per press."""

    def called(self, carrier: str) -> CallFailure:
        """Somebody calls in: why they are not put through, which the carrier tells them."""


class PhoneLine(Protocol):
    """The sound of one answered call. Neither method blocks."""

    def pull(self) -> Frame | None:
        """The next 20 ms from the phone, lost ones concealed; None while there is nothing yet."""

    def push(self, frame: Frame) -> None:
        """Send the next 20 ms to the phone."""


class Ledger(Protocol):
    """Where a carrier keeps what it needs to end a call that outlived the process."""

    async def keep(self, call: CallId, carrier: str, state: str) -> None:
        """Store or replace; durable when this returns. Raises what the store raises."""

    async def forget(self, call: CallId) -> None:
        """The call is over."""


class Carrier(Protocol):
    """Places calls. Every call it was asked for ends in exactly one ``OVER``."""

    name: str

    async def start(self, listener: CallListener, ledger: Ledger) -> None:
        """Open what is needed. Raises ``OSError`` if it cannot be had."""

    @property
    def healthy(self) -> bool:
        """Whether a call placed now has a chance."""

    async def dial(self, request: CallRequest) -> None:
        """Begin to place a call; the rest is told to the listener. Never raises.

        What the ledger needs is kept before the first message goes out.
        """

    async def end(self, call: CallId) -> None:
        """Cancel or hang up, whatever the call's state; unknown calls are ignored. Idempotent."""

    def line(self, call: CallId) -> PhoneLine | None:
        """The sound of an answered call; None before the answer and after the end."""

    async def abandon(self, call: CallId, state: str) -> None:
        """End a call of a former process from what the ledger kept of it; says nothing of it."""

    async def close(self) -> None:
        """End every call and release everything; idempotent."""
