"""The telephone of a whole server: through its doors, over its carrier, into its visits."""

import asyncio
import signal
import socket
from dataclasses import replace

import pytest
from aiohttp import ClientSession

from media.phone.former_calls import KeptCall
from media.phone.scripts import Script
from rooms.model import Fallback, Sound
from rooms.policy import Policy
from server.__main__ import FIRST_PRACTICE
from server.config import ConfigurationError
from server.store import Practice
from server.telephony import PhonePolicies, StoredCalls
from tests.support.callers import (
    NUMBER_OF,
    SOON,
    admitted,
    calls_at,
    carrier,
    meeting_of,
    patient_on,
    phone_only,
    rehearsal,
)
from tests.support.ports import free_port
from tests.support.server_clients import AT_ONCE, HASTY, running_server
from tests.support.serving import serving
from tests.support.softphone import Softphone
from tests.support.store_trouble import locked_store
from tests.support.visits import Clinic

NEVER = dict.fromkeys(SOON.retry_after)


# -- stories --------------------


async def test_a_patient_without_a_browser_is_admitted_by_telephone(rehearsed, opened):
    meeting = await meeting_of(rehearsed, opened(rehearsed), phone_only(Script.PRESSES_1))
    await meeting.provider.does("seat:admit", {"seat": meeting.patient})
    await meeting.until(state="bridged", joined=True)
    assert meeting.states()[-4:] == ["dialing", "ringing", "gate", "bridged"]
    assert calls_at(rehearsed) == 1
    await meeting.provider.does("visit:end")
    await rehearsed.node.world.settled()
    assert calls_at(rehearsed) == 0
    summary = await meeting.practice.get(meeting.visit.path(rest="/summary"))
    patient = next(s for s in summary["seats"] if s["seat"] == meeting.patient)
    assert patient["minutes"]["phone"] > 0


async def test_a_silent_browser_is_replaced_by_the_telephone(rehearsed, opened):
    meeting = await meeting_of(rehearsed, opened(rehearsed), patient_on(Script.PRESSES_1))
    page = await admitted(meeting, opened(rehearsed))
    await meeting.sounds(Sound.FINE)
    await meeting.sounds(Sound.SILENT)
    await meeting.until(state="bridged", joined=True)
    mine = (await page.until(lambda view: view["me"]["line"]["joined"]))["me"]["line"]
    assert (mine["state"], mine["number"]) == ("bridged", NUMBER_OF[Script.PRESSES_1][-2:])
    await page.does("phone:stop")
    await meeting.until(state="stuck", stuck="stopped")
    assert calls_at(rehearsed) == 0


@pytest.mark.parametrize(
    ("script", "why", "stuck"),
    [
        (Script.DECLINES, "declined", "not_reached"),
        (Script.BLOCKED, "blocked", "not_reached"),
        (Script.BAD_NUMBER, "bad_number", "not_reached"),
        (Script.PRESSES_9, "refused", "refused"),
    ],
)
async def test_a_call_that_calling_again_does_not_mend(rehearsed, opened, script, why, stuck):
    meeting = await meeting_of(rehearsed, opened(rehearsed), phone_only(script))
    await meeting.provider.does("seat:admit", {"seat": meeting.patient})
    line = await meeting.until(state="stuck")
    assert (line["why"], line["stuck"], line["calls"]) == (why, stuck, 1)


async def test_a_busy_telephone_is_called_again_until_the_calls_are_used_up(tmp_path, opened):
    soon = dict.fromkeys(SOON.retry_after, 0.05)
    rules = replace(SOON, retry_after=soon)
    async with rehearsal(tmp_path, rules) as server:
        meeting = await meeting_of(server, opened(server), phone_only(Script.BUSY))
        await meeting.provider.does("seat:admit", {"seat": meeting.patient})
        line = await meeting.until(state="stuck")
        assert (line["why"], line["stuck"], line["calls"]) == ("busy", "calls_used", 3)
        entries = await meeting.practice.log(meeting.visit)
        assert [e.outcome for e in entries if e.type == "CallOver"] == ["busy"] * 3


