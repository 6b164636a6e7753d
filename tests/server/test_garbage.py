"""Full collections wait for a moment in which nobody is heard."""

import gc
import weakref

import pytest

from rooms.nodes_policy import GarbagePolicy
from server.garbage import Garbage

POLICY = GarbagePolicy(look_every=3600.0, apart=300.0, growth=100.0)


class Knot:
    def __init__(self):
        self.itself = self


class World:
    now, memory, quiet = 0.0, 1_000.0, True


@pytest.fixture
async def world():
    return World()


@pytest.fixture
async def garbage(world):
    usual = gc.get_threshold()
    made = Garbage(lambda: world.quiet, POLICY, lambda: world.memory, lambda: world.now)
    made.start()
    yield made
    await made.close()
    assert gc.get_threshold() == usual
    assert gc.get_freeze_count() == 0


def old_knot():
    """Garbage that only a full collection finds."""
    knot = Knot()
    gone = weakref.ref(knot)
    gc.collect(1)
    del knot
    gc.collect(1)
    assert gone() is not None
    return gone


async def test_python_makes_no_full_collection_by_itself(garbage):
    gone = old_knot()
    full = gc.get_stats()[2]["collections"]
    kept = [[object() for _ in range(50)] for _ in range(20_000)]
    assert gc.get_stats()[2]["collections"] == full
    assert gone() is not None
    assert kept


async def test_a_full_one_is_made_when_nobody_is_heard_and_not_too_often(garbage, world):
    gone = old_knot()
    world.now = 299.0
    assert not garbage.look()
    world.now = 300.0
    assert garbage.look()
    assert gone() is None
    assert not garbage.look()


async def test_it_waits_while_somebody_is_heard_until_too_much_has_gathered(garbage, world):
    gone = old_knot()
    world.now, world.quiet = 10_000.0, False
    assert not garbage.look()
    world.memory += 99
    assert not garbage.look()
    world.memory += 1
    assert garbage.look()
    assert gone() is None
