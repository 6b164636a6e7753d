"""Who is there and who owns what, from two nodes at once, and after a failover that lost writes."""

import asyncio
import itertools
import json
import random
from dataclasses import replace

import pytest

from rooms.basics import Deadline
from rooms.codec import encode
from rooms.model import Stage
from rooms.nodes_policy import NodesPolicy
from server.claims import NOBODY, Claim, Load, NodeRecord
from server.redis_directory import RedisDirectory
from server.redis_keys import RedisKeys
from server.redis_plans import Plans
from server.store import NotOwner, Stored, StoreUnavailable, UnknownVisit
from tests.support.records import Clock, a_visit
from tests.support.redis_links import linked
from tests.support.redis_server import redis_server

A, B = "owner-a", "owner-b"
_numbers = itertools.count(1)


class Here:
    """Two nodes with a directory each, under a prefix of their own in one Redis."""

    def __init__(self, server, one, two):
        self.server = server
        self.keys = RedisKeys(f"directory-{next(_numbers)}")
        self.clock = Clock()
        self.policy = NodesPolicy()
        self.a, self.b = (
            RedisDirectory(link, self.keys, self.clock, self.policy) for link in (one, two)
        )
        self.links = (one, two)

    def kept(self, visit="visit-1", **fields):
        """The visit's hash."""
        flat = self.server.command("HGETALL", self.keys.visit(visit))
        return flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))

    def members(self, key):
        kind = self.server.command("TYPE", key)
        command = ("ZRANGE", key, 0, -1) if kind == "zset" else ("SMEMBERS", key)
        return set(self.server.command(*command))

    def has(self, visit="visit-1", *, version=1, owner="", epoch=0):
        """As a store would have made it."""
        fields = {"version": version, "owner": owner, "epoch": epoch, "body": "{}"}
        words = [word for field in fields.items() for word in field]
        self.server.command("HSET", self.keys.visit(visit), *words)
        if owner:
            self.server.command("SADD", self.keys.owned(owner), visit)
        return visit

    def loses(self, visit="visit-1"):
        self.server.command("DEL", self.keys.visit(visit))


@pytest.fixture
async def here(shared_redis):
    async with linked(shared_redis) as one, linked(shared_redis) as two:
        yield Here(shared_redis, one, two)


def node(owner, beat=1, **fields):
    return NodeRecord(name=owner, owner=owner, url=f"http://{owner}", beat=beat, **fields)


# -- nodes --------------------------------------------------------------------------------------


async def test_each_beat_shows_everybody_as_they_said_they_are(here):
    mine = node(
        A, 7, draining=True, version="1.2", started_at=5.5, load=Load(packets=1.5, visits=3)
    )
    assert (await here.a.beat(mine)).nodes == (mine,)
    seen = await here.b.beat(node(B))
    assert set(seen.nodes) == {mine, node(B)}
    again = replace(mine, beat=8, draining=False)
    assert set((await here.a.beat(again)).nodes) == {again, node(B)}


async def test_a_beat_counts_what_the_node_owns(here):
    assert (await here.a.beat(node(A))).owned == 0
    await here.a.claim(here.has(), A, NOBODY)
    assert (await here.a.beat(node(A, 2))).owned == 1
    assert (await here.b.beat(node(B))).owned == 0


async def test_what_nobody_here_can_read_is_no_node(here):
    odd = {"name": "x", "owner": "x", "url": "http://x", "beat": 3, "of_a_newer_version": True}
    for owner, text in {"a": "{", "b": "[]", "c": '{"name": 1}', "x": json.dumps(odd)}.items():
        here.server.command("HSET", here.keys.nodes, owner, text)
    seen = await here.a.beat(node(A))
    assert set(seen.nodes) == {node(A), NodeRecord(name="x", owner="x", url="http://x", beat=3)}


async def test_a_node_that_was_forgotten_owns_nothing_and_can_come_back(here):
    await here.a.beat(node(A))
    claim = await here.a.claim(here.has(), A, NOBODY)
    for _ in range(2):
        await here.b.forget_node(A)
    assert (await here.b.beat(node(B))).nodes == (node(B),)
    assert await here.b.owner_of("visit-1") == Claim("", claim.epoch)
    assert await here.b.owned_by(A) == frozenset()
    assert set((await here.a.beat(node(A, 2))).nodes) == {node(A, 2), node(B)}


async def test_a_silent_node_is_listed_for_an_hour_and_while_it_owns_anything(here):
    for owner in ("gone", "owns", "lives"):
        await here.a.beat(node(owner))
    await here.a.claim(here.has(), "owns", NOBODY)
    long_ago = here.server.command("TIME")[0] - here.policy.dead_listed - 1
    for owner in ("gone", "owns"):
        here.server.command("ZADD", here.keys.beats, long_ago, owner)
    assert {seen.owner for seen in (await here.a.beat(node(A))).nodes} == {"owns", "lives", A}
    assert here.members(here.keys.beats) == {"owns", "lives", A}


