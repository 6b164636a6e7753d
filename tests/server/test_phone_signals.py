"""What people and desks say about telephones."""

import pytest

from media.phone.scripts import Script
from rooms.model import Consent
from tests.support.callers import AGREED, NUMBER_OF, admitted, calls_at, meeting_of, patient_on

ROSA = {"role": "patient", "name": "Rosa Alvarez"}


@pytest.fixture
def meet(rehearsed, opened):
    """``meeting, page = await meet(patient)``: provider and patient are present."""

    async def together(patient):
        meeting = await meeting_of(rehearsed, opened(rehearsed), patient)
        return meeting, await admitted(meeting, opened(rehearsed))

    return together


async def test_a_plan_is_kept_with_the_words_that_were_agreed_to(meet):
    meeting, page = await meet(ROSA)
    typed = {"number": "(202) 555-0142", "same_device": True, "wording": "v7", "language": "es"}
    assert await page.does("phone:plan", typed) == {"ok": True}
    plan = (await meeting.seat()).phone
    (own,) = plan.numbers
    assert own.number == "+12025550142"
    assert plan.same_device
    assert isinstance(own.consent, Consent)
    assert (own.consent.wording, own.consent.language) == ("v7", "es")
    assert (own.consent.by.kind, own.consent.by.id) == ("seat", meeting.patient)
    mine = (await page.until(lambda view: view["me"]["line"]["agreed"]))["me"]["line"]
    assert (mine["number"], mine["same_device"]) == ("42", True)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"number": "911", "wording": "v1"}, "number_emergency"),
        ({"number": "9005551234", "wording": "v1"}, "number_premium"),
        ({"number": "+442079460958", "wording": "v1"}, "number_unreachable"),
        ({"number": "12", "wording": "v1"}, "number_invalid"),
        ({"number": "2025550142"}, "payload_invalid"),
        ({"number": "2025550142", "wording": ""}, "payload_invalid"),
        ({"number": 2025550142, "wording": "v1"}, "payload_invalid"),
        ({"number": "2" * 41, "wording": "v1"}, "payload_invalid"),
    ],
)
async def test_a_number_that_will_not_do_changes_nothing(meet, payload, code):
    meeting, page = await meet(patient_on(Script.BUSY))
    before = await meeting.seat()
    answer = await page.ask("phone:plan", payload)
    assert answer["error"]["code"] == code
    assert str(payload["number"]) not in str(answer)
    assert await meeting.seat() == before


async def test_agreeing_to_the_number_that_the_practice_has(meet):
    number = {"number": NUMBER_OF[Script.BUSY]}
    meeting, page = await meet({**ROSA, "numbers": [number]})
    assert not (await page.view())["me"]["line"]["agreed"]
    await page.does("phone:plan", AGREED)
    own = (await meeting.seat()).phone.number("own")
    assert (own.number, own.consent.wording) == (number["number"], AGREED["wording"])


async def test_a_page_that_changes_its_mind_without_end_does_not_fill_the_log(meet):
    meeting, page = await meet(ROSA)
    limit = meeting.server.node.limits.wishes
    while limit.take((await meeting.seat()).holder.id):
        pass
    before = len(await meeting.practice.log(meeting.visit))
    for signal, payload in (
        ("phone:plan", {"number": "2025550142", **AGREED}),
        ("phone:withdraw", {}),
    ):
        assert (await page.ask(signal, payload))["error"]["code"] == "rate_limited"
    assert len(await meeting.practice.log(meeting.visit)) == before
    await page.ask("visit:leave")
    assert (await meeting.seat()).admission == "left"


async def test_whoever_withdraws_is_not_called(meet):
    meeting, page = await meet(patient_on(Script.NO_ANSWER))
    await page.does("phone:withdraw")
    assert await page.refused("phone:call_me") == "no_number"
    assert (await meeting.seat()).phone.number("own").consent is None


async def test_a_trial_rings_and_lets_nobody_in(meet, rehearsed):
    meeting, page = await meet(patient_on(Script.PRESSES_1))
    await page.does("phone:try")
    await page.until(lambda view: view["me"]["line"]["tried_at"] is not None)
    assert (await meeting.line()).state == "good"
    assert "bridged" not in meeting.states()
    await rehearsed.node.world.settled()
    assert (await meeting.line()).attempts == ()


async def test_call_me_connect_me_stop(meet, rehearsed):
    _, page = await meet(patient_on(Script.VOICEMAIL))
    await page.does("phone:call_me")
    assert await page.refused("phone:connect") == "call_not_answered"
    await page.until(lambda view: view["me"]["line"]["state"] == "gate")
    assert await page.refused("phone:call_me") == "call_underway"
    await page.does("phone:connect")
    await page.until(lambda view: view["me"]["line"]["joined"])
    await page.does("phone:keep")
    await page.does("phone:move_back")
    await page.until(lambda view: view["me"]["line"]["state"] == "good")
    await rehearsed.node.world.settled()
    assert calls_at(rehearsed) == 0


async def test_a_device_that_does_not_hold_the_seat_has_no_say(meet, opened, rehearsed):
    meeting, _ = await meet(patient_on(Script.NO_ANSWER))
    other = await opened(rehearsed).opens(meeting.visit.patient.code)
    before = await meeting.seat()
    for signal in ("phone:try", "phone:call_me", "phone:withdraw", "phone:connect"):
        await other.ask(signal)
    await other.ask("phone:plan", {"number": NUMBER_OF[Script.PRESSES_1], "wording": "v1"})
    now = await meeting.seat()
    assert (now.phone, now.line.call, now.line.calls) == (before.phone, None, 0)
    assert (await other.view())["me"]["line"]["number"] == ""


async def test_pages_that_hide_and_show_are_noted_and_not_logged(meet):
    meeting, page = await meet(ROSA)
    before = len(await meeting.practice.log(meeting.visit))
    await page.does("page:hidden")
    assert (await meeting.line()).page_hidden
    await page.does("page:shown")
    assert not (await meeting.line()).page_hidden
    assert len(await meeting.practice.log(meeting.visit)) == before


async def test_a_desk_writes_a_number_down_and_calls_it(meet, opened, rehearsed):
    meeting, _ = await meet(ROSA)
    desk = await opened(rehearsed).opens_desk(await meeting.practice.desk_code())
    where = {"visit": meeting.visit.id, "seat": meeting.patient}
    assert await desk.refused("desk:call", where) == "no_number"
    written = {**where, "number": NUMBER_OF[Script.NO_ANSWER], "wording": "spoken-1"}
    await desk.does("desk:record_number", written)
    await desk.does("desk:call", where)
    await meeting.until(state="ringing")
    await desk.does("desk:stop_call", where)
    await meeting.until(state="good")
    assert (await meeting.seat()).phone.number("own").consent.by.kind == "desk"
    assert NUMBER_OF[Script.NO_ANSWER] not in str(desk.received)
