"""An installation as staff commands open it: its store, and its nodes if there are many.

Beside running servers, and without being one: nothing is placed here, and no visit is changed.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rooms.nodes_policy import NodesPolicy
from server import keys
from server.claims import Claims, Directory
from server.config import ConfigurationError, Settings
from server.keys import KeyRing
from server.redis_config import RedisConfig
from server.redis_directory import RedisDirectory
from server.redis_keys import RedisKeys
from server.redis_link import RedisLink
from server.redis_store import RedisStore, Writer
from server.sqlite_store import SqliteStore
from server.store import Store


@dataclass(frozen=True, slots=True)
class Installation:
    """What there is of it. ``directory`` and ``link`` are there if there are many nodes."""

    settings: Settings
    ring: KeyRing
    store: Store
    directory: Directory | None = None
    link: RedisLink | None = None

    @property
    def nodes(self) -> Directory:
        """Who is there. Raises ``ConfigurationError`` where one node is alone."""
        if self.directory is None:
            raise ConfigurationError(
                "This installation is one node, with an embedded store: BEDSIDE_REDIS_URL is "
                "not set."
            )
        return self.directory


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Installation]:
    """The installation of these settings. Raises ``ConfigurationError``, ``StoreUnavailable``."""
    ring = keys.load(settings.keys_path)
    if settings.many_nodes:
        found = _many(settings, ring)
    else:
        found = Installation(settings, ring, _embedded(settings, ring))
    await found.store.open()
    try:
        yield found
    finally:
        await found.store.close()


def _embedded(settings: Settings, ring: KeyRing) -> Store:
    if not settings.store_path.exists():  # opening would make an empty one
        raise ConfigurationError(
            f"There is no store at {settings.store_path}. Is BEDSIDE_DATA_DIR the server's?"
        )
    return SqliteStore(settings.store_path, ring.audit)


def redis_link(settings: Settings) -> RedisLink:
    """The way to the installation's Redis, not opened yet. Raises ``ConfigurationError``."""
    probe = RedisKeys(settings.redis_prefix).probe
    return RedisLink(RedisConfig.of(settings), NodesPolicy(), probe=probe)


def _many(settings: Settings, ring: KeyRing) -> Installation:
    names, policy = RedisKeys(settings.redis_prefix), NodesPolicy()
    link = redis_link(settings)
    writer = Writer(node=settings.node_name, claims=Claims(), audit_key=ring.audit)
    store = RedisStore(link, names, writer)
    directory = RedisDirectory(link, names, time.time, policy)
    return Installation(settings, ring, store, directory, link)