# -- claims -------------------------------------------------------------------------------------


async def test_a_visit_of_nobody_is_claimed_once(here):
    here.has()
    assert await here.a.owner_of("visit-1") == NOBODY
    claim = await here.a.claim("visit-1", A, NOBODY)
    assert claim == Claim(A, 1)
    assert await here.b.owner_of("visit-1") == claim
    with pytest.raises(NotOwner):
        await here.b.claim("visit-1", B, NOBODY)
    assert await here.b.owned_by(A) == {"visit-1"}
    assert await here.b.owned_by(B) == frozenset()


async def test_a_claim_whose_answer_was_lost_is_there_when_asked_again(here):
    here.has()
    claim = await here.a.claim("visit-1", A, NOBODY)
    assert await here.a.claim("visit-1", A, NOBODY) == claim


async def test_a_visit_is_taken_from_who_owns_it_and_from_nobody_else(here):
    here.has()
    former = await here.a.claim("visit-1", A, NOBODY)
    for wrong in (Claim(A, former.epoch + 1), Claim("owner-c", former.epoch), NOBODY):
        with pytest.raises(NotOwner):
            await here.b.claim("visit-1", B, wrong)
    assert await here.b.claim("visit-1", B, former) == Claim(B, 2)
    assert await here.a.owned_by(A) == frozenset()
    assert await here.a.owned_by(B) == {"visit-1"}


async def test_released_visits_keep_their_epoch_and_only_the_owner_releases(here):
    here.has()
    claim = await here.a.claim("visit-1", A, NOBODY)
    for wrong in (Claim(B, claim.epoch), Claim(A, claim.epoch + 1)):
        await here.b.release("visit-1", wrong)
    assert await here.a.owner_of("visit-1") == claim
    for _ in range(2):
        await here.a.release("visit-1", claim)
    assert await here.a.owner_of("visit-1") == Claim("", 1)
    assert await here.a.owned_by(A) == frozenset()
    assert await here.b.claim("visit-1", B, NOBODY) == Claim(B, 2)


async def test_a_visit_that_is_not_there_is_nobodys(here):
    with pytest.raises(UnknownVisit):
        await here.a.owner_of("visit-1")
    with pytest.raises(UnknownVisit):
        await here.a.claim("visit-1", A, NOBODY)
    await here.a.release("visit-1", Claim(A, 1))
    assert not here.server.command("EXISTS", here.keys.visit("visit-1"))


async def test_of_two_nodes_that_claim_at_once_exactly_one_wins_a_thousand_times(here):
    """They take 40 visits from each other, 25 times, both knowing the same former owner."""
    former = {here.has(f"visit-{n}"): NOBODY for n in range(40)}
    wins = {A: 0, B: 0}
    for turn in range(25):
        owners = (f"a{turn}", f"b{turn}")

        async def race(visit, owners=owners):
            both = list(zip((here.a, here.b), owners, strict=True))
            random.Random(visit).shuffle(both)  # whoever is first in one process mostly wins
            tries = [directory.claim(visit, owner, former[visit]) for directory, owner in both]
            return visit, await asyncio.gather(*tries, return_exceptions=True)

        for visit, results in await asyncio.gather(*(race(visit) for visit in former)):
            won = [claim for claim in results if isinstance(claim, Claim)]
            assert len(won) == 1
            assert [type(r) for r in results if not isinstance(r, Claim)] == [NotOwner]
            assert won[0].epoch == former[visit].epoch + 1
            former[visit] = won[0]
            wins[A if won[0].owner in owners[:1] else B] += 1
    assert wins[A] + wins[B] == 1_000
    assert min(wins.values()) > 0
    assert {await here.a.owner_of(visit) == claim for visit, claim in former.items()} == {True}
    owned = [await here.a.owned_by(f"{side}24") for side in "ab"]
    assert owned[0] | owned[1] == set(former)
    assert not owned[0] & owned[1]


async def test_what_is_listed_as_owned_and_is_not_is_taken_off_the_list(here):
    here.has("gone", owner=A, epoch=1)
    here.has("others", owner=B, epoch=1)
    here.has("mine", owner=A, epoch=1)
    here.loses("gone")
    here.server.command("SADD", here.keys.owned(A), "others")
    assert await here.a.owned_by(A) == {"mine"}
    assert here.members(here.keys.owned(A)) == {"mine"}


# -- deadlines ----------------------------------------------------------------------------------


