from rooms import effects
from rooms.effects import Effect, EndSession
from server.performers import PERFORMERS
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

    class Hands:
        async def end_sessions(self, *what):
            told.append(what)

    effect = EndSession(seat="seat-1", device="device-1", code="left")
    await PERFORMERS[EndSession](Hands(), a_visit(), effect)
    assert told == [("visit-1", "seat-1", "device-1", "left")]
