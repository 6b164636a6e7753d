"""Pages of visits: who may connect, what they are shown, when they must go."""

import asyncio
from dataclasses import replace

import pytest
from aioice import stun

from rooms.events import SessionOpened
from server.tokens import SessionClaims, SessionTokens
from tests.support.page_clients import Refused, SeatPage
from tests.support.server_clients import QUICK, running_server


async def refused(server, token, **how):
    page = SeatPage(server, token)
    with pytest.raises(Refused) as refusal:
        await page.connect(**how)
    assert page.received == []
    return refusal.value.code


def minted(server, ring=None, **changes):
    claims = {
        "visit": "v", "seat": "s", "seat_epoch": 1, "device": "d", "session": "x", **changes,
    }  # fmt: skip
    tokens = SessionTokens(ring or server.ring, "bedside", server.clock, server.node.edge)
    return tokens.mint(SessionClaims(**claims))


async def claims_of(server, token):
    tokens = SessionTokens(server.ring, "bedside", server.clock, server.node.edge)
    claims = tokens.verify(token)
    names = ("visit", "seat", "seat_epoch", "device", "session")
    return {name: getattr(claims, name) for name in names}


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_without_a_token_nobody_connects(server, practice, browser, transport):
    desk = await browser().post(await practice.desk_code(), "/v1/desk/sessions")
    worthless = (None, ["x"], 5, "", "x", desk.body["token"], practice.key)
    for auth in ({}, *({"token": token} for token in worthless)):
        assert await refused(server, "", transport=transport, auth=auth) == "token_invalid"
    assert len(server.node.gateway.sessions) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"visit": "nowhere"},
        {"seat": "nowhere"},
        {"device": "nowhere"},
        {"seat_epoch": 2},
        {"seat_epoch": 0},
    ],
)
async def test_a_token_for_something_else_opens_nothing(server, practice, browser, changes):
    visit = await practice.plans()
    one = browser()
    token = (await one.post(visit.patient.code)).body["token"]
    good = await claims_of(server, token)
    assert await refused(server, minted(server, **(good | changes))) == "token_invalid"
    await (await one.page(minted(server, **good)).connect()).view()


async def test_a_token_of_another_visit_opens_nothing_here(server, practice, browser):
    here, there = await practice.plans(), await practice.plans()
    one = await claims_of(server, (await browser().post(here.patient.code)).body["token"])
    mixed = minted(server, **{**one, "visit": there.id})
    assert await refused(server, mixed) == "token_invalid"


async def test_a_token_is_worthless_once_its_seat_was_denied(practice, browser, server):
    visit = await practice.plans()
    one = browser()
    page = await one.opens(visit.patient.code)
    await practice.post(visit.path("patient", "/deny"))
    assert await page.over() == "seat_denied"
    assert await refused(server, page.token) == "seat_denied"
    await practice.post(visit.path("patient", "/let-back"))
    assert await refused(server, page.token) == "token_invalid", "its epoch is over"
    again = await one.opens(visit.patient.code)
    assert (await again.view())["me"]["admission"] == "invited"


@pytest.mark.parametrize(
    ("happens", "code"), [("/end", "visit_ended"), ("/cancel", "visit_cancelled")]
)
async def test_a_visit_that_is_over_takes_no_sockets(server, practice, browser, happens, code):
    visit = await practice.plans()
    page = await browser().opens(visit.patient.code)
    await practice.post(visit.path(rest=happens))
    assert await page.over() == code
    assert await refused(server, page.token) == code


async def test_what_becomes_of_pages_whose_seat_or_time_is_taken_away(practice, people, server):
    visit = await practice.plans()
    patient, family = await people(visit, "patient", "family")
    await practice.call("DELETE", visit.path("family"))
    assert await family.over() == "link_unknown"
    assert await refused(server, family.token) == "token_invalid"
    now = server.clock()
    moved = {"starts_at": now + 9_000, "ends_at": now + 9_999}
    assert (await practice.post(visit.path(rest="/reschedule"), moved)).status == 200
    assert await patient.over() == "visit_moved"
    assert await refused(server, patient.token) == "visit_moved"


async def test_a_reconnect_keeps_the_session_and_its_admission(practice, meeting, server, browser):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    session = (await patient.view())["session"]
    await patient.vanish()
    await provider.until(lambda view: view["people"][0]["admission"] == "away")
    async with SeatPage(server, patient.token) as again:
        await again.connect()
        view = await again.view()
        assert view["session"] == session
        assert view["me"]["inside"]
        await provider.until(lambda view: view["people"][0]["admission"] == "present")


