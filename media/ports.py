"""What the server may ask of the media plane, and what the plane may tell it.

One *leg* is one browser session's hold on a seat: two peer connections, ``send`` (browser to us)
and ``receive`` (us to browser). The server always offers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from rooms.model import CallId, Link, PhoneEnd, SeatId, VisitId


class Connection(StrEnum):
    """Which of a leg's two peer connections; named from the browser's side."""

    SEND = "send"
    RECEIVE = "receive"


class LegState(StrEnum):
    """What became of a leg's media."""

    CONNECTED = "connected"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Offer:
    """An SDP offer for one peer connection of one leg.

    ``peer`` identifies the peer connection: a browser that holds no RTCPeerConnection under that
    id makes a new one. ``number`` grows with each offer of that peer and comes back in the answer.
    """

    peer: str
    connection: Connection
    number: int
    sdp: str


VOICE_SUFFIX = ".phone"
"""A seat's browser is heard and seen as the stream ``<seat>``, its telephone as ``<seat>.phone``.

Both belong to one person; two streams, because their clocks are not the same.
"""


class LegListener(Protocol):
    """How the plane reaches the browser behind a leg. Neither method may block or raise."""

    def offered(self, offer: Offer) -> None:
        """Send this offer to the browser."""

    def media_changed(self, state: LegState) -> None:
        """Both peer connections are up, or one of them is gone (consent expired, DTLS failed)."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the world must look like for one visit: who may have a leg, and who hears whom.

    ``phones`` are the telephones that were answered; their seats need not be in ``seats``, but
    then they hear their announcement and nobody hears them.
    """

    visit: VisitId
    seats: frozenset[SeatId]
    links: frozenset[Link]
    phones: frozenset[PhoneEnd] = frozenset()


class PhoneListener(Protocol):
    """How the plane tells what it hears on telephones. No method may block or raise."""

    def same_speech(self, visit: VisitId, seat: SeatId, call: CallId) -> None:
        """Telephone and browser of the seat pick up the same speech: the person is at both.

        Said once each time that ``PhoneEnd.compares`` has become true.
        """


class MediaPlane(Protocol):
    """Makes the world equal to a wiring."""

    def wire(self, wiring: Wiring) -> None:
        """Make the visit's media equal to ``wiring``: seats not in it lose their legs at once."""

    def attach(self, visit: VisitId, seat: SeatId, leg: str, listener: LegListener) -> None:
        """Give the seat a leg, or a new listener to the same leg, whose peers then stay.

        Offers that the browser has not answered are offered again. A different ``leg`` replaces
        the seat's former one. Does nothing for a seat that the wiring does not hold.
        """

    def detach(self, visit: VisitId, seat: SeatId, leg: str) -> None:
        """The browser cannot be reached for now; its media goes on until its consent expires."""

    def drop(self, visit: VisitId, seat: SeatId, leg: str) -> None:
        """Close this leg and everything in it."""

    def answer(
        self, visit: VisitId, seat: SeatId, leg: str, peer: str, number: int, sdp: str
    ) -> None:
        """Take the browser's answer. Raises ``SdpRefused``; late answers are ignored."""

    def restart(self, visit: VisitId, seat: SeatId, leg: str) -> None:
        """Offer both peer connections again with new ICE credentials (RFC 8445 section 9)."""

    async def close(self) -> None:
        """Close every leg and socket; idempotent."""