async def test_sound_that_returns_ends_the_ringing(rehearsed, opened):
    meeting = await meeting_of(rehearsed, opened(rehearsed), patient_on(Script.NO_ANSWER))
    await admitted(meeting, opened(rehearsed))
    await meeting.sounds(Sound.FINE)
    await meeting.sounds(Sound.SILENT)
    await meeting.until(state="ringing")
    assert calls_at(rehearsed) == 1
    await meeting.sounds(Sound.FINE)
    await meeting.until(state="good")
    await rehearsed.node.world.settled()
    assert calls_at(rehearsed) == 0


async def test_staff_call_stop_and_call_another_number(rehearsed, opened):
    patient = patient_on(Script.NO_ANSWER)
    meeting = await meeting_of(rehearsed, opened(rehearsed), patient)
    await admitted(meeting, opened(rehearsed))
    seat = {"seat": meeting.patient}
    daughters = {"id": "daughter", "number": NUMBER_OF[Script.PRESSES_1], "contact": True}
    await meeting.provider.does(
        "seat:record_number", {**seat, **daughters, "label": "Lucia", "wording": "spoken-1"}
    )
    await meeting.provider.does("seat:call", seat)
    await meeting.until(state="ringing")
    assert await meeting.provider.refused("seat:call", seat) == "call_underway"
    answer = await meeting.practice.post(meeting.visit.path("patient", "/stop-call"))
    assert answer.status == 200
    await meeting.until(state="good")
    await meeting.provider.does("seat:call", {**seat, "number": "daughter"})
    await meeting.until(state="gate")
    assert await meeting.provider.refused("seat:let_in", seat) == "speak_first"
    await meeting.provider.does("seat:greet", seat)
    await meeting.provider.does("seat:let_in", seat)
    assert (await meeting.until(state="bridged"))["voice_confirmed"]


async def test_an_answer_while_the_store_is_locked_is_not_lost(tmp_path, opened, monkeypatch):
    slow = replace(HASTY, answers_after=1.0)
    phones = PhonePolicies(practice=slow, switchboard=AT_ONCE)
    async with rehearsal(tmp_path, phones=phones) as server:
        meeting = await meeting_of(server, opened(server), phone_only(Script.PRESSES_1))
        await meeting.provider.does("seat:admit", {"seat": meeting.patient})
        await meeting.until(state="ringing")
        calls, pressed = server.node.phones.calls, asyncio.Event()
        heard = calls.pressed
        monkeypatch.setattr(calls, "pressed", lambda *what: (heard(*what), pressed.set()))
        async with locked_store(server):
            await asyncio.wait_for(pressed.wait(), 5)
            assert (await meeting.line()).state == "ringing", "nothing is told before it is kept"
        await meeting.until(state="bridged", joined=True)
        assert meeting.states()[-3:] == ["ringing", "gate", "bridged"]


# -- the end of the server, and its next start --------------------


async def test_a_server_that_stops_leaves_no_call(tmp_path, opened):
    async with rehearsal(tmp_path) as server:
        meeting = await meeting_of(server, opened(server), phone_only(Script.PRESSES_1))
        await meeting.provider.does("seat:admit", {"seat": meeting.patient})
        await meeting.until(state="bridged", joined=True)
        telephones = carrier(server)
        assert telephones._calls
    assert telephones._calls == {}
    assert not telephones.healthy


@pytest.mark.parametrize(
    ("script", "state"), [(Script.NO_ANSWER, "ringing"), (Script.PRESSES_1, "bridged")]
)
async def test_who_was_called_is_called_again_after_a_restart(tmp_path, opened, script, state):
    async with rehearsal(tmp_path) as server:
        browser = opened(server)
        meeting = await meeting_of(server, browser, phone_only(script))
        await meeting.provider.does("seat:admit", {"seat": meeting.patient})
        await meeting.until(state=state)
        clock = server.clock
    clock.advance(3.0)
    async with rehearsal(tmp_path, clock=clock) as server:
        again, browser.server = meeting.at(server), server
        again.provider = await browser.opens(meeting.visit.provider.code)
        await again.until(state=state)
        line = await again.line()
        assert [attempt.why for attempt in line.attempts] == ["lost"]
        assert line.calls == 2
        assert calls_at(server) == 1


