"""A SIP trunk under test: who listens to it, what its ledger holds, and ears for its lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from media.phone.carrier import FRAME_SAMPLES, CallRequest, CallState, PhoneLine, Progress
from media.phone.sip.config import TrunkConfig
from media.phone.sip.transactions import Times
from media.phone.sip.trunk import SipTrunk
from rooms.model import CallFailure, CallId
from rooms.policy import PhonePolicy
from tests.support.ports import free_port
from tests.support.softphone import purity, tone

POLICY = PhonePolicy()
_numbers = count(1)


class Listening:
    """A ``CallListener`` that remembers, and can be waited for."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []
        self.keys: list[str] = []
        self.refuses = CallFailure.NO_ANSWER  # whoever calls in
        self._news = asyncio.Condition()
        self._told: set[asyncio.Task[None]] = set()

    def progressed(self, progress: Progress) -> None:
        self.progress.append(progress)
        self._tell()

    def pressed(self, call: CallId, digit: str) -> None:
        self.keys.append(digit)
        self._tell()

    def called(self, carrier: str) -> CallFailure:
        return self.refuses

    def _tell(self) -> None:
        task = asyncio.get_running_loop().create_task(self._notify())
        self._told.add(task)
        task.add_done_callback(self._told.discard)

    async def _notify(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, state: CallState, within: float = 15.0) -> Progress:
        """The first progress with this state."""
        async with asyncio.timeout(within), self._news:
            while True:
                for progress in self.progress:
                    if progress.state is state:
                        return progress
                await self._news.wait()

    async def until_pressed(self, keys: str, within: float = 10.0) -> None:
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: "".join(self.keys).startswith(keys))

    def states(self) -> list[CallState]:
        return [progress.state for progress in self.progress]


class Pages:
    """A ``Ledger`` in memory."""

    def __init__(self) -> None:
        self.kept: dict[CallId, str] = {}
        self.history: list[tuple[CallId, str]] = []
        self.forgotten = asyncio.Event()
        self.broken = False

    async def keep(self, call: CallId, carrier: str, state: str) -> None:
        if self.broken:
            raise RuntimeError
        self.kept[call] = state
        self.history.append((call, state))

    async def forget(self, call: CallId) -> None:
        self.kept.pop(call, None)
        self.forgotten.set()


class Rig:
    """A started trunk with its listener and its ledger."""

    def __init__(self, trunk: SipTrunk, config: TrunkConfig) -> None:
        self.trunk = trunk
        self.config = config
        self.listening = Listening()
        self.ledger = Pages()

    async def dial(self, number: str = "+15550100", *, ring_for: float = 20.0, **more: Any) -> str:
        """Place a call; its id."""
        call = f"call-{next(_numbers)}-{id(self):x}"
        await self.trunk.dial(self.request(call, number, ring_for=ring_for, **more))
        return call

    def request(self, call: str, number: str = "+15550100", **more: Any) -> CallRequest:
        """What is asked of the trunk."""
        return CallRequest(id=call, number=number, **{"ring_for": 20.0, **more})

    @property
    def own_address(self) -> tuple[str, int]:
        """Where the trunk listens for SIP."""
        assert self.config.local_port
        return self.config.local_host, self.config.local_port

    async def kill(self) -> None:
        """End as a process that is killed: nothing more is said, and the port is free."""
        agent = self.trunk._agent
        assert agent is not None
        await agent.exchange.close()
        await agent.tasks.close()
        self.trunk._agent = None

    def line(self, call: str) -> PhoneLine:
        line = self.trunk.line(call)
        assert line is not None
        return line

    async def over(self, within: float = 15.0) -> Progress:
        return await self.listening.until(CallState.OVER, within)

    async def talk(self, call: str, frequency: float, seconds: float) -> NDArray[np.int16]:
        """Say a tone for so long, on a steady clock; what came back meanwhile."""
        line = self.line(call)
        said = tone(frequency, seconds)
        heard: list[NDArray[np.int16]] = []
        loop = asyncio.get_running_loop()
        due = loop.time()
        for start in range(0, said.size - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            line.push(said[start : start + FRAME_SAMPLES])
            frame = line.pull()
            if frame is not None:
                heard.append(frame)
            due += 0.02
            await asyncio.sleep(max(0.0, due - loop.time()))
        return np.concatenate(heard) if heard else np.zeros(0, np.int16)


def heard_purity(samples: NDArray[np.int16], frequency: float) -> float:
    """The purity of a tone in the last half second of what a line gave."""
    return purity(samples[-4_000:], frequency)


def config_for(port: int, **more: Any) -> TrunkConfig:
    """A trunk on loopback."""
    given: dict[str, Any] = {
        "name": "trunk",
        "server": "127.0.0.1",
        "port": port,
        "caller": "+15550199",
        "local_host": "127.0.0.1",
        "local_port": 0 if more.get("transport", "udp") != "udp" else free_port(),
        "rtp_ports": (10_000, 14_998),  # below those of ``free_port``
        **more,
    }
    return TrunkConfig(**given)


@asynccontextmanager
async def trunk_to(
    port: int, *, times: Times | None = None, policy: dict[str, Any] | None = None, **more: Any
) -> AsyncIterator[Rig]:
    """A started trunk to a server on loopback; closed afterwards."""
    config = config_for(port, **more)
    shorter = {"options_first": 3_600.0, "hang_up_within": 0.3, **(policy or {})}
    rig = Rig(SipTrunk(config, replace(POLICY, **shorter), times), config)
    await rig.trunk.start(rig.listening, rig.ledger)
    try:
        yield rig
    finally:
        await rig.trunk.close()
