"""Links: who opens what, what is said when they do not open, and cookies."""

import json
import statistics
import time
from dataclasses import replace

import pytest

from server.links import new_code
from tests.support.page_clients import Refused
from tests.support.server_clients import FAMILY, PATIENT, PHONE, PROVIDER, QUICK, running_server
from tests.support.store_trouble import locked_store

SESSIONS, DESKS = "/v1/sessions", "/v1/desk/sessions"
WORDS = {"practice_name", "practice_phone", "host", "starts_at", "opens_at", "moved_from"}


async def refusal(browser, code):
    answer = await browser.post(code)
    return answer.status, answer.code


async def test_previewers_consume_nothing(server, practice, browser):
    visit = await practice.plans()
    await practice.get(visit.path())  # it is open now
    before = await practice.log()
    for method in ("GET", "HEAD"):
        for path in ("/join", f"/join?code={visit.patient.code}", "/desk"):
            answer = await server.call(method, path)
            assert answer.status == 200
            assert visit.patient.code not in answer.text
        for path in (SESSIONS, DESKS):
            assert (await server.call(method, path, {"code": visit.patient.code})).status == 405
    assert await practice.log() == before
    assert (await browser().post(visit.patient.code)).status == 200


async def test_a_link_opens_as_often_as_one_likes_inside_its_time(practice, browser):
    visit = await practice.plans()
    one = browser()
    answers = [await one.post(visit.patient.code) for _ in range(3)]
    assert len({answer.body["view"]["me"]["device"] for answer in answers}) == 1
    assert len({answer.body["session"] for answer in answers}) == 3, "one for each page"
    assert len({answer.body["token"] for answer in answers}) == 3
    body = answers[0].body
    assert body["seat"] == visit.patient.seat
    assert body["role"] == "patient"
    assert body["expires_in"] == 600
    assert body["view"]["people"] == body["view"]["waiting"] == body["view"]["seats"] == []


async def test_unknown_and_revoked_look_exactly_alike(server, practice, browser):
    visit = await practice.plans()
    old, removed = visit.patient.code, visit.family.code
    renewed = await practice.post(visit.path("patient", "/link"))
    assert (await practice.call("DELETE", visit.path("family"))).status == 204
    answers = [
        await browser().post(code)
        for code in (new_code(), old, removed, "x", "", await practice.desk_code())
    ]
    assert {(answer.status, answer.code) for answer in answers} == {(404, "link_unknown")}
    assert len({answer.text for answer in answers}) == 1
    told = [
        {name: answer.headers[name] for name in answer.headers if name != "Date"}
        for answer in answers
    ]
    assert all(headers == told[0] for headers in told)
    assert (await browser().post(renewed.body["link"].split("#")[1])).status == 200


@pytest.mark.slow
async def test_unknown_and_revoked_take_the_same_time(practice, browser):
    visit = await practice.plans()
    revoked = visit.patient.code
    await practice.post(visit.path("patient", "/link"))
    await practice.call("DELETE", visit.path("family"))
    guess, took = browser(), {"unknown": [], "revoked": [], "withdrawn": []}
    for _ in range(150):
        for what, code in (
            ("unknown", new_code()), ("revoked", revoked), ("withdrawn", visit.family.code),
        ):  # fmt: skip
            begun = time.perf_counter()
            assert (await guess.post(code)).status == 404
            took[what].append(time.perf_counter() - begun)
    medians = [statistics.median(times) for times in took.values()]
    assert max(medians) - min(medians) < 0.005


async def test_whoever_comes_early_is_told_when_to_come(server, practice, browser):
    visit = await practice.plans(begins_in=7200)
    answer = await browser().post(visit.patient.code)
    assert (answer.status, answer.code) == (403, "visit_early")
    told = answer.body
    assert told.keys() >= WORDS
    assert (told["practice_name"], told["practice_phone"]) == (practice.name, PHONE)
    assert told["opens_at"] == told["starts_at"] - server.node.policy.opens_before
    assert told["host"] == "the Tuesday clinic"
    assert "Rosa" not in answer.text
    server.clock.advance(7200 - server.node.policy.opens_before + 1)
    assert (await browser().post(visit.patient.code)).status == 200


