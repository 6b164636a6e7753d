"""Numbers and plans as staff and systems give them; and who is told where somebody is."""

import pytest
from structlog.testing import capture_logs

from media.phone.scripts import Script
from rooms.errors import NotPermitted
from rooms.model import OWN_NUMBER, Actor, ActorKind
from server.phones import address_of
from tests.support.callers import NUMBER_OF, admitted, meeting_of, patient_on, phone_only
from tests.support.server_clients import PROVIDER
from tests.support.store_trouble import full_disk

HOME = "12 Elm Street\nSpringfield"
ROSA = {"role": "patient", "name": "Rosa Alvarez"}


async def asked(practice, **seat):
    times = {"starts_at": practice._server.clock(), "ends_at": practice._server.clock() + 3600}
    return await practice.post("/v1/visits", {**times, "seats": [{**ROSA, **seat}]})


async def test_a_plan_is_kept_as_it_was_asked_for(server, practice):
    numbers = [
        {"number": "(202) 555-0142", "wording": "spoken-3", "language": "es"},
        {"id": "daughter", "number": "202.555.0143", "label": "Lucia", "contact": True},
    ]
    visit = await practice.plans(
        {**ROSA, "numbers": numbers, "by_phone_only": True, "call_at_start": True, "address": HOME}
    )
    seat = (await practice.stored(visit)).seats[0]
    own, contact = seat.phone.numbers
    assert (own.id, own.number, own.contact) == (OWN_NUMBER, "+12025550142", False)
    assert (own.consent.wording, own.consent.language) == ("spoken-3", "es")
    assert own.consent.by.kind == "practice"
    assert own.consent.at == pytest.approx(server.clock(), abs=60)
    assert (contact.id, contact.number, contact.label) == ("daughter", "+12025550143", "Lucia")
    assert contact.contact
    assert contact.consent is None, "nobody said that they agreed"
    assert (seat.phone.only, seat.phone.at_start, seat.address) == (True, True, HOME)


async def test_only_who_has_no_browser_is_called_at_the_start(practice):
    number = {"number": "2025550142", "wording": "v1"}
    visit = await practice.plans({**ROSA, "numbers": [number], "call_at_start": True})
    assert not (await practice.stored(visit)).seats[0].phone.at_start


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ([{"number": "911"}], "number_emergency"),
        ([{"number": "900 555 1234"}], "number_premium"),
        ([{"number": "+44 20 7946 0958"}], "number_unreachable"),
        ([{"number": "555"}], "number_invalid"),
        ([{"number": "2025550142"}, {"number": "12"}], "number_invalid"),
        ([{"number": "2025550142"}, {"number": "2025550143"}], "payload_invalid"),
        ([{"number": "2025550142", "id": "a"}] * 2, "payload_invalid"),
        ([{"number": ""}], "payload_invalid"),
        ([{"number": "2" * 41}], "payload_invalid"),
        ([{"number": "2025550142", "wording": "I agree!"}], "payload_invalid"),
        ([{"number": "2025550142", "id": f"n{n}"} for n in range(6)], "payload_invalid"),
    ],
)
async def test_a_visit_with_a_number_that_will_not_do_is_not_made(practice, numbers, code):
    answer = await asked(practice, numbers=numbers)
    assert (answer.status, answer.code) == (422, code)
    assert not any(given["number"] in answer.text for given in numbers if given["number"])
    assert (await practice.get("/v1/visits"))["visits"] == []


async def test_a_number_that_is_written_down_later_is_read_in_the_same_way(practice):
    visit = await practice.plans(ROSA, PROVIDER)
    path = visit.path("patient", "/numbers")
    answer = await practice.post(path, {"number": "(202) 555-0142", "wording": "spoken-1"})
    assert answer.status == 200
    assert "5550142" not in answer.text
    own = (await practice.stored(visit)).seat(visit.patient.seat).phone.number(OWN_NUMBER)
    assert (own.number, own.consent.wording) == ("+12025550142", "spoken-1")
    again = await practice.post(path, {"number": "+12025550142"})
    assert again.status == 200
    own = (await practice.stored(visit)).seat(visit.patient.seat).phone.number(OWN_NUMBER)
    assert own.consent.wording == "spoken-1", "the same number is still agreed to"
    assert (await practice.post(path, {"number": "911"})).code == "number_emergency"


