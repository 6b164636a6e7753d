import json
import secrets

import pytest

from rooms.nodes_policy import NodesPolicy
from server.config import load_settings
from server.redis_config import RedisConfig
from server.redis_copy import dump, keys, load
from server.redis_link import RedisLink

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
        "log:north",
        "set",
        "text",
        "visit:1",
        "zset",
    ]
    travelled = [json.loads(json.dumps(line)) for line in found]
    other = prefix + "-2"
    assert await load(link, other, travelled) == 6
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
