import asyncio

from tests.support.server_clients import PATIENT, PROVIDER


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
