import asyncio
import json
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from rooms.nodes_policy import NodesPolicy
from server.audit import GENESIS, chain, verify_chain
from server.audit_file import AuditFile
from server.store import LogEntry, StoreUnavailable, VersionConflict
from tests.contracts.record_contract import AUDIT_KEY
from tests.support.records import Clock, a_visit, happened
from tests.support.redis_links import IMPATIENT
from tests.support.redis_server import one_redis
from tests.support.redis_stores import Stores

QUICK = NodesPolicy(audit_retry=0.01)


class Log:
    """What stands in Redis, and whether it can be read."""

    def __init__(self, count, practice="north"):
        self.away = False
        self.asked = []
        self.entries: list[LogEntry] = []
        for cursor in range(1, count + 1):
            previous = self.entries[-1].mac if self.entries else GENESIS
            draft = happened(practice=practice)
            self.entries.append(chain(draft, cursor, previous, AUDIT_KEY))

    async def after(self, practice, cursor, limit):
        self.asked.append((practice, cursor, limit))
        if self.away:
            raise StoreUnavailable
        return self.entries[cursor : cursor + limit]

    def __getitem__(self, cursor):
        return self.entries[cursor - 1]


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "audit"


@pytest.fixture
def log():
    return Log(20)


@pytest.fixture
async def opened(directory, log):
    files = []

    def new(policy=QUICK, read=log.after):
        files.append(AuditFile(directory, Clock(), policy))
        files[-1].open(read)
        return files[-1]

    yield new
    for file in files:
        await file.close()


def kept(directory):
    return [
        LogEntry(**json.loads(line))
        for file in sorted(directory.glob("*.jsonl"))
        for line in file.read_text().splitlines()
    ]


def cursors(directory):
    return [entry.cursor for entry in kept(directory)]


