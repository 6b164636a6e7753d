"""Ways to a Redis of a test, with patience that suits tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from rooms.nodes_policy import NodesPolicy
from server.config import load_settings
from server.redis_config import RedisConfig
from server.redis_link import Observer, RedisLink
from tests.support.redis_server import RedisGroup, RedisServer

PROBE = "bedside:probe"

# Long enough for two slow cores, short enough to wait for.
IMPATIENT = replace(
    NodesPolicy(),
    redis_connect=0.5,
    redis_answer=0.3,
    replica_wait=0.2,
    back_every=0.1,
    sentinels_every=0.1,
    notices_lost_after=0.3,
)


def config_of(server: RedisServer | RedisGroup, **settings: Any) -> RedisConfig:
    """As the settings of a node say it."""
    if isinstance(server, RedisServer) and server.user:
        known = {"redis_user": server.user, "redis_password": SecretStr(server.password)}
        settings = known | {"redis_ca_file": server.ca_file} | settings
    return RedisConfig.of(load_settings(redis_url=server.url, **settings))


@asynccontextmanager
async def linked(
    server: RedisServer | RedisGroup,
    policy: NodesPolicy = IMPATIENT,
    *,
    observe: Observer | None = None,
    ca_file: Path | None = None,
    **settings: Any,
) -> AsyncIterator[RedisLink]:
    """An open link, which closes."""
    if ca_file is not None:
        settings["redis_ca_file"] = ca_file
    link = RedisLink(config_of(server, **settings), policy, probe=PROBE, observe=observe)
    try:
        await link.open()
        yield link
    finally:
        await link.close()