async def test_a_reconnect_before_the_drop_is_noticed_moves_quietly(practice, meeting, server):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    async with SeatPage(server, patient.token) as again:
        await again.connect()
        assert await patient.over() == "", "the older socket is closed, the session is not over"
        assert (await again.view())["me"]["inside"]
        await again.does("media:restart")
        assert len(server.node.gateway.sessions) == 2
        await provider.does("media:switch", {"microphone": False, "camera": False})
        await provider.until(lambda view: not view["me"]["camera"])
        states = {person["admission"] for view in provider.views for person in view["people"]}
        assert "away" not in states, "nobody else noticed"


async def test_the_same_browser_twice_replaces_the_older_page(practice, browser):
    visit = await practice.plans()
    one = browser()
    older = await one.opens(visit.patient.code)
    await older.knocks()
    newer = await one.opens(visit.patient.code)
    assert await older.over() == "session_replaced"
    assert (await newer.view())["me"]["admission"] == "waiting"


async def test_another_device_waits_and_replaces_only_when_let_in(practice, meeting, browser):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    second = await browser().opens(visit.patient.code)
    await second.knocks()
    me = (await second.until(lambda view: view["me"]["standing"] == "waiting"))["me"]
    assert not me["inside"]
    assert (await patient.view())["me"]["inside"]
    assert await second.refused("visit:enter") == "not_admitted"
    assert await second.refused("media:restart") == "not_admitted"
    await provider.does("seat:admit", {"seat": visit.patient.seat, "device": me["device"]})
    assert await patient.over() == "device_replaced"
    await second.is_inside()


async def test_a_page_whose_device_is_forgotten_as_it_connects_is_told_to_open_anew(
    server, practice, browser, monkeypatch
):
    visit = await practice.plans()
    await browser().opens(visit.patient.code)
    page = browser()
    token = (await page.post(visit.patient.code)).body["token"]
    keeper = server.node.keeper
    submit = keeper.submit

    async def crowded(visit_id, event, **more):
        if isinstance(event, SessionOpened):
            monkeypatch.setattr(keeper, "submit", submit)
            for _ in range(server.node.policy.max_devices):
                await browser().post(visit.patient.code)
        return await submit(visit_id, event, **more)

    monkeypatch.setattr(keeper, "submit", crowded)
    connected = await page.page(token).connect()
    assert await connected.over() == "token_expired"
    assert (await (await page.opens(visit.patient.code)).view())["me"]["standing"] == "opened"


async def test_a_provider_link_on_a_second_device_needs_somebody_to_let_it_in(
    practice, meeting, browser
):
    visit = await practice.plans()
    provider, _ = await meeting(visit)
    second = await browser().opens(visit.provider.code)
    await second.knocks()
    me = (await second.until(lambda view: view["me"]["standing"] == "waiting"))["me"]
    assert not me["inside"]
    assert await second.refused("seat:admit", {"seat": visit.family.seat}) == "not_admitted"
    answer = await practice.post(visit.path("provider", "/admit"), {"device": me["device"]})
    assert answer.status == 200
    assert await provider.over() == "device_replaced"
    await second.is_inside()


async def test_an_expired_token_ends_the_web_session_and_never_the_seat(tmp_path, browser):
    edge = replace(QUICK, token_life=3, token_leeway=0)
    async with running_server(tmp_path, edge=edge) as server:
        practice = await server.practice()
        visit = await practice.plans()
        one, other = browser(server), browser(server)
        provider = await (await one.opens(visit.provider.code)).knocks()
        patient = await (await other.opens(visit.patient.code)).knocks()
        await practice.post(visit.path("patient", "/admit"))
        await patient.enters()
        assert await patient.over() == "token_expired"
        stored = (await practice.stored(visit)).seat(visit.patient.seat)
        assert stored.admission in {"present", "away"}
        assert await refused(server, patient.token) == "token_invalid"
        back = await other.opens(visit.patient.code)
        assert (await back.view())["me"]["inside"], "without a second admission"
        assert await provider.over() == "token_expired"
        await one.close()
        await other.close()


async def test_a_renewed_session_outlives_its_first_token(tmp_path, browser):
    async with running_server(tmp_path, edge=replace(QUICK, token_life=2)) as server:
        practice = await server.practice()
        visit = await practice.plans()
        one = browser(server)
        page = await one.opens(visit.patient.code)
        for _ in range(4):
            renewed = await page.does("session:renew")
            assert renewed["token"] != page.token
            with pytest.raises(TimeoutError):
                await page.over(within=0.6)
        assert await page.over() == "token_expired", "once it is renewed no more"
        await one.close()


