import asyncio

import pytest

from server.replies import PracticeCard
from server.sessions import DeskSession, Registry, SeatSession

CARD = PracticeCard(name="Riverside", phone="")


def seat_session(sid, visit="visit-1", device="device-1"):
    return SeatSession(
        sid=sid, id="x", visit=visit, seat="seat-1", device=device, epoch=1, card=CARD
    )


@pytest.fixture
def registry():
    return Registry()


def test_sessions_are_found_by_socket_and_by_group(registry):
    one, other = seat_session("1"), seat_session("2", visit="visit-2")
    registry.add(one)
    registry.add(other)
    assert registry.get("1") is one
    assert registry.get("3") is None
    assert registry.group("visit-1") == (one,)
    assert registry.group("nowhere") == ()
    assert set(registry.all()) == {one, other}
    assert len(registry) == 2


def test_a_desk_is_grouped_by_its_practice():
    registry = Registry()
    desk = DeskSession(sid="1", desk="desk-1", practice="north", card=CARD)
    registry.add(desk)
    assert registry.group("north") == (desk,)


def test_removing_leaves_nothing_and_happens_once(registry):
    registry.add(seat_session("1"))
    assert registry.remove("1") is not None
    assert registry.remove("1") is None
    assert registry.group("visit-1") == registry.all() == ()
    assert registry._by_group == {}


async def test_removing_stops_the_timer(registry):
    session = seat_session("1")
    fired = asyncio.Event()
    session.expiry = asyncio.get_running_loop().call_later(0.01, fired.set)
    registry.add(session)
    registry.remove("1")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(fired.wait(), 0.05)


def test_two_sessions_that_look_alike_are_two(registry):
    one, twin = seat_session("1"), seat_session("1")
    assert one != twin
    assert one.key == twin.key == ("visit-1", "seat-1", "device-1")