async def test_a_long_stop_uses_up_nobodys_calls(tmp_path, opened):
    """Deadlines that passed meanwhile are no calls: nobody was there to place them."""
    async with rehearsal(tmp_path) as server:
        meeting = await meeting_of(server, opened(server), patient_on(Script.PRESSES_1))
        await admitted(meeting, opened(server))
        await meeting.sounds(Sound.FINE)
        clock = server.clock
    clock.advance(900.0)
    rules = replace(SOON, call_after_restart=30.0)
    async with rehearsal(tmp_path, rules, clock=clock) as server:
        line = await meeting.at(server).line()
        assert (line.state, line.calls, line.attempts) == (Fallback.DEGRADED, 0, ())
        assert line.deadline.at > clock(), "pages come back first"
        assert calls_at(server) == 0


async def test_a_former_call_is_ended_at_the_start(tmp_path):
    async with rehearsal(tmp_path) as server:
        book = StoredCalls(server.node.store)
        await book.keep("former", "practice", "state")
        assert await book.kept() == [KeptCall(call="former", carrier="practice", state="state")]
    async with rehearsal(tmp_path) as server:
        await server.node.phones._switchboard._recovered.wait()
        assert await server.node.store.kept_calls() == []


async def test_names_are_spoken_where_they_are_new(server, monkeypatch):
    phones, store, said = server.node.phones, server.node.store, []

    async def prepare(announcer):
        said.append((announcer.practice, announcer.who))

    async def look_again():
        said.clear()
        phones.speak_all_soon()
        await phones._tasks.settled()
        return said

    monkeypatch.setattr(phones.prompts, "prepare", prepare)
    for name in ("north", "south"):
        await store.put_practice(Practice(name, name, spoken_name="Riverside"))
    assert await look_again() == [("north", "Riverside"), ("south", "Riverside")]
    assert await look_again() == []
    await store.put_practice(Practice("south", "south", spoken_name="Lakeside"))
    assert await look_again() == [("south", "Lakeside")]


# -- settings --------------------


async def test_without_a_carrier_pages_ask_for_no_number(server, practice, people):
    visit = await practice.plans()
    (page,) = await people(visit, "patient")
    assert (await page.view())["calls_people"] is False


async def test_with_a_carrier_they_do(rehearsed, opened):
    meeting = await meeting_of(rehearsed, opened(rehearsed), patient_on(Script.BUSY))
    assert meeting.provider.views[-1]["calls_people"] is True


# -- privacy --------------------


async def test_no_number_is_in_the_log_or_the_metrics_or_a_reply(rehearsed, opened):
    number = NUMBER_OF[Script.PRESSES_1]
    meeting = await meeting_of(rehearsed, opened(rehearsed), phone_only(Script.PRESSES_1))
    path = meeting.visit.path("patient", "/numbers")
    asked = {"id": "work", "number": "(202) 555-0104", "label": "work", "wording": "spoken-1"}
    recorded = await meeting.practice.post(path, asked)
    await meeting.provider.does("seat:admit", {"seat": meeting.patient})
    await meeting.until(state="bridged", joined=True)
    await meeting.provider.does("visit:end")
    told = [str(meeting.provider.received), recorded.text]
    told.append((await rehearsed.call("GET", "/metrics")).text)
    told += [str(await meeting.practice.get("/v1/events"))]
    told += [str(await meeting.practice.get(meeting.visit.path()))]
    for text in told:
        for secret in (number, number[1:], "2025550104", "555-0104", "5550101"):
            assert secret not in text


async def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path):
    trunk = {"sip_servers": "127.0.0.1:9", "sip_caller": "+12025550199", "sip_host": "127.0.0.1"}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        trunk |= {"sip_transport": "udp", "sip_port": taken.getsockname()[1]}
        with pytest.raises(ConfigurationError, match=r"in use\. Look at BEDSIDE_SIP_HOST"):
            async with running_server(tmp_path, **trunk):
                pass


