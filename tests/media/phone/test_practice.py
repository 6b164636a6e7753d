import asyncio
from dataclasses import replace

import numpy as np
import pytest

from media.phone.carrier import CallRequest, CallState, Ending
from media.phone.practice import PracticeCarrier
from media.phone.scripts import BEEP_HZ, GREETING_HZ, NUMBERS, PERSON_HZ, Script
from rooms.model import CallFailure
from rooms.policy import PracticeCarrierPolicy
from tests.support.sounds import purity
from tests.support.witness import MemoryLedger, Witness

QUICK = PracticeCarrierPolicy(
    rings_after=0.01,
    refuses_after=0.01,
    answers_after=0.02,
    declines_after=0.02,
    voicemail_after=0.03,
    voicemail_greets_for=0.03,
    voicemail_beeps_for=0.03,
    voicemail_records_for=0.03,
    listens_for=0.02,
    talks_for=0.03,
)
ANY = "+12025550199"
DIALING, RINGING, ANSWERED, OVER = CallState


class Phone:
    """A handset that writes down what it is told."""

    def __init__(self):
        self.told = []

    def ring(self, call, caller):
        self.told.append(("ring", call, caller))

    def stop(self, call):
        self.told.append(("stop", call))


@pytest.fixture
def witness():
    return Witness()


@pytest.fixture
async def make(witness):
    made = []

    async def make(policy=QUICK):
        carrier = PracticeCarrier(policy, caller="+12025550100")
        await carrier.start(witness, MemoryLedger())
        made.append(carrier)
        return carrier

    yield make
    for carrier in made:
        await carrier.close()


@pytest.fixture
async def carrier(make):
    return await make()


def _request(number, call="c1", ring_for=5.0):
    return CallRequest(id=call, number=number, ring_for=ring_for)


SAYS_NO = [
    (Script.BUSY, CallFailure.BUSY, [OVER]),
    (Script.BLOCKED, CallFailure.BLOCKED, [OVER]),
    (Script.BAD_NUMBER, CallFailure.BAD_NUMBER, [OVER]),
    (Script.CARRIER_DOWN, CallFailure.CARRIER_DOWN, [OVER]),
    (Script.DECLINES, CallFailure.DECLINED, [RINGING, OVER]),
]


@pytest.mark.parametrize(("script", "failure", "states"), SAYS_NO)
async def test_numbers_that_do_not_answer(carrier, witness, script, failure, states):
    number = next(n for n, said in NUMBERS.items() if said is script)
    await carrier.dial(_request(number))
    over = await witness.until("c1", OVER)
    assert (over.failure, over.ending) == (failure, None)
    assert witness.states("c1") == states


async def test_nobody_answers_in_time(carrier, witness):
    carrier.rehearse(ANY, Script.NO_ANSWER)
    await carrier.dial(_request(ANY, ring_for=0.05))
    over = await witness.until("c1", OVER)
    assert over.failure is CallFailure.NO_ANSWER
    assert witness.states("c1") == [RINGING, OVER]


@pytest.mark.parametrize(
    ("script", "key"), [(Script.PRESSES_1, "1"), (Script.PRESSES_9, "9"), (Script.DROPS, "1")]
)
async def test_numbers_that_press_a_key(carrier, witness, script, key):
    carrier.rehearse(ANY, script)
    await carrier.dial(_request(ANY))
    assert await witness.key("c1") == key
    assert witness.states("c1")[:2] == [RINGING, ANSWERED]
    if script is Script.DROPS:
        over = await witness.until("c1", OVER)
        assert (over.failure, over.ending) == (None, Ending.BROKEN)
        assert carrier.line("c1") is None


async def test_a_scripted_person_listens_first_and_then_speaks(make, witness):
    carrier = await make(replace(QUICK, listens_for=0.1))
    carrier.rehearse(ANY, Script.PRESSES_1)
    await carrier.dial(_request(ANY))
    assert carrier.line("c1") is None
    await witness.until("c1", ANSWERED)
    assert not np.any(carrier.line("c1").pull())
    await witness.key("c1")
    sound = np.concatenate([carrier.line("c1").pull() for _ in range(50)])
    assert purity(sound, PERSON_HZ) > 0.99


