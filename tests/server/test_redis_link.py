"""Commands, scripts and notices, against servers that are killed, hung, full and replaced."""

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from server import redis_link
from server.redis_link import GAP, Script
from server.store import StoreUnavailable
from tests.support.certificates import self_signed
from tests.support.redis_links import IMPATIENT, linked
from tests.support.redis_server import guarded_redis, redis_group, redis_server

CHANNEL = "bedside:changed"
SET = Script("set", "return redis.call('SET', KEYS[1], ARGV[1]).ok")
COUNT = Script("count", "return redis.call('INCR', KEYS[1])")

# More than deploy/redis/users.acl gives, in fewer words; tests/deploy/test_redis.py tries that.
RIGHTS = (
    "~bedside:*", "&bedside:*", "+@read", "+@write", "+@scripting", "+@pubsub", "+@connection",
    "-@dangerous", "+role", "+time",
)  # fmt: skip


@pytest.fixture
async def server():
    async with redis_server() as running:
        yield running


@pytest.fixture
async def link(server):
    async with linked(server) as opened:
        yield opened


async def _reason(asked):
    with pytest.raises(StoreUnavailable) as failed:
        await asked
    return failed.value.reason


async def test_commands_and_scripts_are_answered(link):
    assert await link.call("SET", "x", 1) == "OK"
    assert await link.call("GET", "x") == "1"
    assert await link.script(SET, ["x"], ["2"]) == "OK"
    assert await link.call("GET", "x") == "2"
    assert await link.healthy()


async def test_a_script_that_redis_forgot_is_sent_again(link, server):
    assert await link.script(COUNT, ["x"], []) == 1
    server.command("SCRIPT", "FLUSH")
    assert await link.script(COUNT, ["x"], []) == 2


async def test_whoever_watches_is_told_names_and_times(server):
    seen = []
    async with linked(server, observe=lambda name, took: seen.append((name, took))) as link:
        await link.script(SET, ["x"], ["secret"])
        with server.hung(), pytest.raises(StoreUnavailable):
            await link.call("get", "x")
    assert [name for name, _ in seen] == ["HELLO", "set", "GET"]
    assert 0 < seen[1][1] < seen[2][1]
    assert seen[2][1] >= IMPATIENT.redis_answer


async def test_a_redis_that_is_too_old_is_refused(server, monkeypatch):
    monkeypatch.setattr(redis_link, "OLDEST", (99, 0))
    with pytest.raises(StoreUnavailable, match="too old"):
        async with linked(server):
            pass


async def test_a_closed_link_refuses_and_opens_again(link):
    await link.close()
    await link.close()
    assert await _reason(link.call("GET", "x")) == "closed"
    assert not await link.healthy()
    await link.open()
    assert await link.healthy()


# -- outages ------------------------------------------------------------------------------------


async def test_a_redis_that_is_gone_is_noticed_at_once_and_the_first_call_after_its_return_works(
    link, server
):
    await asyncio.gather(*(link.call("SET", f"x{n}", n) for n in range(10)))
    server.kills()
    await asyncio.sleep(0)
    assert not await link.healthy()
    assert await _reason(link.call("GET", "x1")) == "connect"
    server.starts()
    assert await link.call("SET", "x1", 2) == "OK"
    assert await link.call("GET", "x1") == "2"


async def test_a_redis_that_hangs_keeps_nobody_waiting(link, server):
    await asyncio.gather(*(link.call("GET", "x") for _ in range(20)))
    with server.hung():
        began = time.monotonic()
        asked = [link.call("GET", "x") for _ in range(100)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert time.monotonic() - began < 3 * IMPATIENT.redis_answer
        assert {type(answer).__base__ for answer in answers} == {StoreUnavailable}
        assert {answer.reason for answer in answers} <= {"timeout", "busy"}
    assert await link.call("GET", "x") is None


async def test_a_redis_that_takes_no_writes_is_not_healthy_until_it_does(link, server):
    server.is_read_only()
    assert not await link.healthy()
    assert await _reason(link.script(SET, ["x"], ["1"])) == "READONLY"
    server.is_master()
    assert await link.healthy()


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [("maxmemory", "1", "OOM"), ("min-replicas-to-write", "1", "NOREPLICAS")],
)
async def test_a_redis_that_is_full_or_alone_refuses_writes(link, server, setting, value, reason):
    server.command("CONFIG", "SET", setting, value)
    assert await _reason(link.call("SET", "x", "1")) == reason
    assert await _reason(link.script(SET, ["x"], ["1"])) == reason
    assert not await link.healthy()
    assert await link.call("GET", "x") is None
    server.command("CONFIG", "SET", setting, "0")
    assert await link.healthy()


async def test_a_redis_that_is_loading_refuses(server):
    """It reads its data back, slowly enough to be asked meanwhile."""
    server.command(
        "CONFIG", "SET", "key-load-delay", "2000", "loading-process-events-interval-bytes", "1024"
    )
    server.command("DEBUG", "POPULATE", "500", "x", "100")
    async with linked(server) as link:
        reloading = asyncio.create_task(asyncio.to_thread(server.command, "DEBUG", "RELOAD"))
        reasons = set()
        while not reloading.done():
            try:
                await link.call("GET", "x:1")
            except StoreUnavailable as failed:
                reasons.add(failed.reason)
        assert "LOADING" in reasons
        assert await link.call("GET", "x:1")


