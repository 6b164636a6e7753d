"""The run loop: one writer at a time, deadlines, restarts, a store that is away, races, crashes."""

import asyncio
import random
from dataclasses import replace

import aiohttp
import pytest
import socketio

from media.phone.scripts import Script
from rooms.events import SeatAdmitted, SeatWasDenied
from rooms.model import Actor, ActorKind, Stage
from rooms.policy import Policy
from server.__main__ import FIRST_PRACTICE
from server.audit import first_break
from server.keys import load
from server.sqlite_store import SqliteStore
from server.store import StoreUnavailable
from tests.support.callers import SOON, calls_at, meeting_of, phone_only, rehearsal
from tests.support.ports import free_port
from tests.support.server_clients import FAMILY, PATIENT, PROVIDER, running_server
from tests.support.serving import serving
from tests.support.store_trouble import full_disk, locked_store

DECISIONS = {"SeatAdmitted", "SeatWasDenied"}
KEY = Actor(ActorKind.PRACTICE, "key-1")


@pytest.fixture
async def waiting(practice, people):
    """A provider inside; patient and family wait."""
    visit = await practice.plans()
    provider, patient, family = await people(visit, "provider", "patient", "family")
    await (await provider.knocks()).enters()
    await patient.knocks()
    await family.knocks()
    await provider.until(lambda view: len(view["waiting"]) == 2)
    return visit, provider, patient, family


# -- races --------------------


async def test_two_providers_who_decide_at_once_have_one_outcome(practice, browser):
    visit = await practice.plans(PROVIDER, PROVIDER, *[PATIENT] * 8)
    doctors = [await browser().opens(visit.seats[number].code) for number in (0, 1)]
    for doctor in doctors:
        await (await doctor.knocks()).is_inside()
    for guest in visit.seats[2:]:
        await (await browser().opens(guest.code)).knocks()
        order = ["seat:admit", "seat:deny"]
        random.shuffle(order)
        answers = await asyncio.gather(
            *(doctor.ask(name, {"seat": guest.seat})
              for doctor, name in zip(doctors, order, strict=True))
        )  # fmt: skip
        seat = (await practice.stored(visit)).seat(guest.seat)
        written = [e.type for e in await practice.log(visit) if e.seat == guest.seat]
        decided = [what for what in written if what in DECISIONS]
        assert seat.admission == "denied", "a denial that comes later wins, one that is first stays"
        assert decided in (["SeatWasDenied"], ["SeatAdmitted", "SeatWasDenied"])
        assert sum("ok" in answer for answer in answers) == len(decided)


async def test_a_double_click_on_two_doors_admits_once(practice, waiting):
    visit, provider, patient, _ = waiting
    by_rest = [practice.post(visit.path("patient", "/admit")) for _ in range(3)]
    by_signal = provider.ask("seat:admit", {"seat": visit.patient.seat})
    *answers, ack = await asyncio.gather(*by_rest, by_signal)
    took = [answer.status == 200 for answer in answers] + ["ok" in ack]
    assert sum(took) == 1
    assert {answer.code for answer in answers if answer.status != 200} <= {"not_waiting"}
    written = [e for e in await practice.log(visit) if e.type == "SeatAdmitted"]
    assert [entry.outcome for entry in written] == ["ok"]
    await patient.is_inside()


async def test_many_writers_of_one_visit_lose_nothing(server, practice, waiting):
    visit, _, _, _ = waiting
    texts = [f"message {number}" for number in range(10)]
    answers = await asyncio.gather(
        *(practice.post(visit.path("patient", "/message"), {"text": text}) for text in texts)
    )
    assert {answer.status for answer in answers} == {200}
    notices = (await practice.stored(visit)).seat(visit.patient.seat).notices
    assert sorted(notice.text for notice in notices) == sorted(texts)
    assert server.node.keeper._turns == {}


async def test_a_second_device_that_never_knocked_may_leave(practice, browser):
    visit = await practice.plans()
    await browser().opens(visit.patient.code)
    second = await browser().opens(visit.patient.code)
    await second.does("visit:leave")
    assert await second.over() == "left", "nothing was to be saved, and yet somebody had to go"


