"""sipp as the other end of a trunk: one scenario, answered exactly as it is written."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.ports import free_port

_SCENARIOS = Path(__file__).parent / "scenarios"


class Sipp:
    """A running scenario. ``port`` takes the calls; ``rtp_port`` is the one its SDP names."""

    def __init__(self, port: int, process: asyncio.subprocess.Process, errors: Path) -> None:
        self.port = port
        self._process = process
        self._errors = errors

    async def finished(self, within: float = 20.0) -> None:
        """Wait for the scenario's end; everything must have happened as it is written."""
        async with asyncio.timeout(within):
            status = await self._process.wait()
        assert status == 0, f"the scenario failed ({status}): {self._complaints()}"

    def _complaints(self) -> str:
        return "".join(path.read_text(errors="replace") for path in self._errors.glob("*errors*"))


@asynccontextmanager
async def sipp(scenario: str, transport: str = "u1", **words: str) -> AsyncIterator[Sipp]:
    """One call's worth of ``tests/support/scenarios/<scenario>.xml`` on loopback.

    ``words`` take the place of ``@word@`` in the scenario.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="sipp-") as folder:
        text = (_SCENARIOS / f"{scenario}.xml").read_text()
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        Path(folder, "scenario.xml").write_text(text)
        process = await asyncio.create_subprocess_exec(
            "sipp", "-sf", "scenario.xml",
            "-i", "127.0.0.1", "-p", str(port), "-mi", "127.0.0.1", "-mp", str(free_port() & ~1),
            "-m", "1", "-t", transport, "-nostdin", "-trace_err", "-timeout", "50",
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await _is_up(port, process)
            yield Sipp(port, process, Path(folder))
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _is_up(port: int, process: asyncio.subprocess.Process) -> None:
    """Whether the kernel lists the socket; asking sipp itself would be a call to it."""
    wanted = f":{port:04X} "
    async with asyncio.timeout(5):
        while not any(wanted in Path(f"/proc/net/{kind}").read_text() for kind in ("udp", "tcp")):
            assert process.returncode is None, "sipp did not take the scenario"
            await asyncio.sleep(0.02)
