import sqlite3

import pytest

from server.sqlite_schema import STEPS, prepare
from server.sqlite_store import VISITS_BETWEEN, SqliteStore
from server.store import StoreUnavailable
from tests.support.records import a_visit

KEY = b"chain-key-of-the-schema-tests..."


@pytest.fixture
def db():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def test_preparing_twice_changes_nothing(db):
    prepare(db)
    tables = db.execute("SELECT sql FROM sqlite_master").fetchall()
    prepare(db)
    assert db.execute("SELECT sql FROM sqlite_master").fetchall() == tables
    assert db.execute("SELECT version FROM schema").fetchall() == [(len(STEPS),)]


def test_an_older_file_gets_the_steps_it_lacks(db, monkeypatch):
    prepare(db)
    later = (*STEPS, ("CREATE TABLE more (id TEXT) STRICT",))
    monkeypatch.setattr("server.sqlite_schema.STEPS", later)
    prepare(db)
    assert db.execute("SELECT count(*) FROM more").fetchone() == (0,)
    assert db.execute("SELECT version FROM schema").fetchall() == [(len(later),)]


async def test_the_file_of_a_newer_server_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "bedside.db"
    store = SqliteStore(path, KEY)
    await store.open()
    await store.create(a_visit(), [], [])
    await store.close()
    by_hand = sqlite3.connect(path, isolation_level=None)
    by_hand.execute("UPDATE schema SET version = version + 1")
    by_hand.close()
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="newer version"):
        await store.open()
    assert not await store.healthy()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM links WHERE visit = 'v' AND seat = 's'",
     "SELECT * FROM links WHERE kind = 'desk' AND desk = 'd'",
     "SELECT * FROM links WHERE hash = 'h'",
     "SELECT * FROM api_keys WHERE hash = 'h'",
     "DELETE FROM replies WHERE expires_at <= 1",
     VISITS_BETWEEN,
     "SELECT id FROM visits WHERE stage IN (SELECT value FROM json_each('[]'))",
     "SELECT cursor, mac FROM log WHERE practice = 'p' ORDER BY cursor DESC LIMIT 1",
     "SELECT * FROM log WHERE practice = 'p' AND cursor > 5 ORDER BY cursor LIMIT 9"],
)  # fmt: skip
def test_no_look_up_reads_a_whole_table(db, sql):
    prepare(db)
    values = ["[]"] * sql.count("?")
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    scans = [step for step in plan if step.startswith("SCAN") and "json_each" not in step]
    assert not scans, plan
    assert any("USING" in step for step in plan)
    assert not any(step.endswith("visits_by_start (practice=?)") for step in plan), plan


def test_types_are_enforced(db):
    prepare(db)
    with pytest.raises(sqlite3.IntegrityError):
        db.execute("INSERT INTO visits VALUES ('v', 'p', 'noon', 'open', 1, '{}')")