async def test_somebody_hangs_up_at_the_gate(carrier, witness):
    carrier.rehearse(ANY, Script.HANGS_UP_AT_GATE)
    await carrier.dial(_request(ANY))
    assert (await witness.until("c1", OVER)).ending is Ending.BY_PHONE
    assert witness.states("c1") == [RINGING, ANSWERED, OVER]
    assert not witness.keys


async def test_voicemail_greets_beeps_and_takes_what_it_hears(make, witness):
    carrier = await make(replace(QUICK, voicemail_greets_for=0.1, voicemail_beeps_for=0.1))
    carrier.rehearse(ANY, Script.VOICEMAIL)
    await carrier.dial(_request(ANY))
    await witness.until("c1", ANSWERED)
    line = carrier.line("c1")
    heard = {GREETING_HZ: 0, BEEP_HZ: 0, None: 0}
    while OVER not in witness.states("c1"):
        frame = line.pull()
        tone = max((GREETING_HZ, BEEP_HZ), key=lambda hz: _strength(frame, hz))
        heard[tone if frame.any() else None] += 1
        await asyncio.sleep(0)
    assert all(heard.values())
    assert not witness.keys
    assert witness.told[-1].ending is Ending.BY_PHONE


def _strength(frame, frequency):
    moments = np.arange(len(frame)) / 8_000
    return abs(np.dot(frame, np.exp(-2j * np.pi * frequency * moments)))


async def test_what_was_rehearsed_is_forgotten(carrier, witness):
    number = next(iter(NUMBERS))
    carrier.rehearse(number, Script.BUSY)
    carrier.rehearse(number, None)
    carrier.rehearse(number, None)
    await carrier.dial(_request(number))
    assert await witness.key("c1") == "1"


async def test_a_number_where_nobody_is_is_not_in_service(carrier, witness):
    await carrier.dial(_request(ANY))
    assert (await witness.until("c1", OVER)).failure is CallFailure.BAD_NUMBER


async def test_a_page_answers_speaks_presses_and_hangs_up(carrier, witness):
    phone = Phone()
    carrier.connect(phone)
    await carrier.dial(_request(ANY))
    await witness.until("c1", RINGING)
    assert phone.told == [("ring", "c1", "+12025550100")]
    assert carrier.page_line("c1") is None
    carrier.answer("c1")
    await witness.until("c1", ANSWERED)
    carrier.line("c1").push(np.full(160, 5, np.int16))
    carrier.page_line("c1").from_page(np.full(160, 7, np.int16))
    assert carrier.page_line("c1").to_page()[0] == 5
    assert carrier.line("c1").pull()[0] == 7
    carrier.press("c1", "1")
    carrier.press("c1", "22")
    carrier.press("c1", "x")
    assert witness.keys == [("c1", "1")]
    carrier.hang_up("c1")
    assert witness.told[-1].ending is Ending.BY_PHONE
    assert phone.told[-1] == ("stop", "c1")
    assert carrier.line("c1") is carrier.page_line("c1") is None


async def test_a_page_declines(carrier, witness):
    carrier.connect(Phone())
    await carrier.dial(_request(ANY))
    await witness.until("c1", RINGING)
    carrier.decline("c1")
    assert witness.told[-1].failure is CallFailure.DECLINED


async def test_a_page_can_do_only_what_a_telephone_could(carrier, witness):
    """Keys before the answer, a second answer, anything after the end, and calls of others."""
    carrier.connect(Phone())
    carrier.rehearse("+12025550198", Script.NO_ANSWER)
    await carrier.dial(_request(ANY))
    await carrier.dial(_request("+12025550198", "c2"))
    await witness.until("c1", RINGING)
    await witness.until("c2", RINGING)
    for call in ("c2", "unknown"):
        for act in (carrier.answer, carrier.decline, carrier.hang_up):
            act(call)
    carrier.press("c1", "1")
    carrier.hang_up("c1")
    carrier.answer("c1")
    carrier.answer("c1")
    carrier.decline("c1")
    carrier.hang_up("c1")
    carrier.hang_up("c1")
    carrier.press("c1", "1")
    assert witness.states("c1") == [RINGING, ANSWERED, OVER]
    assert witness.states("c2") == [RINGING]
    assert not witness.keys


