import json
import secrets
import time
from dataclasses import replace

import pytest

from rooms.model import Stage
from rooms.nodes_policy import NodesPolicy
from server.audit import first_break
from server.config import load_settings
from server.redis_config import RedisConfig
from server.redis_copy import dump, keys, load
from server.redis_keys import RedisKeys
from server.redis_link import RedisLink
from tests.contracts.record_contract import AUDIT_KEY
from tests.support.records import a_visit, happened
from tests.support.redis_stores import Stores

BINARY = bytes(range(256)).decode("utf-8", "surrogateescape")
MANY = 1_300  # more than one portion


@pytest.fixture
async def link(shared_redis):
    config = RedisConfig.of(load_settings(redis_url=shared_redis.url))
    link = RedisLink(config, NodesPolicy(), probe="probe")
    await link.open()
    yield link
    await link.close()


@pytest.fixture
def prefix():
    return f"copy-{secrets.token_hex(4)}"


async def filled(link, prefix):
    """A key of each kind, one of them for an hour."""
    await link.call("SET", f"{prefix}:text", "ünïcode")
    await link.call("SET", f"{prefix}:bytes", BINARY)
    await link.call("HSET", f"{prefix}:visit:1", "owner", "a.1", "epoch", 3, "body", "{}")
    await link.call("PEXPIRE", f"{prefix}:visit:1", 3_600_000)
    await link.call("SADD", f"{prefix}:set", *range(MANY))
    pairs = [word for n in range(MANY) for word in (n / 7, n)]
    await link.call("ZADD", f"{prefix}:zset", *pairs)
    for number in range(1, MANY + 1):
        await link.call("XADD", f"{prefix}:log:north", f"{number}-0", "entry", "{}", "mac", number)
    for key in ("owned:a.1", "drain:a.1"):
        await link.call("SADD", f"{prefix}:{key}", 1)
    await link.call("HSET", f"{prefix}:nodes", "a.1", "{}")


async def lines_of(link, prefix):
    return sorted([line async for line in dump(link, prefix)], key=lambda line: line["key"])


async def test_what_comes_back_is_the_same_but_for_who_owns_it(link, prefix):
    await filled(link, prefix)
    found = await lines_of(link, prefix)
    assert [line["key"] for line in found] == [
        "bytes",
        "log-head:north",
        "log:north",
        "set",
        "text",
        "visit:1",
        "zset",
    ]
    travelled = [json.loads(json.dumps(line)) for line in found]
    other = prefix + "-2"
    assert await load(link, other, travelled) == 7
    again = await lines_of(link, other)
    for line in (*found, *again):
        line.pop("expires", None)
    assert again == found
    assert await link.call("HGET", f"{other}:visit:1", "owner") == ""
    assert await link.call("HGET", f"{other}:visit:1", "epoch") == "3"
    assert 3_500_000 < await link.call("PTTL", f"{other}:visit:1") <= 3_600_000
    assert await link.call("PTTL", f"{other}:text") == -1


async def test_what_has_expired_meanwhile_does_not_come_back(link, prefix):
    old = {"key": "old", "kind": "string", "value": "1", "expires": 1_000}
    assert await load(link, prefix, [old]) == 0
    assert [key async for key in keys(link, prefix)] == []


async def test_what_no_dump_holds_is_refused(link, prefix):
    with pytest.raises(ValueError, match="module"):
        await load(link, prefix, [{"key": "x", "kind": "module", "value": 1}])


@pytest.fixture
async def stores(shared_redis):
    opened = Stores(shared_redis)
    yield opened
    await opened.close()


async def copied_while(stores, link, work):
    """Another installation, from a copy during which ``work`` was done after each key."""
    lines = []
    async for line in dump(link, stores.keys.prefix):
        lines.append(json.loads(json.dumps(line)))
        await work()
    stores.keys = RedisKeys(stores.keys.prefix + "-2")
    await load(link, stores.keys.prefix, lines)
    return await stores.open("two")


async def test_a_log_that_grew_while_it_was_copied_goes_on_unbroken(stores, link):
    store = await stores.open()
    logs = [f"practice-{n}" for n in range(6)]  # Redis tells names in an order of its own

    async def grow():
        for practice in logs:
            await store.record([happened(visit="", practice=practice)])

    await grow()
    restored = await copied_while(stores, link, grow)
    await restored.record([happened(visit="", practice=practice) for practice in logs])
    for practice in logs:
        assert await first_break(restored, practice, AUDIT_KEY, trimmed=True) is None
        assert len(await restored.log_after(practice, 0, 99)) > 1


async def test_where_a_log_stands_is_copied_when_all_of_it_has_expired(stores, link):
    store = await stores.open()
    await store.record([happened(visit="", practice="north", at=1.0) for _ in range(3)])
    await store.sweep(1e9)
    assert await store.log_after("north", 0, 9) == []
    restored = await copied_while(stores, link, lambda: store.healthy())
    await restored.record([happened(visit="", practice="north")])
    assert [entry.cursor for entry in await restored.log_after("north", 0, 9)] == [4]


async def test_visits_that_came_and_went_while_they_were_copied_are_in_their_places(stores, link):
    stores.clock.now = time.time()
    store = await stores.open()
    soon = stores.clock.now + 3600
    made = []

    async def change():
        made.append(f"visit-{len(made)}")
        await store.create(a_visit(made[-1], starts_at=soon, ends_at=soon + 60), [], [])
        if len(made) > 1:
            visit, version = (await store.load(made[-2])).visit, 1
            await store.save(replace(visit, stage=Stage.CANCELLED), version, [])

    await change()
    restored = await copied_while(stores, link, change)
    kept = [visit for visit in made if await link.call("EXISTS", stores.keys.visit(visit))]
    ended = [v for v in kept if (await restored.load(v)).visit.stage is Stage.CANCELLED]
    assert kept
    assert sorted(set(kept) - set(ended)) == sorted(await restored.unfinished())
    listed = await restored.visits_between("north", soon - 1, soon + 1)
    assert {visit.id for visit in listed} == set(kept)
    lives = [await link.call("PTTL", stores.keys.visit(visit)) for visit in kept]
    assert min(lives) > 0
