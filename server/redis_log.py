"""The log in Redis: a stream for each practice, chained here, checked there.

The key of the chain never leaves the server, so an entry's MAC is computed against the head that
this node knows; the script writes only if that is still the head, and says what is if it is not.
Writers of one node take turns at a practice, so that only other nodes are ever quicker.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from rooms.nodes_policy import NodesPolicy
from server.audit import GENESIS, chain
from server.audit_file import AuditFile
from server.redis_keys import RedisKeys
from server.redis_link import RedisLink
from server.redis_plans import Plan, whole
from server.redis_scripts import WRITE
from server.redis_wire import Word
from server.store import (
    AlreadyExists,
    LogDraft,
    LogEntry,
    NotOwner,
    StoreError,
    StoreUnavailable,
    UnknownVisit,
    VersionConflict,
)

_REFUSALS: Mapping[str, type[StoreError]] = {
    error.code: error
    for error in (AlreadyExists, NotOwner, StoreUnavailable, UnknownVisit, VersionConflict)
}
_FIELDS = tuple(field.name for field in fields(LogEntry))


@dataclass(slots=True)
class _Head:
    """The newest entry of a practice's log as far as this node knows, and whose turn it is."""

    cursor: int = 0
    mac: str = GENESIS
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class RedisLog:
    """Carries out plans, together with the entries that tell of them."""

    def __init__(
        self,
        link: RedisLink,
        keys: RedisKeys,
        audit_key: bytes,
        nodes: NodesPolicy,
        file: AuditFile | None = None,
    ) -> None:
        self._link = link
        self._keys = keys
        self._audit_key = audit_key
        self._nodes = nodes
        self._file = file
        self._heads: dict[str, _Head] = {}
        self._writer = secrets.token_hex(8)

    async def write(
        self,
        plan: Plan,
        drafts: Sequence[LogDraft],
        beside: Sequence[Word] = ("", ""),
        *,
        lasting: bool = False,
    ) -> int:
        """Carry out the plan and log ``drafts``, or neither; how many links were revoked.

        ``beside``: the visit's body and the sealed reply. Raises what the script refuses with.
        """
        placed = await self._placed(drafts, plan)
        async with _Turns(self._heads_of(placed)) as turns:
            for tries in range(self._nodes.log_tries):
                if tries and tries % self._nodes.log_patience == 0:
                    await self._ask_for_turns(placed)
                writing = _Writing(self, self._chained(placed), turns)
                args = (json.dumps(self._whole(plan, writing.entries)), *beside)
                answer = await self._link.script(
                    WRITE, (), args, lasting=lasting, heard=writing.heard
                )
                if answer[0] == "ok":
                    return int(answer[1])
                if answer[0] != "stale":
                    raise _REFUSALS[answer[0]]
        raise StoreUnavailable

    async def after(self, practice: str, cursor: int, limit: int) -> list[LogEntry]:
        """Up to ``limit`` entries after ``cursor``, in order."""
        if limit <= 0:
            return []
        stream, since = self._keys.log(practice), f"{cursor + 1}-0"
        found = await self._link.call("XRANGE", stream, since, "+", "COUNT", limit)
        return [_entry(said) for _, said in found]

    async def trim(self, practice: str, before: float) -> None:
        """Forget what is older than ``before`` (epoch seconds), from the oldest on; idempotent."""
        stream, page = self._keys.log(practice), self._nodes.log_trim
        while True:
            oldest = await self.after(practice, 0, page)
            kept = next((entry for entry in oldest if entry.at >= before), None)
            if kept is None and oldest:
                await self._link.call("XTRIM", stream, "MINID", f"{oldest[-1].cursor + 1}-0")
            elif kept is not None and kept is not oldest[0]:
                await self._link.call("XTRIM", stream, "MINID", f"{kept.cursor}-0")
            if kept is not None or len(oldest) < page:
                return

    def wrote(self, entries: Sequence[LogEntry]) -> None:
        """These are in the log now."""
        for entry in entries:
            head = self._heads[entry.practice]
            head.cursor, head.mac = entry.cursor, entry.mac
        if self._file is not None:
            self._file.append(entries)

    def learn(self, heads: Sequence[str]) -> None:
        """Other nodes were quicker: practice, cursor, mac; and so on for each."""
        for practice, cursor, mac in zip(heads[::3], heads[1::3], heads[2::3], strict=True):
            head = self._heads[practice]
            head.cursor, head.mac = int(cursor), mac

    async def _ask_for_turns(self, drafts: Sequence[LogDraft]) -> None:
        """Other nodes write here without a pause, and what this one knows is always late.

        Where somebody else has the turn it is asked for again, a few tries later. In one order, and
        none after that: two writers that need both logs would each have one and wait for the other.
        """
        lives = round(self._nodes.log_turn * 1000)
        for practice in sorted({draft.practice for draft in drafts}):
            turn = self._keys.log_turn(practice)
            got = await self._link.call("SET", turn, self._writer, "PX", lives, "NX")
            if not got and await self._link.call("GET", turn) != self._writer:
                await asyncio.sleep(self._nodes.log_pause)
                return

    # -- entries --------------------------------------------------------------------------------

    async def _placed(self, drafts: Sequence[LogDraft], plan: Plan) -> list[LogDraft]:
        """Each in a practice's log: its own, or its visit's, or the server's."""
        visit = plan.get("visit", {})
        known = {"": "", visit.get("id", ""): visit.get("practice", "")}
        placed = []
        for draft in drafts:
            if not draft.practice and draft.visit not in known:
                key = self._keys.visit(draft.visit)
                known[draft.visit] = await self._link.call("HGET", key, "practice") or ""
            practice = draft.practice or known[draft.visit]
            placed.append(replace(draft, practice=practice, at=float(draft.at)))
        return placed

    def _heads_of(self, drafts: Sequence[LogDraft]) -> list[_Head]:
        """In one order, so that no two writers wait for each other."""
        practices = sorted({draft.practice for draft in drafts})
        return [self._heads.setdefault(practice, _Head()) for practice in practices]

    def _chained(self, drafts: Sequence[LogDraft]) -> list[LogEntry]:
        """After the heads that this node knows."""
        ends: dict[str, tuple[int, str]] = {}
        entries = []
        for draft in drafts:
            head = self._heads[draft.practice]
            cursor, mac = ends.get(draft.practice, (head.cursor, head.mac))
            entry = chain(draft, cursor + 1, mac, self._audit_key)
            ends[draft.practice] = (entry.cursor, entry.mac)
            entries.append(entry)
        return entries

    def _whole(self, plan: Plan, entries: Sequence[LogEntry]) -> Plan:
        """The plan with its log, and what kind of thing each key may only be."""
        chains: dict[str, Plan] = {}
        for entry in entries:
            chained = chains.setdefault(entry.practice, self._chain(entry))
            told = {name: getattr(entry, name) for name in _FIELDS}
            chained["entries"].append([str(entry.cursor), entry.mac, json.dumps(told)])
        kinds = {self._keys.practices_seen: "set"}
        kinds |= {chained["stream"]: "stream" for chained in chains.values()}
        kinds |= {link["links"]: "hash" for link in plan.get("links", ()) if "links" in link}
        return {"links": [], **plan, "log": list(chains.values()), "kinds": kinds}

    def _chain(self, first: LogEntry) -> Plan:
        return {
            "practice": first.practice,
            "stream": self._keys.log(first.practice),
            "head": self._keys.log_head(first.practice),
            "turn": self._keys.log_turn(first.practice),
            "writer": self._writer,
            "cursor": str(first.cursor - 1),
            "mac": first.previous_mac,
            "genesis": GENESIS,
            "practices_seen": self._keys.practices_seen,
            "lives": whole(self._nodes.log_kept),
            "entries": [],
        }


