"""The commands as staff give them, against real data in a file and in a real Redis."""

import json
import sqlite3
import stat
import time

import pytest

from server import keys
from server.audit import chain
from server.audit_disk import line
from server.audit_export import parse
from server.claims import NOBODY, NodeRecord
from tests.support.records import happened
from tests.support.staff import Staff


@pytest.fixture
def staff(monkeypatch, capsys, tmp_path):
    staff = Staff(monkeypatch, capsys, tmp_path)
    staff.uses(tmp_path / "data")
    staff.fills()
    return staff


@pytest.fixture(params=["file", "redis"])
def either(request, monkeypatch, capsys, tmp_path):
    """Staff of one node, and of many."""
    staff = Staff(monkeypatch, capsys, tmp_path)
    many = request.getfixturevalue("shared_redis") if request.param == "redis" else None
    staff.uses(tmp_path / "data", many)
    staff.fills()
    return staff


def joins(staff, name, *visits, silent=False):
    """A node of this name that owns these visits; returns what it is told with its beats."""
    record = NodeRecord(
        name=name, owner=f"{name}.1", url="http://x", beat=1, started_at=time.time(), version="1"
    )
    told = []

    async def work(found):
        for visit in visits:
            await found.directory.claim(visit, record.owner, NOBODY)
        told.append(await found.directory.beat(record))

    staff.inside(work)
    return told[0]


# -- visits and nodes --------------------


def test_what_runs_is_told_without_names(either):
    status, out, _ = either.give("visits", "--json")
    (row,) = json.loads(out)
    assert status == 0
    assert (row["visit"], row["practice"], row["stage"]) == ("visit-1", "north", "in_progress")
    assert (row["inside"], row["waiting"], row["on_phone"]) == (1, 1, 0)
    assert "Rosa" not in out
    assert "Rosa Alvarez, Amina Reyes" in either.give("visits", "--names")[1]
    assert either.give("visits", "--practice", "north")[1].count("visit-1") == 1


def test_the_name_in_the_log_is_told(staff):
    (row,) = json.loads(staff.give("visits", "--json")[1])
    assert staff.give("visits", "--trace", "visit-1") == (0, f"{row['trace']}\n", "")
    assert row["trace"] != "visit-1"


def test_a_practice_that_is_not_there_is_said(either):
    status, out, err = either.give("visits", "--practice", "south")
    assert (status, out, err) == (1, "", "bedside: There is no practice south.")


def test_nodes_are_told_with_what_they_own(monkeypatch, capsys, tmp_path, shared_redis):
    staff = Staff(monkeypatch, capsys, tmp_path)
    staff.uses(tmp_path / "data", shared_redis)
    staff.fills()
    assert staff.give("nodes")[1] == "none\n"
    assert not joins(staff, "a", "visit-1").asked_to_drain
    (row,) = json.loads(staff.give("nodes", "--json")[1])
    assert (row["node"], row["alive"], row["draining"]) == ("a", True, False)
    assert json.loads(staff.give("visits", "--json")[1])[0]["node"] == "a"


def test_a_node_that_is_asked_to_drain_hears_of_it(monkeypatch, capsys, tmp_path, shared_redis):
    staff = Staff(monkeypatch, capsys, tmp_path)
    staff.uses(tmp_path / "data", shared_redis)
    staff.fills()
    status, _, err = staff.give("drain", "b")
    assert (status, err) == (1, "bedside: There is no node b that lives. See: bedside nodes")
    joins(staff, "a")
    joins(staff, "b")
    assert staff.give("drain", "b") == (0, "b was asked to give its visits away.\n", "")
    assert joins(staff, "b").asked_to_drain
    assert not joins(staff, "a").asked_to_drain
    assert staff.give("drain")[1] == "a was asked to give its visits away.\n", "this machine's"


@pytest.mark.parametrize("command", ["nodes", "drain"])
def test_one_node_alone_has_no_others(staff, command):
    status, out, err = staff.give(command)
    assert (status, out) == (1, "")
    assert "one node" in err


# -- the log --------------------


