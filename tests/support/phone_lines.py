"""Telephones and browsers with something to say, and what they heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain, repeat

import numpy as np

from media.phone.opus import OpusDecoder, OpusEncoder
from media.phone.resample import Decimator
from rooms.policy import PhonePolicy
from tests.support.light_connection import Packet
from tests.support.light_peer import LightPeer
from tests.support.speech import FRAME, Sound, frames

TURN = 0.02


class Line:
    """A ``PhoneLine`` that says a sound over and over and keeps what it is told."""

    def __init__(self, sound: Sound | None = None) -> None:
        self.heard: list[Sound] = []
        self.pulled = 0
        self._frames: Iterator[Sound | None] = repeat(None)
        self._changed = asyncio.Event()
        if sound is not None:
            self.say(sound)

    def say(self, sound: Sound) -> None:
        """Say this from now on."""
        pieces = frames(sound)
        self._frames = chain.from_iterable(repeat(pieces))

    def pull(self) -> Sound | None:
        self.pulled += 1
        return next(self._frames)

    def push(self, frame: Sound) -> None:
        assert frame.shape == (FRAME,)
        assert frame.dtype == np.int16
        self.heard.append(frame)
        self._changed.set()

    async def hears(self, turns: int) -> Sound:
        """What comes in the next so many turns."""
        return await self.until(lambda: len(self.heard) >= turns, forget=True)

    async def until(self, condition: Callable[[], object], *, forget: bool = False) -> Sound:
        """Wait for something to be true of what was heard; all that was heard since ``forget``."""
        if forget:
            self.heard.clear()
        async with asyncio.timeout(10):
            while not condition():
                self._changed.clear()
                await self._changed.wait()
        return np.concatenate(self.heard)


class Talker:
    """Sends a sound from a light peer, 20 ms at a time, until ``stop``."""

    def __init__(self, peer: LightPeer, sound: Sound) -> None:
        self._peer = peer
        encoder = OpusEncoder(PhonePolicy())
        self._payloads = [encoder.encode(frame) for frame in frames(sound)]
        self._task = asyncio.ensure_future(self._talk())

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for payload in chain.from_iterable(repeat(self._payloads)):
            self._peer.send_audio(payload)
            due += TURN
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def decoded(packets: list[Packet]) -> Sound:
    """What a browser would play, at 8 kHz, packet after packet."""
    decoder, decimator = OpusDecoder(), Decimator()
    sound = [decoder.decode(packet.payload) for packet in packets]
    return np.concatenate([decimator.decimate(part) for part in sound if part is not None])
