"""Whoever calls are told to, in tests: writes everything down, and waits for what is to come."""

from __future__ import annotations

import asyncio

from media.phone.carrier import CallState, Progress
from media.phone.former_calls import KeptCall
from rooms.model import CallFailure, CallId


class Witness:
    """A ``CallListener`` that remembers."""

    def __init__(self) -> None:
        self.told: list[Progress] = []
        self.keys: list[tuple[CallId, str]] = []
        self.called_by: list[str] = []
        self._news = asyncio.Condition()
        self._notes: set[asyncio.Task[None]] = set()

    def progressed(self, progress: Progress) -> None:
        self.told.append(progress)
        self._note()

    def pressed(self, call: CallId, digit: str) -> None:
        self.keys.append((call, digit))
        self._note()

    def called(self, carrier: str) -> CallFailure:
        self.called_by.append(carrier)
        return CallFailure.NO_ANSWER

    def states(self, call: CallId) -> list[CallState]:
        """What became of the call so far."""
        return [progress.state for progress in self.told if progress.call == call]

    async def until(self, call: CallId, state: CallState) -> Progress:
        """Wait until the call has come to this state."""
        async with self._news:
            await self._news.wait_for(lambda: state in self.states(call))
        return next(p for p in self.told if (p.call, p.state) == (call, state))

    async def key(self, call: CallId) -> str:
        """Wait for the first key of this call."""
        async with self._news:
            await self._news.wait_for(lambda: any(key[0] == call for key in self.keys))
        return next(digit for pressed, digit in self.keys if pressed == call)

    def _note(self) -> None:
        note = asyncio.get_running_loop().create_task(self._tell())
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


class MemoryLedger:
    """A ``CallBook`` that forgets everything with the process."""

    def __init__(self) -> None:
        self.records: dict[CallId, tuple[str, str]] = {}

    async def keep(self, call: CallId, carrier: str, state: str) -> None:
        self.records[call] = (carrier, state)

    async def forget(self, call: CallId) -> None:
        self.records.pop(call, None)

    async def kept(self) -> list[KeptCall]:
        return [
            KeptCall(call=call, carrier=carrier, state=state)
            for call, (carrier, state) in self.records.items()
        ]
