"""A media plane in this process and a crowd in another one, joined by a pipe for the signals."""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
from asyncio.subprocess import PIPE
from dataclasses import asdict
from itertools import permutations
from pathlib import Path
from typing import Any

from media.ports import LegState, Offer, Wiring
from media.sfu import MediaConfig, Sfu
from rooms.model import Link
from rooms.policy import MediaPolicy


class Listener:
    """One leg's way to its browser in the other process."""

    def __init__(self, rig: Rig, client: str) -> None:
        self._rig = rig
        self._client = client

    def offered(self, offer: Offer) -> None:
        self._rig.tell({"offer": asdict(offer), "client": self._client})

    def media_changed(self, state: LegState) -> None:
        self._rig.tell({"state": state, "client": self._client})
        self._rig.connected(state)


class Rig:
    """Start it, let rooms meet, let them talk, close it. ``guest_of`` shares another's plane."""

    def __init__(self, guest_of: Rig | None = None) -> None:
        self.sfu: Sfu = guest_of.sfu if guest_of else new_plane()
        self._owns_plane = guest_of is None
        self.visits: list[str] = []
        self._legs = 0
        self._up = 0
        self._all_up = asyncio.Event()
        self._replies: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def start(self) -> None:
        if self._owns_plane:
            await self.sfu.start()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench._media_load", stdin=PIPE, stdout=PIPE, limit=1 << 24
        )
        self._reading = asyncio.ensure_future(self._read())

    def tell(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Tell the crowd, and wait for what it says."""
        self.tell(message)
        return await self.reply()

    async def reply(self) -> dict[str, Any]:
        """The next thing the crowd says."""
        return await self._replies.get()

    async def _read(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.readline():
            message = json.loads(line)
            if "answer" not in message:
                self._replies.put_nowait(message)
                continue
            visit, seat = message["client"].split("/")
            self.sfu.answer(visit, seat, "leg", *message["answer"])

    def connected(self, state: LegState) -> None:
        assert state is LegState.CONNECTED
        self._up += 1
        if self._up == self._legs:
            self._all_up.set()

    async def meet(self, rooms: int, people: int) -> None:
        """Have so many rooms of so many people, everybody connected."""
        for number in range(rooms):
            visit = f"visit-{id(self)}-{number}"
            self.visits.append(visit)
            seats = [f"seat-{n}" for n in range(people)]
            links = frozenset(Link(a, b) for a, b in permutations(seats, 2))
            self.sfu.wire(Wiring(visit, frozenset(seats), links))
            for seat in seats:
                self._legs += 1
                self._all_up.clear()
                self.sfu.attach(visit, seat, "leg", Listener(self, f"{visit}/{seat}"))
        await asyncio.wait_for(self._all_up.wait(), 30)

    async def close(self) -> None:
        if self._owns_plane:
            await self.sfu.close()
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


def new_plane() -> Sfu:
    return Sfu(MediaConfig(bind=("127.0.0.1",), tcp=False), MediaPolicy())


def resident_bytes() -> int:
    """Memory that this process holds, after a collection."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def cpu_seconds() -> float:
    """What this process has used so far, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
