import time

import pytest

from server.links import new_api_key
from server.routes import (
    ANNOUNCEMENTS,
    AUTHENTICATE,
    PAGES,
    RECORDING,
    ROUTES,
    SEAT,
    VISIT,
    Auth,
)
from tests.support.sounds import sound_file, tone

BODIES = {
    "/v1/visits": {"starts_at": 1e9, "ends_at": 2e9, "seats": [{"role": "patient"}]},
    VISIT + "/reschedule": {"starts_at": 2e9, "ends_at": 2e9 + 1},
    VISIT + "/seats": {"role": "family"},
    SEAT + "/message": {"text": "Five minutes more"},
    SEAT + "/numbers": {"number": "(202) 555-0101", "wording": "v1"},
    ANNOUNCEMENTS: {"spoken_name": "Riverside", "call_back": "+1 555 010 0142"},
}
BODIES[RECORDING] = sound_file(tone(440.0, 1.0, rate=48_000), "wav", "pcm_s16le")
KEYED = [route for route in ROUTES if route.auth in AUTHENTICATE]
# Everybody has their own:
COLLECTIONS = {"/v1/visits", "/v1/events", "/v1/desks", ANNOUNCEMENTS, RECORDING}
NOT_THERE = {"/v1/desks/{desk}": 204}  # withdrawing what is not there leaves it not there

SOMETHING = {"desk": "somebody", "prompt": "gate", "language": "pt-BR"}

EVERY_ROUTE = pytest.mark.parametrize("route", KEYED, ids=lambda r: f"{r.method} {r.path}")


@pytest.fixture
async def visit(practice):
    return await practice.plans()


@pytest.fixture
def call(server, visit):
    async def call(route, bearer):
        path = route.path.format(visit=visit.id, seat=visit.patient.seat, **SOMETHING)
        body = BODIES.get(route.path, {}) if route.body is not None else None
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return await server.call(route.method, path, body, headers=headers)

    return call


async def desk_token(practice, browser):
    answer = await browser().post(await practice.desk_code(), "/v1/desk/sessions")
    return answer.body["token"]


async def seat_token(visit, browser, role):
    return (await browser().post(getattr(visit, role).code)).body["token"]


@EVERY_ROUTE
async def test_nobody_gets_in_without_a_key(route, call, server, practice, visit, browser):
    revoked = await server.practice()
    await server.node.store.revoke_api_key(f"key-{revoked.id}", time.time())
    worthless = {
        "nothing": "",
        "garbage": "garbage",
        "a well-formed key": new_api_key(),
        "a revoked key": revoked.key,
        "a patient's token": await seat_token(visit, browser, "patient"),
        "a provider's token": await seat_token(visit, browser, "provider"),
        "a link's code": visit.provider.code,
    }
    if route.auth is Auth.PRACTICE:
        worthless["a desk's token"] = await desk_token(practice, browser)
    before = await practice.stored(visit)
    for what, bearer in worthless.items():
        answer = await call(route, bearer)
        assert (answer.status, answer.code) == (401, "unauthorized"), what
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    after = await practice.stored(visit)
    assert {seat.admission for seat in after.seats} == {seat.admission for seat in before.seats}


@EVERY_ROUTE
async def test_others_practices_see_nothing(route, call, server, practice, visit, browser):
    other = await server.practice()
    strangers = [other.key]
    if route.auth is Auth.STAFF:
        strangers.append(await desk_token(other, browser))
    for bearer in strangers:
        answer = await call(route, bearer)
        if route.path in COLLECTIONS:
            assert answer.status == route.status
            assert visit.id not in answer.text
        elif route.path in NOT_THERE:
            assert answer.status == NOT_THERE[route.path]
        else:
            assert (answer.status, answer.code) == (404, "unknown_visit")
            nowhere = await server.call(
                route.method,
                route.path.format(visit="nowhere", seat=visit.patient.seat, desk=""),
                BODIES.get(route.path, {}) if route.method == "POST" else None,
                headers={"Authorization": f"Bearer {bearer}"},
            )
            assert nowhere.text == answer.text, "another's visit looks like none"
    assert (await practice.stored(visit)).revision == 1, "only that it opened"


@EVERY_ROUTE
async def test_the_practice_and_its_desks_are_let_through(route, call, practice, visit, browser):
    trusted = [practice.key]
    if route.auth is Auth.STAFF:
        trusted.append(await desk_token(practice, browser))
    for bearer in trusted:
        answer = await call(route, bearer)
        # Nobody is inside, so nobody can be sent back: that is the visit's no, not the door's.
        as_expected = answer.status < 400 or answer.status == 409 or answer.code == "not_admitted"
        assert as_expected, answer


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_what_the_table_does_not_name_does_not_exist(server, practice, method):
    named = {(route.method, route.path) for route in ROUTES}
    named |= {(method, page.path) for page in PAGES for method in ("GET", "HEAD")}
    for path in {path for _, path in named}:
        if (method, path) in named:
            continue
        answer = await practice.call(method, path.format(visit="v", seat="s", **SOMETHING), {})
        assert answer.status == 405, (method, path)
        if method != "HEAD":
            assert answer.code == "not_found"
            allowed = {other for other, known in named if known == path}
            assert set(answer.headers["Allow"].split(",")) == allowed


def test_every_row_is_whole():
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert route.meaning
        assert route.meaning[0].isupper()
        assert (route.body is None) == (route.method in {"GET", "DELETE"})
        assert (route.reply is None) == (route.status == 204)
        assert not route.query or route.method == "GET"


async def test_only_the_table_is_served(server):
    served = {
        resource.canonical
        for resource in server.app.router.resources()
        if not resource.canonical.startswith("/socket.io")
    }
    assert served - {"/assets/{name}"} == {row.path for row in (*ROUTES, *PAGES)}
