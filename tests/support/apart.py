"""A node in a network namespace of its own, whose ways to others can be cut without a word.

The host has three addresses on the wire between the two: one for pages and the proxy, one for the
other node, one for Redis. What is cut is sent to a station that is not there.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import aiohttp

from deploy.local.installation import NAMES, nodes_behind_a_proxy
from deploy.local.programs import plan_node
from tests.support.cluster import EVERYBODY_HERE, USUAL, Cluster
from tests.support.node_process import Rules, command_with
from tests.support.ports import free_port
from tests.support.redis_server import one_redis

_INSIDE = ("ip", "netns", "exec")
_NOBODY = "02:00:00:00:00:01"  # a hardware address that no station has


@cache
def why_not() -> str:
    """Why there can be no namespaces here; empty if there can."""
    if os.environ.get("NO_NAMESPACES"):
        return "network namespaces are not wanted here (NO_NAMESPACES)"
    try:
        with Wire():
            return ""
    except (OSError, subprocess.CalledProcessError):
        return "network namespaces need rights that are missing here (try it as root)"


class Wire:
    """The link between the host and one namespace."""

    def __init__(self) -> None:
        number = random.randrange(1 << 16)
        net = f"10.231.{number >> 8}"
        first = number % 256 // 16 * 16  # a block of 16 addresses for pages
        self.space = f"bedside-{number:04x}"
        self._ends = f"bs{number:04x}a", f"bs{number:04x}b"
        self.host, self.node, self._nobody = (f"{net}.{first + n}" for n in (1, 2, 3))
        self.redis, self.peer = f"10.232.{number >> 8}.1", f"10.232.{number >> 8}.2"

    def up(self) -> None:
        """Lay it."""
        here, there = self._ends
        _ip("netns", "add", self.space)
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", self.space)
        _ip("addr", "add", f"{self.host}/28", "dev", here)
        for each in (self.redis, self.peer):
            _ip("addr", "add", f"{each}/32", "dev", here)
        _ip("link", "set", here, "up")
        self._inside("link", "set", "lo", "up")
        self._inside("addr", "add", f"{self.node}/28", "dev", there)
        self._inside("link", "set", there, "up")
        self._inside("neigh", "add", self._nobody, "lladdr", _NOBODY, "dev", there)
        self.is_mended()

    def down(self) -> None:
        """Take it away; idempotent."""
        subprocess.run(["ip", "netns", "del", self.space], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", self._ends[0]], check=False, capture_output=True)

    def is_cut(self, *addresses: str) -> None:
        """What the node sends to these is lost."""
        for each in addresses:
            self._inside("route", "replace", f"{each}/32", "via", self._nobody)

    def is_mended(self) -> None:
        """Everything comes through."""
        for each in (self.redis, self.peer):
            self._inside("route", "replace", f"{each}/32", "via", self.host)

    def _inside(self, *words: str) -> None:
        _ip("-n", self.space, *words)

    def __enter__(self) -> Wire:
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_how: object) -> None:
        self.down()


@asynccontextmanager
async def cluster_with_b_apart(folder: Path, rules: Rules) -> AsyncIterator[tuple[Cluster, Wire]]:
    """A started cluster, and the wire to its node ``b``."""
    command = command_with({**USUAL, **rules})
    async with AsyncExitStack() as stack:
        wire = stack.enter_context(Wire())
        redis = stack.enter_context(
            one_redis(bind=f"127.0.0.1 {wire.redis}", protected_mode="no", appendonly="yes")
        )
        near, far = (plan_node(name, command) for name in NAMES)
        running = await stack.enter_async_context(
            nodes_behind_a_proxy(
                folder,
                f"redis://{wire.redis}:{redis.port}/0",
                free_port(),
                {"people_per_address": EVERYBODY_HERE},
                of_each={
                    near.name: {
                        "host": "0.0.0.0",
                        "node_url": f"http://{wire.peer}:{near.port}",
                        "media_addresses": wire.host,
                    },
                    far.name: {"trusted_proxies": wire.host, "media_addresses": wire.node},
                },
                plans=[
                    near,
                    replace(far, host=wire.node, command=(*_INSIDE, wire.space, *command)),
                ],
            )
        )
        http = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        try:
            yield Cluster(running, redis, http), wire
        finally:
            await asyncio.gather(*(node.is_killed() for node in running.nodes.values()))


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
