"""Saves one visit again and again, and says so on stdout, until it is killed.

    python -m tests.support.saving_forever <store> <audit key in hexadecimal>

Each line is a version that the store has acknowledged.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from server.sqlite_store import SqliteStore
from tests.support.records import happened


async def main(path: Path, audit_key: bytes) -> None:
    store = SqliteStore(path, audit_key)
    await store.open()
    stored = await store.load("visit-1")
    version = stored.version
    while True:
        version = await store.save(stored.visit, version, [happened("Saved")])
        sys.stdout.write(f"{version}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), bytes.fromhex(sys.argv[2])))
