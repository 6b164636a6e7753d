"""Desks and notices: a notice says "look again" and nothing else."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from rooms.nodes_policy import NodesPolicy
from rooms.policy import EdgePolicy
from server.news import News
from server.practices import Practices
from server.redis_link import GAP
from tests.support.records import a_visit as any_visit
from tests.support.redis_stores import Stores
from tests.support.several_nodes import until


class Board:
    def __init__(self):
        self.hosts = {}

    def follow(self, visit):
        self.hosts[visit.id] = visit.host


@pytest.fixture
async def stores(shared_redis):
    made = Stores(shared_redis)
    yield made
    await made.close()


@pytest.fixture
def listening(stores):
    """``async with listening(policy) as (store, board)``: desks of the practice north look."""

    @asynccontextmanager
    async def begin(policy=None, messages=None, here=(), followers=()):
        store, board = await stores.open(), Board()
        link = stores.link()
        await link.open()
        news = News(
            messages or (lambda: link.messages(stores.keys.changed)),
            store,
            board,
            Practices(store),
            policy or NodesPolicy(),
            EdgePolicy(),
            lambda: NOW,
        )
        news.connect(lambda: {"north"}, lambda visit: visit in here, *followers)
        news.start()
        try:
            yield store, board
        finally:
            await news.close()
            await link.close()

    return begin


NOW = 1_000_000.0


def a_visit(name="visit-1", **fields):
    """A visit of today."""
    return any_visit(name, **{"starts_at": NOW, "ends_at": NOW + 600, **fields})


def told(*messages):
    """Messages that come at once, and then none."""

    async def stream():
        for message in messages:
            yield message
        await asyncio.Event().wait()

    return stream


async def test_a_visit_that_changes_elsewhere_is_read(listening, stores):
    other = await stores.open("other")
    async with listening() as (_, board):
        await other.create(a_visit(host="first"), [], [])
        await until(lambda: board.hosts.get("visit-1") == "first")
        await other.save(a_visit(host="second"), 1, [])
        await until(lambda: board.hosts["visit-1"] == "second")


async def test_everything_is_read_when_notices_may_have_been_missed(listening, stores):
    other = await stores.open("other")
    await other.create(a_visit(host="made before"), [], [])
    async with listening(messages=told(GAP)) as (_, board):
        await until(lambda: board.hosts.get("visit-1") == "made before")


async def test_a_notice_that_was_lost_costs_a_while(listening, stores):
    other = await stores.open("other")
    await other.create(a_visit(host="unheard of"), [], [])
    policy = NodesPolicy(desk_reread=0.05)
    async with listening(policy, messages=told()) as (_, board):
        await until(lambda: board.hosts.get("visit-1") == "unheard of")


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "not json",
        "[]",
        '{"practice": 7, "visit": []}',
        '{"practice": "north", "visit": "nowhere"}',
        '{"practice": "north", "visit": "visit-1", "body": {"host": "forged", "seats": []}}',
        json.dumps({"method": "enter_room", "sid": "x", "room": "visit-1"}),
        "x" * 100_000,
    ],
)
async def test_a_forged_notice_changes_nothing(listening, stores, forged):
    other = await stores.open("other")
    await other.create(a_visit(host="true"), [], [])
    after = json.dumps({"practice": "north", "visit": "visit-1"})
    async with listening(messages=told(forged, after)) as (store, board):
        await until(lambda: board.hosts.get("visit-1") == "true")
        assert (await store.load("visit-1")).version == 1
        assert set(board.hosts) == {"visit-1"}


class Follower:
    def __init__(self):
        self.heard = []

    def changed(self, practice):
        self.heard.append(practice)

    def all_changed(self):
        self.heard.append("all")


async def test_whoever_follows_practices_hears_of_them_and_of_gaps(listening):
    follower = Follower()
    messages = told(GAP, '{"practice": "north", "visit": "visit-1"}', '{"practice": "south"}')
    policy = NodesPolicy(desk_reread=0.01)
    async with listening(policy, messages, followers=[follower]):
        await until(lambda: len(follower.heard) > 1)
        await asyncio.sleep(0)
        assert follower.heard == ["all", "south"], "and not of what desks read now and then"


async def test_other_practices_and_this_nodes_own_visits_are_not_read(listening, stores):
    other = await stores.open("other")
    for name, practice in (("visit-1", "south"), ("visit-2", "north"), ("visit-3", "north")):
        await other.create(a_visit(name, practice=practice), [], [])
    notices = [
        json.dumps({"practice": practice, "visit": name})
        for name, practice in (("visit-1", "south"), ("visit-2", "north"), ("visit-3", "north"))
    ]
    async with listening(messages=told(*notices), here={"visit-2"}) as (_, board):
        await until(lambda: "visit-3" in board.hosts)
        assert set(board.hosts) == {"visit-3"}