class _Turns:
    """Turns at several practices, given back as soon as the next one may begin."""

    def __init__(self, heads: Sequence[_Head]) -> None:
        self._heads = heads
        self._taken: list[_Head] = []

    async def __aenter__(self) -> _Turns:
        try:
            for head in self._heads:
                await head.turn.acquire()
                self._taken.append(head)
        except BaseException:
            self.give_back()
            raise
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self.give_back()

    def give_back(self) -> None:
        """The next writer may begin; idempotent."""
        while self._taken:
            self._taken.pop().turn.release()


@dataclass(frozen=True, slots=True)
class _Writing:
    """One try: what follows from Redis's answer happens before any wait for a replica.

    The next writer needs the new head and no replica; and whoever is cancelled in that wait has
    written all the same.
    """

    log: RedisLog
    entries: Sequence[LogEntry]
    turns: _Turns

    def heard(self, answer: Sequence[Any]) -> None:
        """What Redis said to it."""
        if answer[0] == "stale":
            self.log.learn(answer[1:])
            return
        if "logged" in answer:
            self.log.wrote(self.entries)
        self.turns.give_back()


def _entry(said: Sequence[str]) -> LogEntry:
    """An entry of a stream. Raises ``StoreUnavailable`` for what no server of ours wrote."""
    try:
        return LogEntry(**json.loads(said[said.index("entry") + 1]))
    except (ValueError, TypeError):
        raise StoreUnavailable from None
