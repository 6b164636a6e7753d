"""What a desk may order, of whose visits."""

import pytest
import socketio

from server.desks import DESK
from server.signals import SIGNALS

ORDERS = [signal for signal in SIGNALS if signal.namespace == DESK and signal.name != "desk:renew"]
ROSAS = "(202) 555-0101"
EVERY_ORDER = pytest.mark.parametrize("signal", ORDERS, ids=lambda signal: signal.name)


def payload(visit, **changes):
    given = {"visit": visit.id, "seat": visit.patient.seat, "text": "Five minutes more"}
    return given | changes


def payload_of(signal, visit, **changes):
    number = {"number": ROSAS} if signal.name == "desk:record_number" else {}
    return payload(visit, **number, **changes)


@pytest.fixture
async def waiting(practice, people):
    visit = await practice.plans()
    (patient,) = await people(visit, "patient")
    await patient.knocks()
    return visit, patient


@EVERY_ORDER
async def test_a_desk_has_no_say_over_another_practices_visits(signal, server, waiting, browser):
    visit, _ = waiting
    other = await server.practice()
    desk = await browser().opens_desk(await other.desk_code())
    assert await desk.refused(signal.name, payload_of(signal, visit)) == "unknown_visit"
    nowhere = payload_of(signal, visit) | {"visit": "nowhere"}
    assert await desk.refused(signal.name, nowhere) == "unknown_visit"
    stored = (await server.node.store.load(visit.id)).visit.seat(visit.patient.seat)
    assert (stored.admission, stored.notices, stored.phone.numbers) == ("waiting", (), ())
    assert visit.id not in str(desk.received)


async def test_an_order_about_nobody_is_refused(practice, waiting, browser):
    visit, _ = waiting
    code = await practice.desk_code()
    unknown, unfit = ("nobody", "0123456789"), ("", None, 5, "x" * 41, "a b", "../x")
    for signal in ORDERS:
        desk = await browser().opens_desk(code)  # one socket may send only so much
        for seat in (*unknown, *unfit):
            refused = await desk.refused(signal.name, payload_of(signal, visit, seat=seat))
            expected = "unknown_seat" if seat in unknown else "payload_invalid"
            assert refused == expected, (signal.name, seat)


async def test_a_desk_opens_the_providers_seat_and_no_other(practice, waiting, browser):
    visit, _ = waiting
    desk = await browser().opens_desk(await practice.desk_code())
    given = await desk.does("desk:open", payload(visit, seat=visit.provider.seat))
    page = await (await browser().opens(given["link"].split("#")[1])).knocks()
    await page.is_inside()
    for seat in (visit.patient.seat, visit.family.seat):
        assert await desk.refused("desk:open", payload(visit, seat=seat)) == "not_permitted"
    assert (await browser().post(visit.provider.code)).status == 200, "their own link still works"
    written = [(e.type, e.actor_kind, e.outcome) for e in await practice.log(visit)]
    assert ("LinkAdded", "desk", "ok") in written
    assert written.count(("LinkAdded", "desk", "not_permitted")) == 2


async def test_a_desk_renews_its_token_over_its_socket(practice, browser, server):
    desk = await browser().opens_desk(await practice.desk_code())
    renewed = await desk.does("desk:renew")
    assert renewed["expires_in"] == 600
    async with type(desk)(server, renewed["token"]) as again:
        await again.connect()
        await again.until(lambda view: view["practice"]["name"] == practice.name)


async def test_a_desk_has_no_signals_of_a_seat(practice, waiting, browser):
    visit, _ = waiting
    desk = await browser().opens_desk(await practice.desk_code())
    with pytest.raises(socketio.exceptions.TimeoutError):  # no such signal: nobody answers
        await desk._sio.call("seat:admit", payload(visit), namespace=DESK, timeout=0.2)