async def test_a_save_whose_caller_gave_up_is_followed_all_the_same(server, practice, waiting):
    visit, _, patient, _ = waiting
    node = server.node
    for _ in range(20):  # at whatever moment it is
        deciding = asyncio.ensure_future(
            node.keeper.submit(visit.id, SeatAdmitted(seat=visit.patient.seat, by=KEY))
        )
        await asyncio.sleep(0)
        await asyncio.sleep(random.random() / 500)
        deciding.cancel()
        await asyncio.gather(deciding, return_exceptions=True)
        await node.keeper.current(visit.id)
        stored = await practice.stored(visit)
        if stored.seat(visit.patient.seat).admission == "admitted":
            break
    view = await patient.until(lambda view: view["revision"] == stored.revision)
    assert view["me"]["inside"] == (stored.seat(visit.patient.seat).admission == "admitted")


async def test_a_visit_that_opens_while_nobody_looks_is_told_to_the_desk(server, practice, browser):
    desk = await browser().opens_desk(await practice.desk_code())
    visit = await practice.plans(begins_in=7200)
    await desk.until(lambda view: [v["stage"] for v in view["visits"]] == ["scheduled"])
    await let_pass(server, visit, 7200)
    await desk.until(lambda view: [v["stage"] for v in view["visits"]] == ["open"])


# -- deadlines --------------------


async def let_pass(server, visit, seconds):
    """As if the visit's timer had waited so long."""
    server.clock.advance(seconds)
    server.node.keeper.adopt((await server.node.store.load(visit.id)).visit)


async def test_a_deserted_visit_ends_by_itself(tmp_path, browser):
    policy = Policy(deserted_after=0.3, waiting_place_kept=0.1)
    async with running_server(tmp_path, visit=policy) as server:
        practice = await server.practice()
        visit = await practice.plans()
        one, other = browser(server), browser(server)
        provider = await (await one.opens(visit.provider.code)).knocks()
        patient = await (await other.opens(visit.patient.code)).knocks()
        await provider.does("visit:enter")
        await practice.post(visit.path("patient", "/admit"))
        await patient.enters()
        desk = await browser(server).opens_desk(await practice.desk_code())
        await one.close()
        await other.close()
        await desk.until(lambda view: [v["stage"] for v in view["visits"]] == ["ended"])
        stored = await practice.stored(visit)
        assert (stored.stage, stored.end_reason) == (Stage.ENDED, "deserted")
        assert [e.outcome for e in await practice.log(visit)][-1] == "deserted"
        await desk.close()


async def test_the_clock_ends_a_visit_that_nobody_ended(server, practice, people):
    visit = await practice.plans(lasts=60)
    (page,) = await people(visit, "patient")
    await page.knocks()
    await let_pass(server, visit, 60 + server.node.policy.overrun)
    assert await page.over() == "visit_ended"
    assert (await practice.stored(visit)).end_reason == "time_up"


async def test_deadlines_that_passed_while_the_server_was_down_are_met_at_the_start(tmp_path):
    async with running_server(tmp_path) as server:
        practice = await server.practice()
        soon, later = await practice.plans(begins_in=3600), await practice.plans()
        clock = server.clock
    clock.advance(3600 + 7200 + 1)
    async with running_server(tmp_path, clock=clock) as server:
        stages = {v: (await server.node.store.load(v.id)).visit.stage for v in (soon, later)}
        assert stages == {soon: Stage.OPEN, later: Stage.ENDED}
        entries = await server.node.store.log_after(practice.id, 0, 100)
        ended = next(entry for entry in entries if entry.outcome == "closes")
        assert ended.at < clock() - 1, "at its own time, not at that of the start"


async def test_a_deadline_that_cannot_be_stored_is_met_later(server, practice, browser):
    desk = await browser().opens_desk(await practice.desk_code())
    visit = await practice.plans(begins_in=7200)
    async with locked_store(server):
        await let_pass(server, visit, 7200)
        with pytest.raises(StoreUnavailable):
            await server.node.keeper.current(visit.id)
        assert (await practice.stored(visit)).stage is Stage.SCHEDULED
    await desk.until(lambda view: [v["stage"] for v in view["visits"]] == ["open"])


