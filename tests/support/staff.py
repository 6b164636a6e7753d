"""An installation with something in it, and its staff at the command line."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from rooms.model import Admission, Device, Role, Seat, Stage, Standing, Visit
from server import keys
from server.__main__ import main
from server.config import load_settings
from server.idempotency import IdempotentReply
from server.sqlite_store import SqliteStore
from server.staff_store import Installation, opened
from server.store import ApiKey, Practice
from tests.support.records import a_link, a_visit, happened
from tests.support.redis_server import RedisServer

SEALED = bytes(range(256))
ROSA = Seat(
    id="seat-1",
    role=Role.PATIENT,
    name="Rosa Alvarez",
    admission=Admission.WAITING,
    waiting_since=1_000.0,
    devices=(
        Device(id="one", credential="c", opened_at=1.0, standing=Standing.HOLDING, connected=True),
    ),
)
AMINA = Seat(id="seat-2", role=Role.PROVIDER, name="Amina Reyes", admission=Admission.PRESENT)


@dataclass
class Staff:
    """Gives commands in this process, with the settings of one installation."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    data: Path
    redis: RedisServer | None = None

    def uses(self, data: Path, redis: RedisServer | None = None) -> None:
        """Turn to the installation in this directory (and, of that Redis, a prefix of its own)."""
        self.data, self.redis = data, redis
        given = {"BEDSIDE_DATA_DIR": str(data)}
        if redis is not None:
            given |= {"BEDSIDE_REDIS_URL": redis.url, "BEDSIDE_NODE": "a"}
            given["BEDSIDE_REDIS_PREFIX"] = f"staff-{secrets.token_hex(4)}"
        for name, value in given.items():
            self.monkeypatch.setenv(name, value)

    def give(self, *words: object) -> tuple[int, str, str]:
        """A command: its status, what it printed, what it complained of."""
        self.capsys.readouterr()
        try:
            main([str(word) for word in words])
        except SystemExit as stopped:
            status, said = stopped.code, self.capsys.readouterr()
            if isinstance(status, str):  # what Python does with it, after which it ends with 1
                return 1, said.out, said.err + status
            return int(status or 0), said.out, said.err
        raise AssertionError("the command did not end")

    def inside(self, work: Callable[[Installation], Awaitable[object]]) -> None:
        """Do something in the installation itself."""

        async def run() -> None:
            async with opened(load_settings()) as found:
                await work(found)

        asyncio.run(run())

    def fills(self) -> None:
        """Make the key ring and the store, a visit that runs, and a log of five entries."""
        ring = keys.create(load_settings().keys_path)
        if self.redis is None:
            asyncio.run(_made(SqliteStore(load_settings().store_path, ring.audit)))
        self.inside(_filled)


async def _made(store: SqliteStore) -> None:
    await store.open()
    await store.close()


def a_running_visit() -> Visit:
    """Rosa waits, Amina is there."""
    now = time.time()
    visit = a_visit(starts_at=now - 60, ends_at=now + 3600, seats=(ROSA, AMINA))
    return replace(visit, stage=Stage.IN_PROGRESS)


async def _filled(found: Installation) -> None:
    store = found.store
    await store.put_practice(Practice("north", "North Clinic"))
    key = ApiKey(hash="key-hash", practice="north", id="key-1", created_at=1.0)
    await store.add_api_key(key)
    reply = IdempotentReply(
        key_hash="k", practice="north", request_hash="r", sealed=SEALED, expires_at=2e9
    )
    visit = a_running_visit()
    await store.create(visit, [a_link()], [happened("VisitScheduled")], idempotency=reply)
    for number in range(3):
        await store.record([happened(f"Happened{number}")])
    await store.record([happened("NodeStarted", visit="")])
