"""What one joined peer connection costs: CPU until its keys are there, and memory while it is idle.

The same is measured with aiortc's own RTCPeerConnection in the same run. Each side has a process
of its own; the browsers' ends live in yet another one, and only the server's end is counted.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from bench._media_aiortc import join_aiortc
from bench._media_rig import Rig, cpu_seconds, resident_bytes

WARM_UP, LEGS = 2, 30  # the first joins load code; a leg is two peer connections
RESULT = "result:"


def run() -> dict[str, Any]:
    """Milliseconds and KB per peer connection, ours and aiortc's, and the ratios."""
    ours, theirs = _in_its_own_process("ours"), _in_its_own_process("aiortc")
    return {
        "ours": ours,
        "aiortc": theirs,
        "cpu_ratio": round(ours["cpu_ms"] / theirs["cpu_ms"], 3),
        "memory_ratio": round(ours["memory_kb"] / theirs["memory_kb"], 3),
    }


def _in_its_own_process(side: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.media_join", side]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith(RESULT))
    result: dict[str, float] = json.loads(line.removeprefix(RESULT))
    return result


async def _per_connection(join: Callable[[int], Awaitable[int]]) -> dict[str, float]:
    """``join(n)`` connects n more legs and says how many peer connections those are."""
    await join(WARM_UP)
    memory, cpu = resident_bytes(), cpu_seconds()
    connections = await join(LEGS)
    return {
        "cpu_ms": round(1e3 * (cpu_seconds() - cpu) / connections, 2),
        "memory_kb": round((resident_bytes() - memory) / 1024 / connections, 1),
        "connections": connections,
    }


async def _ours() -> dict[str, float]:
    rig = Rig()
    await rig.start()

    async def join(legs: int) -> int:
        await rig.meet(legs, 1)
        return 2 * legs

    result = await _per_connection(join)
    await rig.close()
    return result


async def _aiortc() -> dict[str, float]:
    async with join_aiortc() as join:
        return await _per_connection(join)


if __name__ == "__main__":
    if sys.argv[1:] in (["ours"], ["aiortc"]):
        print(RESULT, json.dumps(asyncio.run({"ours": _ours, "aiortc": _aiortc}[sys.argv[1]]())))
    else:
        print(json.dumps(run(), indent=2))
