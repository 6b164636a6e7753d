import pytest

from rooms.errors import TimesInvalid
from rooms.model import Actor, ActorKind, Need, Role, Stage
from server.invitations import new_id, seat_link, seat_of, visit_of
from server.links import hash_code, new_code
from server.messages import Invitation, NewSeat, NewVisit
from server.store import LogDraft
from tests.support.page_clients import Refused


def test_an_id_always_fits_into_the_log():
    for _ in range(200):
        assert LogDraft(at=0.0, type="Happened", visit=new_id(), seat=new_id())
    assert len({new_id() for _ in range(200)}) == 200


def test_an_id_of_digits_alone_cannot_be_drawn(monkeypatch):
    monkeypatch.setattr("secrets.token_hex", lambda size: "1" * 2 * size)
    assert LogDraft(at=0.0, type="Happened", visit=new_id())


BY = Actor(ActorKind.PRACTICE, "key-1")


def test_a_seat_is_what_was_asked_for(server):
    asked = NewSeat(
        role=Role.PATIENT, name="Rosa", language="es", needs=frozenset({Need.SIGNING}),
        external_ids={"b": "2", "a": "1"},
    )  # fmt: skip
    seat = seat_of(server.node, asked, BY)
    assert (seat.role, seat.name, seat.language) == (Role.PATIENT, "Rosa", "es")
    assert seat.needs == {Need.SIGNING}
    assert seat.external_ids == (("a", "1"), ("b", "2"))
    guest = seat_of(server.node, Invitation(role=Role.FAMILY, relationship="son"), BY)
    assert (guest.relationship, guest.external_ids) == ("son", ())


def test_a_link_is_kept_as_its_hash(server):
    soon = server.node.clock() + 60
    asked = NewVisit(starts_at=soon, ends_at=soon + 1, seats=(NewSeat(role=Role.PATIENT),))
    visit, code = visit_of(server.node, "north", asked, BY), new_code()
    assert visit.stage is Stage.SCHEDULED
    record = seat_link(visit, visit.seats[0], code)
    assert record.hash == hash_code(code)
    assert code not in repr(record)
    for starts_at, ends_at in ((soon, soon), (1.0, 2.0)):
        never = NewVisit(starts_at=starts_at, ends_at=ends_at, seats=asked.seats)
        with pytest.raises(TimesInvalid):
            visit_of(server.node, "north", never, BY)


async def test_a_new_link_takes_the_older_ones_place(practice, browser):
    visit = await practice.plans()
    page = await browser().opens(visit.patient.code)
    links = [await practice.post(visit.path("patient", "/link")) for _ in range(2)]
    codes = [answer.body["link"].split("#")[1] for answer in links]
    statuses = [(await browser().post(code)).status for code in (visit.patient.code, *codes)]
    assert statuses == [404, 404, 200]
    assert await page.over() == "link_unknown"


async def test_whoever_holds_a_lost_providers_link_cannot_go_on_with_it(practice, browser):
    visit = await practice.plans()
    stranger = browser()
    page = await stranger.opens(visit.provider.code)
    link = await practice.post(visit.path("provider", "/link"))
    assert await page.over() == "link_unknown"
    with pytest.raises(Refused):
        await stranger.page(page.token).connect()
    assert (await stranger.post(visit.provider.code)).code == "link_unknown"
    provider = await browser().opens(link.body["link"].split("#")[1])
    await (await provider.knocks()).is_inside()


async def test_a_new_link_throws_nobody_out_who_was_let_in(practice, browser, meeting):
    visit = await practice.plans()
    _, patient = await meeting(visit)
    other = await (await browser().opens(visit.patient.code)).knocks()
    assert (await practice.post(visit.path("patient", "/link"))).status == 200
    assert await other.over() == "link_unknown"
    assert not patient.gone.is_set()
    assert (await patient.does("session:renew"))["token"]


async def test_a_withdrawn_seat_gets_no_new_link(practice):
    visit = await practice.plans()
    await practice.call("DELETE", visit.path("family"))
    answer = await practice.post(visit.path("family", "/link"))
    assert (answer.status, answer.code) == (404, "unknown_seat")
    again = await practice.call("DELETE", visit.path("family"))
    assert again.status == 204
