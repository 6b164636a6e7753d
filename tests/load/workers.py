"""A crowd in a process of its own, told what to do by lines on a pipe."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from typing import Any

from tests.load.crowd import Crowd
from tests.load.figures import Figures
from tests.load.plan import Plan

PIPE_LIMIT = 1 << 28  # bytes; every duration comes back in one line


class RemoteCrowd:
    """A crowd like any other; ``figures`` are there after ``leave``."""

    def __init__(self, plan: Plan) -> None:
        self.figures = Figures()
        self._plan = plan

    @property
    def pid(self) -> int:
        """The process of the crowd."""
        return self._process.pid

    async def start(self) -> None:
        """Start the process, which then waits."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.load.workers"),
            stdin=PIPE,
            stdout=PIPE,
            limit=PIPE_LIMIT,
        )
        await self._tell(self._plan.as_json())

    async def arrive(self) -> None:
        """As a crowd does."""
        await self._tell("arrive")

    async def steady(self) -> None:
        """As a crowd does."""
        await self._tell("steady")

    async def leave(self) -> None:
        """As a crowd does."""
        self.figures.add(await self._tell("leave"))
        await self._process.wait()

    async def kill(self) -> None:
        """End the process, whatever it does; idempotent."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _tell(self, message: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("a process of the load has died; its words are above")
        return json.loads(line)


async def serve() -> None:
    """Do what the lines on stdin say, in their order."""
    crowd = Crowd(Plan.from_json(json.loads(await _line())))
    _say("ready")
    for expected, work in (("arrive", crowd.arrive), ("steady", crowd.steady)):
        assert json.loads(await _line()) == expected
        await work()
        _say("done")
    assert json.loads(await _line()) == "leave"
    await crowd.leave()
    _say(crowd.figures.as_json())


async def _line() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


def _say(message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve())
