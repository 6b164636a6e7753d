from rooms import effects
from rooms.effects import Effect, EndCall, EndSession, PlaceCall
from server.performers import PERFORMERS, Hands
from tests.support.records import a_visit


def test_every_effect_has_its_performer():
    orders = {
        thing
        for thing in vars(effects).values()
        if isinstance(thing, type) and issubclass(thing, Effect) and thing is not Effect
    }
    assert PERFORMERS.keys() == orders


async def test_ending_a_session_names_whose_it_is_and_why():
    told = []

    class Pages:
        async def end_sessions(self, *what):
            told.append(what)

    effect = EndSession(seat="seat-1", device="device-1", code="left")
    await PERFORMERS[EndSession](Hands(Pages(), Telephone()), a_visit(), effect)
    assert told == [("visit-1", "seat-1", "device-1", "left")]


async def test_calls_are_ordered_of_whoever_places_them():
    telephone, visit = Telephone(), a_visit()
    orders = (PlaceCall(seat="seat-1", call="c"), EndCall(seat="seat-1", call="c"))
    for order in orders:
        await PERFORMERS[type(order)](Hands(None, telephone), visit, order)
    assert telephone.told == [("place", visit, orders[0]), ("end", visit, orders[1])]


class Telephone:
    def __init__(self):
        self.told = []

    async def place(self, visit, order):
        self.told.append(("place", visit, order))

    async def end(self, visit, order):
        self.told.append(("end", visit, order))
