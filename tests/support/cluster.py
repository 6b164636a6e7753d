"""Two nodes on one Redis behind a reverse proxy, each in a process of its own, and what hurts them.

The nodes, the proxy and their settings are those of ``make cluster`` (``deploy.local``).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from deploy.local.first_visit import api_key
from deploy.local.installation import NAMES, Installation, nodes_behind_a_proxy
from deploy.local.program import Program
from deploy.local.programs import plan_node
from server.claims import Claim
from tests.support.node_process import Rules, command_with
from tests.support.ports import free_port
from tests.support.redis_server import RedisGroup, RedisServer, redis_group, redis_server
from tests.support.visits import Clinic, Invitation, PlannedVisit, trunk_settings

PREFIX = "bedside"
EVERYBODY_HERE = "10000"  # all of a test come from one address

# A page that is gone is noticed within seconds here; waiting longer for it proves nothing more.
USUAL: Rules = {"edge": {"ping_every": 1, "ping_answer_within": 3}}


class Cluster:
    """A running installation of the nodes ``a`` and ``b``. ``cluster`` makes and closes it.

    ``clinic`` reaches any node by the proxy. ``redis`` is a server, or a group with a replica.
    """

    def __init__(
        self,
        running: Installation,
        redis: RedisServer | RedisGroup,
        http: aiohttp.ClientSession,
    ) -> None:
        self.running = running
        self.redis = redis
        self._http = http
        self._key = api_key(running.folder / "a")
        self.clinic = Clinic(http, running.origin, self._key)

    @property
    def store(self) -> RedisServer:
        """The Redis that takes writes."""
        return self.redis.master if isinstance(self.redis, RedisGroup) else self.redis

    def node(self, name: str) -> Program:
        """The process of a node, to be stopped, killed, hung and started again."""
        return self.running.nodes[name]

    def other(self, name: str) -> str:
        """The name of the other node."""
        return next(each for each in self.running.nodes if each != name)

    def clinic_at(self, name: str) -> Clinic:
        """The practice's own systems, speaking to this very node."""
        return Clinic(self._http, self.running.plans[name].url, self._key)

    def landing_at(self, name: str, invitation: Invitation) -> Invitation:
        """The same invitation, opened at this very node, as a load balancer may decide."""
        url = self.running.plans[name].url
        return replace(invitation, link=invitation.link.replace(self.running.origin, url))

    def claim_of(self, visit: PlannedVisit) -> Claim:
        """Who decides about the visit, by Redis."""
        fields = self.store.command("HMGET", f"{PREFIX}:visit:{visit.id}", "owner", "epoch")
        return Claim(fields[0] or "", int(fields[1] or 0))

    async def owner_of(self, visit: PlannedVisit) -> str:
        """The name of the node that decides about the visit; empty for nobody."""
        claim = await asyncio.to_thread(self.claim_of, visit)
        names = await asyncio.to_thread(self.names)
        return names.get(claim.owner, "")

    def names(self) -> dict[str, str]:
        """The name of each node that Redis knows, by its id."""
        records = self.store.command("HGETALL", f"{PREFIX}:nodes")
        return {owner: json.loads(text)["name"] for owner, text in _pairs(records).items()}

    async def moves_to(self, name: str, visit: PlannedVisit, within: float = 10.0) -> None:
        """Wait until this node decides about the visit."""
        async with asyncio.timeout(within):
            while await self.owner_of(visit) != name:  # noqa: ASYNC110 - Redis tells nobody of it
                await asyncio.sleep(0.05)

    async def is_ready(self, name: str, *, ready: bool = True, within: float = 20.0) -> None:
        """Wait until this node says that it is ready, or no longer is."""
        url = f"{self.running.plans[name].url}/readyz"
        async with asyncio.timeout(within):
            while await self._status(url) != (200 if ready else 503):  # noqa: ASYNC110 - nor does it
                await asyncio.sleep(0.05)

    async def _status(self, url: str) -> int:
        try:
            async with self._http.get(url) as answer:
                return answer.status
        except aiohttp.ClientError:
            return 0


@asynccontextmanager
async def cluster(
    folder: Path,
    *,
    group: bool = False,
    rules: Rules | None = None,
    phone: int = 0,
    **settings: str,
) -> AsyncIterator[Cluster]:
    """A started cluster with these ``rules``; with ``group`` on Redis with a replica.

    ``phone`` is the port of a telephone that each node reaches by a trunk of its own.
    """
    command = command_with({**USUAL, **(rules or {})})
    async with AsyncExitStack() as stack:
        redis: RedisServer | RedisGroup
        if group:
            redis = await stack.enter_async_context(redis_group())
        else:
            redis = await stack.enter_async_context(redis_server(appendonly="yes"))
        running = await stack.enter_async_context(
            nodes_behind_a_proxy(
                folder,
                redis.url,
                free_port(),
                {"people_per_address": EVERYBODY_HERE, **settings},
                of_each={name: trunk_settings(phone) for name in NAMES} if phone else None,
                plans=[plan_node(name, command) for name in NAMES],
            )
        )
        http = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        try:
            yield Cluster(running, redis, http)
        finally:  # to leave in good order takes seconds; stories about that stop nodes themselves
            await asyncio.gather(*(node.is_killed() for node in running.nodes.values()))


def _pairs(found: Any) -> dict[str, str]:
    if isinstance(found, dict):
        return found
    return dict(zip(found[::2], found[1::2], strict=True))
