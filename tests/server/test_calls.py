"""From a visit's orders to telephones and back, over the real switchboard and practice carrier."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from structlog.testing import capture_logs

from media.phone.practice import PracticeCarrier
from media.phone.prompts import Prompts
from media.phone.routing import Route
from media.phone.scripts import NUMBERS, Script
from media.phone.switchboard import Switchboard
from media.phone.wording import Announcer
from rooms.effects import EndCall, PlaceCall
from rooms.line_events import CallAnswered, CallOver, CallRang, KeyPressed
from rooms.model import (
    Call,
    CallFailure,
    CallPurpose,
    Line,
    PhoneEnd,
    PhoneNumber,
    PhonePlan,
    Prompt,
    Role,
    Seat,
    Sound,
)
from rooms.policy import CallLimits, FallbackPolicy, PromptPolicy
from server.calls import Calls
from server.metrics import Metrics
from server.store import StoreUnavailable
from tests.support.records import a_visit
from tests.support.server_clients import AT_ONCE, HASTY
from tests.support.witness import MemoryLedger

NUMBER_OF = {script: number for number, script in NUMBERS.items()}
SEAT, CALL = "seat-1", "seat-1-1"
ORDER, STOP = PlaceCall(seat=SEAT, call=CALL), EndCall(seat=SEAT, call=CALL)


class Told:
    """Reports that are kept, and can be waited for."""

    def __init__(self):
        self.events = []
        self._news = asyncio.Event()

    def add(self, visit, event):
        assert visit == "visit-1"
        self.events.append(event)
        self._news.set()

    async def until(self, kind, count=1):
        async with asyncio.timeout(5):
            while len(found := [e for e in self.events if isinstance(e, kind)]) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]


def visit_with(number, call=CALL):
    own = PhoneNumber(id="own", number=number)
    placed = Call(id=call, number="own", purpose=CallPurpose.BY_HAND, placed_at=0.0)
    line = Line(call=placed if call else None)
    seat = Seat(id=SEAT, role=Role.PATIENT, phone=PhonePlan(numbers=(own,)), line=line)
    return a_visit(seats=(seat,))


class Office:
    """Calls, and everything around them."""

    def __init__(self, directory, limits):
        self.told = Told()
        self.metrics = Metrics()
        self.carrier = PracticeCarrier(HASTY)
        self.prompts = Prompts(directory, PromptPolicy())
        self.board = Switchboard([Route(self.carrier)], MemoryLedger(), AT_ONCE)
        self.practice = Announcer(practice="north")
        self.store_is_away = False
        self.calls = Calls(
            self.board, self.prompts, self.told, self.announcer, b"secret" * 6,
            FallbackPolicy(ring_for=0.5), limits, self.metrics,
        )  # fmt: skip

    async def announcer(self, practice):
        if self.store_is_away:
            raise StoreUnavailable
        return replace(self.practice, practice=practice)

    def counted(self, outcome):
        return f'bedside_calls_total{{outcome="{outcome}"}} 1.0' in self.metrics.text().decode()


@pytest.fixture
async def open_office(tmp_path):
    offices = []

    async def opened(**limits):
        office = Office(tmp_path, CallLimits(**limits))
        offices.append(office)
        await office.prompts.start()
        await office.board.start(office.calls)
        return office

    yield opened
    for office in offices:
        await office.board.close()


@pytest.fixture
async def office(open_office):
    return await open_office()


def names(told):
    return [event.name for event in told.events]


async def test_a_call_is_told_step_by_step_and_ends_once(office):
    await office.calls.place(visit_with(NUMBER_OF[Script.HANGS_UP_AT_GATE]), ORDER)
    over = await office.told.until(CallOver)
    assert names(office.told) == ["CallRang", "CallAnswered", "CallOver"]
    assert over == CallOver(seat=SEAT, call=CALL, why=CallFailure.HUNG_UP)
    assert office.counted("by_phone")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (Script.BUSY, CallFailure.BUSY),
        (Script.NO_ANSWER, CallFailure.NO_ANSWER),
        (Script.DECLINES, CallFailure.DECLINED),
        (Script.BLOCKED, CallFailure.BLOCKED),
        (Script.BAD_NUMBER, CallFailure.BAD_NUMBER),
        (Script.CARRIER_DOWN, CallFailure.CARRIER_DOWN),
        (Script.DROPS, CallFailure.BROKEN),
    ],
)
async def test_why_a_call_is_over_is_told_and_counted(office, script, why):
    await office.calls.place(visit_with(NUMBER_OF[script]), ORDER)
    assert (await office.told.until(CallOver)).why is why
    assert office.counted(why.value)


async def test_keys_are_told_of_the_call_that_the_visit_knows(office):
    await office.calls.place(visit_with(NUMBER_OF[Script.PRESSES_1]), ORDER)
    pressed = await office.told.until(KeyPressed)
    assert pressed == KeyPressed(seat=SEAT, call=CALL, key="1")
    assert names(office.told)[:2] == ["CallRang", "CallAnswered"]


async def test_keys_are_told_no_faster_than_anybody_presses_them(open_office):
    office = await open_office(keys_per_second=0.001, keys_burst=3.0)
    await office.calls.place(visit_with(NUMBER_OF[Script.PRESSES_1]), ORDER)
    await office.told.until(KeyPressed)
    (known,) = office.calls._known
    for _ in range(1_000):
        office.calls.pressed(known, "5")
    assert len([event for event in office.told.events if isinstance(event, KeyPressed)]) == 3


async def test_the_same_order_twice_rings_once(office):
    visit = visit_with(NUMBER_OF[Script.NO_ANSWER])
    await asyncio.gather(office.calls.place(visit, ORDER), office.calls.place(visit, ORDER))
    await office.told.until(CallRang)
    await office.calls.place(visit, ORDER)
    await office.told.until(CallOver)
    assert names(office.told) == ["CallRang", "CallOver"]


@pytest.mark.parametrize(
    "visit",
    [
        a_visit(),
        visit_with(NUMBER_OF[Script.BUSY], call=""),
        visit_with(NUMBER_OF[Script.BUSY], call="another"),
        replace(
            visit_with(NUMBER_OF[Script.BUSY]),
            seats=(replace(visit_with(NUMBER_OF[Script.BUSY]).seats[0], phone=PhonePlan()),),
        ),
    ],
    ids=["no seat", "no call", "another call", "no such number"],
)
async def test_an_order_that_the_visit_has_taken_back_rings_nobody(office, visit):
    await office.calls.place(visit, ORDER)
    await office.calls.end(visit, STOP)
    assert office.told.events == []
    assert office.carrier._calls == {}


async def test_ending_a_call_that_rings_stops_it(office):
    visit = visit_with(NUMBER_OF[Script.NO_ANSWER])
    await office.calls.place(visit, ORDER)
    await office.told.until(CallRang)
    for _ in range(2):
        await office.calls.end(visit, STOP)
    assert (await office.told.until(CallOver)).why is CallFailure.HUNG_UP
    assert office.carrier._calls == {}
    assert office.counted("by_us")


async def test_whoever_said_no_hears_a_goodbye_before_the_line_is_closed(office):
    await office.calls.place(visit_with(NUMBER_OF[Script.PRESSES_9]), ORDER)
    await office.told.until(KeyPressed)
    line = office.calls.line(CALL)
    said = []
    line.push = said.append
    await office.calls.end(visit_with(""), replace(STOP, farewell=Prompt.GOODBYE, language="es"))
    await office.told.until(CallOver)
    spoken = office.prompts.frames(Prompt.GOODBYE, "es", office.practice)
    assert np.array_equal(np.concatenate(said), spoken[: sum(map(len, said))])


async def test_there_is_a_line_from_the_answer_to_the_end(office):
    assert office.calls.line(CALL) is None
    await office.calls.place(visit_with(NUMBER_OF[Script.VOICEMAIL]), ORDER)
    await office.told.until(CallRang)
    assert office.calls.line(CALL) is None
    await office.told.until(CallAnswered)
    assert office.calls.line(CALL) is not None
    await office.calls.end(visit_with(""), STOP)
    assert office.calls.line(CALL) is None


async def test_announcements_are_the_practices_in_the_persons_language(office):
    end = PhoneEnd(seat=SEAT, call=CALL, language="es", prompt=Prompt.GATE)
    assert office.calls.announcement("visit-1", end) is None, "nobody is on the line"
    await office.calls.place(visit_with(NUMBER_OF[Script.VOICEMAIL]), ORDER)
    heard = office.calls.announcement("visit-1", end)
    assert np.array_equal(heard, office.prompts.frames(Prompt.GATE, "es", office.practice))
    assert office.calls.announcement("visit-1", replace(end, prompt=None)) is None


async def test_a_telephone_rings_also_while_the_store_is_away(office):
    office.store_is_away = True
    await office.calls.place(visit_with(NUMBER_OF[Script.BUSY]), ORDER)
    assert (await office.told.until(CallOver)).why is CallFailure.BUSY


async def test_one_number_is_called_so_often_in_a_day_whoever_asks(open_office, monkeypatch):
    office, asked = await open_office(per_number_daily=2.0), []
    take = office.calls.allowance.take

    async def noted(*whom):
        asked.append(whom)
        return await take(*whom)

    monkeypatch.setattr(office.calls.allowance, "take", noted)
    number = NUMBER_OF[Script.BUSY]
    with capture_logs() as logged:
        for count in (1, 2, 3):
            call = f"call-{count}"
            await office.calls.place(visit_with(number, call), PlaceCall(seat=SEAT, call=call))
            over = await office.told.until(CallOver, count)
    assert (over.call, over.why) == ("call-3", CallFailure.LIMITED)
    assert office.counted("limited")
    assert number not in str(logged)
    assert "call_limit_reached" in str(logged)
    assert len(set(asked)) == 1, "the same name for the same number"
    assert number.strip("+") not in str(asked)


async def test_a_visit_that_goes_elsewhere_while_its_call_is_prepared_rings_nobody(
    office, monkeypatch
):
    asked, answered = asyncio.Event(), asyncio.Event()

    async def take(*_whom):
        asked.set()
        await answered.wait()
        return True

    monkeypatch.setattr(office.calls.allowance, "take", take)
    visit = visit_with(NUMBER_OF[Script.NO_ANSWER])
    placing = asyncio.create_task(office.calls.place(visit, ORDER))
    await asked.wait()
    office.calls.leave("visit-1")
    answered.set()
    await placing
    assert office.carrier._calls == {}
    assert office.told.events == []
    await office.calls.place(visit, ORDER)
    await office.told.until(CallRang)


async def test_a_call_that_ends_as_its_farewell_begins_is_parted_from_all_the_same(office):
    visit = visit_with(NUMBER_OF[Script.NO_ANSWER])
    await office.calls.place(visit, ORDER)
    await office.told.until(CallRang)
    parting = asyncio.create_task(office.calls.part(visit, Prompt.INTERRUPTED))
    await asyncio.sleep(0)
    office.calls.leave("visit-1")
    await parting


async def test_one_practice_calls_so_often_in_a_day(open_office):
    office = await open_office(per_practice_daily=1.0)
    for count, script in ((1, Script.BUSY), (2, Script.DECLINES)):
        call = f"call-{count}"
        visit = visit_with(NUMBER_OF[script], call)
        await office.calls.place(visit, PlaceCall(seat=SEAT, call=call))
        over = await office.told.until(CallOver, count)
    assert over.why is CallFailure.LIMITED


async def test_carriers_learn_nothing_of_the_visit(office):
    dialled = []
    dial = office.carrier.dial

    async def noted(request):
        dialled.append(request.id)
        await dial(request)

    office.carrier.dial = noted
    await office.calls.place(visit_with(NUMBER_OF[Script.BUSY]), ORDER)
    await office.told.until(CallOver)
    (told,) = dialled
    assert CALL not in told
    assert SEAT not in told
    assert len(told) == 52  # 256 bits
    assert told == office.calls._placed_id(CALL), "the same after a restart"


async def test_what_is_told_of_a_call_that_is_not_ours_is_nothing(office):
    office.calls.pressed("stranger", "1")
    assert office.told.events == []
    office.calls.sound_changed("visit-1", SEAT, Sound.WEAK)
    office.calls.same_speech("visit-1", SEAT, CALL)
    assert names(office.told) == ["SoundChanged", "SameSpeechHeard"]


async def test_whoever_calls_back_is_not_put_through_and_is_counted(open_office):
    office = await open_office()
    assert office.board.called("practice") is CallFailure.NO_ANSWER
    assert "bedside_calls_in_total 1.0" in office.metrics.text().decode()