async def test_a_page_that_answered_is_not_asked_by_voicemail(carrier, witness):
    carrier.connect(Phone())
    carrier.switch_voicemail(True)
    await carrier.dial(_request(ANY, ring_for=0.05))
    await witness.until("c1", RINGING)
    carrier.answer("c1")
    carrier.rehearse("+12025550198", Script.NO_ANSWER)
    await carrier.dial(_request("+12025550198", "c2", ring_for=0.15))
    await witness.until("c2", OVER)
    assert witness.states("c1") == [RINGING, ANSWERED]
    assert carrier.page_line("c1") is not None


async def test_voicemail_answers_for_a_page(carrier, witness):
    phone = Phone()
    carrier.connect(phone)
    carrier.switch_voicemail(True)
    await carrier.dial(_request(ANY))
    await witness.until("c1", ANSWERED)
    assert phone.told[-1] == ("stop", "c1")
    assert carrier.page_line("c1") is None
    carrier.press("c1", "1")
    carrier.hang_up("c1")
    assert (await witness.until("c1", OVER)).ending is Ending.BY_PHONE
    assert not witness.keys
    carrier.switch_voicemail(False)
    await carrier.dial(_request(ANY, "c2", ring_for=0.08))
    assert (await witness.until("c2", OVER)).failure is CallFailure.NO_ANSWER


async def test_a_page_in_a_call_is_busy(carrier, witness):
    carrier.connect(Phone())
    await carrier.dial(_request(ANY))
    await carrier.dial(_request(ANY, "c2"))
    assert (await witness.until("c2", OVER)).failure is CallFailure.BUSY
    await witness.until("c1", RINGING)
    assert witness.states("c1") == [RINGING]


async def test_a_page_for_one_number_comes_before_its_script_and_the_page_for_any(carrier, witness):
    one, every = Phone(), Phone()
    number = next(iter(NUMBERS))
    carrier.connect(every)
    carrier.connect(one, number)
    await carrier.dial(_request(number))
    await carrier.dial(_request(ANY, "c2"))
    await witness.until("c2", RINGING)
    assert [told[1] for told in one.told] == ["c1"]
    assert [told[1] for told in every.told] == ["c2"]


async def test_a_page_that_was_reloaded_rings_again_and_one_that_goes_loses_its_call(
    carrier, witness
):
    before, after = Phone(), Phone()
    carrier.connect(before)
    await carrier.dial(_request(ANY))
    await witness.until("c1", RINGING)
    carrier.disconnect(before)
    assert witness.states("c1") == [RINGING]
    carrier.connect(after)
    carrier.disconnect(before)  # its goodbye came late
    assert after.told == [("ring", "c1", "+12025550100")]
    carrier.answer("c1")
    carrier.disconnect(after)
    assert witness.told[-1].ending is Ending.BROKEN


@pytest.mark.parametrize("state", [DIALING, RINGING, ANSWERED])
async def test_the_caller_ends_a_call_whatever_its_state(carrier, witness, state):
    phone = Phone()
    carrier.connect(phone)
    await carrier.dial(_request(ANY))
    if state is not DIALING:
        await witness.until("c1", RINGING)
    if state is ANSWERED:
        carrier.answer("c1")
    await carrier.end("c1")
    await carrier.end("c1")
    await carrier.end("unknown")
    assert witness.told[-1].ending is Ending.BY_US
    assert witness.states("c1").count(OVER) == 1
    assert phone.told[-1] == ("stop", "c1")


async def test_closing_ends_every_call_and_leaves_nothing_behind(carrier, witness):
    phone = Phone()
    carrier.connect(phone)
    carrier.rehearse("+12025550198", Script.PRESSES_1)
    assert carrier.healthy
    await carrier.dial(_request(ANY))
    await carrier.dial(_request("+12025550198", "c2"))
    await witness.until("c2", ANSWERED)
    await carrier.close()
    told = len(witness.told)
    assert witness.states("c1")[-1] is witness.states("c2")[-1] is OVER
    await carrier.close()
    await carrier.dial(_request(ANY, "c3"))
    await carrier.abandon("c4", "{}")
    await asyncio.sleep(0.1)
    assert len(witness.told) == told
    assert not witness.keys
    assert not carrier.healthy
