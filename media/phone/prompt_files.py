"""Announcements on disk: those that practices recorded, and those that were spoken by machine.

``recorded/<practice>/<prompt>.<language>.wav`` and ``spoken/<digest>.wav``, mono, 16 bits, 8 kHz.
Practices are hashed in paths, so that no id can lead out of the folder. Every method waits for the
disk: call them on another thread.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import structlog

from media.phone.errors import PromptUnreadable
from media.phone.sound_files import Sound, read_wave, wave_file
from rooms.model import Prompt
from rooms.policy import PromptPolicy

log = structlog.get_logger(__name__)

Place: TypeAlias = tuple[str, Prompt, str]  # practice, as ``practice_key`` names it; language


def practice_key(practice: str) -> str:
    """What a practice is called in paths."""
    return hashlib.sha256(practice.encode()).hexdigest()[:32]


class PromptFiles:
    """The announcements below one folder; every file is whole or not there."""

    def __init__(self, directory: Path, policy: PromptPolicy) -> None:
        self._recorded = directory / "recorded"
        self._spoken = directory / "spoken"
        self._policy = policy

    def recorded(self) -> dict[Place, Sound]:
        """Everything that practices recorded. A damaged file is left out, and said in the log."""
        found = {place: _read(path) for path, place in self._places()}
        return {place: sound for place, sound in found.items() if sound is not None}

    def keep_recorded(self, place: Place, sound: Sound) -> None:
        """Store or replace. Raises ``OSError``."""
        _write(self._path(place), sound)

    def drop_recorded(self, place: Place) -> None:
        """Forget one. Raises ``OSError``; what is not there is gone already."""
        self._path(place).unlink(missing_ok=True)

    def spoken(self, digest: str) -> Sound | None:
        """What was spoken for these words once, if it still is here."""
        path = self._spoken / f"{digest}.wav"
        return _read(path) if path.is_file() else None

    def keep_spoken(self, digest: str, sound: Sound) -> None:
        """Store, so that a restart need not speak it again; a full disk is no reason to fail."""
        try:
            _write(self._spoken / f"{digest}.wav", sound)
        except OSError as error:
            log.warning("announcement_not_kept", error=type(error).__name__)

    def tidy(self) -> None:
        """Forget the oldest of what was spoken, beyond ``PromptPolicy.made_kept`` files."""
        paths = sorted(self._spoken.glob("*.wav"), key=lambda path: path.stat().st_mtime)
        for path in paths[: max(0, len(paths) - self._policy.made_kept)]:
            path.unlink(missing_ok=True)

    def _path(self, place: Place) -> Path:
        practice, prompt, language = place
        return self._recorded / practice / f"{prompt}.{language}.wav"

    def _places(self) -> Iterator[tuple[Path, Place]]:
        for path in self._recorded.glob("*/*.wav"):
            name, _, language = path.stem.partition(".")
            if language and name in set(Prompt):
                yield path, (path.parent.name, Prompt(name), language)


def _read(path: Path) -> Sound | None:
    try:
        return read_wave(path.read_bytes())
    except (OSError, PromptUnreadable) as error:
        log.warning("announcement_damaged", error=type(error).__name__)
        return None


def _write(path: Path, sound: Sound) -> None:
    """Beside its place first: a power cut leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_suffix(".new")
    with beside.open("wb") as raw:
        raw.write(wave_file(sound))
        raw.flush()
        os.fsync(raw.fileno())
    beside.replace(path)