async def test_a_moved_visit_says_where_it_went(server, practice, browser):
    visit = await practice.plans(begins_in=7200)
    was = (await practice.get(visit.path()))["starts_at"]
    moved = {"starts_at": was + 86_400, "ends_at": was + 90_000}
    assert (await practice.post(visit.path(rest="/reschedule"), moved)).status == 200
    answer = await browser().post(visit.patient.code)
    assert (answer.status, answer.code) == (403, "visit_moved")
    assert (answer.body["moved_from"], answer.body["starts_at"]) == (was, was + 86_400)
    server.clock.advance(7200 + 86_400)
    assert (await browser().post(visit.patient.code)).status == 200


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        ("cancel", "visit_cancelled"),
        ("end", "visit_ended"),
        ("time", "visit_expired"),
        ("deny", "seat_denied"),
        ("remove", "seat_removed"),
    ],
)
async def test_a_closed_door_is_said_kindly_to_whoever_holds_the_link(
    server, practice, browser, happens, code
):
    visit = await practice.plans()
    known, stranger = browser(), browser()
    assert (await known.post(visit.patient.code)).status == 200
    if happens == "time":
        server.clock.advance(3600 + server.node.policy.overrun + 1)
    else:
        await practice.post(visit.path("patient" if "seat" in code else "", f"/{happens}"))
    for who in (known, stranger):
        answer = await who.post(visit.patient.code)
        assert (answer.status, answer.code) == (403, code)
        assert answer.body.keys() >= WORDS
        assert answer.body["practice_phone"] == PHONE
    refused = [entry for entry in await practice.log(visit) if entry.type == "LinkRefused"]
    assert [entry.outcome for entry in refused] == [code, code]


async def test_a_refused_device_stays_out_and_the_other_one_in(practice, meeting, browser):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    second = browser()
    page = await (await second.opens(visit.patient.code)).knocks()
    seen = await provider.until(lambda view: view["waiting"])
    entry = seen["waiting"][0]
    assert entry["another_device"]
    await provider.does("seat:deny", {"seat": entry["seat"], "device": entry["device"]})
    assert await page.over() == "device_refused"
    assert await refusal(second, visit.patient.code) == (403, "device_refused")
    assert (await patient.view())["me"]["inside"]


async def test_a_link_in_use_on_too_many_devices_opens_on_no_more(server, practice, browser):
    visit = await practice.plans()
    for _ in range(server.node.policy.max_devices):
        await (await browser().opens(visit.patient.code)).knocks()
    assert await refusal(browser(), visit.patient.code) == (403, "too_many_devices")


async def test_a_browser_without_cookies_locks_nobody_out(server, practice, browser):
    """A machine that looks into mail opens a link as somebody new as often as it likes."""
    visit = await practice.plans()
    patient = browser()
    await (await patient.opens(visit.patient.code)).knocks()
    for _ in range(server.node.policy.max_devices + 3):
        assert (await browser().post(visit.patient.code)).status == 200
    again = await patient.post(visit.patient.code)
    assert again.body["view"]["me"]["standing"] == "holding"


async def test_a_scanner_that_opens_the_link_first_keeps_nobody_out(practice, browser):
    """Mail gateways open what is in a mail in a browser of their own, and run its scripts."""
    visit = await practice.plans()
    for seat in (visit.provider, visit.patient):
        scanner = await browser().opens(seat.code)
        await scanner.does("visit:check")
        await scanner.does("media:switch", {"microphone": True, "camera": False})
        page = await browser().opens(seat.code)
        assert not (await page.view())["me"]["another_device"]
        await page.does("media:switch", {"microphone": True, "camera": True})
        await page.knocks()
        await scanner.until(lambda view: view["me"]["another_device"])
        assert await scanner.refused("visit:check") == "not_admitted"
        if seat is visit.provider:
            provider = await page.enters()
    (entry,) = (await provider.until(lambda view: view["waiting"]))["waiting"]
    assert not entry["another_device"]