async def test_certificates_that_are_not_there_are_said_in_a_sentence(tmp_path):
    trunk = {"sip_servers": "127.0.0.1:9", "sip_caller": "+12025550199"}
    with pytest.raises(ConfigurationError, match="BEDSIDE_SIP_CA_FILE"):
        async with running_server(tmp_path, **trunk, sip_ca_file=tmp_path / "nowhere.pem"):
            pass


async def test_a_trunk_that_is_away_keeps_nobody_from_the_visit(tmp_path, opened):
    """Whoever is to be called is not reached, staff see why, and nothing else stops."""
    trunk = {"sip_servers": "127.0.0.1:9", "sip_caller": "+12025550199", "sip_transport": "tcp"}
    policy = replace(Policy(), fallback=replace(SOON, retry_after=NEVER))
    async with running_server(tmp_path, visit=policy, **trunk) as server:
        meeting = await meeting_of(server, opened(server), phone_only(Script.PRESSES_1))
        await meeting.provider.does("seat:admit", {"seat": meeting.patient})
        line = await meeting.until(state="stuck")
        assert (line["why"], line["stuck"]) == ("carrier_down", "not_reached")
        assert await server.node.store.kept_calls() == []


# -- over a real trunk --------------------


def trunk_to(phone):
    return {
        "sip_servers": f"127.0.0.1:{phone.port}",
        "sip_transport": "udp",
        "sip_srtp": False,
        "sip_host": "127.0.0.1",
        "sip_port": free_port(),
        "sip_caller": "+12025550199",
    }


def reached_at(phone):
    own = {"number": phone.number, "wording": "spoken-1"}
    return {"role": "patient", "name": "Rosa", "numbers": [own], "by_phone_only": True}


async def test_a_real_telephone_rings_answers_and_is_let_in(tmp_path, opened):
    policy = replace(Policy(), fallback=SOON)
    async with (
        Softphone(number=NUMBER_OF[Script.PRESSES_1]) as phone,
        running_server(tmp_path, visit=policy, **trunk_to(phone)) as server,
    ):
        meeting = await meeting_of(server, opened(server), reached_at(phone))
        await meeting.provider.does("seat:admit", {"seat": meeting.patient})
        await phone.until("CALL_INCOMING")
        await meeting.until(state="ringing")
        assert [kept.carrier for kept in await server.node.store.kept_calls()] == [
            f"127.0.0.1:{phone.port}"
        ]
        await phone.answer()
        await meeting.until(state="gate")
        await phone.press("1")
        await meeting.until(state="bridged", joined=True)
        await meeting.provider.does("visit:end")
        await phone.until("CALL_CLOSED")
    assert phone.number not in str(meeting.provider.received)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL], ids=["asked", "killed"])
async def test_a_telephone_that_rings_when_the_server_ends_rings_no_more(tmp_path, ending):
    port = free_port()
    async with Softphone(number=NUMBER_OF[Script.PRESSES_1]) as phone:
        trunk, data = trunk_to(phone), tmp_path / "data"
        async with serving(data, port, **trunk) as (process, said), ClientSession() as http:
            key = (data / FIRST_PRACTICE).read_text().split("API key")[1].split()[0]
            clinic = Clinic(http, said[-1].removeprefix("Bedside listens on ").strip(), key)
            visit = await clinic.plans(reached_at(phone))
            seat = f"/v1/visits/{visit.id}/seats/{visit.patient.seat}"
            await clinic.call("POST", f"{seat}/admit", {})
            await phone.until("CALL_INCOMING")
            process.send_signal(ending)
            await process.wait()
        if ending is signal.SIGTERM:
            await phone.until("CALL_CLOSED")
            return
        assert phone.state == "CALL_INCOMING", "nobody told it"
        async with serving(data, port, **trunk):
            await phone.until("CALL_CLOSED")
