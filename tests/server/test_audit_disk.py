import fcntl
import json
import resource
import stat
from contextlib import contextmanager
from dataclasses import asdict

import pytest

from server.audit import GENESIS, chain
from server.audit_disk import AuditDisk, line
from tests.support.records import Clock, happened

KEY = b"chain-key-of-the-audit-tests...."
DAY = 24 * 60 * 60
NEW_YEAR = 1_767_225_600.0  # 2026-01-01T00:00:00Z


@pytest.fixture
def clock():
    return Clock(NEW_YEAR)


@pytest.fixture
def disk(tmp_path, clock):
    return AuditDisk(tmp_path / "data" / "audit", clock)


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "data" / "audit"


def entries(count, first=1, practice="north"):
    found = []
    for cursor in range(first, first + count):
        previous = found[-1].mac if found else GENESIS
        found.append(chain(happened(practice=practice), cursor, previous, KEY))
    return found


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@contextmanager
def files_of_at_most(size):
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_a_line_is_an_entry_and_only_the_owner_can_read_it(disk, directory):
    told = entries(3)
    disk.write(told)
    (file,) = directory.iterdir()
    assert lines(file) == [asdict(entry) for entry in told]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_each_day_has_its_file(disk, directory, clock):
    for now in (NEW_YEAR - 0.5, NEW_YEAR, NEW_YEAR + DAY - 0.5, NEW_YEAR + DAY):
        clock.now = now
        disk.write(entries(1))
    found = {file.name: len(lines(file)) for file in directory.iterdir()}
    assert found == {
        "audit-2025-12-31.jsonl": 1,
        "audit-2026-01-01.jsonl": 2,
        "audit-2026-01-02.jsonl": 1,
    }


def test_a_disk_that_takes_a_part_is_given_nothing(disk, directory):
    disk.write(entries(2))
    (file,) = directory.iterdir()
    before = file.read_bytes()
    with files_of_at_most(len(before) + 100), pytest.raises(OSError, match="too large"):
        disk.write(entries(2, first=3))
    assert file.read_bytes() == before
    disk.write(entries(2, first=3))
    assert [line["cursor"] for line in lines(file)] == [1, 2, 3, 4]


def test_what_stands_there_already_is_taken_up_without_the_half_of_a_line(disk, directory, clock):
    assert disk.take_up() == {}
    disk.write([*entries(9, practice="gone")])
    clock.now += DAY
    disk.write([*entries(3), *entries(2, practice="south")])
    newest = max(directory.iterdir())
    whole = newest.read_bytes()
    newest.write_bytes(whole + b"[]\nnot JSON\n" + whole[:90])
    assert disk.take_up() == {"north": 3, "south": 2}
    assert newest.read_bytes() == whole + b"[]\nnot JSON\n"


def test_a_file_that_was_moved_away_is_written_no_more(disk, directory):
    disk.write(entries(1))
    (file,) = directory.iterdir()
    moved = file.rename(directory / "archived")
    disk.write(entries(1, first=2))
    assert [line["cursor"] for line in lines(moved)] == [1]
    assert [line["cursor"] for line in lines(file)] == [2]


def test_a_line_that_another_process_is_writing_is_not_taken_for_a_crash(disk, directory):
    disk.write(entries(1))
    (file,) = directory.iterdir()
    half = line(entries(2)[1]).encode()[:40]
    with file.open("ab", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(half)
        for attempt in (disk.take_up, lambda: disk.write(entries(1))):
            with pytest.raises(BlockingIOError):
                attempt()
    assert file.read_bytes() == line(entries(1)[0]).encode() + half


def test_looking_makes_nothing(disk, directory):
    assert disk.take_up() == {}
    assert not directory.exists(), "staff who look as another user would own it"