async def test_a_lines_deadline_is_met_when_it_is_met(rehearsed, opened):
    """What should have rung an hour ago rings now, once, and not as often as it could have."""
    meeting = await meeting_of(rehearsed, opened(rehearsed), phone_only(Script.NO_ANSWER))
    await meeting.provider.does("seat:admit", {"seat": meeting.patient})
    await meeting.until(state="ringing")
    rehearsed.clock.advance(3600)
    visit = await rehearsed.node.keeper.current(meeting.visit.id)
    line = visit.seat(meeting.patient).line
    assert (line.state, line.calls) == ("degraded", 1), "it rang too long, and is tried again"
    assert [attempt.at for attempt in line.attempts] == [pytest.approx(rehearsed.clock(), abs=5)]
    assert line.deadline.at > rehearsed.clock()


async def test_after_a_restart_nobody_was_called_meanwhile(tmp_path, opened):
    async with rehearsal(tmp_path) as server:
        meeting = await meeting_of(server, opened(server), phone_only(Script.NO_ANSWER))
        await meeting.provider.does("seat:admit", {"seat": meeting.patient})
        await meeting.until(state="ringing")
        clock = server.clock
    clock.advance(1800)
    rules = replace(SOON, call_after_restart=30.0)
    async with rehearsal(tmp_path, rules, clock=clock) as server:
        line = await meeting.at(server).line()
        assert (line.state, line.call, line.calls) == ("degraded", None, 1)
        assert [attempt.why for attempt in line.attempts] == ["lost"]
        types = [entry.type for entry in await meeting.at(server).practice.log(meeting.visit)]
        assert "LineDeadlinePassed" not in types
        assert calls_at(server) == 0


# -- a store that is away --------------------


async def test_a_locked_store_refuses_and_the_visit_goes_on(server, practice, waiting):
    visit, provider, patient, family = waiting
    async with locked_store(server):
        assert (
            await provider.refused("seat:admit", {"seat": visit.patient.seat})
            == "store_unavailable"
        )
        answer = await practice.post(visit.path("patient", "/deny"))
        assert (answer.status, answer.code) == (503, "store_unavailable")
        asked = {"starts_at": 1e9, "ends_at": 2e9, "seats": [PATIENT]}
        assert (await practice.post("/v1/visits", asked)).code == "store_unavailable"
        assert await patient.refused("visit:enter") in {"store_unavailable", "not_admitted"}
        assert (await practice.get(visit.path()))["stage"] == "open", "reading goes on"
        assert not patient.gone.is_set()
        renewed = await patient.does("session:renew")
        assert renewed["token"]
    await provider.does("seat:admit", {"seat": visit.patient.seat})
    await patient.is_inside()
    assert not (await family.view())["me"]["inside"]
    assert await first_break(server.node.store, practice.id, server.ring.audit) is None


async def test_a_full_disk_refuses_and_the_visit_goes_on(server, practice, waiting):
    visit, provider, patient, _ = waiting
    words = {"seat": visit.patient.seat, "text": "w" * 500}
    async with full_disk(server):
        answers = [await practice.post(visit.path("patient", "/message"), words) for _ in range(40)]
        assert answers[-1].code == "store_unavailable"
        taken = sum(answer.status == 200 for answer in answers)
        assert not patient.gone.is_set()
        assert (await server.call("GET", "/readyz")).status in {200, 503}
    await provider.does("seat:admit", {"seat": visit.patient.seat})
    await patient.is_inside()
    sent = [e for e in await practice.log(visit) if e.type == "NoticeSent"]
    assert len(sent) == taken, "what was refused is not half there"
    assert await first_break(server.node.store, practice.id, server.ring.audit) is None


# -- crashes --------------------

