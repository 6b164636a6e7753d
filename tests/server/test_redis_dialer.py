"""How connections are made: real servers, real sentinels."""

import asyncio
import time
from dataclasses import replace

import pytest

from server.redis_dialer import Dialer
from server.redis_wire import RedisTrouble
from tests.support.redis_links import IMPATIENT, config_of
from tests.support.redis_server import redis_group, redis_server


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
        group.master.is_read_only()
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


def _asked(sentinel):
    return sentinel.command("INFO", "stats")["total_connections_received"]


async def test_many_who_connect_at_once_ask_the_sentinels_once():
    async with redis_group() as group:
        dialer = Dialer(config_of(group), replace(IMPATIENT, redis_connect=2.0))
        before = _asked(group.sentinels[0])
        wires = await asyncio.gather(*(dialer.dial() for _ in range(20)))
        assert _asked(group.sentinels[0]) - before == 2  # one is this question
        for wire in wires:
            await wire.cut(waiting=True)


async def test_a_master_that_was_replaced_is_noticed_though_it_does_not_know():
    async with redis_group() as group:
        dialer = Dialer(config_of(group), IMPATIENT)
        assert not await dialer.has_moved()
        wire = await dialer.dial()
        assert not await dialer.has_moved()
        await group.switches()
        assert (await wire.ask("ROLE", within=1))[0] == "master"
        assert await dialer.has_moved()
        dialer.forget()
        other = await dialer.dial()
        assert not await dialer.has_moved()
        group.sentinels[0].kills()
        assert not await dialer.has_moved()
        for each in (wire, other):
            await each.cut(waiting=True)
