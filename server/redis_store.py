"""The store of many nodes: one Redis that they share. Keeps the promises of ``server.store``.

Each method is one script, which Redis runs in one piece, or one command. A save also proves that
this node decides about the visit: see ``server.claims``. Everything expires by policy but what is
in force: practices, their recordings, keys, desks, and where each log stands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from media.phone.former_calls import KeptCall
from rooms.codec import SchemaUnknown, decode, encode
from rooms.model import RUNNING, SeatId, Visit, VisitId
from rooms.nodes_policy import NodesPolicy
from rooms.policy import EdgePolicy
from server.audit_file import AuditFile
from server.claims import Claims
from server.idempotency import IdempotentReply
from server.redis_calls import RedisCalls
from server.redis_keys import RedisKeys
from server.redis_link import RedisLink
from server.redis_log import RedisLog
from server.redis_plans import Plans, notice, number, whole
from server.redis_records import (
    api_key_of,
    api_key_words,
    from_json,
    link_of,
    reply_of,
    to_json,
)
from server.redis_scripts import (
    ADD_API_KEY,
    BODIES,
    FIND_DESK,
    PRACTICES,
    PUT_PRACTICE,
    REVOKE_API_KEY,
    VISITS_BETWEEN,
)
from server.redis_sweep import RedisSweep
from server.redis_wire import RedisTrouble
from server.store import (
    AlreadyExists,
    ApiKey,
    LinkRecord,
    LogDraft,
    LogEntry,
    Practice,
    Stored,
    UnknownVisit,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes: the name that its calls are kept by, what it owns, and how it keeps the log.

    ``audit_key`` chains the log; ``audit_file`` gets a copy of it.
    """

    node: str
    claims: Claims
    audit_key: bytes = field(repr=False)
    audit_file: AuditFile | None = None


