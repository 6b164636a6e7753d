"""One peer connection: its negotiation, its ICE agent, its keys. Always one offer at a time."""

from __future__ import annotations

import asyncio
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import structlog

from media.addresses import Candidate
from media.counters import MediaCounters
from media.errors import HandshakeFailed, SdpRefused
from media.ice import IceAgent, Sockets
from media.impairment import Obstacle, clear
from media.ports import Connection, Offer, SoundListener
from media.sdp import Agent, Answer, MediaLine, read_answer, write_offer
from media.tasks import Tasks
from media.transport import Certificate, DtlsSrtp
from rooms.policy import MediaPolicy, QualityPolicy

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every peer of one media plane stands on."""

    policy: MediaPolicy
    clock: Callable[[], float]
    sockets: Sockets
    certificate: Certificate
    candidates: Sequence[Candidate]
    counters: MediaCounters
    tasks: Tasks
    quality: QualityPolicy = field(default_factory=QualityPolicy)
    sound: SoundListener | None = None


class Loss(StrEnum):
    """Why nobody is at the other end."""

    CLOSED = "closed"  # the browser said goodbye
    CONSENT = "consent"  # it stopped asking (RFC 7675)
    HANDSHAKE = "handshake"  # it never came, or with other keys than it announced


class PeerOwner(Protocol):
    """Whom a peer tells what happens to it."""

    def offer(self, offer: Offer) -> None:
        """Send this offer to the browser, if it can be reached."""

    def peer_connected(self, peer: Peer) -> None:
        """The handshake is done: packets may flow."""

    def peer_lost(self, peer: Peer, why: Loss) -> None:
        """Nobody is at the other end any more, or never was."""


class Peer(ABC):
    """The server's end of one RTCPeerConnection. Subclasses say what travels on it."""

    connection: Connection

    def __init__(self, ground: Ground, owner: PeerOwner) -> None:
        now = ground.clock()
        self.id = secrets.token_urlsafe(9)
        self.ground = ground
        self.ice = IceAgent(ground.sockets, ground.policy, now)
        self.transport = DtlsSrtp(
            ground.certificate, self.ice, ground.policy, ground.counters, ground.tasks
        )
        self._owner = owner
        self._session = secrets.randbits(62)
        self._number = 0
        self._unanswered: tuple[MediaLine, ...] | None = None
        self._dirty = False
        self._timer: asyncio.TimerHandle | None = None
        self._secured: tuple[str, tuple[tuple[str, str], ...]] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._reached = asyncio.Event()
        self._ticked = now
        self.ice.on_path = self._path_changed
        self.impair(None)
        self.transport.on_closed = lambda: owner.peer_lost(self, Loss.CLOSED)

    def impair(self, obstacle: Obstacle | None) -> None:
        """Let everything that comes and goes pass this obstacle, or nothing any more."""
        if obstacle is None:
            clear(self.ice, self.transport)
        else:
            obstacle.obstruct(self.ice, self.transport)

    @property
    def connected(self) -> bool:
        """Whether packets can flow."""
        return self.transport.ready

    @abstractmethod
    def lines(self) -> tuple[MediaLine, ...]:
        """The m-lines as they should be."""

    def agreed(self, lines: Sequence[MediaLine], taken: Sequence[bool]) -> None:  # noqa: B027 - a hook
        """The browser has answered an offer of ``lines`` and uses those that are ``taken``."""

    def renegotiate(self) -> None:
        """Offer soon: changes close together share an offer, and no two are out at once."""
        self._dirty = True
        if self._unanswered is None and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.ground.policy.offer_after, self._offer)

    def offer_again(self) -> None:
        """Offer at once what was never answered: the browser may not have seen it."""
        if self._unanswered is not None:
            self._offer()

    def _offer(self) -> None:
        self._stop_timer()
        self._dirty = False
        self._number += 1
        self._unanswered = self.lines()
        agent = Agent(
            ufrag=self.ice.ufrag,
            password=self.ice.password,
            fingerprint=self.ground.certificate.fingerprint(),
            candidates=self.ground.candidates,
        )
        sdp = write_offer(self._session, self._number, agent, self._unanswered)
        self._owner.offer(Offer(self.id, self.connection, self._number, sdp))

    def answer(self, number: int, sdp: str) -> None:
        """Take the answer to the offer that is out. Raises ``SdpRefused``; ignores late ones."""
        lines = self._unanswered
        if number != self._number or lines is None:
            return
        answer = read_answer(sdp, lines, self.ground.policy)
        self._secure(answer)
        self._unanswered = None
        self.agreed(lines, answer.taken)
        if self._dirty:
            self.renegotiate()

    def _secure(self, answer: Answer) -> None:
        """Begin the handshake; later answers must name the same keys, since DTLS stays."""
        secured = (answer.role, answer.fingerprints)
        if self._secured is None:
            self._secured = secured
            self._connecting = self.ground.tasks.start(self._connect(answer))
        elif secured != self._secured:
            raise SdpRefused("fingerprint or role changed")

    async def _connect(self, answer: Answer) -> None:
        try:
            async with asyncio.timeout(self.ground.policy.handshake_within):
                await self._reached.wait()
                await self.transport.connect(answer.role, answer.fingerprints)
        except (HandshakeFailed, TimeoutError):
            self._owner.peer_lost(self, Loss.HANDSHAKE)
            return
        except Exception:
            log.exception("handshake broke")
            self._owner.peer_lost(self, Loss.HANDSHAKE)
            return
        self.opened()
        self._owner.peer_connected(self)

    def _path_changed(self) -> None:
        self._reached.set()
        if self.connected:
            self.moved()

    def moved(self) -> None:  # noqa: B027 - a hook
        """The browser is at another address now, and has missed what went to the former one."""

    def opened(self) -> None:  # noqa: B027 - a hook
        """Packets may flow from now on."""

    def restart(self) -> None:
        """Offer new ICE credentials; the keys stay (RFC 8445 section 9)."""
        self.ice.restart()
        self.renegotiate()

    def tick(self, now: float) -> None:
        """Do what rides on time."""
        elapsed, self._ticked = now - self._ticked, now
        self.ice.tick(now, elapsed)
        self.allow(elapsed)
        if self.connected and now - self.ice.consented > self.ground.policy.consent_expires:
            self._owner.peer_lost(self, Loss.CONSENT)

    @abstractmethod
    def allow(self, elapsed: float) -> None:
        """Renew what this peer may send, after so many seconds."""

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Send and answer nothing more, from now on. Idempotent."""
        self._stop_timer()
        self._unanswered = None
        if self._connecting is not None:
            self._connecting.cancel()
        self.transport.close()
        self.ice.close()