async def test_something_else_at_our_name_is_an_error_of_that_call_only(link):
    await link.call("SET", "x", "1")
    assert await _reason(link.call("HGET", "x", "y")) == "WRONGTYPE"
    assert await link.call("GET", "x") == "1"


async def test_a_read_is_repeated_when_its_connection_turns_out_to_be_lost(link, server):
    await link.call("SET", "x", "1")
    server.command("CLIENT", "KILL", "TYPE", "normal")  # the loop has not run since
    assert await link.call("GET", "x") == "1"


async def test_a_write_is_never_sent_twice(link, server):
    for _ in range(10):
        await link.call("GET", "x")
        server.command("CLIENT", "KILL", "TYPE", "normal")
        before = int(server.command("GET", "x") or 0)
        try:
            await link.script(COUNT, ["x"], [])
            done = {1}
        except StoreUnavailable:
            done = {0, 1}
        assert int(server.command("GET", "x") or 0) - before in done


async def test_outages_are_told_once_and_hold_nothing_that_was_asked(link, server):
    server.command("SET", "x", "1")
    with capture_logs() as told:
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await link.call("LPUSH", "x", "Rosa Alvarez")
        await link.call("GET", "x")  # one that is read-only answers questions all the same
        assert [line["log_level"] for line in told] == ["warning"]
        await link.call("SET", "x", "2")
    assert [line["log_level"] for line in told] == ["warning", "info"]
    assert told[0]["reason"] == "WRONGTYPE"
    assert "Rosa" not in str(told)
    assert link.counters.failures == 3


# -- many at once -------------------------------------------------------------------------------


async def test_cancelled_callers_leave_nobody_elses_answer_behind(server):
    """Each answer names its question; callers are cancelled wherever they happen to be."""
    async with linked(server, replace(IMPATIENT, redis_pool=3, redis_answer=2.0)) as link:
        for n in range(50):
            server.command("SET", f"x{n}", f"answer {n}")
        wrong = []

        async def ask(n):
            answer = await link.call("GET", f"x{n}")
            if answer != f"answer {n}":
                wrong.append((n, answer))

        cut_short = 0
        for turn in range(60):
            asking = [asyncio.create_task(ask(n)) for n in range(50)]
            for _ in range(turn % 12):
                await asyncio.sleep(0)
            for task in asking[turn % 3 :: 3]:
                task.cancel()
            done = await asyncio.gather(*asking, return_exceptions=True)
            cut_short += sum(isinstance(each, asyncio.CancelledError) for each in done)
            assert not [each for each in done if isinstance(each, Exception)]
        assert cut_short > 100
        assert wrong == []


async def test_a_node_has_as_many_connections_as_its_policy_allows(server):
    async with linked(server, replace(IMPATIENT, redis_pool=4, redis_answer=2.0)) as link:
        await asyncio.gather(*(link.script(COUNT, ["x"], []) for _ in range(200)))
        others = server.command("CLIENT", "LIST", "TYPE", "normal").splitlines()
        assert len(others) == 4 + 1  # and the one that asks
    assert server.command("GET", "x") == "200"


# -- writes that are to survive a failover ------------------------------------------------------


async def test_without_a_replica_nobody_waits_and_it_is_said_once(link):
    with capture_logs() as told:
        began = time.monotonic()
        for n in range(5):
            assert await link.script(COUNT, ["x"], [], lasting=True) == n + 1
        assert time.monotonic() - began < IMPATIENT.replica_wait
    assert (link.counters.lasting, link.counters.unconfirmed) == (5, 5)
    assert len(told) == 1


async def test_a_replica_confirms_and_one_that_hangs_is_not_waited_for_long(link, server):
    async with redis_server() as replica:
        await asyncio.to_thread(replica.replica_of, server)
        assert await link.script(SET, ["x"], ["1"], lasting=True) == "OK"
        assert replica.command("GET", "x") == "1"
        assert (link.counters.lasting, link.counters.unconfirmed) == (1, 0)
        with replica.hung():
            began = time.monotonic()
            assert await link.script(SET, ["x"], ["2"], lasting=True) == "OK"
            took = time.monotonic() - began
        assert IMPATIENT.replica_wait <= took < 3 * IMPATIENT.replica_wait
        assert (link.counters.lasting, link.counters.unconfirmed) == (2, 1)


async def _listeners(server, count):
    async with asyncio.timeout(2):
        while server.command("PUBSUB", "NUMSUB", CHANNEL)[1] != count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


# -- notices ------------------------------------------------------------------------------------


