import asyncio

import pytest

from rooms.model import Deadline, Stage
from rooms.nodes_policy import NodesPolicy
from server.audit import first_break
from tests.contracts.record_contract import AUDIT_KEY
from tests.support.records import a_visit, happened
from tests.support.redis_server import one_redis
from tests.support.redis_stores import Stores

DAY = 24 * 60 * 60
SMALL = NodesPolicy(log_trim=3, read_page=2)  # so that a few are several pages


@pytest.fixture(scope="module")
def redis():
    with one_redis() as server:
        yield server


@pytest.fixture
async def stores(redis):
    opened = Stores(redis)
    yield opened
    await opened.close()


async def kept(store, practice="north"):
    return [entry.cursor for entry in await store.log_after(practice, 0, 1_000)]


async def test_old_entries_go_and_the_rest_still_is_a_chain(stores):
    store = await stores.open(nodes=SMALL)
    now, old = stores.clock.now, stores.clock.now - SMALL.log_kept
    await store.create(a_visit(), [], [happened(at=old - 9 + n) for n in range(9)])
    await store.record([happened(at=now), happened(at=old - 5), happened(at=now)])
    await store.record([happened(visit="", at=old - 1), happened(visit="", at=now)])
    await store.sweep(now)
    assert await kept(store) == [10, 11, 12], "from the oldest on, as long as they are old"
    assert await kept(store, "") == [2]
    assert await first_break(store, "north", AUDIT_KEY, trimmed=True) is None
    await store.record([happened()])
    assert await kept(store) == [10, 11, 12, 13]
    assert await first_break(store, "north", AUDIT_KEY, trimmed=True) is None


async def test_a_log_of_which_all_is_old_goes_on_where_it_was(stores):
    store = await stores.open(nodes=SMALL)
    await store.create(a_visit(), [], [happened(at=1.0) for _ in range(7)])
    await store.sweep(stores.clock.now + 400 * DAY)
    assert await kept(store) == []
    await (await stores.open("two")).record([happened()])
    assert await kept(store) == [8]
    assert await first_break(store, "north", AUDIT_KEY, trimmed=True) is None


async def test_nothing_young_goes_however_often_and_wherever_it_is_swept(stores):
    one, two = await stores.open(nodes=SMALL), await stores.open("two", nodes=SMALL)
    now = stores.clock.now
    running = Deadline("overdue", now + 60)
    for n in range(7):
        visit = a_visit(f"visit-{n}", starts_at=now, stage=Stage.OPEN, deadline=running)
        await one.create(visit, [], [happened(visit=f"visit-{n}", at=now)])
    await asyncio.gather(*(store.sweep(now) for store in (one, two, one, two)))
    assert await kept(one) == [1, 2, 3, 4, 5, 6, 7]
    assert len(await one.visits_between("north", now, now + 1)) == 7
    assert len(await one.unfinished()) == 7


async def test_indexes_forget_visits_that_are_gone(redis, stores):
    store = await stores.open(nodes=SMALL)
    keys, gone = stores.keys, {0, 1, 3, 4, 5}
    for n in range(7):
        visit = a_visit(f"visit-{n}", stage=Stage.OPEN, deadline=Deadline("overdue", 5.0))
        await store.create(visit, [], [])
        if n in gone:
            redis.command("DEL", keys.visit(visit.id))
    await store.sweep(stores.clock.now + 400 * DAY)
    await store.sweep(stores.clock.now + 400 * DAY)
    left = ["visit-2", "visit-6"]
    assert await store.unfinished() == left
    assert redis.command("ZRANGE", keys.visits("north"), 0, -1) == left
    assert redis.command("ZRANGE", keys.due, 0, -1) == left
    assert sorted(redis.command("SMEMBERS", keys.running("north"))) == left
