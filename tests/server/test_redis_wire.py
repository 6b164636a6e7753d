"""Connections: how they are made, and what becomes of them. Real servers, real sentinels."""

import asyncio
import time
from dataclasses import replace

import pytest

from server.redis_wire import Dialer, RedisTrouble, ScriptMissing
from tests.support.redis_links import IMPATIENT, config_of
from tests.support.redis_server import redis_group, redis_server


@pytest.fixture
async def wire(shared_redis):
    connection = await Dialer(config_of(shared_redis), IMPATIENT).dial()
    yield connection
    await connection.cut(waiting=True)


async def test_answers_are_text_numbers_nothing_and_lists(wire):
    assert await wire.ask("SET", "wire:text", "Übung", within=1) == "OK"
    assert await wire.ask("GET", "wire:text", within=1) == "Übung"
    assert await wire.ask("DEL", "wire:none", within=1) == 0
    assert await wire.ask("MGET", "wire:text", "wire:none", within=1) == ["Übung", None]


async def test_any_bytes_come_back_as_they_were(wire):
    every = bytes(range(256))
    await wire.ask("SET", "wire:bytes", every, within=1)
    answer = await wire.ask("GET", "wire:bytes", within=1)
    assert answer.encode("utf-8", "surrogateescape") == every


async def test_a_refusal_leaves_a_good_connection_and_tells_nothing_that_was_asked(wire):
    await wire.ask("SET", "wire:text", "x", within=1)
    with pytest.raises(RedisTrouble) as wrong:
        await wire.ask("LPUSH", "wire:text", "Rosa Alvarez", within=1)
    with pytest.raises(RedisTrouble) as unknown:
        await wire.ask("NOSUCH", "Rosa Alvarez", within=1)
    assert (wrong.value.reason, unknown.value.reason) == ("WRONGTYPE", "ERR")
    assert not wrong.value.astray
    assert unknown.value.__cause__ is None
    assert "Rosa" not in f"{unknown.value!r}{vars(unknown.value)}"
    assert await wire.ready()


async def test_a_script_that_fails_names_its_line(wire):
    with pytest.raises(RedisTrouble) as failed:
        await wire.ask("EVAL", "local x = 1\nreturn x.y.z", 0, within=1)
    assert failed.value.reason == "ERR user_script:2"


async def test_a_script_that_is_not_there_is_said_to_be_missing(wire):
    with pytest.raises(ScriptMissing):
        await wire.ask("EVALSHA", "0" * 40, 0, within=1)
    assert await wire.ready()


async def test_an_answer_that_does_not_come_is_waited_for_only_so_long(wire):
    with pytest.raises(RedisTrouble) as failed:
        await wire.ask("BLPOP", "wire:nothing", 0, within=0.05)
    assert (failed.value.reason, failed.value.astray) == ("timeout", True)
    assert not await wire.ready()


async def test_silence_on_a_subscription_ends_nothing(wire, shared_redis):
    await wire.ask("SUBSCRIBE", "wire:channel", within=1)
    assert await wire.hear(0.02) is None
    shared_redis.command("PUBLISH", "wire:channel", "hello")
    assert await wire.hear(1) == ["message", "wire:channel", "hello"]
    await wire.say("PING")
    assert (await wire.hear(1))[0] == "pong"


async def test_a_server_that_hangs_is_not_waited_for():
    async with redis_server() as server:
        dialer = Dialer(config_of(server, redis_password="needs an answer"), IMPATIENT)
        with server.hung():
            began = time.monotonic()
            with pytest.raises(RedisTrouble) as failed:
                await dialer.dial()
            assert failed.value.reason == "timeout"
            assert time.monotonic() - began < 2 * IMPATIENT.redis_connect


async def test_sentinels_lead_to_the_master_though_one_of_them_hangs():
    async with redis_group() as group, redis_server() as silent:
        config = config_of(group)
        config = replace(config, addresses=(("127.0.0.1", silent.port), *config.addresses))
        with silent.hung():
            wire = await Dialer(config, IMPATIENT).dial()
        assert (await wire.ask("ROLE", within=1))[0] == "master"
        await wire.cut(waiting=True)


async def test_a_sentinel_that_is_late_leads_nobody_to_a_replica():
    """It names a server that is no master any more; the server itself says so."""
    async with redis_group() as group:
        group.master.replica_of(group.replica)  # both are replicas of each other now
        with pytest.raises(RedisTrouble) as failed:
            await Dialer(config_of(group), IMPATIENT).dial()
        assert failed.value.reason == "connect"


async def test_no_sentinel_answers():
    async with redis_group() as group:
        group.sentinels[0].kills()
        with pytest.raises(RedisTrouble):
            await Dialer(config_of(group), IMPATIENT).dial()


async def test_sentinels_that_ask_for_a_password_are_told_it():
    async with redis_group(sentinel_password="hush") as group:
        with pytest.raises(RedisTrouble):
            await Dialer(config_of(group), IMPATIENT).dial()
        config = config_of(group, redis_sentinel_password="hush")
        wire = await Dialer(config, IMPATIENT).dial()
        await wire.cut(waiting=True)


async def test_many_who_connect_at_once_ask_the_sentinels_once():
    async with redis_group() as group:
        dialer = Dialer(config_of(group), replace(IMPATIENT, redis_connect=2.0))
        wires = await asyncio.gather(*(dialer.dial() for _ in range(20)))
        told = group.sentinels[0].command("INFO", "stats")["total_connections_received"]
        other = await dialer.dial()
        assert group.sentinels[0].command("INFO", "stats")["total_connections_received"] <= told + 1
        for wire in (*wires, other):
            await wire.cut(waiting=True)
