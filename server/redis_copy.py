"""Everything that an installation keeps in Redis, as lines of JSON and back.

Not a dump of Redis's own: any version reads it, so does a person, and what is in it can be checked.
Each key is whole, and the keys are not of one moment: the log may tell of what a visit in it has
not seen yet, as after a failover. What must agree is made to: where a log stands is read from the
log as it was copied, and indexes are made again from the visits. Who lives and who owns what is
left out: nobody does afterwards.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeAlias

from rooms.codec import SchemaUnknown, decode
from rooms.nodes_policy import NodesPolicy, SightPolicy
from server.redis_keys import RedisKeys
from server.redis_link import RedisLink, Script
from server.redis_plans import Plans
from server.redis_scripts import PUT_VISIT

Kept: TypeAlias = dict[str, Any]  # key (without the prefix), kind, value, and expires (epoch ms)

_PAGE = SightPolicy().backup_page
_OF_THE_MOMENT = ("nodes", "beats", "probe", "owned:", "drain:")
_MADE_AGAIN = ("unfinished", "due", "visits:", "running:")  # from the visits
_NOBODYS = {"owner": ""}
_LOG, _HEAD, _VISIT = "log:", "log-head:", "visit:"

# ARGV: the visit's plan, its body.
_PUT_AGAIN = Script("put_again", PUT_VISIT + "put_visit(cjson.decode(ARGV[1]), ARGV[2])")


async def keys(link: RedisLink, prefix: str) -> AsyncIterator[str]:
    """The installation's lasting keys, without their prefix; each once."""
    cursor, seen = "0", set[str]()
    while True:
        cursor, found = await link.call("SCAN", cursor, "MATCH", f"{prefix}:*", "COUNT", _PAGE)
        for each in found:
            name = each.removeprefix(f"{prefix}:")
            if name not in seen and not name.startswith(_OF_THE_MOMENT + _MADE_AGAIN):
                seen.add(name)
                yield name
        if cursor == "0":
            return


async def dump(link: RedisLink, prefix: str) -> AsyncIterator[Kept]:
    """Every key as one line. Raises ``StoreUnavailable``."""
    async for name in keys(link, prefix):
        key = f"{prefix}:{name}"
        kind = await link.call("TYPE", key)
        value = await _value(link, key, kind)
        if not value or (name.startswith(_HEAD) and await _has_entries(link, prefix, name)):
            continue  # it has expired just now; the log below says better where it stands
        if name.startswith(_VISIT):
            value |= _NOBODYS
        line: Kept = {"key": name, "kind": kind, "value": value}
        life = await link.call("PTTL", key)
        if life >= 0:
            line["expires"] = round(time.time() * 1000) + life
        yield line
        if name.startswith(_LOG):
            yield _head(name, value)


async def load(link: RedisLink, prefix: str, lines: Iterable[Kept]) -> int:
    """Keep what ``dump`` found, and has not expired since; how many keys. Raises
    ``StoreUnavailable``, and ``ValueError`` for what no dump holds.
    """
    count, now, visits = 0, time.time() * 1000, []
    for line in lines:
        if line.get("expires", now + 1) <= now:
            continue
        key = f"{prefix}:{line['key']}"
        for command in _commands(key, line["kind"], line["value"]):
            await link.call(*command)
        if "expires" in line:
            await link.call("PEXPIREAT", key, line["expires"])
        if line["key"].startswith(_VISIT):
            visits.append(line["key"].removeprefix(_VISIT))
        count += 1
    for visit in visits:
        await _put_again(link, RedisKeys(prefix), visit)
    return count


async def _has_entries(link: RedisLink, prefix: str, head: str) -> bool:
    log = f"{prefix}:{_LOG}{head.removeprefix(_HEAD)}"
    return bool(await link.call("XLEN", log))


def _head(log: str, entries: Sequence[Any]) -> Kept:
    """Where a log of these entries stands, whatever was written while they were copied."""
    number, words = entries[-1]
    value = {"cursor": number.partition("-")[0], "mac": _pairs(words)["mac"]}
    return {"key": _HEAD + log.removeprefix(_LOG), "kind": "hash", "value": value}


async def _put_again(link: RedisLink, keys: RedisKeys, visit: str) -> None:
    """Into every index of visits. Its life stays what it was."""
    fields = ("body", "version", "expires")
    body, version, expires = await link.call("HMGET", keys.visit(visit), *fields)
    try:
        plan = Plans(keys, time.time, NodesPolicy()).visit(decode(body), int(version))
    except (SchemaUnknown, TypeError, ValueError):
        return  # nobody can read it, so nobody needs to find it
    await link.script(_PUT_AGAIN, (), (json.dumps(plan | {"expires": expires}), body))


def log_of(line: Kept) -> str | None:
    """The practice whose log a line holds, if it holds one."""
    name = str(line["key"])
    return name.removeprefix(_LOG) if name.startswith(_LOG) else None


def entries(line: Kept) -> Iterator[str]:
    """The entries of that log, each as JSON."""
    return (_pairs(words)["entry"] for _, words in line["value"])


async def _value(link: RedisLink, key: str, kind: str) -> Any:
    if kind == "string":
        return await link.call("GET", key)
    if kind == "hash":
        return _pairs(await link.call("HGETALL", key))
    if kind == "set":
        return sorted(await link.call("SMEMBERS", key))
    if kind == "zset":
        return _pairs(await link.call("ZRANGE", key, 0, -1, "WITHSCORES"))
    if kind == "stream":
        return [entry async for entry in _entries(link, key)]
    return None


async def _entries(link: RedisLink, key: str) -> AsyncIterator[Sequence[Any]]:
    start = "-"
    while found := await link.call("XRANGE", key, start, "+", "COUNT", _PAGE):
        for entry in found:
            yield entry
        start = f"({found[-1][0]}"


def _commands(key: str, kind: str, value: Any) -> Iterable[tuple[str, ...]]:
    """What makes the key again, in portions that Redis answers at once."""
    if kind == "string":
        return [("SET", key, value)]
    if kind == "stream":
        return [("XADD", key, number, *words) for number, words in value]
    if kind == "set":
        return [("SADD", key, *some) for some in _portions(value)]
    if kind == "hash":
        return [("HSET", key, *_flat(some)) for some in _portions(value.items())]
    if kind == "zset":
        turned = ((score, member) for member, score in value.items())
        return [("ZADD", key, *_flat(some)) for some in _portions(turned)]
    raise ValueError(kind)


def _portions(values: Iterable[Any]) -> Iterable[list[Any]]:
    rest = iter(values)
    while some := list(islice(rest, _PAGE)):
        yield some


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _flat(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [word for pair in pairs for word in pair]
