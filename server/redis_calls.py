"""Calls in Redis, by the name of the node whose carriers placed them: it can best end them."""

from __future__ import annotations

from media.phone.former_calls import KeptCall
from rooms.model import CallId
from rooms.nodes_policy import NodesPolicy
from server.redis_keys import RedisKeys
from server.redis_link import RedisLink
from server.redis_plans import whole
from server.redis_records import from_json, to_json
from server.redis_scripts import KEEP_CALL


class RedisCalls:
    """The calls of ``node``, and those of others that it was asked to see to."""

    def __init__(self, link: RedisLink, keys: RedisKeys, nodes: NodesPolicy, node: str) -> None:
        self._link = link
        self._keys = keys
        self._nodes = nodes
        self._node = node
        self._others: dict[CallId, str] = {}  # call → the node that placed it

    async def keep(self, call: KeptCall) -> None:
        """Keep, or replace."""
        args = (call.call, to_json(call), whole(self._nodes.call_kept))
        await self._link.script(KEEP_CALL, [self._keys.calls(self._node)], args)

    async def forget(self, call: CallId) -> None:
        """It is over, whoever placed it."""
        node = self._others.get(call, self._node)
        await self._link.call("HDEL", self._keys.calls(node), call)
        self._others.pop(call, None)

    async def kept(self) -> list[KeptCall]:
        """This node's own, by id."""
        return await self._read(self._node)

    async def kept_of(self, node: str) -> list[KeptCall]:
        """Another's, by id; they can be forgotten here."""
        found = await self._read(node)
        if node != self._node:
            self._others |= {kept.call: node for kept in found}
        return found

    async def _read(self, node: str) -> list[KeptCall]:
        found = await self._link.call("HVALS", self._keys.calls(node))
        return sorted((from_json(KeptCall, text) for text in found), key=lambda kept: kept.call)
