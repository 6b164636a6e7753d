"""A real coturn on loopback, with the very file that deploy/ gives to operators."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aioice import stun

from deploy.local.programs import turn_database
from tests.support.ports import free_port
from tests.support.source_tree import ROOT

MEDIA_ADDRESS = "127.0.0.1"  # stands for the address of our media port
PRIVATE_ADDRESS = "127.0.0.2"  # stands for everything else in a private network

CONFIGURATION = ROOT / "deploy" / "coturn" / "turnserver.conf"
LOG = "turn.log"  # in the directory that it is given

# What operators add for nodes with private addresses: the one address that relays are for.
_NODES = (f"--allowed-peer-ip={MEDIA_ADDRESS}", "--allow-loopback-peers")


@asynccontextmanager
async def coturn(
    secret: str, directory: Path, *rules: str, host: str = MEDIA_ADDRESS
) -> AsyncIterator[tuple[str, int]]:
    """A TURN server that takes credentials made with ``secret``; where it listens."""
    address = (host, free_port())
    command = shutil.which("turnserver")
    assert command, "install coturn: apt-get install coturn"
    arguments = [
        f"--listening-ip={address[0]}",
        f"--listening-port={address[1]}",
        f"--relay-ip={address[0]}",
        f"--static-auth-secret={secret}",
        "--realm=bedside.test",
        "--no-tls",
        "--no-dtls",
        f"--userdb={turn_database(directory)}",
        f"--pidfile={directory / 'turn.pid'}",
    ]
    with (directory / LOG).open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(command, "-c", str(CONFIGURATION), *arguments, *_NODES, *rules),
            stdout=log,
            stderr=log,
        )
    try:
        await _answers(address)
        yield address
    finally:
        process.kill()
        await process.wait()


async def _answers(address: tuple[str, int]) -> None:
    """Ask until a STUN Binding request is answered (RFC 8489 section 2)."""
    answered = asyncio.Event()

    class Asker(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            answered.set()

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Asker, remote_addr=address)
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    try:
        async with asyncio.timeout(10):
            while not answered.is_set():
                transport.sendto(bytes(request))
                try:
                    await asyncio.wait_for(answered.wait(), 0.05)
                except TimeoutError:
                    continue
    finally:
        transport.close()
