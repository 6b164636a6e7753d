"""Writes until the system lets the file grow no further, then shows that nothing was lost.

    python -m tests.support.filling_the_disk <file>

The limit is the process's own (``RLIMIT_FSIZE``), which is why this is a process of its own.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
from pathlib import Path

from server.sqlite_thread import Connection, SqliteThread
from server.store import StoreUnavailable

LARGEST_FILE = 400_000
WORD = "w" * 50_000


def prepare(db: Connection) -> None:
    db.execute("CREATE TABLE IF NOT EXISTS words (word TEXT) STRICT")


def insert(db: Connection) -> None:
    db.execute("INSERT INTO words VALUES (?)", (WORD,))


def count(db: Connection) -> int:
    (found,) = db.execute("SELECT count(*) FROM words").fetchone()
    return int(found)


async def fill(thread: SqliteThread) -> int:
    """Insert until that is refused; how often it was acknowledged."""
    written = 0
    while True:
        try:
            await thread.write(insert)
        except StoreUnavailable:
            return written
        written += 1


async def main(path: Path) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    thread = SqliteThread(path, 1.0, prepare)
    await thread.open()
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, usual[1]))
    written = await fill(thread)
    resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert written > 0
    assert await thread.read(count) == written
    await thread.write(insert)
    assert await thread.read(count) == written + 1
    await thread.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