async def test_nothing_reaches_a_page_whose_token_is_still_being_looked_at(
    server, practice, browser, people
):
    visit = await practice.plans()
    (provider,) = await people(visit, "provider")
    one = browser()
    pages = [one.page((await one.post(visit.patient.code)).body["token"]) for _ in range(6)]
    connecting = [asyncio.create_task(page.connect()) for page in pages]
    for _ in range(10):
        await provider.does("visit:knock")
        await provider.does("media:switch", {"microphone": bool(_ % 2), "camera": True})
    await asyncio.gather(*connecting, return_exceptions=True)
    assert not any(view["people"] for page in pages for view in page.views)


async def test_snapshots_never_go_back_in_time(practice, meeting):
    visit = await practice.plans()
    provider, patient = await meeting(visit)

    async def flicker(page):
        for number in range(20):
            on = bool(number % 2)
            await page.does("media:switch", {"microphone": on, "camera": not on})

    await asyncio.gather(flicker(provider), flicker(patient))
    stored = await practice.stored(visit)
    for page in (provider, patient):
        await page.until(lambda view: view["revision"] == stored.revision)
        revisions = [view["revision"] for view in page.views]
        assert revisions == sorted(set(revisions))


async def test_an_admission_tells_nothing_that_opens_anything(practice, meeting, browser):
    """CVE-2024-33530: no secret reaches the browser with its admission."""
    visit = await practice.plans()
    _, patient = await meeting(visit)
    said = str([data for name, data in patient.received if name == "visit:changed"])
    assert patient.token not in said
    for seat in visit.seats:
        assert seat.code not in said
    await practice.post(visit.path("patient", "/remove"))
    assert await patient.over() == "seat_removed"


async def test_who_waits_learns_of_nobody(practice, meeting, people):
    visit = await practice.plans()
    await meeting(visit)
    (family,) = await people(visit, "family")
    await family.knocks()
    view = await family.until(lambda view: view["me"]["admission"] == "waiting")
    for name in ("Rosa", "Amina", visit.patient.seat, visit.provider.seat):
        assert name not in str(family.received)
    assert view["practice"] == {"name": practice.name, "phone": practice.phone}


async def test_two_nodes_tokens_are_not_exchanged(tmp_path, server, practice, browser):
    visit = await practice.plans()
    token = (await browser().post(visit.patient.code)).body["token"]
    good = await claims_of(server, token)
    async with running_server(tmp_path / "other") as other:
        assert await refused(server, minted(server, other.ring, **good)) == "token_invalid"


async def test_nothing_answers_media_of_whoever_waits(server, practice, people):
    """No peer, no port of its own, no STUN answer for somebody who was not let in."""
    visit = await practice.plans()
    (patient,) = await people(visit, "patient")
    await patient.knocks()
    answers = asyncio.Queue()

    class Ears(asyncio.DatagramProtocol):
        def datagram_received(self, data, _):
            answers.put_nowait(data)

    loop = asyncio.get_running_loop()
    address = ("127.0.0.1", server.node.plane.port)
    transport, _ = await loop.create_datagram_endpoint(Ears, remote_addr=address)
    for name in (visit.patient.seat, patient.token[:8], "x", (await patient.view())["session"]):
        check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        check.attributes["USERNAME"] = f"{name}:{name}"
        check.attributes["PRIORITY"] = 1
        check.add_message_integrity(name.encode())
        transport.sendto(bytes(check))
    transport.sendto(b"\x16\xfe\xff" + bytes(64))
    transport.sendto(b"\x80\x60" + bytes(64))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(answers.get(), 0.3)
    transport.close()
    assert patient.heard_of("media:offer") == []


async def test_a_token_from_before_leaving_waits_like_anybody(server, practice, meeting):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    await patient.does("visit:leave")
    assert await patient.over() == "left"
    async with SeatPage(server, patient.token) as again:
        await again.connect()
        assert not (await again.view())["me"]["inside"]
        assert await again.refused("visit:enter") == "not_admitted"
        await again.knocks()
        waiting = await provider.until(lambda view: view["waiting"])
        assert waiting["waiting"][0]["seat"] == visit.patient.seat
        assert not (await again.view())["me"]["inside"]
