"""Each command through REST, a seat's signal and a desk's signal: one meaning."""

import pytest

from rooms.model import Actor, ActorKind
from rooms.permissions import ACTION_OF, may
from server.commands import BY_NAME, COMMANDS, Order
from server.desks import DESK
from server.gateway import VISIT
from server.routes import ROUTES, SEAT
from server.signals import SIGNALS

DOORS = ["rest by key", "rest by desk", "seat", "desk"]
AT_DESK = [c.name for c in COMMANDS if may(ActorKind.DESK, c.action)]


def rest_of(name):
    return name.replace("_", "-")


@pytest.fixture
async def stage(practice, people):
    """A provider inside, a patient who waits."""
    visit = await practice.plans()
    provider, patient = await people(visit, "provider", "patient")
    await (await provider.knocks()).enters()
    await patient.knocks()
    await provider.until(lambda view: view["waiting"])
    return visit, provider, patient


@pytest.fixture
async def orders(practice, browser):
    """``await orders(door, visit, provider)`` gives ``order(name, **what)``: ok, or why not."""
    code = await practice.desk_code()

    async def through(door, visit, provider):
        opened = await browser().post(code, "/v1/desk/sessions")
        desk = await browser().opens_desk(code)
        key = practice.key if door == "rest by key" else opened.body["token"]

        async def order(name, **what):
            if door.startswith("rest"):
                path = visit.path("patient", f"/{rest_of(name)}")
                answer = await practice.call("POST", path, what, key=key)
                return "ok" if answer.status == 200 else answer.code
            given = {"seat": visit.patient.seat, **what}
            page = provider if door == "seat" else desk
            given |= {} if door == "seat" else {"visit": visit.id}
            answer = await page.ask(f"{door}:{name}", given)
            return "ok" if answer.get("ok") else answer["error"]["code"]

        return order

    return through


@pytest.mark.parametrize("door", DOORS)
async def test_each_order_means_the_same_through_every_door(door, stage, orders, practice):
    visit, provider, patient = stage
    order = await orders(door, visit, provider)

    assert await order("message", text="Five minutes more") == "ok"
    view = await patient.until(lambda view: view["me"]["notices"])
    assert [notice["text"] for notice in view["me"]["notices"]] == ["Five minutes more"]
    assert await order("admit") == "ok"
    await patient.is_inside()
    assert await order("admit") == "not_waiting"
    assert await order("message", text="too late") == "not_waiting"
    assert await order("send_back") == "ok"
    await patient.until(lambda view: view["me"]["admission"] == "waiting")
    assert await order("let_back") == "not_barred"
    assert await order("remove") == "ok"
    assert await patient.over() == "seat_removed"
    assert await order("admit") == "seat_removed"
    assert await order("let_back") == "ok"
    assert (await practice.stored(visit)).seat(visit.patient.seat).admission == "invited"
    assert await order("deny") == "ok"
    assert (await practice.stored(visit)).seat(visit.patient.seat).admission == "denied"
    assert await order("deny") == "ok", "a repeated click changes nothing"
    types = [e.type for e in await practice.log(visit) if e.seat == visit.patient.seat]
    ordered = [what for what in types if what in {row.__name__ for row in ACTION_OF}]
    assert ordered == [
        "NoticeSent", "SeatAdmitted", "SeatSentBack", "SeatWasRemoved", "SeatLetBack",
        "SeatWasDenied",
    ]  # fmt: skip
    expected = {"seat": "seat", "desk": "desk", "rest by desk": "desk", "rest by key": "practice"}
    actors = {e.actor_kind for e in await practice.log(visit) if e.type in ordered}
    assert actors == {expected[door]}


@pytest.mark.parametrize("door", DOORS)
async def test_a_second_device_is_chosen_by_name_through_every_door(
    door, stage, orders, browser, practice
):
    visit, provider, patient = stage
    order = await orders(door, visit, provider)
    second = await browser().opens(visit.patient.code)
    await second.knocks()
    seen = await provider.until(lambda view: len(view["waiting"]) == 2)
    mine, others = [(await page.view())["me"]["device"] for page in (patient, second)]
    assert {(row["device"], row["another_device"]) for row in seen["waiting"]} == {
        (mine, False), (others, True),
    }  # fmt: skip
    assert await order("admit") == "which_device"
    assert await order("admit", device="nowhere") in {"not_waiting", "unknown_device"}
    assert await order("deny", device=others) == "ok"
    assert await second.over() == "device_refused"
    assert await order("admit", device=mine) == "ok"
    await patient.is_inside()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("bad", [{"text": ""}, {"text": "x" * 501}, {"text": 5}, {}])
async def test_words_that_will_not_do_are_refused_through_every_door(door, bad, stage, orders):
    visit, provider, patient = stage
    order = await orders(door, visit, provider)
    assert await order("message", **bad) == "payload_invalid"
    assert (await patient.view())["me"]["notices"] == []


async def test_only_the_patient_objects_and_only_to_family(practice, meeting, people):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    (family,) = await people(visit, "family")
    await family.knocks()
    seen = await patient.until(lambda view: view["waiting"])
    assert [row["seat"] for row in seen["waiting"]] == [visit.family.seat]
    assert await provider.refused("seat:object", {"seat": visit.family.seat}) == "not_permitted"
    assert await patient.refused("seat:object", {"seat": visit.provider.seat}) == "not_permitted"
    await patient.does("seat:object", {"seat": visit.family.seat})
    assert await family.over() == "seat_denied"
    assert (await practice.call("POST", visit.path("family", "/object"), {})).status == 404


def test_every_door_offers_what_staff_may_order():
    assert {row.name for row in SIGNALS if row.namespace == DESK} >= {
        f"desk:{name}" for name in AT_DESK
    }
    assert {row.name for row in SIGNALS if row.namespace == VISIT} >= {
        f"seat:{command.name}" for command in COMMANDS
    }
    assert {row.path for row in ROUTES} >= {f"{SEAT}/{rest_of(name)}" for name in AT_DESK}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_row_needs_what_its_event_needs(command):
    by = Actor(ActorKind.DESK, "desk-1")
    event = command.becomes(Order(seat="seat-1", device="", text="words", number="own"), by)
    assert ACTION_OF[type(event)] is command.action
    assert (event.seat, event.by) == ("seat-1", by)
    assert BY_NAME[command.name] is command
    assert command.meaning
