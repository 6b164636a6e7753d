"""One program of the installation, and everything that it may leave behind."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

_READY_WITHIN = 30.0  # seconds; a cold start of Python on a busy machine takes five
_LOOK_EVERY = 0.02
_LAST_WORDS = 2_000  # bytes of a log that say why

_JANITOR = 'trap "" INT TERM HUP; cat >/dev/null; until rm -rf "$1"; do sleep 0.1; done'


class NotStarted(Exception):
    """A program did not get ready; the message says which, and what it last wrote."""


class Program:
    """A process that ends, at the latest, with this one, even if this one is killed.

    It is in a session of its own, so that Ctrl+C reaches only whoever started it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        ready: Callable[[Program], bool],
        environment: Mapping[str, str] | None = None,
        *,
        stops_within: float = 5.0,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = command
        self._ready = ready
        self._environment = {**os.environ, **(environment or {})}
        self._stops_within = stops_within
        self._said_before = 0
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """The process; 0 while there is none."""
        return self._process.pid if self.runs and self._process is not None else 0

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    def said(self) -> str:
        """What it has written since its last start."""
        return self.log.read_bytes()[self._said_before :].decode(errors="replace")

    async def starts(self) -> None:
        """Start it, and return when it is ready. Raises ``NotStarted``."""
        assert not self.runs, f"{self.name} runs already"
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *("setpriv", "--pdeathsig", "KILL", "--", *self._command),
                env=self._environment,
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(_READY_WITHIN):
                await self._until_ready()
        except TimeoutError:
            raise NotStarted(f"{self.name} did not get ready: {self._last_words()}") from None

    async def stops(self) -> None:
        """Ask it to end, and insist after a while; idempotent."""
        self._signal(signal.SIGTERM)
        self.wakes()
        with suppress(TimeoutError):
            await self.is_gone(self._stops_within)
        await self.is_killed()

    async def is_killed(self) -> None:
        """End it as kill -9 does: no farewell, no clean-up; idempotent."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            await self._process.wait()

    async def is_gone(self, within: float) -> None:
        """Wait for its end. Raises ``TimeoutError`` if it does not come."""
        if self._process is not None:
            await asyncio.wait_for(self._process.wait(), within)

    def is_asked_to_stop(self) -> None:
        """SIGTERM, without waiting for what it does then."""
        self._signal(signal.SIGTERM)

    def hangs(self) -> None:
        """Stop it in the middle of whatever it does: connections stay, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def wakes(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    async def _until_ready(self) -> None:
        while not self._ready(self):
            if not self.runs:
                raise NotStarted(f"{self.name} ended at once: {self._last_words()}")
            await asyncio.sleep(_LOOK_EVERY)

    def _signal(self, number: signal.Signals) -> None:
        if self.pid:
            with suppress(ProcessLookupError):  # send_signal would take its status from the loop
                os.kill(self.pid, number)

    def _last_words(self) -> str:
        return self.said()[-_LAST_WORDS:].strip() or "it wrote nothing"


def says(words: str) -> Callable[[Program], bool]:
    """Ready once these words are in its log."""
    return lambda program: words in program.said()


@asynccontextmanager
async def folder_for_now(prefix: str) -> AsyncIterator[Path]:
    """A directory that goes away with this process, even if this one is killed.

    A janitor in a session of its own waits for the end of a pipe that only this process holds.
    """
    folder = Path(mkdtemp(prefix=prefix))
    janitor = await asyncio.create_subprocess_exec(
        *("sh", "-c", _JANITOR, "janitor", str(folder)),
        stdin=PIPE,
        stdout=DEVNULL,
        stderr=DEVNULL,
        start_new_session=True,
    )
    try:
        yield folder
    finally:
        assert janitor.stdin is not None
        janitor.stdin.close()
        await janitor.wait()