ORDERS = {  # what is ordered of whom, and what the log calls it
    "patient": {"admit": "SeatAdmitted", "send-back": "SeatSentBack"},
    "family": {
        "deny": "SeatWasDenied", "let-back": "SeatLetBack", "remove": "SeatWasRemoved",
    },
}  # fmt: skip
BECOMES = {
    "SeatAdmitted": "admitted", "SeatSentBack": "waiting", "SeatWasDenied": "denied",
    "SeatLetBack": "invited", "SeatWasRemoved": "removed",
}  # fmt: skip


async def knock(url, code):
    """Ask to come in, and leave the line: the place is kept."""
    async with aiohttp.ClientSession(url) as http:
        token = (await (await http.post("/v1/sessions", json={"code": code})).json())["token"]
    page = socketio.AsyncClient(reconnection=False)
    await page.connect(url, auth={"token": token}, namespaces=["/visit"])
    assert (await page.call("visit:knock", {}, namespace="/visit"))["ok"]
    await page.disconnect()


async def order_until_killed(http, process, seats, dice, told):
    """Order one thing after another; ``told`` gets what was acknowledged and changed something."""
    state = {"patient": "waiting", "family": "invited"}
    while process.returncode is None:
        role = dice.choice(list(seats))
        what = dice.choice(list(ORDERS[role]))
        try:
            async with http.post(f"{seats[role]}/{what}", json={}) as answer:
                body = await answer.json()
        except aiohttp.ClientError:
            return
        if answer.status == 200:
            (now,) = (s["admission"] for s in body["seats"] if seats[role].endswith(s["seat"]))
            if state[role] != now:
                told.append((seats[role].rsplit("/", 1)[1], ORDERS[role][what]))
            state[role] = now


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_kill_nine_loses_no_decision_that_was_acknowledged(tmp_path):
    """At random moments in a stream of admissions, denials and removals."""
    data, port, dice = tmp_path / "data", free_port(), random.Random(7)
    told, visits = [], {}
    for _ in range(6):
        async with serving(data, port) as (process, _):
            url = f"http://127.0.0.1:{port}"
            key = (data / FIRST_PRACTICE).read_text().split("API key")[1].split()[0]
            headers = {"Authorization": f"Bearer {key}"}
            async with aiohttp.ClientSession(url, headers=headers) as http:
                asked = {"starts_at": 1.7e9, "ends_at": 4e9, "seats": [PATIENT, FAMILY]}
                made = await (await http.post("/v1/visits", json=asked)).json()
                await knock(url, made["seats"][0]["link"].split("#")[1])
                visits |= {seat["seat"]: made["visit"] for seat in made["seats"]}
                paths = {
                    seat["role"]: f"/v1/visits/{made['visit']}/seats/{seat['seat']}"
                    for seat in made["seats"]
                }
                loop = asyncio.get_running_loop()
                loop.call_later(dice.uniform(0.05, 0.5), process.kill)
                await order_until_killed(http, process, paths, dice, told)
            await process.wait()
    assert len(told) > 10
    await check_what_is_kept(data, told, visits)


async def check_what_is_kept(data, told, visits):
    ring = load(data / "keys.json")
    store = SqliteStore(data / "bedside.db", ring.audit)
    await store.open()
    try:
        assert await first_break(store, "main", ring.audit) is None
        written, cursor = [], 0
        while page := await store.log_after("main", cursor, 500):
            written += [(e.seat, e.type) for e in page if e.type in BECOMES and e.outcome == "ok"]
            cursor = page[-1].cursor
        for seat, visit in visits.items():
            kept = [what for who, what in written if who == seat]
            assert is_subsequence([what for who, what in told if who == seat], kept)
            stored = (await store.load(visit)).visit.seat(seat)
            assert not kept or stored.admission == BECOMES[kept[-1]]
    finally:
        await store.close()


def is_subsequence(few, many):
    rest = iter(many)
    return all(what in rest for what in few)


async def test_a_denial_outlives_a_restart_on_every_device(tmp_path, browser):
    async with running_server(tmp_path) as server:
        practice = await server.practice()
        visit = await practice.plans()
        event = SeatWasDenied(seat=visit.patient.seat, by=KEY)
        await server.node.keeper.submit(visit.id, event)
    async with running_server(tmp_path) as server:
        assert (await browser(server).post(visit.patient.code)).code == "seat_denied"
