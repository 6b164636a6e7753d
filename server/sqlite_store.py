"""The embedded store: one SQLite file, for one node. Keeps the promises of ``server.store``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from media.phone.former_calls import KeptCall
from rooms.codec import decode, encode
from rooms.model import OVER, RUNNING, SeatId, Stage, Visit, VisitId
from rooms.policy import EdgePolicy
from server.audit import GENESIS, chain
from server.idempotency import IdempotentReply
from server.sqlite_schema import prepare
from server.sqlite_thread import Connection, SqliteThread
from server.store import (
    ApiKey,
    LinkKind,
    LinkRecord,
    LogDraft,
    LogEntry,
    Practice,
    Stored,
    StoreError,
    UnknownVisit,
    VersionConflict,
)

Record = TypeVar("Record", ApiKey, IdempotentReply, KeptCall, LinkRecord, LogEntry, Practice)

# Two look-ups by index: years of visits must not be read for those of today.
VISITS_BETWEEN = """
    SELECT body FROM visits WHERE id IN (
        SELECT id FROM visits WHERE practice = ? AND starts_at >= ? AND starts_at < ?
        UNION ALL
        SELECT id FROM visits INDEXED BY visits_by_stage
            WHERE practice = ? AND stage IN (SELECT value FROM json_each(?)))
    ORDER BY starts_at, id"""


class SqliteStore:
    """A ``Store`` in the file at ``path``; ``audit_key`` chains the log."""

    def __init__(
        self,
        path: Path,
        audit_key: bytes,
        clock: Callable[[], float] = time.time,
        policy: EdgePolicy | None = None,
    ) -> None:
        self._policy = policy or EdgePolicy()
        self._thread = SqliteThread(path, self._policy.store_busy, prepare)
        self._audit_key = audit_key
        self._clock = clock

    async def open(self) -> None:
        await self._thread.open()

    async def close(self) -> None:
        await self._thread.close()

    async def healthy(self) -> bool:
        try:
            await self._thread.write(_touch)
        except StoreError:
            return False
        return True

    async def create(
        self,
        visit: Visit,
        links: Sequence[LinkRecord],
        entries: Sequence[LogDraft],
        *,
        idempotency: IdempotentReply | None = None,
    ) -> None:
        def work(db: Connection) -> None:
            db.execute(
                "INSERT INTO visits (id, practice, starts_at, stage, version, body)"
                " VALUES (:id, :practice, :starts_at, :stage, 1, :body)",
                _visit_row(visit),
            )
            _insert_links(db, links)
            if idempotency is not None:
                db.execute("DELETE FROM replies WHERE expires_at <= ?", (self._clock(),))
                _insert(db, "replies", asdict(idempotency))
            self._append(db, entries)

        await self._thread.write(work)

    async def load(self, visit_id: VisitId) -> Stored:
        def work(db: Connection) -> Stored:
            sql = "SELECT body, version FROM visits WHERE id = ?"
            row = db.execute(sql, (visit_id,)).fetchone()
            if row is None:
                raise UnknownVisit
            return Stored(decode(row[0]), row[1])

        return await self._thread.read(work)

    async def save(
        self,
        visit: Visit,
        version: int,
        entries: Sequence[LogDraft],
        *,
        links: Sequence[LinkRecord] = (),
        lasting: bool = False,  # everything is, on this disk
    ) -> int:
        def work(db: Connection) -> int:
            saved = db.execute(
                "UPDATE visits SET practice = :practice, starts_at = :starts_at, stage = :stage,"
                " body = :body, version = version + 1 WHERE id = :id AND version = :version",
                {**_visit_row(visit), "version": version},
            )
            if not saved.rowcount:
                raise UnknownVisit if _practice_of(db, visit.id) is None else VersionConflict
            _insert_links(db, links)
            self._append(db, entries)
            return version + 1

        return await self._thread.write(work)

    async def record(self, entries: Sequence[LogDraft]) -> None:
        await self._thread.write(lambda db: self._append(db, entries))

    async def add_links(self, links: Sequence[LinkRecord], entries: Sequence[LogDraft]) -> None:
        def work(db: Connection) -> None:
            _insert_links(db, links)
            self._append(db, entries)

        await self._thread.write(work)

    async def revoke_links(
        self, visit_id: VisitId, seat_id: SeatId, at: float, entries: Sequence[LogDraft]
    ) -> int:
        def work(db: Connection) -> int:
            revoked = _revoke_links(db, visit_id, seat_id, at)
            self._append(db, entries)
            return revoked

        return await self._thread.write(work)

    async def replace_links(
        self,
        visit_id: VisitId,
        seat_id: SeatId,
        new: LinkRecord,
        at: float,
        entries: Sequence[LogDraft],
    ) -> None:
        def work(db: Connection) -> None:
            _revoke_links(db, visit_id, seat_id, at)
            _insert_links(db, [new])
            self._append(db, entries)

        await self._thread.write(work)

    async def find_link(self, link_hash: str) -> LinkRecord | None:
        sql = "SELECT * FROM links WHERE hash = ?"
        found = await self._records(LinkRecord, sql, link_hash)
        return next(iter(found), None)

    async def find_desk(self, desk: str) -> LinkRecord | None:
        sql = "SELECT * FROM links WHERE kind = 'desk' AND desk = ?"
        found = await self._records(LinkRecord, sql, desk)
        return next(iter(found), None)

    async def revoke_desk(
        self, practice: str, desk: str, at: float, entries: Sequence[LogDraft]
    ) -> bool:
        def work(db: Connection) -> bool:
            changed = db.execute(
                "UPDATE links SET revoked_at = ? WHERE kind = 'desk' AND practice = ?"
                " AND desk = ? AND revoked_at IS NULL",
                (at, practice, desk),
            ).rowcount
            if changed:
                self._append(db, entries)
            return bool(changed)

        return await self._thread.write(work)

    async def unfinished(self) -> list[VisitId]:
        def work(db: Connection) -> list[VisitId]:
            sql = (
                "SELECT id FROM visits WHERE stage IN (SELECT value FROM json_each(?))"
                " ORDER BY starts_at, id"
            )
            return [row[0] for row in db.execute(sql, (_stages(set(Stage) - OVER),))]

        return await self._thread.read(work)

    async def visits_between(self, practice: str, since: float, until: float) -> list[Visit]:
        def work(db: Connection) -> list[Visit]:
            rows = db.execute(VISITS_BETWEEN, (practice, since, until, practice, _stages(RUNNING)))
            return [decode(row[0]) for row in rows]

        return await self._thread.read(work)

    async def log_after(self, practice: str, cursor: int, limit: int) -> list[LogEntry]:
        return await self._records(
            LogEntry,
            "SELECT * FROM log WHERE practice = ? AND cursor > ? ORDER BY cursor LIMIT ?",
            practice,
            cursor,
            max(0, min(limit, self._policy.log_page)),
        )

    async def put_practice(self, practice: Practice) -> None:
        def work(db: Connection) -> None:
            db.execute(
                "INSERT INTO practices (id, name, phone, spoken_name)"
                " VALUES (:id, :name, :phone, :spoken_name) ON CONFLICT (id) DO UPDATE"
                " SET name = excluded.name, phone = excluded.phone,"
                " spoken_name = excluded.spoken_name",
                asdict(practice),
            )

        await self._thread.write(work)

    async def practice(self, practice_id: str) -> Practice | None:
        sql = "SELECT * FROM practices WHERE id = ?"
        return next(iter(await self._records(Practice, sql, practice_id)), None)

    async def practices(self) -> list[Practice]:
        return await self._records(Practice, "SELECT * FROM practices ORDER BY id")

    async def add_api_key(self, key: ApiKey) -> None:
        await self._thread.write(lambda db: _insert(db, "api_keys", asdict(key)))

    async def find_api_key(self, key_hash: str) -> ApiKey | None:
        sql = "SELECT * FROM api_keys WHERE hash = ?"
        return next(iter(await self._records(ApiKey, sql, key_hash)), None)

    async def api_keys(self, practice: str) -> list[ApiKey]:
        sql = "SELECT * FROM api_keys WHERE practice = ? ORDER BY created_at, id"
        return await self._records(ApiKey, sql, practice)

    async def revoke_api_key(self, key_id: str, at: float) -> bool:
        def work(db: Connection) -> bool:
            sql = "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
            return db.execute(sql, (at, key_id)).rowcount > 0

        return await self._thread.write(work)

    async def keep_call(self, call: KeptCall) -> None:
        def work(db: Connection) -> None:
            db.execute(
                "INSERT INTO calls (call, carrier, state) VALUES (:call, :carrier, :state)"
                " ON CONFLICT (call) DO UPDATE"
                " SET carrier = excluded.carrier, state = excluded.state",
                asdict(call),
            )

        await self._thread.write(work)

    async def forget_call(self, call: str) -> None:
        await self._thread.write(lambda db: db.execute("DELETE FROM calls WHERE call = ?", (call,)))

    async def kept_calls(self) -> list[KeptCall]:
        return await self._records(KeptCall, "SELECT * FROM calls ORDER BY call")

    async def find_reply(self, practice: str, key_hash: str) -> IdempotentReply | None:
        sql = "SELECT * FROM replies WHERE practice = ? AND key_hash = ? AND expires_at > ?"
        found = await self._records(IdempotentReply, sql, practice, key_hash, self._clock())
        return next(iter(found), None)

    def _append(self, db: Connection, entries: Iterable[LogDraft]) -> None:
        """Chain the entries to their practices' logs, in the transaction of what they tell."""
        for given in entries:
            practice = given.practice or _practice_of(db, given.visit) or ""
            draft = replace(given, practice=practice, at=float(given.at))
            head = db.execute(
                "SELECT cursor, mac FROM log WHERE practice = ? ORDER BY cursor DESC LIMIT 1",
                (practice,),
            ).fetchone()
            cursor, previous_mac = head or (0, GENESIS)
            entry = chain(draft, cursor + 1, previous_mac, self._audit_key)
            _insert(db, "log", asdict(entry))

    async def _records(self, kind: type[Record], sql: str, *values: object) -> list[Record]:
        """Rows as records: the columns of a table are named like the fields."""

        def work(db: Connection) -> list[Record]:
            found = db.execute(sql, values)
            names = [column[0] for column in found.description]
            return [_record(kind, dict(zip(names, row, strict=True))) for row in found]

        return await self._thread.read(work)


