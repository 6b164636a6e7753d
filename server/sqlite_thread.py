"""One SQLite connection on one thread: whole transactions go in, results come out.

The only file that knows ``sqlite3``. Coroutines cannot collide, because each hands over a function
that runs from BEGIN to COMMIT before the next one starts.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeAlias, TypeVar

from server.store import AlreadyExists, StoreError, StoreUnavailable, UnknownVisit

Connection: TypeAlias = sqlite3.Connection
Result = TypeVar("Result")

_PRAGMAS = (
    "PRAGMA synchronous = FULL",  # an acknowledged write survives a power cut as well
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what expired is overwritten, not only forgotten
    "PRAGMA trusted_schema = OFF",
)
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL}
_TAKEN = {sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE}


class SqliteThread:
    """Runs transactions against the file at ``path``, one after another.

    ``prepare`` makes or migrates the schema; it runs in a transaction of its own at each
    connecting, and so does a new connection after a fault that may have spoilt the old one.
    """

    def __init__(self, path: Path, busy: float, prepare: Callable[[Connection], None]) -> None:
        self._path = path
        self._busy = busy
        self._prepare = prepare
        self._connection: Connection | None = None
        self._executor: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Start the thread and connect. Raises ``StoreUnavailable``."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="store")
        try:
            await self._on_thread(self._connected)
        except StoreError:
            await self.close()
            raise

    async def close(self) -> None:
        """Finish what was handed over, disconnect and end the thread; idempotent."""
        executor, self._executor = self._executor, None
        if executor is not None:
            await asyncio.get_running_loop().run_in_executor(executor, self._disconnect)
            executor.shutdown()

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run ``work`` in a transaction that may change things."""
        return await self._on_thread(lambda: self._transact("BEGIN IMMEDIATE", work))

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run ``work`` on one snapshot; not kept waiting by whoever writes."""
        return await self._on_thread(lambda: self._transact("BEGIN DEFERRED", work))

    async def _on_thread(self, call: Callable[[], Result]) -> Result:
        if self._executor is None:
            raise StoreUnavailable("The store is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    def _transact(self, begin: str, work: Callable[[Connection], Result]) -> Result:
        connection = self._connected()
        try:
            return _run(connection, begin, work)
        except sqlite3.Error as error:
            if (getattr(error, "sqlite_errorcode", 0) & 0xFF) not in _PASSING:
                self._disconnect()
            raise StoreUnavailable from error

    def _connected(self) -> Connection:
        if self._connection is None:
            try:
                self._connection = self._connect()
            except (sqlite3.Error, OSError) as error:
                raise StoreUnavailable from error
        return self._connection

    def _connect(self) -> Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives the file's own mode to the journals that it puts beside it.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._path.chmod(0o600)
        connection = sqlite3.connect(self._path, timeout=self._busy, isolation_level=None)
        try:
            (journal,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if journal != "wal":
                raise StoreUnavailable("The data directory's file system cannot keep the store.")
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            _run(connection, "BEGIN IMMEDIATE", self._prepare)
        except BaseException:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def copy_database(source: Path, target: Path) -> None:
    """A copy of the whole database at one moment, in a new private file, beside whoever uses it.

    In one step, which is one reader's snapshot: in steps it would begin anew with each change.
    Raises ``StoreUnavailable``.
    """
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as given,
            closing(sqlite3.connect(target)) as made,
        ):
            given.backup(made)
            (found,) = made.execute("PRAGMA integrity_check").fetchone()
            made.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
    except sqlite3.Error as error:
        raise StoreUnavailable("The database cannot be copied.") from error
    if found != "ok":
        raise StoreUnavailable("The database is damaged: its integrity check fails.")


def _run(connection: Connection, begin: str, work: Callable[[Connection], Result]) -> Result:
    """One transaction: all of ``work``, or nothing of it and an error."""
    connection.execute(begin)
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except sqlite3.IntegrityError as error:
        _roll_back(connection)
        raise _refusal(error) from error
    except BaseException:
        _roll_back(connection)
        raise
    return result


def _roll_back(connection: Connection) -> None:
    if connection.in_transaction:  # a full disk has rolled back by itself
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def _refusal(error: sqlite3.IntegrityError) -> StoreError:
    if error.sqlite_errorcode in _TAKEN:
        return AlreadyExists()
    if error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return UnknownVisit()
    return StoreError()
