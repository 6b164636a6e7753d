"""The last words to a telephone, before it is hung up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from media.phone.carrier import FRAME_SAMPLES, FRAME_SECONDS, SAMPLE_RATE, PhoneLine
from media.phone.sound_files import Sound
from rooms.policy import SwitchboardPolicy


async def say(
    line: Callable[[], PhoneLine | None], sound: Sound, policy: SwitchboardPolicy
) -> None:
    """Send ``sound`` (mono, 8 kHz) in its own time, and give it time to arrive.

    Returns early when ``line`` has gone: they hung up first.
    """
    clock = asyncio.get_running_loop().time
    due = clock()
    for start in range(0, _whole(len(sound), policy), FRAME_SAMPLES):
        there = line()
        if there is None:
            return
        there.push(sound[start : start + FRAME_SAMPLES])
        due += FRAME_SECONDS
        await asyncio.sleep(max(0.0, due - clock()))
    await asyncio.sleep(policy.farewell_settles)


def _whole(samples: int, policy: SwitchboardPolicy) -> int:
    """How much is said: whole frames, and no more than is allowed."""
    most = round(policy.farewell_longest * SAMPLE_RATE)
    return min(samples, most) // FRAME_SAMPLES * FRAME_SAMPLES
