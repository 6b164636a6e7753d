"""The REST API: creating visits once, and their life until the end."""

import asyncio
from dataclasses import replace

import pytest

from tests.support.server_clients import PATIENT, PROVIDER, QUICK, running_server


def asked(server, **fields):
    now = server.clock()
    return {"starts_at": now, "ends_at": now + 3600, "seats": [PATIENT, PROVIDER], **fields}


async def create(practice, body, key):
    return await practice.call("POST", "/v1/visits", body, Idempotency_Key=key)


async def test_the_same_key_gets_the_same_reply(server, practice):
    body = asked(server)
    first, again = await create(practice, body, "k1"), await create(practice, body, '"k1"')
    assert first.status == again.status == 201
    assert first.text == again.text
    assert len((await practice.get("/v1/visits"))["visits"]) == 1


async def test_another_request_with_the_same_key_is_refused(server, practice):
    await create(practice, asked(server), "k1")
    answer = await create(practice, asked(server, host="somebody else"), "k1")
    assert (answer.status, answer.code) == (422, "idempotency_mismatch")


async def test_requests_that_race_with_one_key_create_one_visit(server, practice):
    body = asked(server)
    answers = await asyncio.gather(*(create(practice, body, "k1") for _ in range(8)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len((await practice.get("/v1/visits"))["visits"]) == 1


async def test_different_requests_that_race_with_one_key_create_one_visit(server, practice):
    bodies = [asked(server, host=f"host {number}") for number in range(4)]
    answers = await asyncio.gather(*(create(practice, body, "k1") for body in bodies))
    assert sorted(answer.status for answer in answers) == [201, 422, 422, 422]


async def test_a_key_belongs_to_its_practice(server, practice):
    other, body = await server.practice(), asked(server)
    assert (await create(practice, body, "k1")).text != (await create(other, body, "k1")).text


async def test_a_key_is_forgotten_after_a_day(server, practice):
    body = asked(server)
    first = await create(practice, body, "k1")
    server.clock.advance(server.node.edge.reply_kept + 1)
    assert (await create(practice, body, "k1")).text != first.text


async def test_a_key_that_is_none_is_refused(server, practice):
    answer = await create(practice, asked(server), "two words")
    assert (answer.status, answer.code) == (400, "idempotency_key_invalid")


# -- the life of a visit --------------------


async def test_a_visit_lives_and_ends_by_rest(server, practice):
    seats = [
        {**PATIENT, "language": "es", "needs": ["signing"], "external_ids": {"mrn": "12-34"}},
        PROVIDER,
    ]
    now = server.clock()
    body = {
        "starts_at": now, "ends_at": now + 3600, "host": "the Tuesday clinic",
        "external_ids": {"appointment": "A-77"}, "seats": seats,
    }  # fmt: skip
    made = (await practice.post("/v1/visits", body)).body
    path = f"/v1/visits/{made['visit']}"
    state = await practice.get(path)
    assert state["stage"] == "open"
    assert state["external_ids"] == {"appointment": "A-77"}
    patient, _ = state["seats"]
    assert (patient["name"], patient["language"], patient["needs"]) == (
        "Rosa Alvarez", "es", ["signing"],
    )  # fmt: skip
    assert patient["external_ids"] == {"mrn": "12-34"}
    assert [seat["role"] for seat in made["seats"]] == ["patient", "provider"]
    for seat in made["seats"]:
        assert seat["link"].startswith(f"{server.url}/join#")
    added = await practice.post(f"{path}/seats", {"role": "interpreter", "name": "Ines"})
    assert added.status == 201
    assert added.body.keys() == {"seat", "role", "link"}
    assert len((await practice.get(path))["seats"]) == 3
    assert (await practice.call("DELETE", f"{path}/seats/{added.body['seat']}")).status == 204
    assert len((await practice.get(path))["seats"]) == 2
    assert (await practice.post(f"{path}/end")).body["stage"] == "ended"
    over = await practice.get(path)
    assert (over["stage"], over["end_reason"]) == ("ended", "by_practice")
    assert (await practice.post(f"{path}/end")).status == 200, "a repeated click"
    assert (await practice.post(f"{path}/seats", {"role": "family"})).code == "visit_ended"
    assert (await practice.post(f"{path}/cancel")).code == "visit_ended"


async def test_a_running_visit_is_ended_and_neither_moved_nor_cancelled(practice, meeting):
    visit = await practice.plans()
    await meeting(visit)
    times = {"starts_at": 4e9, "ends_at": 4.1e9}
    for what, body in (("reschedule", times), ("cancel", {})):
        answer = await practice.post(visit.path(rest=f"/{what}"), body)
        assert (answer.status, answer.code) == (409, "visit_running")


async def test_what_has_not_opened_is_not_ended(practice):
    visit = await practice.plans(begins_in=7200)
    answer = await practice.post(visit.path(rest="/end"))
    assert (answer.status, answer.code) == (409, "visit_not_open")
    assert (await practice.post(visit.path(rest="/cancel"))).body["stage"] == "cancelled"
    again = await practice.post(visit.path(rest="/end"))
    assert (again.status, again.code) == (403, "visit_cancelled")


@pytest.mark.parametrize("times", [(2e9, 1e9), (1e9, 1e9)])
async def test_times_out_of_order_are_refused(server, practice, times):
    body = {"starts_at": times[0], "ends_at": times[1]}
    created = await practice.post("/v1/visits", {**body, "seats": [PATIENT]})
    visit = await practice.plans(begins_in=7200)
    moved = await practice.post(visit.path(rest="/reschedule"), body)
    assert {(answer.status, answer.code) for answer in (created, moved)} == {(422, "times_invalid")}


async def test_a_visit_takes_only_so_many_seats(server, practice):
    most = server.node.policy.max_seats
    full = await practice.plans(*[PATIENT] * most)
    answer = await practice.post(full.path(rest="/seats"), {"role": "family"})
    assert (answer.status, answer.code) == (409, "visit_full")
    body = asked(server, seats=[PATIENT] * (most + 1))
    assert (await practice.post("/v1/visits", body)).status == 422
    assert (await practice.post("/v1/visits", asked(server, seats=[]))).status == 422


async def test_visits_are_listed_by_their_start_in_a_window(server, practice):
    soon, later = await practice.plans(begins_in=9_000), await practice.plans(begins_in=99_000)
    running = await practice.plans()
    now = server.clock()

    async def listed(**window):
        query = "&".join(f"{name}={value}" for name, value in window.items())
        return [v["visit"] for v in (await practice.get(f"/v1/visits?{query}"))["visits"]]

    await practice.get(running.path())
    assert await listed() == [running.id, soon.id], "the day around now"
    assert await listed(since=0, until=now + 1e6) == [running.id, soon.id, later.id]
    assert await listed(since=now + 5_000, until=now + 50_000) == [running.id, soon.id]
    assert await listed(since=now + 50_000, until=now + 1e6) == [running.id, later.id]
    for bad in ("since=x", "since=-1", "until=1e99", "until=nan"):
        answer = await practice.call("GET", f"/v1/visits?{bad}")
        assert (answer.status, answer.code) == (422, "payload_invalid")
        assert answer.body["fields"] == [bad.partition("=")[0]]


async def test_a_summary_says_who_when_and_how_long(server, practice, meeting):
    visit = await practice.plans()
    begun = server.clock()
    provider, patient = await meeting(visit)
    server.clock.advance(120)
    await patient.does("media:switch", {"microphone": True, "camera": False})
    server.clock.advance(60)
    await provider.does("visit:end")
    await patient.over()
    summary = await practice.get(visit.path(rest="/summary"))
    assert summary["stage"] == "ended"
    assert summary["ended_at"] == pytest.approx(begun + 180, abs=10)
    seats = {seat["role"]: seat for seat in summary["seats"]}
    minutes = seats["patient"]["minutes"]
    assert minutes["video"] == pytest.approx(2, abs=0.2)
    assert minutes["sound"] == pytest.approx(1, abs=0.2)
    assert minutes["phone"] == 0
    assert seats["provider"]["minutes"]["video"] == pytest.approx(3, abs=0.2)
    assert begun <= seats["patient"]["first_in"] < seats["patient"]["last_out"]
    assert seats["family"]["minutes"] == {"video": 0, "sound": 0, "phone": 0}
    assert seats["family"]["first_in"] is None


async def test_events_come_in_order_page_by_page(tmp_path):
    async with running_server(tmp_path, edge=replace(QUICK, events_page=7)) as server:
        practice, other = await server.practice(), await server.practice()
        for _ in range(8):
            visit = await practice.plans()
            await other.plans()
            await practice.post(visit.path("patient", "/deny"))
        events, after = [], 0
        while (page := await practice.get(f"/v1/events?after={after}"))["events"]:
            assert len(page["events"]) <= 7
            events += page["events"]
            assert page["next"] == page["events"][-1]["cursor"]
            after = page["next"]
        assert page["next"] == after
        assert [event["cursor"] for event in events] == list(range(1, len(events) + 1))
        assert sum(event["type"] == "VisitCreated" for event in events) == 8
        denied = [event for event in events if event["type"] == "SeatWasDenied"]
        assert {e["actor"] for e in denied} == {f"key-{practice.id}"}
        assert "Rosa" not in str(events)


async def test_a_seat_of_another_visit_is_none_of_this_one(practice):
    here, there = await practice.plans(), await practice.plans()
    for what in ("admit", "deny", "remove", "send-back", "let-back", "link"):
        path = f"{here.path()}/seats/{there.patient.seat}/{what}"
        answer = await practice.post(path)
        assert (answer.status, answer.code) == (404, "unknown_seat")
    assert (
        await practice.call("DELETE", f"{here.path()}/seats/{there.patient.seat}")
    ).status == 404
    seats = (await practice.stored(there)).seats
    assert {seat.admission for seat in seats} == {"invited"}


async def test_a_link_is_told_once_and_kept_only_as_its_hash(server, practice):
    visit = await practice.plans()
    assert "link" not in str(await practice.get(visit.path()))
    stored = server.settings.store_path.read_bytes()
    stored += server.settings.store_path.with_name("bedside.db-wal").read_bytes()
    for seat in visit.seats:
        assert seat.code.encode() not in stored
    assert practice.key.encode() not in stored
