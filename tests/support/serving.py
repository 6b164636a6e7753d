"""``bedside …`` as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SOON = 20.0


@dataclass
class Ran:
    """A command that has ended."""

    status: int
    out: str
    err: str


def environment(data: Path, **settings: object) -> dict[str, str]:
    """A clean environment with these settings (``port=8080`` is ``BEDSIDE_PORT=8080``)."""
    given = {"data_dir": data, "media_hosts": "127.0.0.1", "media_port": 0, **settings}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BEDSIDE_")}
    return kept | {f"BEDSIDE_{name.upper()}": str(value) for name, value in given.items()}


async def start(
    *arguments: str, env: dict[str, str], stderr: int = asyncio.subprocess.PIPE
) -> asyncio.subprocess.Process:
    """Start ``bedside`` with these arguments."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", *arguments,
        env=env, stdout=asyncio.subprocess.PIPE, stderr=stderr,
    )  # fmt: skip


async def run(*arguments: str, env: dict[str, str]) -> Ran:
    """Run ``bedside`` to its end."""
    process = await start(*arguments, env=env)
    out, err = await asyncio.wait_for(process.communicate(), SOON)
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())


async def line_with(process: asyncio.subprocess.Process, words: str) -> list[str]:
    """Read what the process prints up to and including the line with these words."""
    lines: list[str] = []
    assert process.stdout is not None
    async with asyncio.timeout(SOON):
        while not (lines and words in lines[-1]):
            line = await process.stdout.readline()
            assert line, lines
            lines.append(line.decode().rstrip("\n"))
    return lines


@asynccontextmanager
async def serving(
    data: Path, port: int, **settings: object
) -> AsyncIterator[tuple[asyncio.subprocess.Process, list[str]]]:
    """``bedside serve`` that is ready, and what it printed until then."""
    env = environment(data, port=port, **settings)
    with (data.parent / "stderr.txt").open("ab") as errors:
        process = await start("serve", env=env, stderr=errors.fileno())
    try:
        yield process, await line_with(process, "listens on")
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.communicate()
