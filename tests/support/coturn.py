"""A real coturn on loopback, configured as deploy/ tells operators to configure theirs."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aioice import stun

from tests.support.ports import free_port

MEDIA_ADDRESS = "127.0.0.1"  # stands for the address of our media port
PRIVATE_ADDRESS = "127.0.0.2"  # stands for everything else in a private network

RULES = [
    # The one address that relays are for, and then everything private is out of reach.
    f"--allowed-peer-ip={MEDIA_ADDRESS}",
    "--denied-peer-ip=0.0.0.0-0.255.255.255",
    "--denied-peer-ip=10.0.0.0-10.255.255.255",
    "--denied-peer-ip=127.0.0.0-127.255.255.255",
    "--denied-peer-ip=169.254.0.0-169.254.255.255",
    "--denied-peer-ip=172.16.0.0-172.31.255.255",
    "--denied-peer-ip=192.168.0.0-192.168.255.255",
    "--allow-loopback-peers",
]


@asynccontextmanager
async def coturn(secret: str, directory: Path, *rules: str) -> AsyncIterator[tuple[str, int]]:
    """A TURN server that takes credentials made with ``secret``; where it listens."""
    address = (MEDIA_ADDRESS, free_port())
    command = shutil.which("turnserver")
    assert command, "install coturn: apt-get install coturn"
    process = await asyncio.create_subprocess_exec(
        command,
        "-n",  # no configuration file but these
        f"--listening-ip={address[0]}",
        f"--listening-port={address[1]}",
        f"--relay-ip={address[0]}",
        "--use-auth-secret",
        f"--static-auth-secret={secret}",
        "--realm=bedside.test",
        "--no-tls",
        "--no-dtls",
        "--no-cli",
        f"--userdb={directory / 'turn.sqlite'}",
        f"--pidfile={directory / 'turn.pid'}",
        "--log-file=stdout",
        *RULES,
        *rules,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
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