# -- where somebody is --------------------


async def test_staff_are_told_where_to_send_help_and_that_is_written_down(rehearsed, opened):
    patient = phone_only(Script.NO_ANSWER, address=HOME)
    meeting = await meeting_of(rehearsed, opened(rehearsed), patient)
    seat = {"seat": meeting.patient}
    assert (await meeting.provider.does("seat:address", seat))["address"] == HOME
    desk = await opened(rehearsed).opens_desk(await meeting.practice.desk_code())
    told = await desk.does("desk:address", {**seat, "visit": meeting.visit.id})
    assert told["address"] == HOME
    entries = await meeting.practice.log(meeting.visit)
    rows = [(e.actor_kind, e.seat, e.outcome) for e in entries if e.type == "AddressAsked"]
    assert rows == [("seat", meeting.patient, "ok"), ("desk", meeting.patient, "ok")]
    everything = str(meeting.provider.received) + str(desk.received) + str(entries)
    assert "Elm Street" not in everything, "only whoever asks is told"


async def test_nobody_else_is_told_and_that_they_asked_is_written_down(practice, meeting, people):
    patient = {**ROSA, "address": HOME}
    family = {"role": "family", "name": "Lucia"}
    visit = await practice.plans(patient, PROVIDER, family)
    _, page = await meeting(visit)
    (outside,) = await people(visit, "family")
    seat = {"seat": visit.patient.seat}
    assert await page.refused("seat:address", {"seat": visit.provider.seat}) == "not_permitted"
    assert await page.refused("seat:address", seat) == "not_permitted"
    assert await outside.refused("seat:address", seat) == "not_admitted"
    entries = await practice.log(visit)
    outcomes = [e.outcome for e in entries if e.type == "AddressAsked"]
    assert outcomes == ["not_permitted", "not_permitted", "not_admitted"]


async def test_whoever_asks_again_and_again_does_not_fill_the_log(server, practice, meeting):
    visit = await practice.plans(ROSA, PROVIDER)
    _, page = await meeting(visit)
    before = len(await practice.log(visit))
    patient = (await practice.stored(visit)).seat(visit.patient.seat)
    by = Actor(ActorKind.SEAT, patient.id, patient.holder.id)
    burst = round(server.node.edge.refusals_burst)
    for _ in range(burst + 20):
        with pytest.raises(NotPermitted):
            await address_of(server.node, visit.id, visit.provider.seat, by)
    assert len(await practice.log(visit)) - before <= burst + 1
    assert not page.gone.is_set()


async def test_a_full_disk_keeps_no_help_from_coming(rehearsed, opened):
    patient = phone_only(Script.NO_ANSWER, address=HOME)
    meeting = await meeting_of(rehearsed, opened(rehearsed), patient)
    words = {"seat": meeting.patient, "text": "w" * 500}
    async with full_disk(rehearsed):
        for _ in range(40):
            await meeting.provider.ask("seat:message", words)
        with capture_logs() as logged:
            while not any(entry["event"] == "address_told_unrecorded" for entry in logged):
                told = await meeting.provider.does("seat:address", {"seat": meeting.patient})
                assert told["address"] == HOME
    assert "Elm" not in str(logged)


# -- who sees which number --------------------


async def test_the_owner_sees_two_digits_and_staff_a_label(rehearsed, opened):
    meeting = await meeting_of(rehearsed, opened(rehearsed), patient_on(Script.NO_ANSWER))
    page = await admitted(meeting, opened(rehearsed))
    assert (await page.view())["me"]["line"]["number"] == NUMBER_OF[Script.NO_ANSWER][-2:]
    line = await meeting.until(state="good")
    assert [choice["id"] for choice in line["numbers"]] == [OWN_NUMBER]
    for received in (page.received, meeting.provider.received):
        assert NUMBER_OF[Script.NO_ANSWER][-7:] not in str(received)
