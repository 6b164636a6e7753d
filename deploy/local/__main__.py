"""``make cluster``: the whole installation on this machine, with a visit to try."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from deploy.local.first_visit import links_to_try
from deploy.local.installation import Installation, installation
from deploy.local.program import NotStarted, folder_for_now
from deploy.local.programs import HERE

_PRACTICE = {"practice_name": "Riverside Family Practice", "practice_phone": "+1 202-555-0199"}


def main() -> None:
    """Run until Ctrl+C; exits with a plain sentence when something does not start."""
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--json", action="store_true", help="print one line for scripts")
    parsed = parser.parse_args()
    try:
        _refuse_a_port_that_is_taken(parsed.port)
        with suppress(asyncio.CancelledError):
            asyncio.run(_run(parsed.port, as_json=parsed.json))
    except NotStarted as problem:
        sys.exit(f"make cluster: {problem}")


def _refuse_a_port_that_is_taken(port: int) -> None:
    """Before anything starts; Caddy would say so too, after a page of other words."""
    with socket.socket() as probe:
        if probe.connect_ex((HERE, port)) == 0:
            raise NotStarted(f'port {port} is taken. Choose another: make cluster ARGS="--port …"')


async def _run(port: int, *, as_json: bool) -> None:
    me = asyncio.current_task()
    assert me is not None
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, me.cancel)
    async with (
        folder_for_now("bedside-cluster-") as folder,
        installation(folder, port, _PRACTICE) as running,
    ):
        _show(running, await links_to_try(running), as_json=as_json)
        await loop.create_future()


def _show(running: Installation, links: dict[str, str], *, as_json: bool) -> None:
    parts = {part.name: {"pid": part.pid, "log": str(part.log)} for part in running.programs}
    if as_json:
        nodes = {name: plan.url for name, plan in running.plans.items()}
        ready = {"base_url": running.origin, "links": links, "nodes": nodes, "parts": parts}
        print(json.dumps(ready), flush=True)
        return
    print(f"\nBedside runs on two nodes. Open {running.origin}/ or one of these links:\n")
    for name, link in links.items():
        print(f"  {name:9} {link}")
    print("\nIts parts. Kill one, and see what becomes of the visit:\n")
    for name, part in parts.items():
        print(f"  {name:14} pid {part['pid']:<8} {Path(str(part['log']))}")
    print("\nCtrl+C stops it; nothing is kept.\n", flush=True)


if __name__ == "__main__":
    main()