def _record(kind: type[Record], row: dict[str, Any]) -> Record:
    if kind is LinkRecord:
        row = {**row, "kind": LinkKind(row["kind"]), "visit": row["visit"] or ""}
    return kind(**row)


def _touch(db: Connection) -> None:
    """The smallest change there is, to see whether changes are possible."""
    db.execute("UPDATE schema SET version = version")


def _visit_row(visit: Visit) -> dict[str, object]:
    return {
        "id": visit.id,
        "practice": visit.practice,
        "starts_at": visit.starts_at,
        "stage": visit.stage.value,
        "body": encode(visit),
    }


def _insert(db: Connection, table: str, row: dict[str, object]) -> None:
    columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    db.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})", row)  # noqa: S608 - our names


def _insert_links(db: Connection, links: Iterable[LinkRecord]) -> None:
    for link in links:
        _insert(db, "links", {**asdict(link), "kind": link.kind.value, "visit": link.visit or None})


def _revoke_links(db: Connection, visit_id: VisitId, seat_id: SeatId, at: float) -> int:
    return db.execute(
        "UPDATE links SET revoked_at = ? WHERE visit = ? AND seat = ? AND revoked_at IS NULL",
        (at, visit_id, seat_id),
    ).rowcount


def _practice_of(db: Connection, visit_id: VisitId) -> str | None:
    row = db.execute("SELECT practice FROM visits WHERE id = ?", (visit_id,)).fetchone()
    return row[0] if row else None


def _stages(stages: Iterable[Stage]) -> str:
    return json.dumps(sorted(stages))