async def until(true):
    """The disk has a thread of its own, which tells nobody."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - another thread
            await asyncio.sleep(0.002)


async def test_what_is_appended_is_written_in_order_and_synced_together(
    opened, directory, log, monkeypatch
):
    synced = []
    monkeypatch.setattr("server.audit_disk.os.fsync", synced.append)
    file = opened()
    for entry in log.entries:
        file.append([entry])
    await file.close()
    await file.close()
    assert kept(directory) == log.entries
    assert file.counters.written == 20
    assert file.waiting == 0
    assert len(synced) <= 2, "one for the lines, one for the directory of a new file"


async def test_what_others_wrote_in_between_stands_there_too(opened, directory, log):
    south = Log(3, "south")
    file = opened()
    file.append([log[2], log[3], south[1], log[7]])
    await until(lambda: file.counters.written == 7)
    file.append([log[8], south[2], log[10]])
    await file.close()
    north = [entry for entry in kept(directory) if entry.practice == "north"]
    assert [entry.cursor for entry in north] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert verify_chain(north, AUDIT_KEY, trimmed=True) is None
    assert log.asked == [("north", 3, 3), ("north", 8, 1)]
    assert file.counters.gaps == 0


async def test_what_is_too_much_or_cannot_be_read_is_counted(opened, directory, log):
    file = opened(replace(QUICK, audit_backfill=2))
    file.append([log[1], log[9]])
    await until(lambda: file.counters.written == 4)
    log.away = True
    file.append([log[12]])
    await file.close()
    assert cursors(directory) == [1, 7, 8, 9, 12]
    assert file.counters.gaps == 5 + 2


async def test_a_log_that_lost_its_end_goes_on_from_there(opened, directory, log):
    again = Log(8)
    again.entries[6:] = [replace(entry, type="Other") for entry in again.entries[6:]]
    file = opened()
    file.append(log.entries[:10])
    file.append([again[7], again[8]])
    await file.close()
    assert cursors(directory) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 7, 8]
    assert log.asked == []


async def test_after_a_crash_the_file_gets_what_it_lacks(opened, directory, log):
    first = opened()
    first.append(log.entries[:5])
    await first.close()
    (file,) = directory.iterdir()
    file.write_bytes(file.read_bytes()[:-30])
    second = opened()
    second.append([log[8]])
    await second.close()
    assert kept(directory) == log.entries[:8]


async def test_a_disk_that_takes_nothing_delays_nobody_and_loses_nothing(opened, directory, log):
    directory.write_text("in the way")
    with capture_logs() as logged:
        file = opened()
        for entry in log.entries[:10]:
            file.append([entry])
        await until(lambda: file.counters.failures >= 3)
        assert file.waiting == 10
        directory.unlink()
        file.append(log.entries[10:])
        await file.close()
    assert kept(directory) == log.entries
    assert [line["log_level"] for line in logged] == ["error", "info"], "said once"
    assert file.counters.lost == 0


async def test_a_full_disk_is_one_that_takes_nothing(opened, directory, log):
    file = opened()
    file.append([log[1]])
    await until(lambda: file.counters.written == 1)
    (today,) = directory.iterdir()
    beside = today.rename(directory / "beside")
    today.symlink_to("/dev/full")
    file.append([log[2], log[3]])
    await until(lambda: file.counters.failures >= 2)
    beside.rename(today)
    await until(lambda: file.counters.written == 3)
    assert kept(directory) == log.entries[:3]


async def test_memory_is_bounded_and_what_found_no_room_is_counted(opened, directory, log):
    directory.write_text("in the way")
    file = opened(replace(QUICK, audit_spool=5, audit_batch=2))
    for entry in log.entries:
        file.append([entry])
    assert file.waiting == 5
    await until(lambda: file.counters.failures >= 2)
    assert file.counters.lost == 15
    directory.unlink()
    await file.close()
    assert cursors(directory) == [16, 17, 18, 19, 20]


async def test_closing_does_not_wait_for_a_disk_that_takes_nothing(opened, directory, log):
    directory.write_text("in the way")
    file = opened(replace(QUICK, audit_retry=60.0))
    file.append(log.entries)
    await until(lambda: file.counters.failures >= 1)
    async with asyncio.timeout(1):
        await file.close()
    assert file.counters.lost == 20
    assert directory.read_text() == "in the way"


# With a store


@pytest.fixture(scope="module")
def redis():
    with one_redis() as server:
        yield server


@pytest.fixture
async def stores(redis):
    opened = Stores(redis)
    yield opened
    redis.wakes()
    await opened.close()


async def test_each_nodes_file_holds_the_whole_log_that_it_took_part_in(stores, tmp_path):
    files = [AuditFile(tmp_path / name, stores.clock, QUICK) for name in ("one", "two")]
    one, two = [
        await stores.open(name, audit_file=file)
        for name, file in zip(("one", "two"), files, strict=True)
    ]
    await one.create(a_visit(), [], [happened("Created")])
    for n in range(1, 9):
        store = (one, two)[n % 2]
        await store.save(a_visit(host=f"host-{n}"), n, [happened(f"Saved{n}")])
    with pytest.raises(VersionConflict):
        await one.save(a_visit(), 1, [happened("Refused")])
    await stores.close()
    for name, first in (("one", "Created"), ("two", "Saved1")):
        entries = kept(tmp_path / name)
        assert verify_chain(entries, AUDIT_KEY, trimmed=True) is None
        assert entries[0].type == first
        assert entries[-1].type == ("Saved8" if name == "one" else "Saved7")


async def test_what_was_written_and_not_answered_is_in_the_file_after_the_next(
    redis, stores, tmp_path
):
    file = AuditFile(tmp_path / "one", stores.clock, QUICK)
    store = await stores.open(audit_file=file, nodes=replace(IMPATIENT, redis_answer=0.1))
    await store.create(a_visit(), [], [happened("Created")])
    with redis.hung(), pytest.raises(StoreUnavailable):
        await store.save(a_visit(host="new"), 1, [happened("Unanswered")])
    await store.record([happened("Next")])
    in_redis = await store.log_after("north", 0, 10)
    await stores.close()
    assert kept(tmp_path / "one") == in_redis
    assert [entry.type for entry in in_redis] == ["Created", "Unanswered", "Next"]
