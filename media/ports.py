"""What the server may ask of the media plane, and what the plane may tell it.

One *leg* is one browser session's hold on a seat: two peer connections, ``send`` (browser to us)
and ``receive`` (us to browser). The server always offers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from rooms.model import CallId, Link, PhoneEnd, SeatId, Sound, VisitId


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


class SoundListener(Protocol):
    """Who is told how well a seat's sound gets through, whether its page can be reached or not."""

    def sound_changed(self, visit: VisitId, seat: SeatId, sound: Sound) -> None:
        """The seat's level is another one now. Says nothing of a seat that never sent sound.

        Called from the plane's clock, once per crossing; may neither block nor raise.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStats:
    """What a page measured in the last second of the sound it plays (W3C webrtc-stats).

    ``concealed`` is the share of samples that were guessed and not silent, ``buffer`` the delay of
    the jitter buffer and ``round_trip`` the time to the server and back, in seconds.
    """

    concealed: float
    buffer: float
    round_trip: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The last second of one seat's sound, the worse direction deciding. For display and metrics.

    ``score`` is the smoothed rating (0 to 93.2), ``opinion`` the same as a mean opinion score (1 to
    4.5), losses are shares and the round trip seconds; None is unknown.
    """

    sound: Sound
    score: float
    opinion: float
    loss_up: float | None
    loss_down: float | None
    round_trip: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What happens to packets in one direction: a share is lost, the rest is late by seconds.

    ``jitter`` adds up to so much more delay, at random, without changing the order.
    """

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairment:
    """A network that is broken on purpose: what it does towards the server, and from it."""

    up: Trouble = field(default_factory=Trouble)
    down: Trouble = field(default_factory=Trouble)


class MediaPlane(Protocol):
    """Makes the world equal to a wiring."""

    @property
    def visits(self) -> frozenset[VisitId]:
        """The visits that have media now."""

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

    def told(self, visit: VisitId, seat: SeatId, leg: str, stats: PageStats) -> None:
        """The page behind this leg says how it hears; refines what the plane measures itself."""

    def figures(self, visit: VisitId, seat: SeatId) -> Figures | None:
        """How the seat's sound gets through; None before its first second of sound."""

    def impair(self, visit: VisitId, seat: SeatId, impairment: Impairment | None) -> None:
        """Break the network between this seat and the server until further notice, or repair it.

        Concerns every packet of every leg that the seat has or gets, while its visit has media.
        """

    async def close(self) -> None:
        """Close every leg and socket; idempotent."""
