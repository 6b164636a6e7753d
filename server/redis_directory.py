"""Who is there, and who owns what, kept in Redis. Keeps the promises of ``server.claims``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from pydantic import TypeAdapter, ValidationError

from rooms.codec import encode
from rooms.model import VisitId
from rooms.nodes_policy import NodesPolicy
from server.claims import Census, Claim, NodeRecord
from server.redis_keys import RedisKeys
from server.redis_link import RedisLink
from server.redis_plans import Plans
from server.redis_scripts_nodes import (
    BEAT,
    CLAIM,
    DUE,
    FORGET_NODE,
    OWNED_BY,
    REASSERT,
    RELEASE,
    ROLL,
)
from server.store import NotOwner, Stored, StoreUnavailable, UnknownVisit

_RECORD = TypeAdapter(NodeRecord)


class RedisDirectory:
    """``Directory`` at the Redis of ``link``; ``clock`` gives epoch seconds."""

    def __init__(
        self,
        link: RedisLink,
        keys: RedisKeys,
        clock: Callable[[], float],
        policy: NodesPolicy,
    ) -> None:
        self._link = link
        self._keys = keys
        self._policy = policy
        self._plans = Plans(keys, clock, policy)

    async def beat(self, me: NodeRecord) -> Census:
        keys = self._keys
        owned, records, asked = await self._link.script(
            BEAT,
            [keys.nodes, keys.beats, keys.owned(me.owner), keys.drain(me.owner)],
            [me.owner, json.dumps(asdict(me)), self._policy.dead_listed, self._keys.owned("")],
        )
        return Census(tuple(_readable(records)), owned, asked_to_drain=bool(asked))

    async def roll(self) -> Mapping[NodeRecord, float]:
        found = await self._link.script(ROLL, [self._keys.nodes, self._keys.beats], [])
        return {record: float(since) for each, since in found for record in _readable([each])}

    async def ask_to_drain(self, owner: str) -> None:
        life = round(self._policy.dead_listed)
        await self._link.call("SET", self._keys.drain(owner), 1, "EX", life)

    async def forget_node(self, owner: str) -> None:
        keys = [self._keys.nodes, self._keys.beats, self._keys.owned(owner)]
        await self._link.script(FORGET_NODE, keys, [owner, self._keys.visit("")])

    async def owner_of(self, visit: VisitId) -> Claim:
        key = self._keys.visit(visit)
        version, owner, epoch = await self._link.call("HMGET", key, "version", "owner", "epoch")
        if version is None:
            raise UnknownVisit
        return Claim(owner or "", int(epoch or 0))

    async def claim(self, visit: VisitId, owner: str, instead_of: Claim) -> Claim:
        answer = await self._link.script(
            CLAIM,
            [self._keys.visit(visit)],
            [visit, owner, instead_of.owner, instead_of.epoch, self._keys.owned("")],
        )
        if answer == UnknownVisit.code:
            raise UnknownVisit
        if answer == NotOwner.code:
            raise NotOwner
        return Claim(owner, answer)

    async def release(self, visit: VisitId, claim: Claim) -> None:
        keys = [self._keys.visit(visit), self._keys.owned(claim.owner)]
        await self._link.script(RELEASE, keys, [visit, claim.owner, claim.epoch])

    async def owned_by(self, owner: str) -> frozenset[VisitId]:
        args = [owner, self._keys.visit("")]
        return frozenset(await self._link.script(OWNED_BY, [self._keys.owned(owner)], args))

    async def due(self, now: float, limit: int) -> Sequence[VisitId]:
        args: list[str | int] = [repr(now), limit, self._keys.visit("")]
        return tuple(await self._link.script(DUE, [self._keys.due], args))

    async def base_of(self, visit: VisitId) -> int:
        version, base = await self._link.call("HMGET", self._keys.visit(visit), "version", "base")
        if version is None:
            raise UnknownVisit
        return int(base or 0)

    async def reassert(self, known: Stored, claim: Claim) -> bool:
        plan = json.dumps(self._plans.visit(known.visit, known.version))
        answer = await self._link.script(
            REASSERT,
            [self._keys.visit(known.visit.id)],
            [plan, encode(known.visit), claim.owner, claim.epoch, self._keys.owned("")],
        )
        if answer == "foreign":
            raise StoreUnavailable
        return bool(answer)


def _readable(records: Iterable[str]) -> Iterator[NodeRecord]:
    """What a newer version wrote may have more fields, or none that we know: then it is skipped."""
    for record in records:
        try:
            yield _RECORD.validate_json(record)
        except ValidationError:
            continue
