import asyncio
import time
from itertools import pairwise

import pytest

from media.phone.practice import PracticeCarrier
from media.phone.routing import Pace, Route, Routes
from rooms.policy import PracticeCarrierPolicy


class Other(PracticeCarrier):
    name = "other"


ONE, TWO = PracticeCarrier(PracticeCarrierPolicy()), Other(PracticeCarrierPolicy())


def test_a_number_goes_to_the_carriers_that_may_call_it_in_their_order():
    routes = Routes([Route(TWO, ("+52",)), Route(ONE, ("+1", "+52")), Route(TWO, ("+44",))], 1.0)
    reached = {n: [c for c, _ in routes.to(n)] for n in ("+12025550101", "+525512345678", "+4420")}
    assert list(reached.values()) == [[ONE], [TWO, ONE], [TWO]]
    assert not list(routes.to("+8821234"))
    assert not list(routes.to("911"))
    assert set(routes.carriers) == {"practice", "other"}


def test_one_carrier_has_one_pace_however_many_routes():
    routes = Routes([Route(ONE, ("+1",)), Route(ONE, ("+52",))], 1.0)
    ((_, first),) = routes.to("+12025550101")
    ((_, second),) = routes.to("+525512345678")
    assert first is second


def test_two_carriers_of_one_name_are_a_mistake():
    with pytest.raises(ValueError, match="same name"):
        Routes([Route(ONE), Route(PracticeCarrier(PracticeCarrierPolicy()))], 1.0)


async def test_turns_come_in_order_and_apart():
    pace, turns = Pace(20.0), []

    async def take(name):
        await pace.turn()
        turns.append((name, time.monotonic()))

    await asyncio.gather(*(take(name) for name in "abc"))
    assert [name for name, _ in turns] == ["a", "b", "c"]
    assert all(after[1] - before[1] >= 0.045 for before, after in pairwise(turns))


async def test_who_gives_up_waiting_takes_no_turn():
    pace = Pace(10.0)
    began = time.monotonic()
    await pace.turn()
    waiting = [asyncio.create_task(pace.turn()) for _ in range(20)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await pace.turn()
    assert time.monotonic() - began < 1.0