async def test_a_page_whose_device_was_forgotten_opens_its_link_again(server, practice, browser):
    visit = await practice.plans()
    patient, forgotten = browser(), browser()
    await patient.opens(visit.patient.code)
    token = (await forgotten.post(visit.patient.code)).body["token"]
    for _ in range(server.node.policy.max_devices):
        await browser().post(visit.patient.code)
    with pytest.raises(Refused) as refusal:
        await forgotten.page(token).connect()
    assert refusal.value.code == "token_invalid"
    assert (await (await forgotten.opens(visit.patient.code)).view())["me"]["standing"] == "opened"


async def test_one_browser_holds_several_seats_and_each_has_its_cookie(practice, browser):
    visit = await practice.plans()
    one = browser()
    devices = {}
    for role in ("patient", "provider", "family"):
        seat = getattr(visit, role)
        devices[role] = (await one.post(seat.code)).body["view"]["me"]["device"]
        assert f"bedside-{seat.seat}" in one.cookies
    for role, device in devices.items():
        again = await one.post(getattr(visit, role).code)
        assert "Set-Cookie" not in again.headers
        assert again.body["view"]["me"]["device"] == device


async def test_the_cookie_is_the_browsers_alone(practice, browser):
    visit = await practice.plans()
    cookie = (await browser().post(visit.patient.code)).headers["Set-Cookie"]
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert "secure" not in parts, "plain HTTP: the browser would not keep it"
    age = next(int(part.split("=")[1]) for part in parts if part.startswith("max-age"))
    assert 3600 + 30 * 86_400 < age <= 3600 + 31 * 86_400, "the visit may be moved"


async def test_over_https_the_cookie_is_bound_to_the_host(tmp_path, browser):
    async with running_server(tmp_path, public_url="https://visits.example.org") as server:
        practice = await server.practice()
        visit = await practice.plans()
        one = browser(server)
        opened = await one.post(visit.patient.code)
        cookie = opened.headers["Set-Cookie"]
        assert cookie.startswith(f"__Host-bedside-{visit.patient.seat}=")
        assert "; Secure" in cookie
        assert "; Path=/" in cookie
        assert "domain" not in cookie.lower()
        assert opened.body["signal_url"] == "https://visits.example.org"
        assert "max-age" in opened.headers["Strict-Transport-Security"]
        again = await one.post(visit.patient.code)
        assert "Set-Cookie" not in again.headers


async def test_a_cookie_of_another_seat_proves_nothing(practice, browser):
    visit = await practice.plans()
    thief = browser()
    await thief.post(visit.family.code)
    stolen = thief.cookies[f"bedside-{visit.family.seat}"]
    thief.cookies = {f"bedside-{visit.patient.seat}": stolen}
    answer = await thief.post(visit.patient.code)
    assert "Set-Cookie" in answer.headers, "a new device like any other"
    thief.cookies = {f"bedside-{visit.patient.seat}": 'x" or 1=1'}
    assert "Set-Cookie" in (await thief.post(visit.patient.code)).headers


async def test_desk_links_open_desks_only(practice, browser):
    visit, code = await practice.plans(), await practice.desk_code()
    opened = await browser().post(code, DESKS)
    assert opened.status == 200
    assert opened.body.keys() == {"desk", "token", "expires_in", "signal_url"}
    assert (await browser().post(visit.provider.code, DESKS)).code == "link_unknown"
    assert (await browser().post(code)).code == "link_unknown"
    desk = opened.body["desk"]
    assert (await practice.call("DELETE", f"/v1/desks/{desk}")).status == 204
    assert (await browser().post(code, DESKS)).code == "link_unknown"


