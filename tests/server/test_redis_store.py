"""What is particular to the store of many nodes; what all promise is in tests/contracts."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import asdict, replace

import pytest

from media.phone.former_calls import KeptCall
from rooms.codec import SchemaUnknown, encode
from rooms.model import Deadline, Role, Seat, Stage
from rooms.nodes_policy import NodesPolicy
from server.audit import first_break
from server.claims import NOBODY, Claim, Claims
from server.idempotency import IdempotentReply
from server.redis_link import GAP
from server.store import (
    AlreadyExists,
    ApiKey,
    LinkKind,
    NotOwner,
    Practice,
    StoreError,
    StoreUnavailable,
    UnknownVisit,
    VersionConflict,
)
from tests.contracts.record_contract import AUDIT_KEY
from tests.support.records import a_link, a_visit, happened
from tests.support.redis_links import IMPATIENT
from tests.support.redis_server import guarded_redis, one_redis, redis_group, redis_server
from tests.support.redis_stores import Stores

DAY = 24 * 60 * 60
DESK = a_link("hash-d", kind=LinkKind.DESK, visit="", seat="", desk="desk-1")


@pytest.fixture(scope="module")
def redis():
    with one_redis() as server:
        yield server


@pytest.fixture
async def stores(redis):
    opened = Stores(redis)
    yield opened
    await opened.close()


@pytest.fixture
async def store(stores):
    return await stores.open()


@asynccontextmanager
async def at(server):
    stores = Stores(server)
    try:
        yield stores
    finally:
        server.wakes()
        await stores.close()


def names(redis, stores, pattern="*"):
    prefix = f"{stores.keys.prefix}:"
    return {key.removeprefix(prefix) for key in redis.command("KEYS", prefix + pattern)}


def everything(redis, stores):
    """Each key and all that it holds, as Redis itself writes it down."""
    found = {}
    for name in names(redis, stores):
        key = f"{stores.keys.prefix}:{name}"
        reading = {
            "hash": ("HGETALL", key), "set": ("SMEMBERS", key), "string": ("GET", key),
            "zset": ("ZRANGE", key, 0, -1, "WITHSCORES"), "stream": ("XRANGE", key, "-", "+"),
        }[redis.command("TYPE", key)]  # fmt: skip
        found[name] = redis.command(*reading)
    return found


def give(redis, stores, visit_id, owner, epoch):
    redis.command("HSET", stores.keys.visit(visit_id), "owner", owner, "epoch", epoch)


# Who may decide


async def test_only_the_owner_saves(redis, stores):
    mine, others = Claims(), Claims()
    store, other = await stores.open(claims=mine), await stores.open("two", claims=others)
    await store.create(a_visit(), [], [])
    give(redis, stores, "visit-1", "one.a", 1)
    mine.add("visit-1", Claim("one.a", 1))
    with pytest.raises(NotOwner):
        await other.save(a_visit(host="thief"), 1, [happened()])
    others.add("visit-1", Claim("two.b", 1))
    with pytest.raises(NotOwner):
        await other.save(a_visit(host="thief"), 1, [happened()])
    assert await store.save(a_visit(host="mine"), 1, []) == 2


async def test_a_former_owner_is_refused_and_leaves_no_trace(redis, stores):
    claims = Claims()
    store = await stores.open(claims=claims)
    await store.create(a_visit(), [], [])
    claims.add("visit-1", Claim("one.a", 1))
    give(redis, stores, "visit-1", "two.b", 2)
    before = everything(redis, stores)
    with pytest.raises(NotOwner):
        await store.save(
            a_visit(host="late", stage=Stage.ENDED), 1, [happened()], links=[a_link()], lasting=True
        )
    assert everything(redis, stores) == before


@pytest.mark.parametrize("claim", [Claim("one.a", 2), Claim("one.a", 4), Claim("one.b", 3), NOBODY])
async def test_an_epoch_that_was_handed_out_twice_is_still_one_owners(redis, stores, claim):
    claims = Claims()
    store = await stores.open(claims=claims)
    await store.create(a_visit(), [], [])
    give(redis, stores, "visit-1", "one.a", 3)
    claims.add("visit-1", claim)
    with pytest.raises(NotOwner):
        await store.save(a_visit(), 1, [])
    claims.add("visit-1", Claim("one.a", 3))
    await store.save(a_visit(), 1, [])


async def test_what_nobody_owns_anybody_may_save_whatever_its_epoch(redis, stores, store):
    await store.create(a_visit(), [], [])
    give(redis, stores, "visit-1", "", 7)
    assert await store.save(a_visit(host="new"), 1, []) == 2
    kept = redis.command("HMGET", stores.keys.visit("visit-1"), "owner", "epoch")
    assert kept == ["", "7"], "a save does not touch who owns it"


async def test_of_a_thousand_raced_saves_exactly_one_of_two_wins_each_time(stores):
    one, two = await stores.open(), await stores.open("two")
    await one.create(a_visit(), [], [])
    for version in range(1, 501):
        results = await asyncio.gather(
            one.save(a_visit(host="one"), version, [happened("One")]),
            two.save(a_visit(host="two"), version, [happened("Two")]),
            return_exceptions=True,
        )
        (won,) = (n for n, result in enumerate(results) if result == version + 1)
        assert isinstance(results[1 - won], VersionConflict)
        assert (await one.load("visit-1")).visit.host == ("one", "two")[won]
    assert len(await one.log_after("north", 0, 1_000)) == 500
    assert await first_break(one, "north", AUDIT_KEY) is None


# The chain


async def test_entries_of_many_nodes_at_once_form_one_chain(stores):
    opened = [await stores.open(f"node-{n}") for n in range(4)]
    await opened[0].create(a_visit(), [], [])

    async def tell(number):
        for n in range(25):
            both = [happened(f"N{number}"), happened("Server", visit="")]
            await opened[number % 4].record(both if n % 2 else both[:1])

    await asyncio.gather(*(tell(number) for number in range(8)))
    assert len(await opened[0].log_after("north", 0, 1_000)) == 200
    assert len(await opened[0].log_after("", 0, 1_000)) == 96
    for practice in ("north", ""):
        assert await first_break(opened[1], practice, AUDIT_KEY) is None


async def test_the_chain_goes_on_after_a_backup_whose_parts_are_not_of_one_moment(
    redis, stores, store
):
    await store.create(a_visit(), [], [happened(f"Type{n}") for n in range(6)])
    redis.command("DEL", stores.keys.log_head("north"))
    await store.record([happened("Seventh")])
    await (await stores.open("two")).record([happened("Eighth")])
    assert await first_break(store, "north", AUDIT_KEY) is None
    redis.command("XTRIM", stores.keys.log("north"), "MAXLEN", 0)
    await (await stores.open("three")).record([happened("Ninth")])
    (kept,) = await store.log_after("north", 0, 10)
    assert (kept.cursor, kept.type) == (9, "Ninth")
    assert await first_break(store, "north", AUDIT_KEY, trimmed=True) is None


async def test_an_entry_that_was_changed_by_hand_is_noticed(redis, stores, store):
    await store.create(a_visit(), [], [happened(outcome="refused") for _ in range(4)])
    stream = stores.keys.log("north")
    entries = redis.command("XRANGE", stream, "-", "+")
    redis.command("DEL", stream)
    for number, (name, told) in enumerate(entries, 1):
        text = told["entry"].replace("refused", "ok") if number == 3 else told["entry"]
        redis.command("XADD", stream, name, "entry", text, "mac", told["mac"])
    assert await first_break(store, "north", AUDIT_KEY) == 3


async def test_an_entry_that_is_none_is_said_to_be_none(redis, stores, store):
    redis.command("XADD", stores.keys.log("north"), "1-0", "entry", '{"a":1}', "mac", "m")
    with pytest.raises(StoreUnavailable):
        await store.log_after("north", 0, 10)


# What expires


async def fill(store, clock):
    """Something of everything that can be kept."""
    reply = IdempotentReply(
        practice="north", key_hash="k", request_hash="r", sealed=b"\xff", expires_at=clock.now + 60
    )
    running = a_visit(stage=Stage.OPEN, deadline=Deadline("overdue", clock.now + 9))
    await store.put_practice(Practice("north", "North"))
    await store.create(running, [a_link()], [happened()], idempotency=reply)
    await store.save(running, 1, [happened()], links=[a_link("hash-2")])
    await store.create(a_visit("visit-2", stage=Stage.ENDED), [], [happened(visit="visit-2")])
    await store.add_links([a_link("hash-3", visit="visit-2"), DESK], [])
    await store.add_links([replace(DESK, hash="hash-e", desk="desk-2")], [])
    await store.revoke_desk("north", "desk-2", 5.0, [happened(visit="", practice="north")])
    for n in range(2):
        key = ApiKey(hash=f"key-hash-{n}", practice="north", id=f"key-{n}", created_at=1.0)
        await store.add_api_key(key)
    await store.revoke_api_key("key-1", 2.0)
    await store.keep_call(KeptCall(call="call-1", carrier="trunk", state="early"))
    assert await store.healthy()


STAYS = {
    "unfinished", "due", "visits:north", "running:north", "practices", "practices-seen",
    "practice:north", "log-head:north", "link:hash-d", "desk:desk-1", "key:key-hash-0",
    "key-id:key-0",
}  # fmt: skip


async def test_everything_expires_but_what_is_in_force_and_indexes(redis, stores, store):
    await fill(store, stores.clock)
    lives = {
        name: redis.command("TTL", f"{stores.keys.prefix}:{name}") for name in names(redis, stores)
    }
    assert {name for name, life in lives.items() if life == -1} == STAYS
    policy = NodesPolicy()
    for name in ("visit:visit-1", "link:hash-1", "link:hash-2", "links:visit-1", "link:hash-3"):
        assert policy.visit_kept < lives[name] <= policy.visit_kept + DAY
    for name in ("log:north", "link:hash-e", "desk:desk-2", "key:key-hash-1", "key-id:key-1"):
        assert policy.log_kept - 60 < lives[name] <= policy.log_kept
    assert 50 < lives["reply:north:k"] <= 60
    assert 0 < lives["calls:one"] <= policy.call_kept


async def test_a_visit_that_is_moved_takes_its_links_along(redis, stores, store):
    await store.create(a_visit(), [a_link(), a_link("hash-2", seat="seat-2")], [])
    later = stores.clock.now + 200 * DAY
    await store.save(a_visit(starts_at=later, ends_at=later + 60), 1, [])
    for name in (
        stores.keys.visit("visit-1"),
        stores.keys.links("visit-1"),
        stores.keys.link("hash-1"),
        stores.keys.link("hash-2"),
    ):
        assert redis.command("TTL", name) > 200 * DAY + NodesPolicy().visit_kept
    await store.save(a_visit(), 2, [])
    assert redis.command("TTL", stores.keys.link("hash-2")) < 50 * DAY


# Trouble


async def first_things(store):
    await store.create(a_visit(), [a_link()], [happened("First")])
    await store.add_api_key(ApiKey(hash="h", practice="north", id="key-1", created_at=1.0))


async def refuses_everything(store):
    acts = (
        lambda: store.save(a_visit(host="new"), 1, [happened("Lost")], links=[a_link("hash-9")]),
        lambda: store.create(a_visit("visit-9"), [], [happened("Lost")]),
        lambda: store.record([happened("Lost")]),
        lambda: store.revoke_links("visit-1", "seat-1", 5.0, [happened("Lost")]),
        lambda: store.put_practice(Practice("north", "New")),
        lambda: store.revoke_api_key("key-1", 5.0),
        lambda: store.keep_call(KeptCall(call="lost", carrier="c", state="s")),
    )
    for act in acts:
        with pytest.raises(StoreUnavailable):
            await act()
    assert not await store.healthy()


async def is_as_before(store):
    assert await store.healthy()
    assert (await store.load("visit-1")).visit == a_visit()
    assert await store.find_link("hash-1") == a_link()
    assert await store.find_link("hash-9") is None
    with pytest.raises(UnknownVisit):
        await store.load("visit-9")
    assert [entry.type for entry in await store.log_after("north", 0, 10)] == ["First"]
    assert await store.save(a_visit(host="new"), 1, [happened("Second")]) == 2
    assert await first_break(store, "north", AUDIT_KEY) is None


async def test_a_redis_that_takes_no_writes_refuses_whole_and_lets_reads_go_on():
    async with redis_server() as server, at(server) as stores:
        store = await stores.open(nodes=IMPATIENT)
        await first_things(store)
        server.is_read_only()
        await refuses_everything(store)
        assert (await store.load("visit-1")).visit == a_visit()
        server.is_master()
        await is_as_before(store)


async def test_a_redis_without_memory_refuses_whole_and_lets_reads_go_on():
    async with redis_server() as server, at(server) as stores:
        store = await stores.open(nodes=IMPATIENT)
        await first_things(store)
        server.command("CONFIG", "SET", "maxmemory", 1)
        await refuses_everything(store)
        assert (await store.load("visit-1")).visit == a_visit()
        server.command("CONFIG", "SET", "maxmemory", 0)
        await is_as_before(store)


async def test_a_redis_that_is_gone_refuses_at_once_and_is_forgiven():
    durable = {"appendonly": "yes", "appendfsync": "always"}
    async with redis_server(**durable) as server, at(server) as stores:
        store = await stores.open(nodes=IMPATIENT)
        await first_things(store)
        server.kills()
        with pytest.raises(StoreUnavailable):
            await store.load("visit-1")
        await refuses_everything(store)
        server.starts()
        await is_as_before(store)


async def test_a_save_that_nobody_answered_is_done_whole_or_not_at_all():
    async with redis_server() as server, at(server) as stores:
        store = await stores.open(nodes=replace(IMPATIENT, redis_answer=0.1))
        await store.create(a_visit(), [], [happened()])
        server.hangs()
        with pytest.raises(StoreUnavailable):
            await store.save(a_visit(host="new"), 1, [happened("Saved")], links=[a_link()])
        server.wakes()
        stored = await store.load("visit-1")
        saved = stored.version == 2
        assert stored.visit.host == ("new" if saved else "")
        assert (await store.find_link("hash-1") is not None) is saved
        assert len(await store.log_after("north", 0, 10)) == 1 + saved
        await store.save(a_visit(host="after"), stored.version, [happened("After")])
        assert await first_break(store, "north", AUDIT_KEY) is None


async def test_what_is_to_last_survives_a_failover_that_loses_the_rest():
    async with redis_group() as group, at_group(group) as stores:
        claims = Claims()
        store = await stores.open(nodes=IMPATIENT, claims=claims)
        await store.create(a_visit(), [a_link()], [happened("Created")])
        await store.save(a_visit(host="removed"), 1, [happened("Removed")], lasting=True)
        await store.revoke_links("visit-1", "seat-1", 5.0, [happened("Revoked")])
        async with group.loses_its_last_writes():
            await store.save(a_visit(host="lost"), 2, [happened("Lost")])
        await until(lambda: is_at(store, 2))
        assert (await store.load("visit-1")).visit.host == "removed"
        assert await store.find_link("hash-1") == a_link(revoked_at=5.0)
        await store.save(a_visit(host="after"), 2, [happened("After")])
        told = [entry.type for entry in await store.log_after("north", 0, 10)]
        assert told == ["Created", "Removed", "Revoked", "After"]
        assert await first_break(store, "north", AUDIT_KEY) is None


@asynccontextmanager
async def at_group(group):
    stores = Stores(group)
    try:
        yield stores
    finally:
        await stores.close()


async def is_at(store, version):
    try:
        return (await store.load("visit-1")).version == version
    except StoreUnavailable:
        return False


async def until(true):
    """Redis tells nobody that it is back, or that a script was run."""
    async with asyncio.timeout(5):
        while not await true():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)


async def test_whatever_is_withdrawn_is_to_last(stores, store):
    (link,) = stores.links
    await store.create(a_visit(), [a_link(), DESK], [])
    await store.add_api_key(ApiKey(hash="h", practice="north", id="key-1", created_at=1.0))
    await store.save(a_visit(), 1, [])
    assert link.counters.lasting == 0
    await store.save(a_visit(), 2, [], lasting=True)
    await store.revoke_links("visit-1", "seat-1", 5.0, [])
    await store.replace_links("visit-1", "seat-1", a_link("hash-2"), 5.0, [])
    await store.revoke_desk("north", "desk-1", 5.0, [])
    await store.revoke_api_key("key-1", 5.0)
    assert link.counters.lasting == 5


async def test_nobody_else_waits_for_the_replica_of_a_write_that_is_to_last():
    async with redis_server() as server, redis_server() as replica, at(server) as stores:
        replica.replica_of(server)
        store = await stores.open(nodes=replace(IMPATIENT, replica_wait=30.0))
        await store.create(a_visit(), [], [])
        with replica.hung():
            denied = asyncio.create_task(
                store.save(a_visit(host="denied"), 1, [happened("Denied")], lasting=True)
            )
            await until(lambda: is_at(store, 2))
            await store.save(a_visit(host="next"), 2, [happened("Next")])
            assert not denied.done()
        assert await denied == 2
        assert await first_break(store, "north", AUDIT_KEY) is None


async def test_a_desk_has_one_link(redis, stores, store):
    again = replace(DESK, hash="hash-e")
    await store.add_links([DESK], [])
    before = everything(redis, stores)
    with pytest.raises(AlreadyExists):
        await store.add_links([again], [])
    twice = [replace(DESK, hash=name, desk="desk-2") for name in ("hash-f", "hash-g")]
    with pytest.raises(AlreadyExists):
        await store.add_links(twice, [])
    assert everything(redis, stores) == before


# Foreign data


async def test_a_visit_that_cannot_be_read_hides_no_other(redis, stores, store):
    for n in range(4):
        await store.create(a_visit(f"visit-{n}"), [], [])
    newer = json.loads(encode(a_visit("visit-1"))) | {"schema": 99}
    redis.command("HSET", stores.keys.visit("visit-1"), "body", json.dumps(newer))
    redis.command("DEL", stores.keys.visit("visit-2"))
    redis.command("SET", stores.keys.visit("visit-2"), "something else")
    redis.command("DEL", stores.keys.visit("visit-3"))
    found = await store.visits_between("north", 0.0, 2_000.0)
    assert [visit.id for visit in found] == ["visit-0"]
    for name in ("visit-1", "visit-2"):
        with pytest.raises(SchemaUnknown):
            await store.load(name)
    with pytest.raises(UnknownVisit):
        await store.load("visit-3")
    with pytest.raises(StoreUnavailable):
        await store.save(a_visit("visit-2"), 1, [])


@pytest.mark.parametrize(
    "name",
    ["unfinished", "due", "visits:north", "running:north", "log:north", "log-head:north",
     "links:visit-1", "link:hash-1", "practices-seen", "reply:north:k"],
)  # fmt: skip
async def test_a_key_of_another_kind_refuses_the_write_before_anything_is_done(
    redis, stores, store, name
):
    redis.command("SETRANGE", f"{stores.keys.prefix}:{name}", 0, "something else")
    before = everything(redis, stores)
    reply = IdempotentReply(
        practice="north",
        key_hash="k",
        request_hash="r",
        sealed=b"s",
        expires_at=stores.clock.now + 60,
    )
    due = Deadline("opening", stores.clock.now)
    with pytest.raises(StoreError):
        await store.create(a_visit(deadline=due), [a_link()], [happened()], idempotency=reply)
    assert everything(redis, stores) == before


# What is told, and what is not


async def heard(messages):
    async with asyncio.timeout(2):
        return json.loads(await anext(messages))


async def test_every_change_is_told_to_all_and_what_was_refused_to_nobody(stores, store):
    link = stores.link()
    await link.open()
    messages = link.messages(stores.keys.changed)
    assert await anext(messages) == GAP
    await store.put_practice(Practice("north", "North"))
    assert await heard(messages) == {"practice": "north", "visit": "", "version": 0}
    await store.create(a_visit(), [a_link(), DESK], [])
    assert await heard(messages) == {"practice": "north", "visit": "visit-1", "version": 1}
    for refused in (store.create(a_visit(), [], []), store.save(a_visit(), 5, [])):
        with pytest.raises(StoreError):
            await refused
    await store.save(a_visit(host="Dr. Who"), 1, [happened()])
    assert await heard(messages) == {"practice": "north", "visit": "visit-1", "version": 2}
    assert await store.revoke_desk("north", "desk-1", 5.0, [])
    assert await heard(messages) == {"practice": "north", "visit": "", "version": 0}
    await messages.aclose()
    await link.close()


async def test_names_and_numbers_of_people_stand_in_visits_and_nowhere_else(redis, stores, store):
    seat = Seat(id="seat-1", role=Role.PATIENT, name="Zoe Canary", external_ids=(("mrn", "77-88"),))
    visit = a_visit(seats=(seat,), host="Dr. Canary")
    await store.create(visit, [a_link()], [happened("Created", seat="seat-1")])
    await store.save(replace(visit, stage=Stage.OPEN), 1, [happened("Opened")], links=[DESK])
    await store.save(replace(visit, stage=Stage.ENDED), 2, [happened("Ended")])
    for name, kept in everything(redis, stores).items():
        assert "Canary" not in name
        if name == "visit:visit-1":
            assert "Canary" in kept.pop("body")
        assert "Canary" not in repr(kept)
        assert "77-88" not in repr(kept)


# Calls


async def test_calls_are_kept_by_node_and_a_successor_can_forget_them(stores):
    one, two = await stores.open("one"), await stores.open("two")
    mine, theirs = (KeptCall(call=name, carrier="trunk", state="s") for name in ("a", "b"))
    await one.keep_call(mine)
    await two.keep_call(theirs)
    assert await one.kept_calls() == [mine]
    assert await two.kept_calls_of("one") == [mine]
    await two.forget_call("a")
    assert await one.kept_calls() == []
    await one.forget_call("b")
    assert await two.kept_calls() == [theirs], "whoever was not asked about it forgets nothing"
    await two.forget_call("b")
    assert await two.kept_calls() == []


# Rights


async def test_a_user_with_few_rights_and_tls_can_do_everything():
    rights = (
        "~bedside:*", "&bedside:*", "+@read", "+@write", "+@scripting", "+@pubsub",
        "+@connection", "-@dangerous", "+role", "+time",
    )  # fmt: skip
    with guarded_redis(*rights) as server:
        stores = Stores(server)
        stores.keys = replace(stores.keys, prefix="bedside")
        store = await stores.open()
        await fill(store, stores.clock)
        await store.sweep(stores.clock.now + 400 * DAY)
        assert len(await store.visits_between("north", 0.0, 2_000.0)) == 2
        assert await store.practices() == [Practice("north", "North")]
        assert await store.find_desk("desk-1") == DESK
        assert asdict(await store.find_api_key("key-hash-1"))["revoked_at"] == 2.0
        await stores.close()
