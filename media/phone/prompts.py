"""Announcements: what a telephone is told, in its language, without anybody waiting for it.

A language is looked for as the seat has it, then without its region, then as the practice speaks,
then in English. In each, the practice's own recording comes first, then what was spoken with the
practice's name, then the recording without a name that comes with the software.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, TypeAlias

import structlog

from media.phone import speech
from media.phone.errors import (
    NameTellsOfHealth,
    PromptLanguageInvalid,
    TooManyPrompts,
)
from media.phone.prompt_files import Place, PromptFiles, practice_key
from media.phone.sound_files import Sound, levelled, read_sound
from media.phone.wording import ENGLISH, SPOKEN, Announcer, opens_with_name, tells_of_health, texts
from rooms.model import Prompt
from rooms.policy import PromptPolicy

log = structlog.get_logger(__name__)

SHIPPED = Path(__file__).parent / "recordings"

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}")  # RFC 5646, without private use
_Spoken: TypeAlias = tuple[str, str, Prompt, str]  # name, number, announcement, language


class Speak(Protocol):
    """Turns words into a sound file, or into nothing where there is no voice."""

    async def __call__(self, text: str, language: str, policy: PromptPolicy) -> bytes | None: ...


class Prompts:
    """Every announcement of a node, ready in memory."""

    def __init__(self, directory: Path, policy: PromptPolicy, speak: Speak = speech.speak) -> None:
        self._files = PromptFiles(directory, policy)
        self._policy = policy
        self._speak = speak
        self._shipped: Mapping[tuple[Prompt, str], Sound] = {}
        self._recorded: dict[Place, Sound] = {}
        self._spoken: dict[_Spoken, Sound] = {}
        self._changing = asyncio.Lock()

    async def start(self) -> None:
        """Load what comes with the software and what practices recorded."""
        self._shipped = await asyncio.to_thread(shipped, self._policy)
        self._recorded = await asyncio.to_thread(self._files.recorded)
        await asyncio.to_thread(self._files.tidy)

    async def prepare(self, announcer: Announcer) -> None:
        """Have announcements spoken in this name: at start, and when a practice changes it.

        Calls meanwhile hear the recordings without a name. Raises ``NameTellsOfHealth``, and
        ``PromptTooLong`` for a name that takes a minute to say.
        """
        if tells_of_health(announcer.who):
            raise NameTellsOfHealth
        if announcer.has_no_name:
            return
        for prompt, language, text in texts(announcer):
            if opens_with_name(prompt):
                place = (announcer.who, announcer.call_back, prompt, language)
                async with self._changing:
                    await self._say(place, text)

    def frames(self, prompt: Prompt, language: str, announcer: Announcer) -> Sound:
        """The announcement, whole frames of 20 ms at 8 kHz, of shape ``(samples,)``, read-only.

        Never waits: what is not ready is replaced by the next best.
        """
        practice = practice_key(announcer.practice)
        for tongue in _preferred(language, announcer.language):
            found = (
                self._recorded.get((practice, prompt, tongue)),
                self._spoken.get((announcer.who, announcer.call_back, prompt, tongue)),
                self._shipped.get((prompt, tongue)),
            )
            sound = next((s for s in found if s is not None), None)
            if sound is not None:
                return sound
        return self._shipped[prompt, ENGLISH]

    async def store(self, practice: str, prompt: Prompt, language: str, audio: bytes) -> None:
        """Keep a practice's own recording, of any common kind of sound file.

        Raises ``PromptUnreadable``, ``PromptTooLong``, ``PromptLanguageInvalid``,
        ``TooManyPrompts``, and ``OSError`` where it cannot be kept; then nothing was changed.
        """
        place = place_of(practice, prompt, language)
        async with self._changing:
            others = sum(p[0] == place[0] for p in self._recorded if p != place)
            if others >= self.most:
                raise TooManyPrompts
            sound = await self.finished(prompt, audio)
            await asyncio.to_thread(self._files.keep_recorded, place, sound)
            self._recorded[place] = sound

    async def remove(self, practice: str, prompt: Prompt, language: str) -> None:
        """Go back to what is spoken. Raises ``PromptLanguageInvalid`` and ``OSError``."""
        place = place_of(practice, prompt, language)
        async with self._changing:
            await asyncio.to_thread(self._files.drop_recorded, place)
            self._recorded.pop(place, None)

    async def finished(self, prompt: Prompt, audio: bytes) -> Sound:
        """A recording as it is kept. Raises ``PromptUnreadable`` and ``PromptTooLong``."""
        return await asyncio.to_thread(_finished, audio, prompt, self._policy)

    async def follow(self, place: Place, sound: Sound | None) -> None:
        """Have what is kept elsewhere: this recording, or none.

        A disk that does not take it is no reason to play another one until the next start.
        """
        async with self._changing:
            try:
                if sound is None:
                    self._recorded.pop(place, None)
                    await asyncio.to_thread(self._files.drop_recorded, place)
                else:
                    self._recorded[place] = sound
                    await asyncio.to_thread(self._files.keep_recorded, place, sound)
            except OSError as error:
                log.warning("recording_not_followed_on_disk", error=type(error).__name__)

    @property
    def most(self) -> int:
        """Recordings of one practice."""
        return self._policy.most_recordings

    def held(self) -> dict[Place, Sound]:
        """Every recording of every practice."""
        return dict(self._recorded)

    def recorded(self, practice: str) -> frozenset[tuple[Prompt, str]]:
        """What the practice has recorded, by announcement and language."""
        key = practice_key(practice)
        return frozenset((p, language) for owner, p, language in self._recorded if owner == key)

    async def _say(self, place: _Spoken, text: str) -> None:
        if place in self._spoken:
            return
        _, _, prompt, language = place
        digest = hashlib.sha256(f"{language} {self._policy} {text}".encode()).hexdigest()
        sound = await asyncio.to_thread(self._files.spoken, digest)
        if sound is None:
            spoken = await self._speak(text, language, self._policy)
            if spoken is None:
                return
            sound = await asyncio.to_thread(_finished, spoken, prompt, self._policy)
            await asyncio.to_thread(self._files.keep_spoken, digest, sound)
        self._spoken[place] = sound


def place_of(practice: str, prompt: Prompt, language: str) -> Place:
    """Where a practice's recording belongs. Raises ``PromptLanguageInvalid``."""
    return practice_key(practice), prompt, _tag(language)


@functools.cache  # reading them takes longer than everything else of a node's start
def shipped(policy: PromptPolicy) -> Mapping[tuple[Prompt, str], Sound]:
    """The recordings without a name that come with the software; the same ones each time."""
    found: dict[tuple[Prompt, str], Sound] = {}
    for prompt in Prompt:
        for language in SPOKEN:
            audio = (SHIPPED / f"{prompt}.{language}.ogg").read_bytes()
            found[prompt, language] = _finished(audio, prompt, policy)
    return MappingProxyType(found)


def _finished(audio: bytes, prompt: Prompt, policy: PromptPolicy) -> Sound:
    lead = policy.lead if opens_with_name(prompt) else 0.0
    return levelled(read_sound(audio, policy), policy, lead)


def _tag(language: str) -> str:
    tag = language.strip().replace("_", "-").lower()
    if not _LANGUAGE.fullmatch(tag):
        raise PromptLanguageInvalid
    return tag


def _preferred(*languages: str) -> list[str]:
    """Each as it is, then without its region; English last."""
    tags = [language.replace("_", "-").lower() for language in languages]
    return [*(step for tag in tags for step in (tag, tag.partition("-")[0])), ENGLISH]
