"""What practices recorded for telephones, in Redis: finished, as every node plays it.

Each is a key of its own, so that none of them is in the way of another, nor of a backup; what there
is stands beside them with its sums, so that a node reads only those that it does not have.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass

from media.phone.errors import PromptUnreadable
from media.phone.sound_files import Sound, read_wave, wave_file
from server.redis_keys import RedisKeys
from server.redis_link import RedisLink
from server.redis_plans import notice
from server.redis_scripts import DROP_RECORDING, KEEP_RECORDING

_WORD_BYTES = 8


@dataclass(frozen=True, slots=True)
class Packed:
    """A WAVE file: its SHA-256 in hex, and the file in base64.

    Anything else than text is thirty times slower to read from Redis, and six times as long in a
    backup.
    """

    sum: str
    text: str


def packed(sound: Sound) -> Packed:
    """The sound as it is kept; takes milliseconds."""
    file = wave_file(sound)
    return Packed(hashlib.sha256(file).hexdigest(), base64.b64encode(file).decode())


def unpacked(text: str) -> Sound:
    """The sound that was kept. Raises ``PromptUnreadable``."""
    try:
        return read_wave(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        raise PromptUnreadable from None


class RedisRecordings:
    """Recordings by practice and name, ``<announcement>/<language>``. All raise
    ``StoreUnavailable``; a write is told to every node.
    """

    def __init__(self, link: RedisLink, keys: RedisKeys) -> None:
        self._link = link
        self._keys = keys

    async def keep(self, practice: str, name: str, sound: Packed, most: int) -> bool:
        """Keep or replace; False when the practice has ``most`` others."""
        args = (name, sound.sum, sound.text, most, practice, _word())
        told = (self._keys.changed, notice(practice))
        return bool(
            await self._link.script(KEEP_RECORDING, self._places(practice, name), (*args, *told))
        )

    async def drop(self, practice: str, name: str) -> None:
        """Forget one; what is not there is gone already."""
        args = (name, practice, _word(), self._keys.changed, notice(practice))
        await self._link.script(DROP_RECORDING, self._places(practice, name), args)

    async def states(self) -> dict[str, str]:
        """Every practice that has recordings, with a word that changes whenever they do."""
        return await self._pairs(self._keys.recorded)

    async def state(self, practice: str) -> str | None:
        """The word of one practice; None while it has no recordings."""
        found = await self._link.call("HGET", self._keys.recorded, practice)
        return str(found) if found is not None else None

    async def sums(self, practice: str) -> dict[str, str]:
        """The sum of each recording, by its name."""
        return await self._pairs(self._keys.recordings(practice))

    async def text(self, practice: str, name: str) -> str | None:
        """One recording, as ``unpacked`` reads it."""
        found = await self._link.call("GET", self._keys.recording(practice, name))
        return str(found) if found is not None else None

    def _places(self, practice: str, name: str) -> tuple[str, str, str]:
        keys = self._keys
        return keys.recordings(practice), keys.recording(practice, name), keys.recorded

    async def _pairs(self, key: str) -> dict[str, str]:
        flat = await self._link.call("HGETALL", key)
        return dict(zip(flat[::2], flat[1::2], strict=True))


def _word() -> str:
    """Never the same again, also where a failover has taken back the last change."""
    return secrets.token_hex(_WORD_BYTES)
