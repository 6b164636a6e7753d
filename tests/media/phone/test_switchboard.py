import asyncio
import time
from dataclasses import replace

import numpy as np
import pytest

from media.phone.carrier import CallRequest, CallState, Ending, Progress
from media.phone.practice import PracticeCarrier
from media.phone.practice_line import PracticeLine
from media.phone.routing import Route
from media.phone.scripts import Script
from media.phone.switchboard import Switchboard
from rooms.model import CallFailure
from rooms.policy import PracticeCarrierPolicy, SwitchboardPolicy
from tests.support.sounds import tone
from tests.support.witness import MemoryLedger, Witness

PRACTICE = PracticeCarrierPolicy(
    rings_after=0.01, refuses_after=0.01, answers_after=0.02, declines_after=0.02, listens_for=0.02
)
POLICY = SwitchboardPolicy(calls_per_second=1_000.0, close_within=0.5, abandon_within=0.5)
NUMBER, OTHER_NUMBER = "+12025550198", "+12025550199"
DIALING, RINGING, ANSWERED, OVER = CallState


class First(PracticeCarrier):
    """The practice carrier, writing down the ids it is asked to call."""

    name = "first"

    def __init__(self):
        super().__init__(PRACTICE)
        self.dialled = []
        self.asked = asyncio.Event()
        self.well = True

    async def dial(self, request):
        self.dialled.append(request.id)
        await super().dial(request)
        self.asked.set()

    @property
    def healthy(self):
        return self.well and super().healthy


class Second(First):
    name = "second"


@pytest.fixture
def witness():
    return Witness()


@pytest.fixture
def book():
    return MemoryLedger()


@pytest.fixture
def carriers():
    return First(), Second()


@pytest.fixture
async def make(witness, book, carriers):
    made = []

    async def make(policy=POLICY, routes=None, start=True):
        board = Switchboard(
            routes if routes is not None else [Route(carrier) for carrier in carriers], book, policy
        )
        made.append(board)
        if start:
            await board.start(witness)
        return board

    yield make
    for board in made:
        await board.close()


@pytest.fixture
async def board(make):
    return await make()


def _request(call="c1", number=NUMBER, ring_for=5.0):
    return CallRequest(id=call, number=number, ring_for=ring_for)


def _rehearse(carriers, *scripts, number=NUMBER):
    for carrier, script in zip(carriers, scripts, strict=True):
        carrier.rehearse(number, script)


async def test_a_call_from_ringing_to_the_end(board, witness, carriers):
    _rehearse(carriers, Script.PRESSES_1, Script.BUSY)
    board.place(_request())
    assert board.line("c1") is None
    assert await witness.key("c1") == "1"
    assert board.line("c1") is carriers[0].line("c1")
    await board.end("c1")
    await board.end("c1")
    assert witness.states("c1") == [RINGING, ANSWERED, OVER]
    assert witness.told[-1].ending is Ending.BY_US
    assert board.line("c1") is None
    assert carriers[1].dialled == []


@pytest.mark.parametrize("reason", [Script.CARRIER_DOWN, Script.BLOCKED])
async def test_what_one_carrier_cannot_place_the_next_one_does(board, witness, carriers, reason):
    """The second attempt has an id of its own, which nobody outside sees."""
    _rehearse(carriers, reason, Script.PRESSES_1)
    board.place(_request())
    assert await witness.key("c1") == "1"
    assert witness.states("c1") == [RINGING, ANSWERED]
    assert [c.dialled for c in carriers] == [["c1"], ["c1/2"]]
    assert board.line("c1") is carriers[1].line("c1/2")
    await board.end("c1")
    assert {progress.call for progress in witness.told} == {"c1"}


async def test_when_no_carrier_can_the_last_reason_counts(board, witness, carriers):
    _rehearse(carriers, Script.CARRIER_DOWN, Script.BLOCKED)
    board.place(_request())
    assert (await witness.until("c1", OVER)).failure is CallFailure.BLOCKED
    assert len(witness.told) == 1