def test_a_log_is_exported_and_its_copy_verified(either, tmp_path):
    file = tmp_path / "north.jsonl"
    status, _, err = either.give("audit", "export", "--practice", "north", "--out", file)
    assert (status, err) == (0, "bedside: 4 entries, as they were written\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["cursor"] for line in lines] == [1, 2, 3, 4]
    assert "Rosa" not in file.read_text()
    assert either.give("audit", "verify", file)[:2] == (0, "4 entries, as they were written.\n")
    assert either.give("audit", "export", "--practice", "", "--after", "0")[0] == 0
    again = either.give("audit", "export", "--practice", "north", "--out", file)
    assert again[0] == 1
    assert "exists" in again[2]


def test_an_export_goes_on_where_another_one_ended(either, tmp_path):
    first, rest = tmp_path / "first", tmp_path / "rest"
    either.give("audit", "export", "--practice", "north", "--out", first)
    first.write_text("".join(first.read_text().splitlines(keepends=True)[:2]))
    _, out, _ = either.give("audit", "export", "--practice", "north", "--after", "2")
    rest.write_text(out)
    assert [json.loads(line)["cursor"] for line in out.splitlines()] == [3, 4]
    assert either.give("audit", "verify", rest, first)[0] == 0
    first.write_text(first.read_text().splitlines()[0] + "\n")
    status, _, err = either.give("audit", "verify", first, rest)
    assert status == 1
    assert "entries 2 to 2 are missing" in err
    assert either.give("audit", "verify", "--partial", first, rest)[0] == 0


def test_what_redis_lost_stands_in_the_files_and_is_no_break(staff, tmp_path):
    _, out, _ = staff.give("audit", "export", "--practice", "north")
    kept = [parse(text) for text in out.splitlines()]
    key = keys.load(staff.data / "keys.json").audit
    again = chain(happened("Again", practice="north"), 4, kept[2].mac, key)
    file = tmp_path / "audit.jsonl"
    file.write_text(out + line(again))
    status, _, err = staff.give("audit", "verify", file)
    told = (
        "bedside: of practice north, there are two entries 4: Redis lost the end of its log there\n"
    )
    assert (status, err) == (1, told)
    assert staff.give("audit", "verify", "--partial", file)[0] == 0


def test_a_log_that_somebody_touched_is_told_at_the_first_break(staff, tmp_path):
    with sqlite3.connect(staff.data / "bedside.db") as db:
        db.execute("DROP TRIGGER log_is_never_changed")
        db.execute("UPDATE log SET outcome = 'denied' WHERE practice = 'north' AND cursor = 3")
    db.close()
    status, out, err = staff.give("audit", "export", "--practice", "north")
    assert status == 1
    assert [json.loads(line)["cursor"] for line in out.splitlines()] == [1, 2]
    assert err == (
        "bedside: The log of practice north is broken at entry 3: it is not as it was written."
    )
    status, _, err = staff.give("backup", tmp_path / "backup")
    assert status == 1
    assert "entry 3" in err


def test_a_beginning_that_is_gone_is_a_break_where_nothing_expires(staff):
    with sqlite3.connect(staff.data / "bedside.db") as db:
        db.execute("DROP TRIGGER log_is_never_shortened")
        db.execute("DELETE FROM log WHERE practice = 'north' AND cursor = 1")
    db.close()
    status, _, err = staff.give("audit", "export", "--practice", "north")
    assert status == 1
    assert "entry 1" in err


@pytest.mark.parametrize("text", ["{}", "no json", '{"cursor": 1}', "\xff"])
def test_what_is_no_log_is_said(staff, tmp_path, text):
    file = tmp_path / "file"
    file.write_text(text)
    status, _, err = staff.give("audit", "verify", file)
    assert (status, err) == (1, f"bedside: {file}, line 1: this is no entry of a log.")
    assert "cannot be read" in staff.give("audit", "verify", tmp_path / "none")[2]


# -- where nothing is --------------------


def test_a_wrong_directory_is_said_and_nothing_is_made(monkeypatch, capsys, tmp_path):
    staff = Staff(monkeypatch, capsys, tmp_path)
    staff.uses(tmp_path / "nowhere")
    for command in (["visits"], ["backup", tmp_path / "b"], ["audit", "export", "--practice", ""]):
        status, out, err = staff.give(*command)
        assert (status, out) == (1, "")
        assert "There are no keys" in err
    assert not (tmp_path / "nowhere").exists()


def test_a_store_that_is_away_is_said(monkeypatch, capsys, tmp_path, shared_redis):
    staff = Staff(monkeypatch, capsys, tmp_path)
    staff.uses(tmp_path / "data", shared_redis)
    staff.fills()
    monkeypatch.setenv("BEDSIDE_REDIS_URL", "redis://127.0.0.1:1/0")
    status, _, err = staff.give("visits")
    assert status == 1
    assert err.startswith("bedside: The server cannot store anything")
    assert err.endswith("(Redis: connect)")
