"""A store that is locked by another process, or whose disk is full, while the server runs on it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.sqlite_store import SqliteStore
from server.timed_store import untimed
from tests.support.server_clients import RunningServer

MANY_PAGES = 1_000_000


@asynccontextmanager
async def locked_store(server: RunningServer) -> AsyncIterator[None]:
    """Nothing can be written while this lasts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.holding_a_lock", str(server.settings.store_path),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline() == b"locked\n"
    try:
        yield
    finally:
        await process.communicate(b"")  # the end of its input is the end of the lock


@asynccontextmanager
async def full_disk(server: RunningServer) -> AsyncIterator[None]:
    """The store cannot grow while this lasts."""
    store = untimed(server.node.store)
    assert isinstance(store, SqliteStore)
    thread = store._thread
    (pages,) = await thread.read(lambda db: db.execute("PRAGMA page_count").fetchone())
    await thread.read(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchone())
    try:
        yield
    finally:
        largest = f"PRAGMA max_page_count = {MANY_PAGES}"
        await thread.read(lambda db: db.execute(largest).fetchone())
