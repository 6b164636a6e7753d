import asyncio
from dataclasses import replace

import pytest

from server.audit import first_break
from server.redis_log import RedisLog
from server.store import StoreUnavailable
from tests.contracts.record_contract import AUDIT_KEY
from tests.support.records import a_visit, happened
from tests.support.redis_links import IMPATIENT
from tests.support.redis_server import one_redis
from tests.support.redis_stores import Stores


@pytest.fixture(scope="module")
def redis():
    with one_redis() as server:
        yield server


@pytest.fixture
async def stores(redis):
    opened = Stores(redis)
    yield opened
    redis.wakes()
    await opened.close()


@pytest.fixture
async def opened(stores):
    """``await opened()`` is another node's log."""
    links = []

    async def new(policy=IMPATIENT):
        links.append(stores.link(policy))
        await links[-1].open()
        return RedisLog(links[-1], stores.keys, AUDIT_KEY, policy)

    yield new
    for link in links:
        await link.close()


def told(what, practice="north"):
    return happened(what, visit="", practice=practice)


async def test_writers_of_one_node_take_turns_and_never_try_twice(opened):
    log = await opened(replace(IMPATIENT, log_tries=1))
    await asyncio.gather(*(log.write({}, [told("A"), told("B", "south")]) for _ in range(20)))
    await asyncio.gather(*(log.write({}, [told("B", "south"), told("A")]) for _ in range(20)))
    assert len(await log.after("north", 0, 100)) == len(await log.after("south", 0, 100)) == 40


async def test_a_node_that_others_were_quicker_than_tries_again(opened):
    one, two = await opened(), await opened()
    for n in range(4):
        await (one, two)[n % 2].write({}, [told(f"N{n}"), told(f"S{n}", "south")])
    assert [entry.type for entry in await one.after("north", 0, 9)] == ["N0", "N1", "N2", "N3"]
    assert [entry.cursor for entry in await two.after("south", 0, 9)] == [1, 2, 3, 4]


async def test_whoever_is_always_late_gives_up_and_has_written_nothing(opened):
    one, two = await opened(), await opened(replace(IMPATIENT, log_tries=1))
    await one.write({}, [told("First")])
    with pytest.raises(StoreUnavailable):
        await two.write({}, [told("Late")])
    await two.write({}, [told("Second")])
    assert [entry.type for entry in await one.after("north", 0, 9)] == ["First", "Second"]


async def test_a_writer_that_is_cancelled_holds_up_nobody(redis, opened):
    log = await opened(replace(IMPATIENT, redis_answer=5.0))
    await log.write({}, [told("First")])
    with redis.hung():
        writing = asyncio.create_task(log.write({}, [told("Cancelled")]))
        waiting = asyncio.create_task(log.write({}, [told("Waiting")]))
        await asyncio.sleep(0.05)  # until it is sent: nobody who hangs can say so
        writing.cancel()
        waiting.cancel()
        await asyncio.gather(writing, waiting, return_exceptions=True)
    await log.write({}, [told("Next")])
    types = [entry.type for entry in await log.after("north", 0, 9)]
    assert types[0] == "First"
    assert types[-1] == "Next"
    assert "Waiting" not in types


async def test_a_write_whose_answer_was_lost_does_not_break_the_chain(redis, stores):
    store = await stores.open(nodes=replace(IMPATIENT, redis_answer=0.1))
    await store.create(a_visit(), [], [happened("First")])
    with redis.hung(), pytest.raises(StoreUnavailable):
        await store.record([happened("Unanswered")])
    await store.record([happened("Next")])
    types = [entry.type for entry in await store.log_after("north", 0, 9)]
    assert (types[0], types[-1]) == ("First", "Next")
    assert await first_break(store, "north", AUDIT_KEY) is None


async def test_a_node_without_a_pause_leaves_the_others_their_turns(stores):
    busy, other = await stores.open("busy"), await stores.open("other")
    done = asyncio.Event()

    async def write_on(number):
        while not done.is_set():
            await busy.record([told(f"Busy{number}")])

    writers = [asyncio.create_task(write_on(number)) for number in range(8)]
    for number in range(20):
        await other.record([told(f"Other{number}")])
    done.set()
    await asyncio.gather(*writers)
    names, last = [], 0
    while page := await busy.log_after("north", last, 1_000):
        names += [entry.type for entry in page]
        last = page[-1].cursor
    assert [n for n in names if n.startswith("Other")] == [f"Other{n}" for n in range(20)]
    assert await first_break(busy, "north", AUDIT_KEY) is None
