"""One node asks another, over real sockets; and everybody else finds nothing there."""

import asyncio
import base64
import hmac
import json

import pytest
from aiohttp import ClientSession

from rooms.errors import SeatDenied
from rooms.events import SeatAdmitted, SeatLetBack, SeatWasDenied
from rooms.model import Actor, ActorKind
from server.claims import Claim
from server.idempotency import IdempotencyMismatch
from server.peer_messages import (
    ORDERS,
    AskOwned,
    Current,
    KeepOut,
    Owned,
    Submit,
    TakeOver,
    read,
    write,
)
from server.store import NotOwner, StoreUnavailable
from tests.support.peer_nodes import OTHER_RING, POLICY, peer_node, tokens
from tests.support.records import Clock, a_link, a_visit

DESK = Actor(ActorKind.DESK, "desk-1")
DENIED = SeatWasDenied(seat="seat-1", by=DESK)
ORDER = Submit(request="request-1", event=DENIED, links=(a_link(),), placed=True)
OWNED = AskOwned(visits=("visit-1", "visit-2"))


@pytest.fixture
async def here():
    async with peer_node() as node:
        yield node


async def nothing(node):
    """What anybody is told who asks for something that does not exist."""
    async with ClientSession() as session, session.post(node.record.url + "/nothing") as response:
        return response.status, await response.read(), dict(response.headers)


async def is_nothing(node, *answer):
    status, body, headers = await nothing(node)
    told, says, fields = answer
    assert (told, says) == (status, body) == (404, body)
    assert fields.keys() - {"Connection"} == headers.keys() - {"Connection"}
    assert node.host.asked == []


# The verbs


async def test_an_order_is_carried_out_and_answered_with_the_visit(here):
    status, body, headers = await here.raw(ORDER)
    assert (status, headers["Content-Type"].partition(";")[0]) == (200, "application/json")
    assert json.loads(body)["visit"]["id"] == "visit-1"
    assert here.host.asked == [("submit", "visit-1", DENIED, (a_link(),), True)]


async def test_every_verb_reaches_the_host(here):
    here.host.epochs = {"visit-2": 4}
    former = Claim("there-1", 3)
    await here.raw(Current(placed=False))
    await here.raw(TakeOver(request="r", former=former))
    _, body, _ = await here.raw(OWNED)
    assert read(Owned, body).epochs == (("visit-2", 4),)
    assert here.host.asked == [
        ("current", "visit-1", False),
        ("take_over", "visit-1", former),
        ("owned", ("visit-1", "visit-2")),
    ]


async def test_what_is_kept_out_can_let_nobody_in(here):
    gains = (SeatAdmitted(seat="seat-1", by=DESK), SeatLetBack(seat="seat-1", by=DESK))
    await here.raw(KeepOut(request="r", events=(gains[0], DENIED, gains[1])))
    assert here.host.asked == [("keep_out", "visit-1", (DENIED,))]


async def test_a_visits_id_may_hold_anything(here):
    await here.raw(Current(placed=False), visit="a%2Fb%20%C3%A9")
    assert here.host.asked == [("current", "a/b é", False)]


async def test_a_refusal_is_told_by_its_code(here):
    here.host.error = SeatDenied()
    status, body, headers = await here.raw(ORDER)
    assert (status, json.loads(body)["code"]) == (403, "seat_denied")
    assert headers["Content-Type"].startswith("application/problem+json")


async def test_a_failure_says_nothing_of_itself(here):
    here.host.error = RuntimeError("Rosa Alvarez")
    status, body, _ = await here.raw(ORDER)
    assert (status, json.loads(body)["code"]) == (500, "internal")
    assert b"Rosa" not in body


# Nobody else


async def test_without_a_token_there_is_nothing(here):
    for order in ORDERS:
        path = order.path.replace("{visit}", "visit-1")
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST"):
            async with (
                ClientSession() as session,
                session.request(method, here.record.url + path) as answer,
            ):
                assert answer.status == 404
                assert "Allow" not in answer.headers
    await is_nothing(here, *await here.raw(ORDER, headers={"Authorization": None}))


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer x.y.z", "Basic Og==", "é"])
async def test_a_worthless_token(here, header):
    await is_nothing(here, *await here.raw(ORDER, headers={"Authorization": header}))


async def test_a_token_of_another_ring(here):
    await is_nothing(here, *await here.raw(ORDER, tokens=tokens("other", OTHER_RING)))


async def test_a_token_for_another_node(here):
    await is_nothing(here, *await here.raw(ORDER, to="there"))


async def test_an_expired_token(here):
    long_ago = tokens("other", clock=lambda: 1_000.0)
    await is_nothing(here, *await here.raw(ORDER, tokens=long_ago))


@pytest.mark.parametrize(
    "change",
    [
        {"body": b"{}"},
        {"path": "/internal/visits/visit-2/submit"},
        {"path": "/internal/visits/visit-1/submit?placed"},
        {"path": "/internal/visits/visit-1/take-over"},
        {"path": "/internal/visits/visit%2D1/submit"},
        {"method": "PUT"},
    ],
)
async def test_a_token_for_another_request(here, change):
    await is_nothing(here, *await here.raw(ORDER, **change))