@pytest.mark.parametrize("script", [Script.BUSY, Script.BAD_NUMBER, Script.DECLINES])
async def test_what_the_telephone_says_is_asked_of_nobody_else(board, witness, carriers, script):
    _rehearse(carriers, script, Script.PRESSES_1)
    board.place(_request())
    await witness.until("c1", OVER)
    assert carriers[1].dialled == []


async def test_nobody_is_rung_twice_for_one_call(board, witness, carriers):
    _rehearse(carriers, Script.NO_ANSWER, Script.PRESSES_1)
    board.place(_request())
    await witness.until("c1", RINGING)
    down = CallFailure.CARRIER_DOWN
    board.progressed(Progress(call="c1", state=OVER, failure=down))
    assert witness.told[-1].failure is down
    assert carriers[1].dialled == []


async def test_a_carrier_that_is_not_well_is_passed_over(board, witness, carriers):
    _rehearse(carriers, Script.PRESSES_1, Script.PRESSES_1)
    carriers[0].well = False
    board.place(_request())
    await witness.until("c1", ANSWERED)
    assert [c.dialled for c in carriers] == [[], ["c1"]]
    carriers[1].well = False
    board.place(_request("c2", OTHER_NUMBER))
    assert (await witness.until("c2", OVER)).failure is CallFailure.CARRIER_DOWN


async def test_a_carrier_that_breaks_is_down(board, witness, carriers, monkeypatch):
    async def breaks(request):
        raise RuntimeError

    monkeypatch.setattr(carriers[0], "dial", breaks)
    _rehearse(carriers, None, Script.PRESSES_1)
    board.place(_request())
    await witness.until("c1", ANSWERED)
    assert carriers[1].dialled == ["c1/2"]


async def test_where_no_carrier_may_call(make, witness, carriers):
    board = await make(routes=[Route(carriers[0], ("+1",)), Route(carriers[1], ("+52",))])
    assert board.reaches(NUMBER)
    assert board.reaches("+525512345678")
    assert not board.reaches("+8821234567")
    board.place(_request(number="+8821234567"))
    assert witness.told[-1].failure is CallFailure.BAD_NUMBER
    assert carriers[0].dialled == carriers[1].dialled == []


async def test_where_there_is_no_carrier_at_all(make, witness):
    board = await make(routes=[])
    board.place(_request())
    assert witness.told[-1].failure is CallFailure.CARRIER_DOWN


async def test_late_and_repeated_reports_are_not_passed_on(board, witness, carriers):
    _rehearse(carriers, Script.PRESSES_1, None)
    board.place(_request())
    await witness.key("c1")
    for state in (DIALING, RINGING, ANSWERED):
        board.progressed(Progress(call="c1", state=state))
    assert witness.states("c1") == [RINGING, ANSWERED]
    await board.end("c1")
    for state in CallState:
        board.progressed(Progress(call="c1", state=state))
    board.pressed("c1", "9")
    assert witness.states("c1") == [RINGING, ANSWERED, OVER]
    assert witness.keys == [("c1", "1")]


async def test_keys_before_the_answer_are_nobodys(board, witness, carriers):
    _rehearse(carriers, Script.NO_ANSWER, None)
    board.place(_request())
    await witness.until("c1", RINGING)
    board.pressed("c1", "1")
    board.pressed("unknown", "1")
    assert not witness.keys


async def test_a_call_that_is_asked_for_twice_is_placed_once(board, witness, carriers):
    _rehearse(carriers, Script.NO_ANSWER, None)
    board.place(_request())
    board.place(_request())
    await witness.until("c1", RINGING)
    assert carriers[0].dialled == ["c1"]
    assert witness.states("c1") == [RINGING]


async def test_one_telephone_has_one_call(board, witness, carriers):
    _rehearse(carriers, Script.NO_ANSWER, None)
    board.place(_request())
    board.place(_request("c2"))
    assert witness.told[-1] == Progress(call="c2", state=OVER, failure=CallFailure.BUSY)
    await witness.until("c1", RINGING)
    await board.end("c1")
    board.place(_request("c3"))
    await witness.until("c3", RINGING)


