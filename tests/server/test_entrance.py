"""Devices and their credentials. What each link says when it does not open: test_openings.py."""

from dataclasses import replace

import pytest

from rooms.model import Device, Role, Seat, Standing
from server.entrance import kind_words, known_device
from server.links import hash_code, new_credential
from server.store import Practice
from server.tokens import SessionTokens
from tests.support.records import a_visit
from tests.support.server_clients import QUICK, running_server

MINE, THEIRS = new_credential(), new_credential()


def device(name, secret):
    return Device(id=name, credential=hash_code(secret), opened_at=0.0, standing=Standing.OPENED)


SEAT = Seat(id="a", role=Role.PATIENT, devices=(device("one", MINE), device("two", THEIRS)))


@pytest.mark.parametrize(
    ("shown", "found"),
    [(MINE, "one"), (THEIRS, "two"), (new_credential(), None), ("", None), ("x" * 43, None)],
)
def test_a_device_is_known_by_its_credential(shown, found):
    known = known_device(SEAT, shown)
    assert (known.id if known else None) == found


def test_the_hash_in_the_store_opens_nothing():
    assert known_device(SEAT, hash_code(MINE)) is None


def test_kind_words_never_hold_the_roster():
    rosa = Seat(id="a", role=Role.PATIENT, name="Rosa")
    visit = a_visit(host="the Tuesday clinic", seats=(rosa,))
    words = kind_words(visit, Practice("north", "Riverside", "+1"), 500.0)
    assert words == {
        "practice_name": "Riverside", "practice_phone": "+1", "host": "the Tuesday clinic",
        "starts_at": 1_000.0, "opens_at": 500.0, "moved_from": None,
    }  # fmt: skip
    assert kind_words(visit, None, 0.0)["practice_name"] == ""


async def test_a_credential_lasts_as_long_as_the_visit_may(server, practice, browser):
    visit = await practice.plans()
    one = browser()
    await one.post(visit.patient.code)
    stored = await practice.stored(visit)
    life = server.node.entrance.credential_life(stored)
    assert life == pytest.approx(3600 + server.node.edge.credential_slack, abs=5)
    (known,) = stored.seat(visit.patient.seat).devices
    (secret,) = one.cookies.values()
    assert known.credential == hash_code(secret)
    server.clock.advance(10 * 86_400)
    assert server.node.entrance.credential_life(stored) == server.node.edge.credential_slack


async def test_a_token_says_which_seat_device_and_session(server, practice, browser):
    visit = await practice.plans()
    body = (await browser().post(visit.patient.code)).body
    tokens = SessionTokens(server.ring, "bedside", server.clock, server.node.edge)
    claims = tokens.verify(body["token"])
    assert (claims.visit, claims.seat, claims.session) == (
        visit.id, visit.patient.seat, body["session"],
    )  # fmt: skip
    assert claims.device == body["view"]["me"]["device"]
    assert claims.seat_epoch == 1


async def test_every_opening_is_in_the_log(practice, browser):
    visit = await practice.plans()
    one = browser()
    await one.post(visit.patient.code)
    await one.post(visit.patient.code)
    opened = [e for e in await practice.log(visit) if e.type == "LinkOpened"]
    assert [entry.seat for entry in opened] == [visit.patient.seat], "a new device, written once"
    await one.post(await practice.desk_code(), "/v1/desk/sessions")
    (desk,) = [e for e in await practice.log() if e.type == "DeskOpened"]
    assert desk.actor_kind == "desk"


async def test_of_one_link_only_so_many_refusals_are_written_down(tmp_path, browser):
    edge = replace(QUICK, refusals_per_minute=0.6, refusals_burst=3)
    async with running_server(tmp_path, edge=edge) as server:
        practice = await server.practice()
        early, other = await practice.plans(begins_in=7200), await practice.plans(begins_in=7200)
        for code in 5 * [early.patient.code] + [other.patient.code]:
            assert (await browser(server).post(code)).code == "visit_early"
        refused = [e.visit for e in await practice.log() if e.type == "LinkRefused"]
        assert sorted(refused) == sorted([early.id] * 3 + [other.id])
