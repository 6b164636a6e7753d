"""One browser session's hold on a seat: a connection to send on and one to receive on."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from media.forwarding import Feed, Flow
from media.impairment import Obstacle
from media.monitor import Heard
from media.peer import Ground, Loss, Peer
from media.ports import LegListener, LegState, Offer
from media.publisher import Publisher
from media.reception import Reception
from media.rtp import Kind
from media.subscriber import Subscriber
from rooms.model import SeatId

log = structlog.get_logger(__name__)


class Leg:
    """Both peers of a leg, and whoever reaches its browser. Lost peers are made anew on demand."""

    def __init__(
        self, leg_id: str, seat: SeatId, ground: Ground, feeds: Mapping[Kind, Feed]
    ) -> None:
        self.id = leg_id
        self.seat = seat
        self._ground = ground
        self._feeds = feeds
        self._wanted: Mapping[Feed, Flow] = {}
        self._listener: LegListener | None = None
        self._send: Publisher | None = None
        self._receive: Subscriber | None = None
        self._connected = False
        self._obstacle: Obstacle | None = None
        self._silent_since: float | None = None  # of the silence that was answered by a restart

    def attach(self, listener: LegListener) -> None:
        """Reach the browser through this listener; offer what it has not answered."""
        self._listener = listener
        if self._send is None:
            self._open()
            return
        for peer in self._peers():
            peer.offer_again()
        if self._connected:
            listener.media_changed(LegState.CONNECTED)

    def detach(self) -> None:
        """The browser cannot be reached; its media goes on."""
        self._listener = None

    def restart(self) -> None:
        """Offer both peers with new ICE credentials, or new peers if they are gone."""
        if self._send is None:
            self._open()
            return
        for peer in self._peers():
            peer.restart()

    def _open(self) -> None:
        self._send = Publisher(self._ground, self, self._feeds)
        self._receive = Subscriber(self._ground, self)
        self._receive.want(self._wanted)
        for peer in self._peers():
            peer.impair(self._obstacle)
            peer.renegotiate()

    def _peers(self) -> list[Peer]:
        return [peer for peer in (self._send, self._receive) if peer is not None]

    def impair(self, obstacle: Obstacle | None) -> None:
        """Put this between the browser and us, for now and for peers that come later."""
        self._obstacle = obstacle
        for peer in self._peers():
            peer.impair(obstacle)

    @property
    def heard(self) -> float | None:
        """When the newest packet came, if any did."""
        return self._send.heard if self._send is not None else None

    @property
    def sound(self) -> Reception | None:
        """The sound that comes through this leg, once a packet of it came."""
        return self._send.sound if self._send is not None else None

    def hears(self) -> list[Heard]:
        """What is being sent to the browser at the moment."""
        return self._receive.hears() if self._receive is not None else []

    def want(self, wanted: Mapping[Feed, Flow]) -> None:
        """Receive these feeds, as said."""
        self._wanted = wanted
        if self._receive is not None:
            self._receive.want(wanted)

    def answer(self, peer_id: str, number: int, sdp: str) -> None:
        """Hand an answer to the peer it is for. Raises ``SdpRefused``."""
        for peer in self._peers():
            if peer.id == peer_id:
                peer.answer(number, sdp)

    def offer(self, offer: Offer) -> None:
        if self._listener is not None:
            self._listener.offered(offer)

    def peer_connected(self, peer: Peer) -> None:
        if not self._connected and all(each.connected for each in self._peers()):
            self._connected = True
            self._tell(LegState.CONNECTED)

    def peer_lost(self, peer: Peer, why: Loss) -> None:
        if peer not in self._peers():
            return
        log.info("leg lost", seat=self.seat, connection=peer.connection, why=why)
        self._ground.counters.legs_lost += 1
        self._ground.counters.handshakes_failed += why is Loss.HANDSHAKE
        self._close_peers()
        self._tell(LegState.LOST)

    def _tell(self, state: LegState) -> None:
        if self._listener is not None:
            self._listener.media_changed(state)

    def tick(self, now: float) -> None:
        for peer in self._peers():
            peer.tick(now)
        self._end_silence(now)

    def _end_silence(self, now: float) -> None:
        """Ask a page that fell silent for an ICE restart, once: its address may have changed.

        Pages send sound even when muted. By itself a browser would check its path only after up
        to 2.7 (Chromium) or 6 seconds (RFC 7675 section 5.1); after a restart it checks at once.
        """
        heard = self.heard
        if heard is None or heard == self._silent_since or self._listener is None:
            return
        if now - heard >= self._ground.policy.sound_silent:
            self._silent_since = heard
            self.restart()

    def _close_peers(self) -> None:
        peers = self._peers()
        self._send = self._receive = None
        self._connected = False
        for peer in peers:
            peer.close()

    def close(self) -> None:
        """Close both peers and tell nobody. Idempotent."""
        self._listener = None
        self._close_peers()
