"""One connection to a real server: what is asked, what comes back, and what is left behind."""

import pytest

from server.redis_dialer import Dialer
from server.redis_wire import RedisTrouble, ScriptMissing
from tests.support.redis_links import IMPATIENT, config_of


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
