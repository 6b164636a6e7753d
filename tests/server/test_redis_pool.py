import asyncio
from dataclasses import replace

import pytest

from server.redis_dialer import Dialer
from server.redis_pool import RedisPool
from server.redis_wire import RedisTrouble
from tests.support.redis_links import IMPATIENT, config_of

ONE = replace(IMPATIENT, redis_pool=1)


@pytest.fixture
async def dialer(shared_redis):
    return Dialer(config_of(shared_redis), IMPATIENT)


@pytest.fixture
async def pool(dialer):
    kept = RedisPool(dialer, ONE)
    yield kept
    await kept.close()


async def test_what_was_given_back_is_lent_again(pool):
    wire = await pool.take()
    await pool.give(wire)
    assert await pool.take() is wire
    await pool.give(wire)


async def test_no_more_than_the_policy_allows_are_lent_and_others_wait_their_turn(pool):
    wire = await pool.take()
    waiting = asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    await pool.give(wire)
    assert await waiting is wire
    with pytest.raises(RedisTrouble) as refused:
        await pool.take()
    assert refused.value.reason == "busy"
    await pool.give(wire)


async def test_one_that_owes_an_answer_is_never_lent_again(pool):
    wire = await pool.take()
    await wire.ask("SET", "pool:x", "1", within=1)
    asking = asyncio.create_task(wire.ask("BLPOP", "pool:nothing", 0, within=10))
    await asyncio.sleep(0.02)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await pool.give(wire)
    other = await pool.take()
    assert other is not wire
    assert await other.ask("GET", "pool:x", within=1) == "1"
    await pool.give(other)


async def test_one_that_leads_astray_takes_those_of_its_age_with_it(dialer):
    pool = RedisPool(dialer, IMPATIENT)
    first, second = await pool.take(), await pool.take()
    await pool.give(second)
    await pool.drop(first)
    assert not await second.ready()
    third = await pool.take()
    await pool.drop(first)  # an old grudge
    await pool.give(first)
    await pool.give(third)
    assert await pool.take() is third
    await pool.give(third)
    await pool.close()


async def test_a_place_is_free_again_when_connecting_fails(shared_redis):
    pool = RedisPool(Dialer(config_of(shared_redis, redis_user="x", redis_password="y"), ONE), ONE)
    for _ in range(3):
        with pytest.raises(RedisTrouble) as refused:
            await pool.take()
        assert refused.value.reason == "WRONGPASS"


async def test_when_closed_it_lends_nothing_and_keeps_nothing(pool):
    wire = await pool.take()
    await pool.close()
    await pool.close()
    await pool.give(wire)
    assert not await wire.ready()
    with pytest.raises(RedisTrouble) as refused:
        await pool.take()
    assert refused.value.reason == "closed"
