"""One connection to the trunk, made again whenever it is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from media.phone.sip.stream import StreamTransport
from rooms.policy import PhonePolicy
from tests.support.ports import free_port
from tests.support.trunks import config_for

POLICY = replace(PhonePolicy(), trunk_reconnect=0.05, trunk_reconnect_most=0.1)
MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"


class Server:
    """Takes connections and remembers them."""

    def __init__(self):
        self.connections = asyncio.Queue()

    async def taken(self, reader, writer):
        await self.connections.put((reader, writer))

    async def next(self):
        async with asyncio.timeout(5):
            return await self.connections.get()


async def close(writer):
    writer.close()
    await writer.wait_closed()


async def test_a_lost_or_broken_connection_is_made_again():
    server, port, received = Server(), free_port(), asyncio.Queue()
    transport = StreamTransport(config_for(port, transport="tcp"), POLICY)
    await transport.open(lambda message, source: received.put_nowait(message))
    assert not transport.connected
    assert not transport.send(MESSAGE, ("", 0))
    listening = await asyncio.start_server(server.taken, "127.0.0.1", port)

    reader, writer = await server.next()
    writer.write(MESSAGE[:10])
    await writer.drain()
    writer.write(MESSAGE[10:])
    async with asyncio.timeout(5):
        assert await received.get() == MESSAGE
    assert transport.sent_by.startswith("TCP 127.0.0.1:")
    assert transport.send(MESSAGE, ("", 0))
    assert await reader.readexactly(len(MESSAGE)) == MESSAGE
    await close(writer)

    _, writer = await server.next()
    writer.write(b"x" * 20_000)  # no message is so long
    _, third = await server.next()
    assert transport.connected
    await transport.close()
    await transport.close()
    assert not transport.connected
    await close(writer)
    await close(third)
    listening.close()
    await listening.wait_closed()