class RedisStore:
    """A ``Store`` at the Redis of ``link``, which it opens and closes."""

    def __init__(
        self,
        link: RedisLink,
        keys: RedisKeys,
        writer: Writer,
        clock: Callable[[], float] = time.time,
        policy: EdgePolicy | None = None,
        nodes: NodesPolicy | None = None,
    ) -> None:
        self._link = link
        self._keys = keys
        self._clock = clock
        self._policy = policy or EdgePolicy()
        self._nodes = nodes or NodesPolicy()
        self._claims = writer.claims
        self._file = writer.audit_file
        self._plans = Plans(keys, clock, self._nodes)
        self._log = RedisLog(link, keys, writer.audit_key, self._nodes, writer.audit_file)
        self._calls = RedisCalls(link, keys, self._nodes, writer.node)
        self._sweep = RedisSweep(link, keys, self._log, self._nodes)

    async def open(self) -> None:
        await self._link.open()
        if self._file is not None:
            self._file.open(self.log_after)

    async def close(self) -> None:
        if self._file is not None:
            await self._file.close()
        await self._link.close()

    async def healthy(self) -> bool:
        return await self._link.healthy()

    async def sweep(self, now: float) -> None:
        """Forget what has expired and has no life of its own: old log, and places in indexes.

        Idempotent; any node may, at any time.
        """
        await self._sweep.run(now)

    # -- visits ---------------------------------------------------------------------------------

    async def create(
        self,
        visit: Visit,
        links: Sequence[LinkRecord],
        entries: Sequence[LogDraft],
        *,
        idempotency: IdempotentReply | None = None,
    ) -> None:
        plan = {
            "visit": self._plans.visit(visit, 1) | {"new": True},
            "links": [self._plans.link(link) for link in links],
        }
        if idempotency is not None:
            plan["reply"] = self._plans.reply(idempotency)
        sealed = idempotency.sealed if idempotency else b""
        await self._log.write(plan, entries, (encode(visit), sealed))

    async def load(self, visit_id: VisitId) -> Stored:
        try:
            key = self._keys.visit(visit_id)
            body, version = await self._link.call("HMGET", key, "body", "version")
        except RedisTrouble as trouble:
            if "WRONGTYPE" in trouble.reason:
                raise SchemaUnknown("not a stored visit") from None
            raise
        if version is None:
            raise UnknownVisit
        return Stored(decode(body), int(version))

    async def save(
        self,
        visit: Visit,
        version: int,
        entries: Sequence[LogDraft],
        *,
        links: Sequence[LinkRecord] = (),
        lasting: bool = False,
    ) -> int:
        claim = self._claims.of(visit.id)
        fence = {"replaces": str(version), "owner": claim.owner, "epoch": str(claim.epoch)}
        plan = {
            "visit": self._plans.visit(visit, version + 1) | fence,
            "links": [self._plans.link(link) for link in links],
        }
        await self._log.write(plan, entries, (encode(visit), ""), lasting=lasting)
        return version + 1

    async def unfinished(self) -> list[VisitId]:
        return list(await self._link.call("ZRANGE", self._keys.unfinished, 0, -1))

    async def visits_between(self, practice: str, since: float, until: float) -> list[Visit]:
        keys = (self._keys.visits(practice), self._keys.running(practice))
        found = await self._link.script(VISITS_BETWEEN, keys, (number(since), number(until)))
        page, visits = self._nodes.read_page, []
        for begin in range(0, len(found), page):
            visits += await self._readable(found[begin : begin + page])
        # Read a moment after the indexes: a visit may have moved out of the window by then.
        within = [v for v in visits if since <= v.starts_at < until or v.stage in RUNNING]
        return sorted(within, key=lambda visit: (visit.starts_at, visit.id))

    async def _readable(self, ids: Sequence[VisitId]) -> list[Visit]:
        """One that cannot be read must not hide the others."""
        visits = []
        bodies = await self._link.script(BODIES, [self._keys.visit(each) for each in ids], ())
        for visit_id, body in zip(ids, bodies, strict=True):
            try:
                visits += [decode(body)] if body is not None else []
            except SchemaUnknown:
                log.warning("visit_unreadable", visit=visit_id)
        return visits

    # -- links ----------------------------------------------------------------------------------

    async def add_links(self, links: Sequence[LinkRecord], entries: Sequence[LogDraft]) -> None:
        await self._log.write({"links": [self._plans.link(link) for link in links]}, entries)

    async def revoke_links(
        self, visit_id: VisitId, seat_id: SeatId, at: float, entries: Sequence[LogDraft]
    ) -> int:
        plan = {"revoke": self._plans.links_of_seat(visit_id, seat_id, at)}
        return await self._log.write(plan, entries, lasting=True)

    async def replace_links(
        self,
        visit_id: VisitId,
        seat_id: SeatId,
        new: LinkRecord,
        at: float,
        entries: Sequence[LogDraft],
    ) -> None:
        revoke = self._plans.links_of_seat(visit_id, seat_id, at)
        plan = {"revoke": revoke, "links": [self._plans.link(new)]}
        await self._log.write(plan, entries, lasting=True)

    async def find_link(self, link_hash: str) -> LinkRecord | None:
        said = await self._link.call("HGETALL", self._keys.link(link_hash))
        return link_of(link_hash, said) if said else None

    async def find_desk(self, desk: str) -> LinkRecord | None:
        keys, prefix = [self._keys.desk(desk)], self._keys.link("")
        found = await self._link.script(FIND_DESK, keys, [prefix])
        return link_of(found[0], found[1]) if found and found[1] else None

    async def revoke_desk(
        self, practice: str, desk: str, at: float, entries: Sequence[LogDraft]
    ) -> bool:
        revoke = self._plans.link_of_desk(practice, desk, at)
        plan = {"revoke": revoke, "only_if_revoked": True}
        return await self._log.write(plan, entries, lasting=True) > 0

    # -- the log --------------------------------------------------------------------------------

    async def record(self, entries: Sequence[LogDraft]) -> None:
        if entries:
            await self._log.write({}, entries)

    async def log_after(self, practice: str, cursor: int, limit: int) -> list[LogEntry]:
        return await self._log.after(practice, cursor, min(limit, self._policy.log_page))

    # -- practices and keys ---------------------------------------------------------------------

    async def put_practice(self, practice: Practice) -> None:
        keys = [self._keys.practice(practice.id), self._keys.practices]
        told = (self._keys.changed, notice(practice.id))
        await self._link.script(PUT_PRACTICE, keys, (practice.id, to_json(practice), *told))

    async def practice(self, practice_id: str) -> Practice | None:
        text = await self._link.call("GET", self._keys.practice(practice_id))
        return from_json(Practice, text) if text is not None else None

    async def practices(self) -> list[Practice]:
        keys, prefix = [self._keys.practices], self._keys.practice("")
        found = [
            from_json(Practice, text) for text in await self._link.script(PRACTICES, keys, [prefix])
        ]
        return sorted(found, key=lambda practice: practice.id)

    async def add_api_key(self, key: ApiKey) -> None:
        keys = [self._keys.api_key(key.hash), self._keys.api_key_id(key.id)]
        if not await self._link.script(ADD_API_KEY, keys, [key.hash, *api_key_words(key)]):
            raise AlreadyExists

    async def find_api_key(self, key_hash: str) -> ApiKey | None:
        said = await self._link.call("HGETALL", self._keys.api_key(key_hash))
        return api_key_of(key_hash, said) if said else None

    async def api_keys(self, practice: str) -> list[ApiKey]:
        """Looks at every name in Redis, in pages: staff ask for it once a year."""
        pattern, page = self._keys.api_key_id("*"), self._nodes.read_page
        named, cursor = set[str](), "0"
        while True:
            cursor, found = await self._link.call("SCAN", cursor, "MATCH", pattern, "COUNT", page)
            named |= set(found)
            if cursor == "0":
                break
        hashes = [await self._link.call("GET", name) for name in named]
        keys = [await self.find_api_key(each) for each in hashes if each]
        ours = [key for key in keys if key is not None and key.practice == practice]
        return sorted(ours, key=lambda key: (key.created_at, key.id))

    async def revoke_api_key(self, key_id: str, at: float) -> bool:
        keys, prefix = [self._keys.api_key_id(key_id)], self._keys.api_key("")
        args = (prefix, number(at), whole(self._nodes.log_kept))
        return bool(await self._link.script(REVOKE_API_KEY, keys, args, lasting=True))

    # -- calls and replies ----------------------------------------------------------------------

    async def keep_call(self, call: KeptCall) -> None:
        await self._calls.keep(call)

    async def forget_call(self, call: str) -> None:
        await self._calls.forget(call)

    async def kept_calls(self) -> list[KeptCall]:
        return await self._calls.kept()

    async def kept_calls_of(self, node: str) -> list[KeptCall]:
        """What another node kept; ``forget_call`` forgets these too, from now on."""
        return await self._calls.kept_of(node)

    async def find_reply(self, practice: str, key_hash: str) -> IdempotentReply | None:
        said = await self._link.call("HGETALL", self._keys.reply(practice, key_hash))
        reply = reply_of(practice, key_hash, said) if said else None
        return reply if reply is not None and reply.expires_at > self._clock() else None