async def test_guesses_are_charged_and_early_patients_are_not(tmp_path, browser):
    edge = replace(QUICK, bad_links_per_minute=0.6, bad_links_burst=3)
    async with running_server(tmp_path, edge=edge) as server:
        practice = await server.practice()
        early, now = await practice.plans(begins_in=7200), await practice.plans()
        for _ in range(5):
            assert await refusal(browser(server), early.patient.code) == (403, "visit_early")
        for _ in range(3):
            assert await refusal(browser(server), new_code()) == (404, "link_unknown")
        answer = await browser(server).post(new_code())
        assert (answer.status, answer.code) == (429, "rate_limited")
        assert 0 < int(answer.headers["Retry-After"]) <= 100
        assert answer.body["retry_after"] > 0
        assert (await browser(server).post(new_code(), DESKS)).status == 429, "one limit for both"
        locked_out = await browser(server).post(now.patient.code)
        assert locked_out.status == 200, "a guesser behind the same router locks nobody out"


async def test_guesses_use_up_nobodys_openings(tmp_path, browser):
    async with running_server(tmp_path, edge=replace(QUICK, sessions_per_minute=1)) as server:
        practice = await server.practice()
        visit = await practice.plans()
        for _ in range(5):
            assert await refusal(browser(server), new_code()) == (404, "link_unknown")
        assert (await browser(server).post(visit.patient.code)).status == 200
        assert await refusal(browser(server), visit.patient.code) == (429, "rate_limited")


async def test_a_browser_with_too_many_credentials_gives_the_oldest_back(server, practice, browser):
    visit = await practice.plans()
    one, kept = browser(), server.node.edge.credentials_kept
    one.cookies = {"other": "x"} | {f"bedside-i{n}": "c" * 43 for n in range(kept + 2)}
    opened = await one.post(visit.patient.code)
    given, *taken = opened.headers.getall("Set-Cookie")
    assert given.startswith(f"bedside-{visit.patient.seat}=")
    assert [cookie.partition("=")[0] for cookie in taken] == ["bedside-i0", "bedside-i1"]
    assert all("Max-Age=0" in cookie and "Path=/" in cookie for cookie in taken)
    mine = f"bedside-{visit.patient.seat}"
    one.cookies = {mine: one.cookies[mine]} | {f"bedside-i{n}": "c" * 43 for n in range(kept)}
    again = await one.post(visit.patient.code)
    assert "Set-Cookie" not in again.headers, "however old the one is that was just used"


async def test_one_address_opens_only_so_many_sessions(tmp_path, browser):
    async with running_server(tmp_path, edge=replace(QUICK, sessions_per_minute=2)) as server:
        practice = await server.practice()
        visit = await practice.plans()
        statuses = [(await browser(server).post(visit.patient.code)).status for _ in range(3)]
        assert statuses == [200, 200, 429]


async def test_a_page_that_is_to_come_again_uses_up_nobodys_openings(tmp_path, browser):
    """A ward behind one address asks all the time while a visit is on its way to another node."""
    async with running_server(tmp_path, edge=replace(QUICK, sessions_per_minute=1)) as server:
        visit = await (await server.practice()).plans()
        async with locked_store(server):
            for _ in range(3):
                answer = await refusal(browser(server), visit.patient.code)
                assert answer == (503, "store_unavailable")
        assert (await browser(server).post(visit.patient.code)).status == 200
        assert await refusal(browser(server), visit.patient.code) == (429, "rate_limited")


async def test_a_code_that_cannot_be_one_is_refused(server):
    for body in ({}, {"code": None}, {"code": 5}, {"code": ["x"]}, {"code": "x" * 201}, [], "x"):
        answer = await server.call("POST", SESSIONS, body)
        assert (answer.status, answer.code) == (422, "payload_invalid")
    assert (await server.call("POST", SESSIONS, b"\xff{")).code == "payload_invalid"


