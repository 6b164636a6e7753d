"""The voice of announcements: espeak-ng, in a process of its own."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process

import structlog

from rooms.policy import PromptPolicy

log = structlog.get_logger(__name__)

_VOICES = {"en": "en-us", "es": "es-419"}


async def speak(text: str, language: str, policy: PromptPolicy) -> bytes | None:
    """The text as a WAV file; None where there is no voice. The loop goes on meanwhile.

    ``language`` is one of ``wording.SPOKEN``. The text goes in by a pipe: arguments of processes
    can be read by everybody on the machine.
    """
    try:
        process = await _start(_VOICES[language], policy)
    except OSError:
        log.warning("voice_missing", program="espeak-ng")
        return None
    try:
        async with asyncio.timeout(policy.speaking_within):
            spoken, _ = await process.communicate(text.encode())
    except TimeoutError:
        log.warning("voice_too_slow")
        return None
    finally:
        await _gone(process)
    return spoken if process.returncode == 0 and spoken else None


async def _start(voice: str, policy: PromptPolicy) -> Process:
    speed = str(policy.words_per_minute)
    command = ("espeak-ng", "-v", voice, "-s", speed, "--stdin", "--stdout")
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)


async def _gone(process: Process) -> None:
    """Its end, and that of its pipes, which stay open while there is something to read in them."""
    if process.returncode is None:
        process.kill()
    if process.stdin is not None:
        process.stdin.close()
    await process.communicate()