async def test_due_visits_are_those_of_nobody_the_earliest_first(here):
    for at, visit in enumerate(("first", "owned", "gone", "second", "third", "later")):
        here.has(visit, owner=A if visit == "owned" else "")
        here.server.command("ZADD", here.keys.due, 100.5 + at, visit)
    here.loses("gone")
    here.server.command("DEL", here.keys.visit("third"))
    here.server.command("SET", here.keys.visit("third"), "something else")
    assert await here.a.due(104.9, 10) == ("first", "second")
    assert await here.a.due(104.9, 1) == ("first",)
    assert await here.a.due(100.0, 10) == ()
    assert here.members(here.keys.due) == {"first", "owned", "second", "later"}


async def test_deadlines_of_owned_visits_hide_nobodys(here):
    for n in range(30):
        here.has(f"owned-{n}", owner=A)
        here.server.command("ZADD", here.keys.due, n, f"owned-{n}")
    here.server.command("ZADD", here.keys.due, 50, here.has("mine"))
    assert await here.a.due(100.0, 4) == ("mine",)


# -- writes that a failover lost ----------------------------------------------------------------


def _known(version, **fields):
    deadline = Deadline("no_show", 1_500.0) if "deadline" not in fields else None
    given = {"stage": Stage.OPEN, "deadline": deadline, **fields}
    return Stored(a_visit(**given), version)


CLAIM = Claim(A, 5)


@pytest.mark.parametrize(
    ("version", "owner", "epoch"),
    [(3, A, 5), (3, A, 4), (3, "", 4), (4, "", 4), (4, A, 5), (4, A, 4)],
)
async def test_an_owner_makes_the_store_know_what_it_knows(here, version, owner, epoch):
    here.has(version=version, owner=owner, epoch=epoch)
    known = _known(4)
    assert await here.a.reassert(known, CLAIM)
    kept = here.kept()
    assert (kept["version"], kept["owner"], kept["epoch"]) == ("4", A, "5")
    assert (kept["body"] == encode(known.visit)) == (version < 4)
    assert await here.b.owned_by(A) == {"visit-1"}


async def test_a_visit_that_is_lost_as_a_whole_is_there_again_in_every_index(here):
    known = _known(4)
    assert await here.a.reassert(known, CLAIM)
    plan = Plans(here.keys, here.clock, here.policy).visit(known.visit, 4)
    kept = here.kept()
    assert (kept["version"], kept["owner"], kept["epoch"]) == ("4", A, "5")
    assert {kept[name] == plan[name] for name in ("practice", "stage", "starts_at", "expires")} == {
        True
    }
    for index in (here.keys.unfinished, here.keys.due, here.keys.visits("north")):
        assert here.members(index) == {"visit-1"}
    assert here.members(here.keys.running("north")) == {"visit-1"}
    assert here.server.command("TTL", here.keys.visit("visit-1")) > 0


async def test_whoever_shows_the_visit_is_told_when_it_is_written_again(here):
    heard = aiter(here.links[1].messages(here.keys.changed))
    await anext(heard)
    assert await here.a.reassert(_known(4), CLAIM)
    told = json.loads(await anext(heard))
    assert told == {"practice": "north", "visit": "visit-1", "version": 4}
    await heard.aclose()


async def test_what_the_store_has_since_is_left_as_it_is(here):
    here.has(version=6, owner=A, epoch=5)
    assert await here.a.reassert(_known(4), CLAIM)
    assert here.kept()["version"] == "6"


@pytest.mark.parametrize(
    ("version", "owner", "epoch"),
    [
        (3, B, 5),  # a failover hands out an epoch twice, an owner never
        (4, B, 6),
        (9, B, 4),
        (5, "", 5),  # somebody else decided meanwhile, and released it
        (4, "", 6),
        (3, A, 6),
    ],
)
async def test_what_is_anothers_is_left_as_it_is(here, version, owner, epoch):
    here.has(version=version, owner=owner, epoch=epoch)
    before = here.kept()
    assert not await here.a.reassert(_known(4), CLAIM)
    assert here.kept() == before


async def test_something_else_in_the_place_of_the_visit_is_not_overwritten(here):
    here.server.command("SET", here.keys.visit("visit-1"), "something else")
    with pytest.raises(StoreUnavailable):
        await here.a.reassert(_known(4), CLAIM)
    assert here.server.command("GET", here.keys.visit("visit-1")) == "something else"


# -- outages ------------------------------------------------------------------------------------


async def test_without_redis_every_question_is_refused():
    async with redis_server() as server, linked(server) as link:
        here = Here(server, link, link)
        here.has()
        server.kills()
        for asked in (
            here.a.beat(node(A)),
            here.a.forget_node(A),
            here.a.owner_of("visit-1"),
            here.a.claim("visit-1", A, NOBODY),
            here.a.release("visit-1", CLAIM),
            here.a.owned_by(A),
            here.a.due(1.0, 1),
            here.a.reassert(_known(4), CLAIM),
        ):
            with pytest.raises(StoreUnavailable):
                await asked