async def test_patients_never_get_in_first_and_gain_no_rights(practice, people):
    """Whoever comes first is still whoever their link says."""
    visit = await practice.plans(PATIENT, FAMILY, PROVIDER)
    patient, family = await people(visit, "patient", "family")
    for page in (patient, family):
        await page.knocks()
        me = (await page.until(lambda view: view["me"]["admission"] == "waiting"))["me"]
        assert not me["inside"]
        assert not {"admit", "invite", "end", "see_waiting"} & set(me["may"])


# -- a page's last word --------------------

GOODBYE = "/v1/goodbye"


async def goodbye(server, token, **headers):
    """As ``navigator.sendBeacon`` sends a Blob of JSON: with cookies, an Origin, and no answer."""
    given = {"Origin": server.settings.origin, "Content-Type": "application/json", **headers}
    body = json.dumps({"token": token}).encode()
    return await server.call("POST", GOODBYE, body, headers=given)


@pytest.mark.parametrize("kind", ["application/json", "text/plain;charset=UTF-8", ""])
async def test_a_page_that_closes_says_so(server, practice, meeting, kind):
    visit = await practice.plans()
    _, patient = await meeting(visit)
    answer = await goodbye(server, patient.token, **{"Content-Type": kind})
    assert (answer.status, answer.text) == (204, "")
    line = (await practice.stored(visit)).seat(visit.patient.seat).line
    assert line.page_left_at == pytest.approx(server.clock(), abs=5)
    entries = [e for e in await practice.log(visit) if e.type == "PageLeft"]
    assert [(e.actor, e.outcome) for e in entries] == [(visit.patient.seat, "ok")]


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 4_000])
async def test_a_worthless_token_has_no_last_word(server, token):
    answer = await goodbye(server, token)
    assert (answer.status, answer.code) == (401, "token_invalid")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"token", b'{"token": 5}', b"\xff"])
async def test_a_last_word_without_a_token_is_refused(server, body):
    headers = {"Origin": server.settings.origin}
    answer = await server.call("POST", GOODBYE, body, headers=headers)
    assert answer.status in {401, 422}


async def test_a_desk_says_no_goodbye(server, practice, browser):
    opened = await browser().post(await practice.desk_code(), DESKS)
    assert (await goodbye(server, opened.body["token"])).status == 401


async def test_another_sites_page_says_no_goodbye(server, practice, meeting):
    visit = await practice.plans()
    _, patient = await meeting(visit)
    for origin in ("https://evil.example", "null"):
        assert (await goodbye(server, patient.token, Origin=origin)).code == "origin_refused"
    assert (await practice.stored(visit)).seat(visit.patient.seat).line.page_left_at is None


async def test_a_device_beside_the_seat_has_no_last_word(server, practice, meeting, browser):
    visit = await practice.plans()
    await meeting(visit)
    beside = await browser().opens(visit.patient.code)
    assert (await goodbye(server, beside.token)).status == 204
    assert (await practice.stored(visit)).seat(visit.patient.seat).line.page_left_at is None


async def test_a_goodbye_after_the_end_is_polite_all_the_same(server, practice, meeting):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    await provider.does("visit:end")
    assert (await goodbye(server, patient.token)).status == 204
    assert (await practice.stored(visit)).seat(visit.patient.seat).line.page_left_at is None


async def test_one_page_says_goodbye_so_often(tmp_path, browser):
    edge = replace(QUICK, goodbyes_per_minute=3.0)
    async with running_server(tmp_path, edge=edge) as server:
        visit = await (await server.practice()).plans()
        page, other = [await browser(server).opens(visit.patient.code) for _ in range(2)]
        statuses = [(await goodbye(server, page.token)).status for _ in range(5)]
        assert statuses == [204, 204, 204, 429, 429]
        assert (await goodbye(server, other.token)).status == 204