async def test_notices_are_heard_and_an_outage_leaves_a_gap(link, server):
    async with aclosing(link.messages(CHANNEL)) as heard:
        assert await anext(heard) is GAP
        await link.call("PUBLISH", CHANNEL, "first")
        assert await anext(heard) == "first"
        server.kills()
        waiting = asyncio.create_task(anext(heard))
        await asyncio.sleep(3 * IMPATIENT.back_every)
        assert not waiting.done()
        server.starts()
        began = time.monotonic()
        assert await waiting is GAP
        assert time.monotonic() - began < 5 * IMPATIENT.back_every
        await link.call("PUBLISH", CHANNEL, "second")
        assert await anext(heard) == "second"


async def test_a_subscription_that_hangs_is_noticed_in_its_silence(link, server):
    async with aclosing(link.messages(CHANNEL)) as heard:
        assert await anext(heard) is GAP
        waiting = asyncio.create_task(anext(heard))
        await asyncio.sleep(3 * IMPATIENT.notices_lost_after)
        assert not waiting.done()  # silence that is answered is no gap
        with server.hung():
            await asyncio.sleep(IMPATIENT.notices_lost_after + 2 * IMPATIENT.redis_answer)
        async with asyncio.timeout(2):
            assert await waiting is GAP


async def test_closing_ends_whoever_listens(link, server):
    async def listens():
        return [message async for message in link.messages(CHANNEL)]

    listening = [asyncio.create_task(listens()) for _ in range(2)]
    await _listeners(server, 2)
    await link.close()
    async with asyncio.timeout(1):
        assert await asyncio.gather(*listening) == [[GAP], [GAP]]
    assert link.counters.gaps == 2


async def test_a_listener_that_is_cancelled_leaves_no_connection(link, server):
    async def listens():
        async for _ in link.messages(CHANNEL):
            pass

    listening = asyncio.create_task(listens())
    await _listeners(server, 1)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await _listeners(server, 0)


# -- who is let in ------------------------------------------------------------------------------


async def test_tls_and_a_user_with_few_rights_are_enough():
    with guarded_redis(*RIGHTS) as server:
        async with linked(server) as link, aclosing(link.messages(CHANNEL)) as heard:
            assert await link.healthy()
            assert await anext(heard) is GAP
            assert await link.script(SET, ["bedside:x"], ["1"], lasting=True) == "OK"
            await link.call("PUBLISH", CHANNEL, "hello")
            assert await anext(heard) == "hello"
            assert await _reason(link.call("GET", "others:x")) == "NOPERM"
            assert await _reason(link.call("FLUSHALL")) == "NOPERM"


async def test_a_wrong_password_and_a_certificate_of_somebody_else_are_refused(tmp_path):
    with guarded_redis(*RIGHTS) as server:
        with pytest.raises(StoreUnavailable) as failed:
            async with linked(server, redis_password="guessed"):
                pass
        assert failed.value.reason == "WRONGPASS"
        others, _ = self_signed(tmp_path, "127.0.0.1")
        with pytest.raises(StoreUnavailable) as failed:
            async with linked(server, ca_file=others):
                pass
        assert failed.value.reason == "connect"


# -- groups -------------------------------------------------------------------------------------


async def _followed(link):
    """Seconds until a write works again."""
    began = time.monotonic()
    while not await link.healthy():  # noqa: ASYNC110 - nobody else is asked
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def test_when_the_master_is_killed_the_next_one_is_found():
    """What only the old one had is gone, and it was counted that nobody else had it."""
    async with (
        redis_group() as group,
        linked(group) as link,
        aclosing(link.messages(CHANNEL)) as heard,
    ):
        assert await anext(heard) is GAP
        waiting = asyncio.create_task(anext(heard))
        assert await link.script(SET, ["x"], ["before"], lasting=True) == "OK"
        assert link.counters.unconfirmed == 0
        async with group.loses_its_last_writes():
            assert await link.script(SET, ["x"], ["after"], lasting=True) == "OK"
            assert link.counters.unconfirmed == 1
        assert await _followed(link) < 1.0
        assert await link.call("GET", "x") == "before"
        async with asyncio.timeout(1.0):
            assert await waiting is GAP
        await link.call("PUBLISH", CHANNEL, "hello")
        assert await anext(heard) == "hello"


async def test_a_master_that_was_replaced_and_still_takes_writes_is_left():
    async with (
        redis_group() as group,
        linked(group) as link,
        aclosing(link.messages(CHANNEL)) as heard,
    ):
        assert await anext(heard) is GAP
        waiting = asyncio.create_task(anext(heard))
        await asyncio.gather(*(link.call("SET", f"x{n}", n) for n in range(10)))
        await group.switches()
        async with asyncio.timeout(1.0):
            assert await waiting is GAP
        assert group.replica.command("SET", "old", "taken")
        await asyncio.gather(*(link.call("SET", f"x{n}", "new") for n in range(10)))
        assert {group.master.command("GET", f"x{n}") for n in range(10)} == {"new"}


async def test_a_master_that_was_demoted_behind_our_back_is_left_at_the_first_refusal():
    """Sentinels disconnect clients of a former master; an operator may not."""
    async with redis_group() as group, linked(group) as link:
        await link.call("SET", "x", "1")
        group.master.is_read_only()
        assert await _reason(link.call("SET", "x", "2")) == "READONLY"
        with pytest.raises(StoreUnavailable):  # and not the old connection again
            await link.call("GET", "x")