async def test_a_call_follows_one_that_is_still_being_ended(board, witness, carriers, monkeypatch):
    _rehearse(carriers, Script.NO_ANSWER, None)
    board.place(_request())
    await witness.until("c1", RINGING)
    slow, end = asyncio.Event(), carriers[0].end

    async def ends_slowly(call):
        await slow.wait()
        await end(call)

    monkeypatch.setattr(carriers[0], "end", ends_slowly)
    ending = asyncio.create_task(board.end("c1"))
    await asyncio.sleep(0)
    board.place(_request("c2"))
    board.place(_request("c3"))
    assert witness.told[-1] == Progress(call="c3", state=OVER, failure=CallFailure.BUSY)
    assert carriers[0].dialled == ["c1"]
    slow.set()
    await ending
    await witness.until("c2", RINGING)
    order = [(p.call, p.state) for p in witness.told]
    assert order.index(("c1", OVER)) < order.index(("c2", RINGING))


async def test_a_node_has_only_so_many_lines(make, witness, carriers):
    board = await make(replace(POLICY, lines_per_node=1))
    _rehearse(carriers, Script.NO_ANSWER, None)
    _rehearse(carriers, Script.NO_ANSWER, None, number=OTHER_NUMBER)
    board.place(_request())
    board.place(_request("c2", OTHER_NUMBER))
    assert witness.told[-1].failure is CallFailure.CARRIER_DOWN
    await witness.until("c1", RINGING)
    await board.end("c1")
    board.place(_request("c3", OTHER_NUMBER))
    await witness.until("c3", RINGING)


async def test_calls_are_placed_no_faster_than_the_carrier_takes_them(make, witness, carriers):
    board = await make(replace(POLICY, calls_per_second=10.0))
    numbers = {f"c{n}": f"+1202555018{n}" for n in range(4)}
    began = time.monotonic()
    for call, number in numbers.items():
        carriers[0].rehearse(number, Script.NO_ANSWER)
        board.place(_request(call, number))
    await board.end("c2")
    assert witness.states("c2") == [OVER]
    await witness.until("c3", RINGING)
    assert time.monotonic() - began >= 0.19  # c0, c1, c3: whoever gave up took no turn
    assert carriers[0].dialled == ["c0", "c1", "c3"]


async def test_a_call_that_is_ended_while_it_is_placed_rings_nowhere(
    board, witness, carriers, monkeypatch
):
    """The carrier stores the call first, and does not know it yet when it is asked to end it."""
    stored, asked, dial = asyncio.Event(), asyncio.Event(), carriers[0].dial

    async def stores_first(request):
        asked.set()
        await stored.wait()
        await dial(request)

    monkeypatch.setattr(carriers[0], "dial", stores_first)
    _rehearse(carriers, Script.NO_ANSWER, None)
    board.place(_request())
    await asked.wait()
    await board.end("c1")
    assert witness.states("c1") == []
    stored.set()
    assert (await witness.until("c1", OVER)).ending is Ending.BY_US
    assert witness.states("c1") == [OVER]


async def test_a_call_that_was_ended_is_tried_with_nobody_else(
    board, witness, carriers, monkeypatch
):
    async def ends_badly(call):
        failed = CallFailure.CARRIER_DOWN
        board.progressed(Progress(call=call, state=OVER, failure=failed))

    monkeypatch.setattr(carriers[0], "end", ends_badly)
    _rehearse(carriers, Script.NO_ANSWER, Script.NO_ANSWER)
    board.place(_request())
    await carriers[0].asked.wait()
    await board.end("c1")
    over = witness.told[-1]
    assert (over.state, over.failure, over.ending) == (OVER, None, Ending.BY_US)
    assert carriers[1].dialled == []


async def test_calls_of_a_former_process_are_ended_before_new_ones_are_placed(
    make, witness, book, carriers, monkeypatch
):
    asked, ended = asyncio.Event(), asyncio.Event()

    async def abandon(call, state):
        assert (call, state) == ("old", "ringing")
        asked.set()
        await ended.wait()

    monkeypatch.setattr(carriers[1], "abandon", abandon)
    await book.keep("old", "second", "ringing")
    board = await make()
    _rehearse(carriers, Script.NO_ANSWER, None)
    board.place(_request())
    await asked.wait()
    for _ in range(5):
        await asyncio.sleep(0)
    assert carriers[0].dialled == []
    ended.set()
    await witness.until("c1", RINGING)
    assert not book.records


