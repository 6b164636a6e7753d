"""The tables of the embedded store, as the steps that made them. A step is never edited again."""

from __future__ import annotations

from server.sqlite_thread import Connection
from server.store import StoreUnavailable

_FIRST = (
    "CREATE TABLE practices (id TEXT PRIMARY KEY, name TEXT NOT NULL, phone TEXT NOT NULL) STRICT",
    """CREATE TABLE visits (
        id TEXT PRIMARY KEY, practice TEXT NOT NULL, starts_at REAL NOT NULL, stage TEXT NOT NULL,
        version INTEGER NOT NULL, body TEXT NOT NULL) STRICT""",
    "CREATE INDEX visits_by_start ON visits (practice, starts_at)",
    "CREATE INDEX visits_by_stage ON visits (stage, practice, starts_at)",
    """CREATE TABLE links (
        hash TEXT PRIMARY KEY, kind TEXT NOT NULL, practice TEXT NOT NULL,
        visit TEXT REFERENCES visits (id), seat TEXT NOT NULL, desk TEXT NOT NULL,
        revoked_at REAL) STRICT""",
    "CREATE INDEX links_by_seat ON links (visit, seat)",
    "CREATE INDEX links_by_desk ON links (desk) WHERE kind = 'desk'",
    """CREATE TABLE api_keys (
        hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, practice TEXT NOT NULL,
        created_at REAL NOT NULL, revoked_at REAL) STRICT""",
    """CREATE TABLE replies (
        practice TEXT NOT NULL, key_hash TEXT NOT NULL, request_hash TEXT NOT NULL,
        sealed BLOB NOT NULL, expires_at REAL NOT NULL, PRIMARY KEY (practice, key_hash)) STRICT""",
    "CREATE INDEX replies_by_expiry ON replies (expires_at)",
    """CREATE TABLE log (
        practice TEXT NOT NULL, cursor INTEGER NOT NULL, at REAL NOT NULL, type TEXT NOT NULL,
        visit TEXT NOT NULL, seat TEXT NOT NULL, actor_kind TEXT NOT NULL, actor TEXT NOT NULL,
        outcome TEXT NOT NULL, previous_mac TEXT NOT NULL, mac TEXT NOT NULL,
        PRIMARY KEY (practice, cursor)) STRICT, WITHOUT ROWID""",
    """CREATE TRIGGER log_is_never_changed BEFORE UPDATE ON log
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    """CREATE TRIGGER log_is_never_shortened BEFORE DELETE ON log
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
)

_TELEPHONES = (
    "ALTER TABLE practices ADD COLUMN spoken_name TEXT NOT NULL DEFAULT ''",
    """CREATE TABLE calls (
        call TEXT PRIMARY KEY, carrier TEXT NOT NULL, state TEXT NOT NULL) STRICT""",
)

STEPS = (_FIRST, _TELEPHONES)


def prepare(connection: Connection) -> None:
    """Bring the file to this version's schema. Raises ``StoreUnavailable`` for a newer one."""
    connection.execute("CREATE TABLE IF NOT EXISTS schema (version INTEGER NOT NULL) STRICT")
    row = connection.execute("SELECT version FROM schema").fetchone()
    version = row[0] if row else 0
    if version > len(STEPS):
        raise StoreUnavailable(
            "The data directory was written by a newer version of Bedside. Install that version."
        )
    for step in STEPS[version:]:
        for statement in step:
            connection.execute(statement)
    if version < len(STEPS):
        connection.execute("DELETE FROM schema")
        connection.execute("INSERT INTO schema VALUES (?)", (len(STEPS),))
