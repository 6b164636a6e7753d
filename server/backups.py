"""A directory with everything an installation needs to go on elsewhere, and the way back.

``manifest.json`` is written last and names every file with its SHA-256: without it, or with another
sum, there is no backup. The key ring is in it, for without it nobody can check the log or open a
link's reply: keep a backup as you keep the server's own directory.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field, replace
from hashlib import file_digest
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rooms.errors import BedsideError
from server import keys, redis_copy
from server.audit_export import read, require_whole
from server.config import Settings
from server.sqlite_store import SqliteStore
from server.sqlite_thread import copy_database
from server.staff_store import Installation, opened, redis_link
from server.strict_json import parse_object

MANIFEST, KEYS, DATABASE, REDIS = "manifest.json", "keys.json", "bedside.db", "redis.jsonl"
FOLDERS = ("prompts", "audit")  # of the data directory, copied as they are
_SCHEMA = 1


class BackupRefused(BedsideError):
    """That cannot be backed up or restored like this; the message says why."""

    code = "backup_refused"
    title = "The backup was refused."


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. ``store`` is ``sqlite`` or ``redis``; ``made_at`` is epoch seconds."""

    store: str
    made_at: float
    version: str
    files: dict[str, str] = field(default_factory=dict)
    schema: int = _SCHEMA


async def backup(found: Installation, target: Path) -> Manifest:
    """Copy everything into ``target``, which must be new or empty, while servers go on.

    Raises ``BackupRefused``, ``StoreUnavailable``, ``ChainBroken``.
    """
    _make_empty(target)
    if found.link is None:
        copy_database(found.settings.store_path, target / DATABASE)
        await _check_copy(found, target / DATABASE)
    else:
        dumped = redis_copy.dump(found.link, found.settings.redis_prefix)
        await _write_lines(target / REDIS, dumped)
        _check_lines(target / REDIS, found.ring.audit)
    _copy_beside(found.settings, target)
    store = "sqlite" if found.link is None else "redis"
    manifest = Manifest(store, time.time(), version("bedside"), dict(_sums(target)))
    keys.write_private(target / MANIFEST, json.dumps(asdict(manifest), indent=2))
    return manifest


async def restore(settings: Settings, source: Path) -> Manifest:
    """Put everything from ``source`` where these settings want it; nothing may be there yet but the
    installation's own key ring, which then stays as it is.

    The restored log is checked before this returns. Raises ``BackupRefused``,
    ``StoreUnavailable``, ``ChainBroken``.
    """
    manifest = read_manifest(source)
    _refuse_other_store(settings, manifest)
    _refuse_other_keys(settings, source)
    _refuse_what_is_there(settings)
    if settings.many_nodes:
        await _refuse_full_redis(settings)
    _copy_back(settings, source)
    async with opened(settings) as found:
        if found.link is not None:
            with (source / REDIS).open(encoding="ascii") as lines:
                kept = (parse_object(line) for line in lines)
                await redis_copy.load(found.link, settings.redis_prefix, kept)
        await check_log(found)
    return manifest


def read_manifest(source: Path) -> Manifest:
    """What a backup says it is, if every file is as it was. Raises ``BackupRefused``."""
    try:
        told = parse_object((source / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(**told)
    except (OSError, ValueError, TypeError):
        raise BackupRefused(f"There is no whole backup in {source}.") from None
    if manifest.schema != _SCHEMA:
        raise BackupRefused(f"The backup in {source} was made by another version of Bedside.")
    if dict(_sums(source)) != manifest.files:
        raise BackupRefused(f"The files in {source} are not those that were backed up.")
    return manifest


async def check_log(found: Installation) -> int:
    """How many entries all logs have. Raises ``ChainBroken`` where one is not as it was written."""
    count = 0
    for practice in ("", *(each.id for each in await found.store.practices())):
        many = found.link is not None
        async for _ in read(found.store, practice, 0, found.ring.audit, expires=many):
            count += 1
    return count


# -- there --------------------


async def _check_copy(found: Installation, path: Path) -> None:
    store = SqliteStore(path, found.ring.audit)
    await store.open()
    try:
        await check_log(replace(found, store=store))
    finally:
        await store.close()


def _check_lines(path: Path, key: bytes) -> None:
    """The logs in a copy of Redis. Raises ``ChainBroken``."""
    with path.open(encoding="ascii") as lines:
        for kept in map(parse_object, lines):
            practice = redis_copy.log_of(kept)
            if practice is not None:
                require_whole(practice, redis_copy.entries(kept), key)


def _make_empty(target: Path) -> None:
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise BackupRefused(f"{target} is not empty.")
        target.chmod(0o700)
    except OSError as error:
        raise BackupRefused(f"{target} cannot be written ({error.strerror}).") from None


def _copy_beside(settings: Settings, target: Path) -> None:
    keys.load(settings.keys_path)
    _copy(settings.keys_path, target / KEYS)
    for folder in FOLDERS:
        for path in _files(settings.data_dir / folder):
            _copy(path, target / folder / path.relative_to(settings.data_dir / folder))


async def _write_lines(path: Path, lines: AsyncIterator[dict[str, Any]]) -> None:
    """One at a time: all of them may be more than fits into memory."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        async for line in lines:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
        file.flush()
        os.fsync(file.fileno())


# -- and back --------------------


def _refuse_other_store(settings: Settings, manifest: Manifest) -> None:
    if (manifest.store == "redis") != settings.many_nodes:
        wanted = "with" if manifest.store == "redis" else "without"
        raise BackupRefused(
            f"This is the backup of an installation {wanted} Redis: look at BEDSIDE_REDIS_URL."
        )


def _refuse_other_keys(settings: Settings, source: Path) -> None:
    """A ring that all nodes share outlives their data, and may have been rotated since."""
    if not settings.keys_path.exists():
        return
    there, kept = keys.load(settings.keys_path), keys.load(source / KEYS)
    if (there.audit, there.sealing) != (kept.audit, kept.sealing):
        raise BackupRefused(
            f"{settings.keys_path} holds the keys of another installation; nothing was restored."
        )


def _refuse_what_is_there(settings: Settings) -> None:
    taken = [settings.store_path]
    taken += [path for folder in FOLDERS for path in _files(settings.data_dir / folder)]
    for path in taken:
        if path.exists():
            raise BackupRefused(f"{path} is there already; nothing was restored.")


def _copy_back(settings: Settings, source: Path) -> None:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not settings.keys_path.exists():
        _copy(source / KEYS, settings.keys_path)
    for folder in FOLDERS:
        for path in _files(source / folder):
            _copy(path, settings.data_dir / folder / path.relative_to(source / folder))
    if not settings.many_nodes:
        _copy(source / DATABASE, settings.store_path)


async def _refuse_full_redis(settings: Settings) -> None:
    prefix = settings.redis_prefix
    link = redis_link(settings)
    await link.open()
    try:
        if [key async for key in redis_copy.keys(link, prefix)]:
            raise BackupRefused(
                f"Redis holds keys that begin with {prefix}: already; nothing was restored."
            )
    finally:
        await link.close()


# -- files --------------------


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _copy(source: Path, target: Path) -> None:
    """A durable copy that only its owner may read."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as made, source.open("rb") as given:
        shutil.copyfileobj(given, made)
        made.flush()
        os.fsync(made.fileno())


def _sums(folder: Path) -> Iterator[tuple[str, str]]:
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if name != MANIFEST:
            with path.open("rb") as file:
                yield name, file_digest(file, "sha256").hexdigest()
