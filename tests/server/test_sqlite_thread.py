import asyncio
import sqlite3
import stat
import sys
import threading
from contextlib import closing

import pytest

from server.sqlite_thread import SqliteThread, copy_database
from server.store import AlreadyExists, StoreError, StoreUnavailable, UnknownVisit
from tests.support.source_tree import ROOT


def two_tables(db):
    db.execute("CREATE TABLE IF NOT EXISTS parents (id INTEGER PRIMARY KEY) STRICT")
    db.execute(
        "CREATE TABLE IF NOT EXISTS children (parent INTEGER NOT NULL REFERENCES parents) STRICT"
    )


def insert(number):
    return lambda db: db.execute("INSERT INTO parents VALUES (?)", (number,)) and None


def numbers(db):
    return [row[0] for row in db.execute("SELECT id FROM parents ORDER BY id")]


@pytest.fixture
async def thread(tmp_path):
    thread = SqliteThread(tmp_path / "some.db", 0.05, two_tables)
    await thread.open()
    yield thread
    await thread.close()


async def test_every_transaction_runs_on_the_one_thread(thread):
    names = await asyncio.gather(
        *(thread.write(lambda db: threading.current_thread().name) for _ in range(20))
    )
    assert set(names) == {"store_0"}
    assert threading.current_thread().name not in names


async def test_an_error_in_the_middle_undoes_the_whole(thread):
    class Interrupted(Exception):
        pass

    def half(db):
        insert(1)(db)
        raise Interrupted

    with pytest.raises(Interrupted):
        await thread.write(half)
    assert await thread.read(numbers) == []
    await thread.write(insert(2))
    assert await thread.read(numbers) == [2]


async def test_constraints_are_told_apart(thread):
    await thread.write(insert(1))
    with pytest.raises(AlreadyExists):
        await thread.write(insert(1))
    with pytest.raises(UnknownVisit):
        await thread.write(lambda db: db.execute("INSERT INTO children VALUES (9)") and None)
    with pytest.raises(StoreError) as refusal:
        await thread.write(lambda db: db.execute("INSERT INTO children VALUES (NULL)") and None)
    assert type(refusal.value) is StoreError


async def test_a_fault_gets_a_new_connection_the_next_time(thread):
    await thread.write(lambda db: db.execute("CREATE TEMP TABLE of_this_connection (id)") and None)
    for _ in range(2):
        with pytest.raises(StoreUnavailable) as refusal:
            await thread.write(lambda db: db.execute("SELECT * FROM nothing") and None)
        assert isinstance(refusal.value.__cause__, sqlite3.OperationalError)
    with pytest.raises(StoreUnavailable):
        await thread.read(lambda db: db.execute("SELECT * FROM of_this_connection") and None)
    await thread.write(insert(1))
    assert await thread.read(numbers) == [1]


async def test_a_cancelled_caller_stops_nobody_else(thread):
    begun, go_on = threading.Event(), threading.Event()

    def slow(db):
        begun.set()
        go_on.wait(10)
        insert(1)(db)

    running = asyncio.create_task(thread.write(slow))
    queued = asyncio.create_task(thread.write(insert(2)))
    await asyncio.to_thread(begun.wait, 10)
    running.cancel()
    queued.cancel()
    await asyncio.gather(running, queued, return_exceptions=True)
    go_on.set()
    await thread.write(insert(3))
    # What had begun is finished whole; what had not begun never happened.
    assert await thread.read(numbers) == [1, 3]


async def test_closing_finishes_what_was_handed_over(tmp_path):
    thread = SqliteThread(tmp_path / "some.db", 0.05, two_tables)
    await thread.open()
    writes = [asyncio.create_task(thread.write(insert(number))) for number in range(5)]
    await asyncio.sleep(0)
    await thread.close()
    await asyncio.gather(*writes)
    await thread.open()
    assert await thread.read(numbers) == [0, 1, 2, 3, 4]
    await thread.close()
    with pytest.raises(StoreUnavailable):
        await thread.read(numbers)


async def test_no_thread_is_left_behind(tmp_path):
    before = threading.active_count()
    thread = SqliteThread(tmp_path / "some.db", 0.05, two_tables)
    await thread.open()
    await thread.close()
    (tmp_path / "not-a-database").write_bytes(b"words, words, words" * 100)
    broken = SqliteThread(tmp_path / "not-a-database", 0.05, two_tables)
    with pytest.raises(StoreUnavailable):
        await broken.open()
    await broken.close()
    assert threading.active_count() == before


async def test_a_directory_that_cannot_be_made_is_a_clear_refusal(tmp_path):
    (tmp_path / "file").touch()
    thread = SqliteThread(tmp_path / "file" / "some.db", 0.05, two_tables)
    with pytest.raises(StoreUnavailable):
        await thread.open()


async def test_a_file_that_the_system_lets_grow_no_further_loses_nothing(tmp_path):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.filling_the_disk", str(tmp_path / "some.db"), cwd=ROOT
    )
    assert await process.wait() == 0


def test_a_copy_is_of_one_moment_and_whole(tmp_path):
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    with closing(sqlite3.connect(source)) as busy:
        busy.execute("PRAGMA journal_mode = WAL")
        busy.execute("CREATE TABLE numbers (n INTEGER)")
        busy.execute("INSERT INTO numbers VALUES (1)")
        busy.commit()
        busy.execute("INSERT INTO numbers VALUES (2)")  # under way while it is copied
        copy_database(source, target)
        busy.commit()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert not list(tmp_path.glob("target.db-*"))
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT n FROM numbers").fetchall() == [(1,)]
    with pytest.raises(FileExistsError):
        copy_database(source, target)


def test_what_is_no_database_is_not_copied(tmp_path):
    (tmp_path / "source.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(StoreUnavailable, match="copied"):
        copy_database(tmp_path / "source.db", tmp_path / "target.db")
