import asyncio

import pytest

from media.phone.former_calls import end_former_calls
from tests.support.witness import MemoryLedger


class Carrier:
    """Ends what it is asked to end, unless it is told to fail or to hang."""

    def __init__(self, trouble=None):
        self.asked = []
        self._trouble = trouble

    async def abandon(self, call, state):
        self.asked.append((call, state))
        if self._trouble == "fails":
            raise OSError
        if self._trouble == "hangs":
            await asyncio.Event().wait()


@pytest.fixture
def book():
    book = MemoryLedger()
    book.records = {"a": ("one", "ringing"), "b": ("two", "answered"), "c": ("one", "sent")}
    return book


async def test_each_carrier_ends_what_it_left(book):
    one, two = Carrier(), Carrier()
    await end_former_calls({"one": one, "two": two}, book, 5.0)
    assert one.asked == [("a", "ringing"), ("c", "sent")]
    assert two.asked == [("b", "answered")]
    assert not book.records


@pytest.mark.parametrize("trouble", ["fails", "hangs"])
async def test_what_could_not_be_ended_is_kept_for_the_next_start(book, trouble):
    await end_former_calls({"one": Carrier(), "two": Carrier(trouble)}, book, 0.05)
    assert set(book.records) == {"b"}


async def test_calls_of_a_carrier_that_is_gone_are_forgotten(book):
    await end_former_calls({"one": Carrier()}, book, 5.0)
    assert not book.records


async def test_a_book_that_cannot_be_read_stops_nobody():
    class Locked(MemoryLedger):
        async def kept(self):
            raise OSError

    await end_former_calls({"one": Carrier()}, Locked(), 5.0)
