"""Recordings in a real Redis: what is kept, for whom, and how much of it."""

from dataclasses import replace

import numpy as np
import pytest

from media.phone.errors import PromptUnreadable
from server.redis_copy import dump, load
from server.redis_recordings import RedisRecordings, packed, unpacked
from tests.support.redis_stores import Stores
from tests.support.sounds import tone

LOW, HIGH = packed(tone(440, 0.2)), packed(tone(880, 0.2))


@pytest.fixture
async def stores(shared_redis):
    stores = Stores(shared_redis)
    stores.link()
    await stores.links[0].open()
    yield stores
    await stores.links[0].close()


@pytest.fixture
def recordings(stores):
    return RedisRecordings(stores.links[0], stores.keys)


def test_a_sound_comes_back_as_it_was():
    assert np.array_equal(unpacked(LOW.text), tone(440, 0.2))
    assert LOW.sum != HIGH.sum
    assert packed(tone(440, 0.2)) == LOW


@pytest.mark.parametrize("text", ["", "é", "not base64!", "aGFsbG8=", LOW.text[:40], "=" * 1000])
def test_what_is_no_sound_is_refused(text):
    with pytest.raises(PromptUnreadable):
        unpacked(text)


async def test_a_recording_is_kept_until_it_is_dropped(recordings):
    assert await recordings.keep("north", "gate/en", LOW, 9)
    assert await recordings.sums("north") == {"gate/en": LOW.sum}
    assert await recordings.text("north", "gate/en") == LOW.text
    assert await recordings.sums("south") == {}
    for _ in range(2):
        await recordings.drop("north", "gate/en")
    assert await recordings.sums("north") == {}
    assert await recordings.text("north", "gate/en") is None


async def test_every_change_is_seen_in_the_state_of_the_practice(recordings):
    seen = [await recordings.state("north")]

    async def moved():
        seen.append(await recordings.state("north"))
        assert await recordings.states() == ({"north": seen[-1]} if seen[-1] else {})

    for sound in (LOW, HIGH, LOW):
        await recordings.keep("north", "gate/en", sound, 9)
        await moved()
    await recordings.keep("north", "gate/es", HIGH, 9)
    await moved()
    await recordings.drop("north", "gate/es")
    await moved()
    assert len(set(seen)) == len(seen)
    await recordings.drop("north", "gate/es")
    assert await recordings.state("north") == seen[-1], "nothing was changed"
    await recordings.drop("north", "gate/en")
    await moved()
    assert seen[-1] is None


async def test_a_practice_keeps_so_many_and_may_replace_each(recordings):
    assert await recordings.keep("north", "gate/en", LOW, 1)
    assert not await recordings.keep("north", "gate/fr", LOW, 1)
    assert await recordings.sums("north") == {"gate/en": LOW.sum}
    assert await recordings.text("north", "gate/fr") is None
    assert await recordings.keep("north", "gate/en", HIGH, 1)
    assert await recordings.text("north", "gate/en") == HIGH.text
    assert await recordings.keep("south", "gate/en", LOW, 1)


async def test_recordings_stay_and_their_keys_name_ids(recordings, stores, shared_redis):
    await recordings.keep("north", "gate/en", LOW, 9)
    names = sorted(shared_redis.command("KEYS", f"{stores.keys.prefix}:*"))
    found = {name.removeprefix(f"{stores.keys.prefix}:") for name in names}
    assert found == {"recorded", "recording:north:gate/en", "recordings:north"}
    assert {shared_redis.command("TTL", name) for name in names} == {-1}


async def test_recordings_are_in_a_backup(recordings, stores):
    long = packed(tone(440, 60.0))
    await recordings.keep("north", "gate/en", long, 9)
    link = stores.links[0]
    lines = [line async for line in dump(link, stores.keys.prefix)]
    assert max(len(str(line)) for line in lines) < 1.5 * 60 * 8_000 * 2, "text, and not escapes"
    elsewhere = replace(stores.keys, prefix=f"{stores.keys.prefix}-2")
    await load(link, elsewhere.prefix, lines)
    restored = RedisRecordings(link, elsewhere)
    assert await restored.states() == await recordings.states()
    assert await restored.sums("north") == {"gate/en": long.sum}
    assert await restored.text("north", "gate/en") == long.text
