"""Calls that several nodes place together, counted in a real Redis."""

import asyncio

import pytest

from rooms.policy import CallLimits
from server.call_allowance import DAY
from server.redis_allowance import SharedAllowance
from server.telephony import PhonePolicies
from tests.support.redis_links import IMPATIENT
from tests.support.redis_server import one_redis
from tests.support.redis_stores import Stores
from tests.support.several_nodes import several_nodes

LIMITS = CallLimits(per_number_daily=3.0, per_practice_daily=5.0)


@pytest.fixture
async def nodes():
    """``await nodes(redis)`` is the allowance of one more node, and the names of its keys."""
    links = []

    async def one_more(stores):
        link = stores.link(IMPATIENT)
        links.append(link)
        await link.open()
        return SharedAllowance(link, stores.keys, LIMITS)

    yield one_more
    await asyncio.gather(*(link.close() for link in links))


async def count(allowance, calls):
    return sum(await asyncio.gather(*(allowance.take(*call) for call in calls)))


async def test_nodes_call_one_number_no_more_often_than_one_may(nodes, shared_redis):
    stores = Stores(shared_redis)
    a, b = await nodes(stores), await nodes(stores)
    calls = [("north", "one")] * 10
    assert sum(await asyncio.gather(count(a, calls), count(b, calls))) == 3


async def test_nodes_call_for_one_practice_no_more_often_than_one_may(nodes, shared_redis):
    stores = Stores(shared_redis)
    a, b = await nodes(stores), await nodes(stores)
    granted = await asyncio.gather(
        count(a, [("north", f"a{number}") for number in range(5)]),
        count(b, [("north", f"b{number}") for number in range(5)]),
    )
    assert sum(granted) == 5
    assert await a.take("south", "a9")


async def test_what_is_refused_is_counted_nowhere(nodes, shared_redis):
    stores = Stores(shared_redis)
    a = await nodes(stores)
    await count(a, [("north", f"number-{number}") for number in range(5)])
    assert not await a.take("north", "fresh")
    assert shared_redis.command("GET", stores.keys.calls_to("fresh")) is None
    for _ in range(3):
        assert await a.take("south", "fresh")
    assert not await a.take("south", "fresh")
    assert shared_redis.command("GET", stores.keys.calls_for("south")) == "3"


async def test_counts_last_a_day_from_the_first_call(nodes, shared_redis):
    stores = Stores(shared_redis)
    a = await nodes(stores)
    await a.take("north", "one")
    names = (stores.keys.calls_to("one"), stores.keys.calls_for("north"))
    for name in names:
        assert DAY - 60 < shared_redis.command("TTL", name) <= DAY
        shared_redis.command("EXPIRE", name, 100)
    await a.take("north", "one")
    for name in names:
        assert shared_redis.command("TTL", name) <= 100, "a call does not prolong the day"


async def test_while_the_store_is_away_each_node_counts_for_itself(nodes):
    with one_redis() as redis:
        stores = Stores(redis)
        a, b = await nodes(stores), await nodes(stores)
        assert await count(a, [("north", "one")] * 2) == 2
        redis.kills()
        assert await count(a, [("north", "one")] * 3) == 1, "it had called twice already"
        assert await count(b, [("north", "one")] * 4) == 3, "it knows of none"
        redis.starts()
        assert await a.take("north", "one"), "what is counted together is right again"


async def test_a_count_that_is_none_is_like_a_store_that_is_away(nodes, shared_redis):
    stores = Stores(shared_redis)
    a = await nodes(stores)
    shared_redis.command("SADD", stores.keys.calls_for("north"), "something else")
    assert await count(a, [("north", "one")] * 4) == 3


async def test_whole_nodes_count_together(tmp_path, shared_redis):
    phones = PhonePolicies(limits=LIMITS)
    async with several_nodes(tmp_path, shared_redis, phones=phones) as pair:
        a, b = (pair[name].node.phones.calls.allowance for name in ("a", "b"))
        assert await count(a, [("north", "one")] * 3) == 3
        assert not await b.take("north", "one")
