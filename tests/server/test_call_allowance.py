from rooms.policy import CallLimits
from server.call_allowance import LocalAllowance


async def test_a_number_and_a_practice_are_counted_each_for_itself():
    allowance = LocalAllowance(CallLimits(per_number_daily=2.0, per_practice_daily=3.0))
    calls = [("north", "one"), ("south", "one"), ("north", "one"), ("north", "two")]
    assert [await allowance.take(*call) for call in calls] == [True, True, False, True]
    assert await allowance.take("north", "three")
    assert not await allowance.take("north", "four")


async def test_what_is_refused_is_counted_nowhere():
    allowance = LocalAllowance(CallLimits(per_number_daily=1.0, per_practice_daily=1.0))
    assert await allowance.take("north", "one")
    assert not await allowance.take("north", "two"), "the practice has called enough"
    assert await allowance.take("south", "two"), "and the number was not called"
