"""Stores on a real Redis, each as one node has it; all of them see the same data."""

from __future__ import annotations

import uuid

from rooms.nodes_policy import NodesPolicy
from rooms.policy import EdgePolicy
from server.audit_file import AuditFile
from server.claims import Claims
from server.redis_keys import RedisKeys
from server.redis_link import RedisLink
from server.redis_store import RedisStore, Writer
from tests.contracts.record_contract import AUDIT_KEY
from tests.support.records import Clock
from tests.support.redis_links import config_of
from tests.support.redis_server import RedisGroup, RedisServer


class Stores:
    """Makes stores with one prefix and one clock, and closes them."""

    def __init__(self, server: RedisServer | RedisGroup, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.keys = RedisKeys(f"test-{uuid.uuid4().hex[:12]}")
        self._config = config_of(server)
        self._opened: list[RedisStore] = []
        self.links: list[RedisLink] = []

    async def open(
        self,
        node: str = "one",
        *,
        claims: Claims | None = None,
        policy: EdgePolicy | None = None,
        nodes: NodesPolicy | None = None,
        audit_file: AuditFile | None = None,
    ) -> RedisStore:
        """The store of the node with this name."""
        nodes = nodes or NodesPolicy()
        claims = Claims() if claims is None else claims
        writer = Writer(node=node, claims=claims, audit_key=AUDIT_KEY, audit_file=audit_file)
        link = self.link(nodes)
        store = RedisStore(link, self.keys, writer, self.clock, policy, nodes)
        self._opened.append(store)
        await store.open()
        return store

    def link(self, nodes: NodesPolicy | None = None) -> RedisLink:
        """A connection of its own, for whoever looks behind the store."""
        link = RedisLink(self._config, nodes or NodesPolicy(), probe=self.keys.probe)
        self.links.append(link)
        return link

    async def close(self) -> None:
        """Every store that was opened."""
        for store in self._opened:
            await store.close()
