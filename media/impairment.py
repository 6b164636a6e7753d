"""Networks broken on purpose: what comes between one seat's connections and the server's sockets.

For showing what happens when a network fails, and for testing it. Everything of the seat is hit
alike: checks, handshakes, sound, pictures and reports, in both directions. The functions that
packets go through are exchanged for others, so a seat that is not impaired costs nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

from media.ice import Check, IceAgent, SendTo
from media.ports import Impairment, Trouble
from media.transport import RECEIVE_BUFFER, Address, DtlsSrtp
from rooms.policy import ImpairmentPolicy, MediaPolicy

Random = Callable[[], float]
_chance: Random = secrets.SystemRandom().random


class Damage(StrEnum):
    """How badly a network can be broken by one word."""

    LIGHT = "light"
    HEAVY = "heavy"
    CUT = "cut"


def impairment(damage: Damage, policy: ImpairmentPolicy) -> Impairment:
    """What this word stands for: the same in both directions."""
    p = policy
    trouble = {
        Damage.LIGHT: Trouble(loss=p.light_loss, delay=p.light_delay, jitter=p.light_jitter),
        Damage.HEAVY: Trouble(loss=p.heavy_loss, delay=p.heavy_delay, jitter=p.heavy_jitter),
        Damage.CUT: Trouble(cut=True),
    }[damage]
    return Impairment(up=trouble, down=trouble)


class Lane:
    """One direction: loses packets, or holds them back without changing their order."""

    def __init__(self, trouble: Trouble, backlog: int, random: Random) -> None:
        self._trouble = trouble
        self._random = random
        self._backlog = backlog
        self._held: deque[tuple[float, Callable[[], object]]] = deque()
        self._last = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def lets_through(self) -> bool:
        """Whether this packet gets through at all."""
        trouble = self._trouble
        return not trouble.cut and self._random() >= trouble.loss

    @property
    def holds(self) -> bool:
        """Whether packets are late."""
        return self._trouble.delay > 0 or self._trouble.jitter > 0

    def hold(self, deliver: Callable[[], object]) -> None:
        """Deliver later, after everything that came before."""
        if len(self._held) >= self._backlog:
            return
        loop = asyncio.get_running_loop()
        late = self._trouble.delay + self._trouble.jitter * self._random()
        self._last = max(self._last, loop.time() + late)
        self._held.append((self._last, deliver))
        if self._timer is None:
            self._timer = loop.call_at(self._last, self._release)

    def _release(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._held and self._held[0][0] <= loop.time():
            with suppress(OSError):  # the socket may be gone by now
                self._held.popleft()[1]()
        if self._held and self._timer is None:
            self._timer = loop.call_at(self._held[0][0], self._release)

    def close(self) -> None:
        """Lose what is held back. Idempotent."""
        self._held.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Obstacle:
    """What stands between one seat and the server, both ways. One owner, one ``close``."""

    def __init__(
        self,
        impairment: Impairment,
        policy: MediaPolicy,
        random: Random = _chance,
    ) -> None:
        self._up = Lane(impairment.up, policy.held_back, random)
        self._down = Lane(impairment.down, policy.held_back, random)

    def obstruct(self, agent: IceAgent, transport: DtlsSrtp) -> None:
        """Stand in the way of everything that this connection receives and sends."""
        agent.on_media = self._media(transport.received)
        agent.on_dtls = self._records(transport.handshake)
        agent.on_check = self._checks(agent.check)
        agent.send_through(self._sending)

    def _media(self, receive: Callable[[int], None]) -> Callable[[int], None]:
        """Packets lie in a buffer that the next one overwrites: held ones need a copy."""
        lane = self._up

        def again(data: bytes) -> None:
            RECEIVE_BUFFER[: len(data)] = data
            receive(len(data))

        def received(size: int) -> None:
            if not lane.lets_through():
                return
            if lane.holds:
                data = RECEIVE_BUFFER[:size].tobytes()
                lane.hold(lambda: again(data))
            else:
                receive(size)

        return received

    def _records(self, take: Callable[[bytes], None]) -> Callable[[bytes], None]:
        lane = self._up

        def taken(data: bytes) -> None:
            if lane.lets_through():
                lane.hold(lambda: take(data))

        return taken

    def _checks(self, check: Check) -> Check:
        """Whether a check was good is not known yet: its connection gets the benefit of it."""
        lane = self._up

        def checked(
            data: bytes,
            ufrag: str,
            address: Address,
            peername: tuple[str, int],
            sendto: SendTo,
            now: float,
        ) -> bool:
            if lane.lets_through():
                lane.hold(lambda: check(data, ufrag, address, peername, sendto, now))
            return True

        return checked

    def _sending(self, sendto: SendTo) -> SendTo:
        lane = self._down

        def send(data: bytes | memoryview, address: Address) -> None:
            if not lane.lets_through():
                return
            if lane.holds:
                copy = bytes(data)
                lane.hold(lambda: sendto(copy, address))
            else:
                sendto(data, address)

        return send

    def close(self) -> None:
        """Lose what is held back, and let nothing of it go later. Idempotent."""
        self._up.close()
        self._down.close()


def clear(agent: IceAgent, transport: DtlsSrtp) -> None:
    """Nothing stands in the way of this connection."""
    agent.on_media = transport.received
    agent.on_dtls = transport.handshake
    agent.on_check = agent.check
    agent.send_directly()
