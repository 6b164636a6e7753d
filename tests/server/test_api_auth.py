"""Who a caller of the API is. The whole grid, by route, is in test_routes.py."""

import time

import pytest

from server.links import new_api_key


async def as_whom(practice, key):
    answer = await practice.call("POST", "/v1/desks", {}, key=key)
    return answer.status


async def test_a_key_stands_for_its_practice_and_is_named_in_the_log(practice):
    await practice.post("/v1/desks")
    (entry,) = await practice.log()
    assert (entry.actor_kind, entry.actor) == ("practice", f"key-{practice.id}")


async def test_a_key_is_revoked_at_once(server, practice):
    assert await as_whom(practice, practice.key) == 201
    await server.node.store.revoke_api_key(f"key-{practice.id}", time.time())
    assert await as_whom(practice, practice.key) == 401


CHANGES = [str.lower, str.upper, lambda key: key + "x", lambda key: key[:-1]]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_key_is_exact(practice, change):
    changed = change(practice.key)
    assert changed != practice.key
    assert await as_whom(practice, changed) == 401
    assert await as_whom(practice, new_api_key()) == 401


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer"])
async def test_the_scheme_is_read_as_rfc_9110_says(server, practice, scheme):
    headers = {"Authorization": f"{scheme} {practice.key}"}
    assert (await server.call("GET", "/v1/visits", headers=headers)).status == 200


async def test_a_key_in_the_query_is_not_looked_at(server, practice):
    answer = await server.call("GET", f"/v1/visits?key={practice.key}&access_token={practice.key}")
    assert answer.status == 401


async def test_a_desk_is_named_in_the_log(practice, browser):
    visit = await practice.plans()
    opened = await browser().post(await practice.desk_code(), "/v1/desk/sessions")
    await practice.call("POST", visit.path("patient", "/deny"), {}, key=opened.body["token"])
    entry = next(e for e in await practice.log(visit) if e.type == "SeatWasDenied")
    assert (entry.actor_kind, entry.actor) == ("desk", opened.body["desk"])
