"""The road between a browser's HTTP and the server, on which old connections can quietly die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_CHUNK = 64 * 1024


class _Connection:
    def __init__(self) -> None:
        self.works = True


class HttpRoad:
    """Passes TCP connections on to the server. ``http_road_to`` makes and closes it."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener: asyncio.Server | None = None
        self._open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._whole = asyncio.Event()
        self._whole.set()

    async def open(self, port: int) -> None:
        """Begin to pass connections on."""
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", port)

    def changes_network(self) -> None:
        """Connections made so far carry nothing more, and nobody is told; new ones work."""
        for connection in self._open:
            connection.works = False
        self._open.clear()

    def is_cut(self) -> None:
        """Nothing gets through, and nobody is told; what is sent meanwhile comes when mended."""
        self._whole.clear()

    def is_mended(self) -> None:
        """Carry everything again."""
        self._whole.set()

    async def close(self) -> None:
        """Close everything; idempotent."""
        if self._listener is not None:
            self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = _Connection()
        self._open.add(connection)
        back, onward = await asyncio.open_connection("127.0.0.1", self._server_port)
        try:
            await asyncio.gather(
                self._pump(connection, reader, onward), self._pump(connection, back, writer)
            )
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in (writer, onward):
                each.close()
            self._open.discard(connection)
            self._tasks.discard(task)

    async def _pump(
        self, connection: _Connection, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        while data := await source.read(_CHUNK):
            await self._whole.wait()
            if connection.works:
                sink.write(data)
                await sink.drain()
        sink.close()


@asynccontextmanager
async def http_road_to(server_port: int, port: int) -> AsyncIterator[HttpRoad]:
    """A road from ``port`` to the server's, both on this machine."""
    road = HttpRoad(server_port)
    await road.open(port)
    try:
        yield road
    finally:
        await road.close()
