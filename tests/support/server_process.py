"""``bedside serve`` in a process of its own, to be stopped, killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from server.__main__ import FIRST_PRACTICE
from tests.support.ports import free_port
from tests.support.visits import Clinic

_STARTED = "Bedside listens on "
_STARTS_WITHIN = 30.0
_STOPS_WITHIN = 15.0


class ServerProcess:
    """A server with its data in one directory. ``clinic`` is there after the first start."""

    clinic: Clinic

    def __init__(self, directory: Path, http: aiohttp.ClientSession, **settings: str) -> None:
        self._http = http
        self._process: Process | None = None
        self._data = directory
        self._log = directory / "server.log"
        self._environment = {
            **os.environ,
            "BEDSIDE_DATA_DIR": str(directory),
            "BEDSIDE_PORT": str(free_port()),
            "BEDSIDE_MEDIA_PORT": str(free_port()),
            **{f"BEDSIDE_{name.upper()}": value for name, value in settings.items()},
        }

    async def starts(self) -> None:
        """Start, and return when it listens."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "server", "serve"),
                env=self._environment,
                stdout=PIPE,
                stderr=log,
            )
        said = await asyncio.wait_for(self._lines_until_started(self._process), _STARTS_WITHIN)
        if not hasattr(self, "clinic"):
            told = (self._data / FIRST_PRACTICE).read_text()
            api_key = told.split("API key")[1].split()[0]
            self.clinic = Clinic(self._http, said[-1].removeprefix(_STARTED).strip(), api_key)

    async def is_killed(self) -> None:
        """kill -9: no farewell, no clean-up."""
        await self._end(signal.SIGKILL)

    async def stops(self) -> None:
        """The ordinary way."""
        await self._end(signal.SIGTERM)

    async def _lines_until_started(self, process: Process) -> list[str]:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith(_STARTED):
            line = await process.stdout.readline()
            assert line, self._log.read_text()
            lines.append(line.decode())
        return lines

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.send_signal(how)
        await asyncio.wait_for(process.wait(), _STOPS_WITHIN)


@asynccontextmanager
async def server_process(directory: Path, **settings: str) -> AsyncIterator[ServerProcess]:
    """A started server, killed at the end."""
    async with aiohttp.ClientSession() as http:
        server = ServerProcess(directory, http, **settings)
        await server.starts()
        try:
            yield server
        finally:
            await server.is_killed()