async def test_a_token_whose_claims_were_changed(here):
    token = tokens("other").sign("there", "POST", "/internal/owned", b"")
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["to"] = "here"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    await is_nothing(here, *await here.raw(OWNED, token=f"{head}.{forged}.{signature}"))
    guess = hmac.new(b"guess", f"{head}.{forged}".encode(), "sha256").digest()
    guessed = base64.urlsafe_b64encode(guess).rstrip(b"=").decode()
    await is_nothing(here, *await here.raw(OWNED, token=f"{head}.{forged}.{guessed}"))


@pytest.mark.parametrize(
    "header",
    [
        {"Origin": "http://127.0.0.1"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Mode": "cors"},
        {"Cookie": "a=b"},
        {"Referer": "http://127.0.0.1/"},
    ],
)
async def test_no_browser_gets_in_even_with_a_token(here, header):
    status, _, _ = await here.raw(ORDER, headers=header)
    assert status in {403, 404}
    assert here.host.asked == []


async def test_whoever_may_not_ask_has_no_body_read(here):
    """The header alone is answered: the megabytes that it promises are not waited for."""
    reader, writer = await asyncio.open_connection(*here.runner.addresses[0])
    writer.write(b"POST /internal/owned HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n")
    async with asyncio.timeout(5):
        assert b" 404 " in await reader.readline()
    writer.close()


# What a node that is known may still not do


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"visits": 7}', b"\xff\xfe", b"{}"])
async def test_garbage_is_refused_by_its_code(here, body):
    token = tokens("other").sign("here", "POST", "/internal/owned", body)
    status, says, _ = await here.raw(OWNED, token=token, body=body)
    assert (status, json.loads(says)["code"]) == (422, "payload_invalid")
    assert here.host.asked == []


async def test_a_body_larger_than_those_of_people_is_taken(here):
    many = AskOwned(visits=tuple(f"visit-{n:020}" for n in range(10_000)))
    status, _, _ = await here.raw(many)
    assert status == 200


async def test_an_endless_body_is_not(here):
    body = b" " * (POLICY.peer_body + 1)
    token = tokens("other").sign("here", "POST", "/internal/owned", body)
    status, _, _ = await here.raw(OWNED, token=token, body=body)
    assert status == 413
    assert here.host.asked == []


# Once


def repeated(node, order):
    """The very same request, again and again."""
    path = order.path.replace("{visit}", "visit-1")
    token = tokens("other").sign("here", "POST", path, write(order))
    return lambda: node.raw(order, token=token)


async def test_a_question_that_is_replayed_is_not_answered(here):
    for order in (OWNED, Current(placed=True)):
        again = repeated(here, order)
        assert (await again())[0] == 200
        assert (await again())[0] == 404
    assert len(here.host.asked) == 2


async def test_an_order_that_is_replayed_has_the_same_reply_and_is_decided_once(here):
    again = repeated(here, ORDER)
    first = await again()
    here.host.visit = a_visit(host="later")
    assert (await again())[:2] == first[:2]
    assert len(here.host.asked) == 1


async def test_the_same_request_with_a_new_token_is_decided_once(here):
    first = await here.raw(ORDER)
    assert (await here.raw(ORDER))[:2] == first[:2]
    assert len(here.host.asked) == 1


async def test_a_refusal_is_repeated_too(here):
    here.host.error = StoreUnavailable()
    first = await here.raw(ORDER)
    here.host.error = None
    assert (await here.raw(ORDER))[:2] == first[:2]
    assert first[0] == 503


async def test_a_node_that_did_not_decide_may_be_asked_again(here):
    here.host.error = NotOwner()
    again = repeated(here, ORDER)
    assert (await again())[0] == 503
    here.host.error = None
    assert (await again())[0] == 404, "the token was used"
    assert (await here.raw(ORDER))[0] == 200


async def test_while_it_is_under_way_everybody_waits_for_the_same(here):
    here.host.go_on = asyncio.Event()
    asking = [asyncio.create_task(here.raw(ORDER)) for _ in range(3)]
    await here.host.waiting.wait()
    here.host.go_on.set()
    replies = await asyncio.gather(*asking)
    assert len({body for _, body, _ in replies}) == 1
    assert len(here.host.asked) == 1


async def test_the_order_goes_on_when_whoever_asked_is_gone(here):
    here.host.go_on = asyncio.Event()
    asking = asyncio.create_task(here.raw(ORDER))
    await here.host.waiting.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    here.host.go_on.set()
    assert (await here.raw(ORDER))[0] == 200
    assert len(here.host.asked) == 1


async def test_one_request_id_is_one_request(here):
    await here.raw(ORDER)
    other = Submit(request=ORDER.request, event=DENIED, links=(), placed=True)
    status, body, _ = await here.raw(other)
    assert (status, json.loads(body)["code"]) == (422, IdempotencyMismatch.code)
    assert len(here.host.asked) == 1


async def test_the_ids_of_two_nodes_are_their_own(here):
    await here.raw(ORDER)
    await here.raw(ORDER, tokens=tokens("third"))
    assert len(here.host.asked) == 2


async def test_a_reply_is_forgotten_after_its_time_and_its_token_never_works_again():
    clock = Clock()
    async with peer_node(clock=clock) as here:
        again = repeated(here, ORDER)
        await again()
        clock.now += POLICY.replies_kept
        assert (await again())[0] == 404
        assert len(here.host.asked) == 1
        assert (await here.raw(ORDER))[0] == 200
        assert len(here.host.asked) == 2
