"""What telephones hear in a practice's name is the same at every node.

Redis has what was recorded and who is named; this node makes its own announcements equal to that,
whenever it hears of a change or may have missed one. What it is told is only ever where to look.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import structlog

from media.phone.errors import PromptError, TooManyPrompts
from media.phone.prompt_files import Place, practice_key
from media.phone.prompts import Prompts, place_of
from media.phone.sound_files import Sound
from rooms.model import Prompt
from rooms.nodes_policy import NodesPolicy
from server.redis_recordings import RedisRecordings, packed, unpacked
from server.store import StoreUnavailable
from server.tasks import Tasks

log = structlog.get_logger(__name__)


class Names(Protocol):
    """Who has names spoken."""

    def speak_soon(self, practice: str) -> None:
        """This practice may have another name."""

    def speak_all_soon(self) -> None:
        """Any practice may."""


class SharedAnnouncements:
    """``connect`` it, ``start`` it, and ``close`` it once or more."""

    def __init__(self, redis: RedisRecordings, policy: NodesPolicy) -> None:
        self._redis = redis
        self._policy = policy
        self._equal_to: dict[str, str] = {}  # by practice: the state that this node has
        self._wanted: set[str] = set()
        self._everything = True
        self._work = asyncio.Event()
        self._turn = asyncio.Lock()  # from asking Redis to having the same here
        self._tasks = Tasks()

    def connect(self, prompts: Prompts, names: Names) -> None:
        """Name those whose announcements these are."""
        self._prompts = prompts
        self._names = names

    def start(self) -> None:
        """Begin to follow, with everything."""
        self._work.set()
        self._tasks.spawn(self._follow())
        self._tasks.spawn(self._now_and_then())

    async def close(self) -> None:
        """Follow no more; idempotent."""
        await self._tasks.close()

    # -- what is told --------------------

    def changed(self, practice: str) -> None:
        """Something of this practice has changed, at whichever node."""
        self._look_at(practice)
        self._names.speak_soon(practice)

    def all_changed(self) -> None:
        """Anything may have changed unnoticed."""
        self._look_at_all()
        self._names.speak_all_soon()

    # -- what staff do here --------------------

    async def store(self, practice: str, prompt: Prompt, language: str, audio: bytes) -> None:
        """Keep a practice's own recording, for every node.

        Raises as ``Prompts.store``, and ``StoreUnavailable``: then this node plays what it played,
        or what Redis turns out to have.
        """
        place = place_of(practice, prompt, language)
        sound = await self._prompts.finished(prompt, audio)
        kept = await asyncio.to_thread(packed, sound)
        async with self._deciding(practice):
            if not await self._redis.keep(practice, _name(place), kept, self._prompts.most):
                raise TooManyPrompts
            await self._prompts.follow(place, sound)

    async def remove(self, practice: str, prompt: Prompt, language: str) -> None:
        """Go back to what is spoken, at every node. Raises ``PromptLanguageInvalid`` and
        ``StoreUnavailable``, as above.
        """
        place = place_of(practice, prompt, language)
        async with self._deciding(practice):
            await self._redis.drop(practice, _name(place))
            await self._prompts.follow(place, None)

    @asynccontextmanager
    async def _deciding(self, practice: str) -> AsyncIterator[None]:
        try:
            async with self._turn:
                yield
        except StoreUnavailable:
            self._look_at(practice)  # nobody knows whether Redis has done it
            raise

    # -- following --------------------

    def _look_at(self, practice: str) -> None:
        self._wanted.add(practice)
        self._work.set()

    def _look_at_all(self) -> None:
        self._everything = True
        self._work.set()

    async def _now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._policy.announcements_reread)
            self.all_changed()

    async def _follow(self) -> None:
        """One after the other, so that an older reading never follows a newer one."""
        while True:
            await self._work.wait()
            self._work.clear()
            wanted, self._wanted = self._wanted, set()
            everything, self._everything = self._everything, False
            try:
                wanted |= await self._changed_unnoticed() if everything else set()
                for practice in wanted:
                    await self._make_equal(practice)
            except StoreUnavailable:
                await asyncio.sleep(self._policy.back_every)
                self._look_at_all()

    async def _changed_unnoticed(self) -> set[str]:
        """Practices to look at; whatever is here of practices that have nothing is forgotten."""
        async with self._turn:
            states = await self._redis.states()
            recording = {practice_key(practice) for practice in states}
            for place in self._prompts.held():
                if place[0] not in recording:
                    await self._prompts.follow(place, None)
        return {each for each, state in states.items() if self._equal_to.get(each) != state}

    async def _make_equal(self, practice: str) -> None:
        async with self._turn:
            state = await self._redis.state(practice)
            if state is not None and state == self._equal_to.get(practice):
                return
            there = _places(practice, await self._redis.sums(practice))
            here = await self._sums_here(practice)
            for place in here.keys() - there.keys():
                await self._prompts.follow(place, None)
            for place, wanted in there.items():
                if here.get(place) != wanted:
                    await self._prompts.follow(place, await self._read(practice, place))
            self._equal_to.pop(practice, None)
            if state is not None:
                self._equal_to[practice] = state

    async def _sums_here(self, practice: str) -> dict[Place, str]:
        key = practice_key(practice)
        held = {place: sound for place, sound in self._prompts.held().items() if place[0] == key}
        return await asyncio.to_thread(_sums, held)

    async def _read(self, practice: str, place: Place) -> Sound | None:
        """None for what is gone by now, and for what cannot be read."""
        text = await self._redis.text(practice, _name(place))
        if text is None:
            return None
        try:
            return await asyncio.to_thread(unpacked, text)
        except PromptError as error:
            log.warning("recording_damaged", practice=practice, code=error.code)
            return None


def _name(place: Place) -> str:
    _, prompt, language = place
    return f"{prompt}/{language}"


def _places(practice: str, sums: Mapping[str, str]) -> dict[Place, str]:
    """Where they belong here; without those that another version of the software may know."""
    found = {}
    for name, kept in sums.items():
        prompt, _, language = name.partition("/")
        with suppress(ValueError, PromptError):
            found[place_of(practice, Prompt(prompt), language)] = kept
    return found


def _sums(held: Mapping[Place, Sound]) -> dict[Place, str]:
    return {place: packed(sound).sum for place, sound in held.items()}
