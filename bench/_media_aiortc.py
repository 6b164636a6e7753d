"""The reference for joining: aiortc's RTCPeerConnection on both ends, one end in a child process.

As a leg of ours: one connection that receives a sound and a picture, and one that sends them.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

_CONFIGURATION = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)


@asynccontextmanager
async def join_aiortc() -> AsyncIterator[Callable[[int], Awaitable[int]]]:
    """A function that connects so many legs and returns how many connections those are."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench._media_aiortc", stdin=PIPE, stdout=PIPE
    )
    connections: list[RTCPeerConnection] = []

    async def join(legs: int) -> int:
        for number in range(2 * legs):
            direction = ("recvonly", "sendonly")[number % 2]
            connections.append(await _connect(child, direction))
        return 2 * legs

    yield join
    assert child.stdin
    child.stdin.close()
    for connection in connections:
        await connection.close()
    await child.wait()


async def _connect(child: asyncio.subprocess.Process, direction: str) -> RTCPeerConnection:
    assert child.stdin
    assert child.stdout
    connection, up = RTCPeerConnection(_CONFIGURATION), asyncio.Event()

    @connection.on("connectionstatechange")
    def _changed() -> None:
        if connection.connectionState == "connected":
            up.set()

    for kind in ("audio", "video"):
        connection.addTransceiver(kind, direction)
    await connection.setLocalDescription(await connection.createOffer())
    child.stdin.write(json.dumps(connection.localDescription.sdp).encode() + b"\n")
    answer = json.loads(await child.stdout.readline())
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.wait_for(up.wait(), 30)
    return connection


async def _answer_offers() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    connections = []
    while line := await reader.readline():
        connection = RTCPeerConnection(_CONFIGURATION)
        await connection.setRemoteDescription(RTCSessionDescription(json.loads(line), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        print(json.dumps(connection.localDescription.sdp), flush=True)
        connections.append(connection)
    for connection in connections:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(_answer_offers())