async def test_who_is_sent_away_hears_why_first(make, witness, carriers):
    """And only that: whoever held the line has it no more."""
    board = await make(replace(POLICY, farewell_settles=0.02))
    _rehearse(carriers, Script.PRESSES_1, None)
    board.place(_request())
    await witness.key("c1")
    line = carriers[0].line("c1")
    await board.end("c1", tone(600, 0.1))
    await board.end("c1", tone(600, 0.1))
    assert board.line("c1") is None
    over = await witness.until("c1", OVER)
    assert over.ending is Ending.BY_US
    heard = [line.to_page() for _ in range(6)]
    assert heard[5] is None
    assert np.array_equal(np.concatenate(heard[:5]), tone(600, 0.1))


async def test_a_farewell_that_cannot_be_said_ends_the_call_all_the_same(
    board, witness, carriers, monkeypatch
):
    _rehearse(carriers, Script.PRESSES_1, None)
    board.place(_request())
    await witness.key("c1")
    monkeypatch.setattr(PracticeLine, "push", _breaks)
    await board.end("c1", tone(600, 60.0))
    assert (await witness.until("c1", OVER)).ending is Ending.BY_US


def _breaks(_line, _frame):
    raise RuntimeError


async def test_a_farewell_can_be_cut_short(board, witness, carriers):
    _rehearse(carriers, Script.PRESSES_1, None)
    board.place(_request())
    await witness.key("c1")
    await board.end("c1", tone(600, 60.0))
    await board.end("c1")
    assert witness.told[-1].ending is Ending.BY_US


async def test_a_telephone_that_only_rings_hears_no_farewell(board, witness, carriers):
    _rehearse(carriers, Script.NO_ANSWER, None)
    board.place(_request())
    await witness.until("c1", RINGING)
    await board.end("c1", tone(600, 60.0))
    assert witness.told[-1].ending is Ending.BY_US


async def test_closing_leaves_no_telephone_ringing_and_nothing_behind(make, witness, carriers):
    tasks = asyncio.all_tasks()
    board = await make(replace(POLICY, calls_per_second=5.0))
    _rehearse(carriers, Script.NO_ANSWER, None)
    _rehearse(carriers, Script.NO_ANSWER, None, number=OTHER_NUMBER)
    board.place(_request())
    board.place(_request("waits", OTHER_NUMBER))
    await witness.until("c1", RINGING)
    await board.close()
    await board.close()
    assert witness.states("c1") == [RINGING, OVER]
    assert witness.states("waits") == [OVER]
    assert {p.ending for p in witness.told if p.state is OVER} == {Ending.BY_US}
    board.place(_request("c3"))
    assert witness.told[-1].failure is CallFailure.CARRIER_DOWN
    await witness.until("c3", OVER)
    assert not any(carrier.healthy for carrier in carriers)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= tasks


async def test_a_carrier_that_hangs_delays_closing_only_so_long(
    make, witness, carriers, monkeypatch
):
    async def hangs():
        await asyncio.Event().wait()

    board = await make(replace(POLICY, close_within=0.05))
    _rehearse(carriers, Script.NO_ANSWER, None)
    board.place(_request())
    await witness.until("c1", RINGING)
    monkeypatch.setattr(carriers[0], "close", hangs)
    await asyncio.wait_for(board.close(), 5.0)
    assert witness.states("c1") == [RINGING, OVER]
    assert not carriers[1].healthy
    monkeypatch.undo()
    await carriers[0].close()


async def test_if_one_carrier_cannot_be_opened_none_is(make, witness, carriers, monkeypatch):
    async def taken(listener, ledger):
        raise OSError

    monkeypatch.setattr(carriers[1], "start", taken)
    board = await make(start=False)
    with pytest.raises(OSError, match=r"^$"):
        await board.start(witness)
    assert not carriers[0].healthy


async def test_a_call_from_outside_is_for_whoever_listens_to_decide(make, witness):
    board = await make(start=False)
    assert board.called("one") is CallFailure.CARRIER_DOWN
    board = await make()
    assert board.called("one") is CallFailure.NO_ANSWER
    assert witness.called_by == ["one"]
