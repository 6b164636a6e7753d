"""A server in a process of its own, with limits per address lifted: all load comes from one."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from rooms.nodes_policy import GarbagePolicy
from rooms.policy import EdgePolicy
from server import keys
from server.app import NODE, Policies, build
from server.config import LogLevel, load_settings
from server.garbage import Garbage
from server.invitations import new_id
from server.links import hash_code, new_api_key
from server.logs import configure
from server.store import ApiKey, Practice

LIFTED = EdgePolicy(connects_per_minute=1e7, open_per_address=100_000, sessions_per_minute=1e7)


@dataclass(frozen=True, slots=True)
class Served:
    """A running server and how to speak to it."""

    pid: int
    base_url: str
    api_key: str

    def resident_kb(self) -> float:
        """Memory of the process that is in use, in KiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return float(line.split()[1])
        raise RuntimeError("no such process")

    def cpu_seconds(self) -> float:
        """User and system time of the process."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100  # clock ticks, 100 a second on Linux


@contextmanager
def serving() -> Iterator[Served]:
    """A server while the block lasts."""
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as directory:
        command = [sys.executable, "-m", "bench._node", directory]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            yield Served(process.pid, ready["base_url"], ready["api_key"])
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    """The origin that pages must come from holds the port, so it is chosen before the start."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


async def _serve(directory: Path) -> None:
    configure(LogLevel.ERROR)
    settings = load_settings(
        data_dir=directory, port=_free_port(), media_port=0, media_hosts="127.0.0.1"
    )
    ring = keys.load_or_create(settings.keys_path, production=False)
    app = build(settings, ring, Policies(edge=LIFTED))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", settings.port)
    await site.start()
    node, api_key = app[NODE], new_api_key()
    await node.store.put_practice(Practice("bench", "Bench"))
    await node.store.add_api_key(
        ApiKey(hash=hash_code(api_key), practice="bench", id=new_id(), created_at=0.0)
    )
    base_url = f"http://127.0.0.1:{settings.port}"
    print(json.dumps({"base_url": base_url, "api_key": api_key}), flush=True)
    Garbage(node.is_quiet, GarbagePolicy()).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
