"""What is particular to the embedded store; what every store promises is in tests/contracts."""

import asyncio
import sqlite3
import stat
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from rooms.policy import EdgePolicy
from server.audit import first_break
from server.idempotency import IdempotentReply
from server.sqlite_store import SqliteStore
from server.store import LogEntry, StoreUnavailable, UnknownVisit
from tests.support.records import Clock, a_link, a_visit, happened
from tests.support.source_tree import ROOT

KEY = b"chain-key-of-the-sqlite-tests..."


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "bedside.db"


@pytest.fixture
async def open_store(path):
    opened = []

    async def open_one(policy=None):
        store = SqliteStore(path, KEY, Clock(), policy)
        opened.append(store)
        await store.open()
        return store

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store):
    return await open_store()


@asynccontextmanager
async def running(module, *arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"tests.support.{module}",
        *map(str, arguments),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_no_acknowledged_save_is_lost_when_the_process_is_killed(open_store, path):
    store = await open_store()
    await store.create(a_visit(), [], [])
    await store.close()
    for lines_before_the_kill in (1, 7, 40):
        async with running("saving_forever", path, KEY.hex()) as process:
            for _ in range(lines_before_the_kill):
                assert await process.stdout.readline()
            process.kill()
            rest = await process.stdout.read()
            await process.wait()
        acknowledged = [
            int(line) for line in rest.splitlines(keepends=True) if line.endswith(b"\n")
        ]
        store = await open_store()
        version = (await store.load("visit-1")).version
        # One more may have been stored than was said: killed between the two.
        assert max(acknowledged, default=0) <= version
        assert len(await all_entries(store)) == version - 1
        assert await first_break(store, "north", KEY) is None
        await store.close()


async def all_entries(store):
    found: list[LogEntry] = []
    while page := await store.log_after("north", len(found), 1_000):
        found += page
    return found


async def test_a_lock_held_elsewhere_refuses_writes_and_lets_reads_go_on(open_store, path):
    store = await open_store(EdgePolicy(store_busy=0.05))
    await store.create(a_visit(), [a_link()], [happened()])
    async with running("holding_a_lock", path) as process:
        assert await process.stdout.readline() == b"locked\n"
        with pytest.raises(StoreUnavailable):
            await store.save(a_visit(host="new"), 1, [happened()])
        with pytest.raises(StoreUnavailable):
            await store.revoke_links("visit-1", "seat-1", 5.0, [happened()])
        assert not await store.healthy()
        assert (await store.load("visit-1")).visit == a_visit()
        assert await store.find_link("hash-1") == a_link()
    assert await store.healthy()
    assert len(await all_entries(store)) == 1
    assert await store.save(a_visit(host="new"), 1, [happened()]) == 2
    assert await first_break(store, "north", KEY) is None


async def pages_allowed(store, count):
    sql = f"PRAGMA max_page_count = {count}"
    await store._thread.read(lambda db: db.execute(sql).fetchone())


async def test_a_full_disk_refuses_the_action_whole_and_is_forgiven(store):
    await store.create(a_visit(), [], [happened()])
    await pages_allowed(store, 1)  # SQLite takes the present size when that is more
    large = a_visit("visit-2", host="h" * 100_000)
    with pytest.raises(StoreUnavailable):
        await store.create(large, [a_link(visit="visit-2")], [happened(visit="visit-2")])
    with pytest.raises(UnknownVisit):
        await store.load("visit-2")
    assert await store.find_link("hash-1") is None
    assert len(await all_entries(store)) == 1
    await pages_allowed(store, 1_000_000)
    await store.create(large, [a_link(visit="visit-2")], [happened(visit="visit-2")])
    assert (await store.load("visit-2")).visit == large
    assert await first_break(store, "north", KEY) is None


async def test_only_the_owner_can_read_what_is_kept(store, path):
    await store.create(a_visit(), [], [])
    kept = sorted(path.parent.iterdir())
    assert [file.name for file in kept] == ["bedside.db", "bedside.db-shm", "bedside.db-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_file_that_others_could_read_is_closed_to_them(open_store, path):
    path.parent.mkdir()
    path.touch(0o644)
    await open_store()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "vandalism",
    [
        "UPDATE log SET outcome = 'ok' WHERE cursor = 3",
        "UPDATE log SET at = at + 1 WHERE cursor = 3",
        "UPDATE log SET seat = 'seat-2' WHERE cursor = 3",
        "DELETE FROM log WHERE cursor = 3",
        "UPDATE log SET previous_mac = mac WHERE cursor = 3",
    ],
)
async def test_whoever_edits_the_log_by_hand_is_noticed_there(open_store, path, vandalism):
    store = await open_store()
    await store.create(a_visit(), [], [happened(outcome="refused") for _ in range(6)])
    await store.close()
    by_hand = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        by_hand.execute(vandalism)
    by_hand.execute("DROP TRIGGER log_is_never_changed")
    by_hand.execute("DROP TRIGGER log_is_never_shortened")
    by_hand.execute(vandalism)
    by_hand.close()
    assert await first_break(await open_store(), "north", KEY) == 3


async def test_expired_replies_are_erased_from_the_file(path):
    clock = Clock()
    store = SqliteStore(path, KEY, clock)
    await store.open()
    reply = IdempotentReply(
        practice="north",
        key_hash="key-1",
        request_hash="request-1",
        sealed=b"a sealed reply that must not stay" * 4,
        expires_at=clock.now + 1,
    )
    await store.create(a_visit(), [], [], idempotency=reply)
    clock.now += 2
    other = replace(reply, key_hash="key-2", sealed=b"other", expires_at=clock.now + 1)
    await store.create(a_visit("visit-2"), [], [], idempotency=other)
    await store.close()
    assert reply.sealed not in path.read_bytes()
