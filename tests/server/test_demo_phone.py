"""The telephone itself, with the real carrier and a media plane that keeps what it is asked."""

import numpy as np
import pytest

from media.phone.carrier import CallRequest, CallState, Ending
from media.phone.practice import PracticeCarrier
from media.phone.telephone import Telephony
from media.ports import Wiring
from rooms.model import CallFailure
from rooms.policy import PracticeCarrierPolicy
from server.demo_messages import PhoneChanged, Taken
from server.demo_phone import LINE, PAGE, VISIT, DemoPhone
from tests.support.witness import MemoryLedger, Witness

QUICK = PracticeCarrierPolicy(rings_after=0.01, voicemail_after=0.02)
NUMBER, CALLER, CALL = "+12025550171", "+12025550199", "the-call"
RINGING, ANSWERED, OVER = CallState.RINGING, CallState.ANSWERED, CallState.OVER
FRAME = np.arange(160, dtype=np.int16)


class Plane:
    """What a media plane was asked for last."""

    def __init__(self):
        self.wiring = Wiring(VISIT, frozenset(), frozenset())
        self.legs = []

    def wire(self, wiring):
        self.wiring = wiring

    def attach(self, visit, seat, leg, listener):
        assert (visit, seat) == (VISIT, PAGE)
        self.legs.append((leg, listener))


class Page:
    def __init__(self):
        self.told = []
        self.closed = False

    def tell(self, news):
        assert not self.closed
        self.told.append(news)

    def close(self):
        self.closed = True

    @property
    def shows(self):
        return [news for news in self.told if isinstance(news, PhoneChanged)][-1].state


class Story:
    def __init__(self):
        self.witness, self.plane, self.page = Witness(), Plane(), Page()
        self.carrier = PracticeCarrier(QUICK, CALLER)
        self.phone = DemoPhone(self.carrier, self.plane)

    async def rings(self):
        self.phone.take(self.page)
        await self.is_called()

    async def is_called(self):
        await self.carrier.dial(CallRequest(id=CALL, number=NUMBER, ring_for=5.0))
        await self.witness.until(CALL, RINGING)

    async def talks(self):
        await self.rings()
        self.phone.answer()

    def line(self):
        (end,) = self.plane.wiring.phones
        return self.phone.beside(Telephony()).lines(end.call)


@pytest.fixture
async def story():
    story = Story()
    await story.carrier.start(story.witness, MemoryLedger())
    yield story
    await story.carrier.close()


async def test_it_shows_what_rings_and_forgets_it(story):
    await story.rings()
    ringing = story.page.told[-1]
    assert (ringing.state, ringing.caller) == ("ringing", CALLER)
    await story.carrier.end(CALL)
    assert story.page.shows == "idle"
    assert story.page.told[-1].caller == ""


async def test_declining_is_told_to_the_caller(story):
    await story.rings()
    story.phone.decline()
    assert (await story.witness.until(CALL, OVER)).failure is CallFailure.DECLINED
    assert story.page.shows == "idle"


async def test_an_answered_call_is_wired_to_the_page_and_nothing_is_left_afterwards(story):
    await story.talks()
    assert story.page.shows == "talking"
    wiring = story.plane.wiring
    assert wiring.seats == {PAGE, LINE}
    (end,), (link,) = wiring.phones, wiring.links
    assert (end.seat, end.hears, end.talks) == (LINE, (PAGE,), True)
    assert (link.source, link.hearer, link.sound, link.voice) == (LINE, PAGE, False, True)
    story.phone.press("1")
    assert story.witness.keys == [(CALL, "1")]
    story.phone.hang_up()
    assert (await story.witness.until(CALL, OVER)).ending is Ending.BY_PHONE
    assert not story.plane.wiring.seats | story.plane.wiring.phones
    assert story.page.shows == "idle"


async def test_the_far_end_is_the_calls_sound_the_other_way_round(story):
    await story.talks()
    far, visit = story.line(), story.carrier.line(CALL)
    visit.push(FRAME)
    assert far.pull() is FRAME
    far.push(FRAME)
    assert visit.pull() is FRAME
    others = Telephony(lines=lambda call: call)
    assert story.phone.beside(others).lines("another call") == "another call"
    story.phone.hang_up()
    assert story.phone.beside(others).lines(f"{VISIT}/{CALL}") == f"{VISIT}/{CALL}"


async def test_before_the_answer_nothing_can_be_heard_and_nothing_pressed(story):
    await story.rings()
    story.phone.press("1")
    story.phone.hang_up()
    assert not story.witness.keys
    assert not story.plane.legs
    assert story.witness.states(CALL)[-1] is RINGING


async def test_a_newer_page_takes_the_telephone_with_its_call(story):
    await story.talks()
    newer = Page()
    story.phone.take(newer)
    assert isinstance(story.page.told[-1], Taken)
    assert story.page.closed
    assert newer.shows == "talking"
    assert len({leg for leg, _ in story.plane.legs}) == 2
    story.phone.leave(story.page)
    assert story.witness.states(CALL)[-1] is ANSWERED, "the page that is gone had it no more"


async def test_a_page_that_is_gone_breaks_its_call_and_the_next_call_rings(story):
    await story.talks()
    story.phone.leave(story.page)
    assert (await story.witness.until(CALL, OVER)).ending is Ending.BROKEN
    assert not story.plane.wiring.phones
    story.witness.told.clear()
    await story.is_called()
    later = Page()
    story.phone.take(later)
    assert later.shows == "ringing"


async def test_a_page_that_is_gone_lets_it_ring_on(story):
    await story.rings()
    story.phone.leave(story.page)
    assert story.witness.states(CALL) == [RINGING]


async def test_without_a_page_a_telephone_that_is_plugged_in_rings_unheard(story):
    story.phone.plug_in(NUMBER)
    await story.is_called()
    story.phone.take(story.page)
    assert (story.page.shows, story.page.told[-1].number) == ("ringing", NUMBER)


async def test_voicemail_takes_the_call_from_the_page(story):
    story.phone.take(story.page)
    story.phone.switch_voicemail(True)
    assert story.page.told[-1].voicemail
    await story.is_called()
    await story.witness.until(CALL, ANSWERED)
    assert story.page.shows == "idle"
    story.phone.answer()
    assert not story.plane.wiring.phones
