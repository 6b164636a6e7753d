"""The demo's control: what it breaks, repairs and rehearses, and whom it refuses."""

import pytest

from media.phone.scripts import Script
from media.ports import Impairment
from server.demo import PATIENT_NUMBER, prepare
from tests.support.page_clients import Browser
from tests.support.server_clients import running_server

CONTROL = "/demo/control"
GOOD = {"patient": "good", "provider": "good", "family": "good"}


@pytest.fixture
async def demo(tmp_path):
    async with running_server(tmp_path, practice_carrier=True) as server:
        server.links = await prepare(server.node)
        yield server


@pytest.fixture
def impaired(demo, monkeypatch):
    """What the media plane was told to do to which seat, in order."""
    told = []
    monkeypatch.setattr(
        demo.node.plane, "impair", lambda visit, seat, how: told.append((visit, seat, how))
    )
    return told


@pytest.fixture
async def provider(demo):
    """A clinician in the demo's visit."""
    browser = Browser(demo)
    page = await browser.opens(demo.links["provider"].split("#")[1])
    yield await (await page.knocks()).enters()
    await browser.close()


async def control(demo, **order):
    answer = await demo.call("POST", CONTROL, order)
    assert answer.status == 200, answer
    return answer.body


async def test_it_says_how_things_are(demo):
    view = (await demo.call("GET", CONTROL)).body
    assert view == {"networks": GOOD, "phone": "handset", "voicemail": False}


async def test_a_network_is_broken_and_repaired(demo, impaired, provider):
    seat = (demo.node.demo.visit, demo.node.demo.seats["provider"])
    view = await control(demo, seat="provider", network="cut")
    assert view["networks"] == GOOD | {"provider": "cut"}
    view = await control(demo, seat="provider", network="heavy")
    assert view["networks"] == GOOD | {"provider": "heavy"}
    view = await control(demo, seat="provider", network="good")
    assert view["networks"] == GOOD
    assert [told[:2] for told in impaired] == [seat] * 3
    cut, heavy, none = (how for _, _, how in impaired)
    assert cut.up.cut
    assert cut.down.cut
    assert isinstance(heavy, Impairment)
    assert 0 < heavy.up.loss < 1
    assert none is None


async def test_nobodys_network_cannot_be_broken(demo, impaired, provider):
    answer = await demo.call("POST", CONTROL, {"seat": "patient", "network": "cut"})
    assert (answer.status, answer.code) == (409, "nobody_there")
    assert not impaired
    assert (await demo.call("GET", CONTROL)).body["networks"] == GOOD


async def test_the_phone_follows_scripts_and_rings_again(demo, monkeypatch):
    rehearsed = []
    carrier = demo.node.phones.practice_carrier
    monkeypatch.setattr(carrier, "rehearse", lambda *what: rehearsed.append(what))
    assert (await control(demo, phone="busy"))["phone"] == "busy"
    assert (await control(demo, phone="handset"))["phone"] == "handset"
    number = demo.node.numbering.e164(PATIENT_NUMBER)
    assert rehearsed == [(number, Script.BUSY), (number, None)]


async def test_voicemail_is_switched_for_page_and_script_alike(demo):
    assert (await control(demo, voicemail=True))["voicemail"] is True
    assert demo.node.demo_phone.voicemail
    assert (await control(demo, voicemail=False))["voicemail"] is False


WORTHLESS = [
    (b"", []),
    (b"nonsense", []),
    (b"[]", []),
    ({}, ["network", "seat"]),
    ({"seat": "patient"}, ["network", "seat"]),
    ({"network": "cut"}, ["network", "seat"]),
    ({"seat": "interpreter", "network": "cut"}, ["seat"]),
    ({"seat": "patient", "network": "wet"}, ["network"]),
    ({"phone": "explodes"}, ["phone"]),
    ({"voicemail": "yes"}, ["voicemail"]),
    ({"netwrok": "cut"}, ["netwrok"]),
]


async def test_bad_orders_are_refused_by_field(demo, impaired):
    for order, fields in WORTHLESS:
        answer = await demo.call("POST", CONTROL, order)
        assert (answer.status, answer.code) == (422, "payload_invalid"), order
        assert [field.split(".")[0] for field in answer.body["fields"]][: len(fields)] == fields
        assert not impaired, order


async def test_other_sites_break_nothing(demo):
    answer = await demo.call(
        "POST", CONTROL, {"voicemail": True}, headers={"Origin": "https://elsewhere.example"}
    )
    assert (answer.status, answer.code) == (403, "origin_refused")
    assert not demo.node.demo_phone.voicemail


async def test_a_rehearsal_that_is_no_demo_has_no_control(tmp_path):
    async with running_server(tmp_path, practice_carrier=True) as server:
        assert (await server.call("GET", CONTROL)).status == 404
        assert (await server.call("POST", CONTROL, {"voicemail": True})).status == 404
