import asyncio

import pytest

from server.timers import Timers
from tests.support.records import Clock


@pytest.fixture
def stage():
    clock, fired = Clock(1_000.0), asyncio.Queue()
    timers = Timers(clock, fired.put_nowait)
    yield clock, fired, timers
    timers.close()


async def nothing(fired, within=0.05):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(fired.get(), within)


async def test_a_deadline_fires_when_it_has_come(stage):
    _, fired, timers = stage
    timers.arm("a", 1_000.02)
    assert fired.empty()
    assert await asyncio.wait_for(fired.get(), 2) == "a"
    await nothing(fired)


async def test_one_that_is_past_fires_at_once(stage):
    _, fired, timers = stage
    timers.arm("a", 1.0)
    assert await asyncio.wait_for(fired.get(), 1) == "a"


async def test_each_visit_has_one_and_the_latest_counts(stage):
    _, fired, timers = stage
    timers.arm("a", 1_000.01)
    timers.arm("a", 9_999.0)
    timers.arm("b", 1_000.01)
    assert await asyncio.wait_for(fired.get(), 2) == "b"
    await nothing(fired)


async def test_none_disarms(stage):
    _, fired, timers = stage
    timers.arm("a", 1_000.01)
    timers.arm("a", None)
    timers.arm("never", None)
    await nothing(fired)


async def test_nothing_fires_after_the_end(stage):
    _, fired, timers = stage
    timers.arm("a", 1_000.01)
    timers.close()
    timers.close()
    await nothing(fired)
