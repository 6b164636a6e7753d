"""Networks that change, end or let little through, and the media that comes back."""

from __future__ import annotations

import asyncio
import time

import pytest

from rooms.policy import MediaPolicy
from server.app import Policies
from tests.support.browsers import Engine
from tests.support.coturn import MEDIA_ADDRESS, coturn
from tests.support.http_road import http_road_to
from tests.support.network import ONLY_TCP, ONLY_TURN, road_to
from tests.support.people import Patient, Provider, begin
from tests.support.ports import free_port

TURN_SECRET = "a secret that only this test and its TURN server know"
NEXT = 3  # packets of sound: one or two may have been on their last few metres

BOTH_AT_ONCE = 6.0  # seconds; a dead socket that nobody tries is noticed after fifteen
SOON_GIVEN_UP = 6.0  # seconds without a check; Chromium checks every 2.7
NEW_NETWORK = 30.0  # seconds: browsers take five to ten to notice that nothing comes any more


@pytest.mark.parametrize(
    ("engine", "within"), [(Engine.CHROMIUM, 3.0), (Engine.FIREFOX, 6.0)], ids=str
)
async def test_address_of_a_browser_changes_and_media_is_soon_back(
    clinic, somebody, network, engine, within
):
    visit = await clinic.plans()
    patient = await somebody(Patient, visit.patient, engine, scripts=[network.script])
    provider = await somebody(Provider, visit.provider)
    await begin(patient, provider)
    await patient.meets(provider)
    await provider.meets(patient)

    network.moves()
    moved = time.monotonic()
    await asyncio.gather(
        provider.gets_sound_packets(patient, NEXT), patient.gets_sound_packets(provider, NEXT)
    )

    assert time.monotonic() - moved < within
    await provider.meets(patient)
    await patient.meets(provider)


@pytest.mark.parametrize("engine", [Engine.CHROMIUM, Engine.FIREFOX], ids=str)
async def test_network_of_a_browser_ends_and_media_comes_back_over_another_by_itself(
    clinic, somebody, network, engine
):
    visit = await clinic.plans()
    patient = await somebody(Patient, visit.patient, engine, scripts=[network.script])
    provider = await somebody(Provider, visit.provider)
    await begin(patient, provider)
    await patient.meets(provider)
    opened = await patient.connections()

    await network.is_replaced(patient.page)

    await patient.hears(provider, within=NEW_NETWORK)
    await provider.hears(patient, within=NEW_NETWORK)
    await patient.sees(provider)
    await provider.sees(patient)
    assert await patient.connections() == opened


@pytest.mark.parametrize("engine", [Engine.CHROMIUM, Engine.FIREFOX], ids=str)
async def test_everything_moves_to_another_network_at_once_and_media_is_soon_back(
    opens_clinic, somebody, engine
):
    port, public = free_port(), free_port()
    clinic = await opens_clinic(port=port, public_url=f"http://localhost:{public}")
    async with http_road_to(port, public) as http_road, road_to(clinic.media_port) as network:
        visit = await clinic.plans()
        patient = await somebody(Patient, visit.patient, engine, scripts=[network.script])
        provider = await somebody(Provider, visit.provider)
        await begin(patient, provider)
        await patient.meets(provider)

        http_road.changes_network()
        await network.is_replaced(patient.page)
        await patient.is_told_of_another_network()
        await provider.is_told_of_another_network()

        await asyncio.gather(
            patient.hears(provider, within=BOTH_AT_ONCE),
            provider.hears(patient, within=BOTH_AT_ONCE),
        )
        await provider.sees(patient)


async def test_media_that_was_given_up_is_made_anew_when_the_network_is_back(
    opens_clinic, somebody
):
    clinic = await opens_clinic(Policies(media=MediaPolicy(consent_expires=SOON_GIVEN_UP)))
    async with road_to(clinic.media_port) as network:
        visit = await clinic.plans()
        patient = await somebody(Patient, visit.patient, scripts=[network.script])
        provider = await somebody(Provider, visit.provider)
        await begin(patient, provider)
        await patient.meets(provider)
        opened = await patient.connections()

        network.is_cut()
        await patient.opens_connections(opened + 1)
        network.is_mended()

        await patient.meets(provider)
        await provider.meets(patient)
        assert await clinic.admissions(patient.seat) == 1


@pytest.mark.parametrize("engine", [Engine.CHROMIUM, Engine.FIREFOX], ids=str)
async def test_people_meet_where_only_tcp_comes_through(clinic, somebody, engine):
    visit = await clinic.plans()
    patient = await somebody(Patient, visit.patient, engine, scripts=[ONLY_TCP])
    provider = await somebody(Provider, visit.provider)
    await begin(patient, provider)

    await patient.meets(provider)
    await provider.meets(patient)
    assert {route.split("/")[1] for route in await patient.routes()} == {"tcp"}


@pytest.mark.parametrize("engine", [Engine.CHROMIUM, Engine.FIREFOX], ids=str)
async def test_people_meet_where_only_a_turn_server_comes_through(
    opens_clinic, somebody, tmp_path, engine
):
    async with coturn(TURN_SECRET, tmp_path) as (host, port):
        clinic = await opens_clinic(
            media_addresses=(MEDIA_ADDRESS,),
            turn_urls=(f"turn:{host}:{port}?transport=udp",),
            turn_secret=TURN_SECRET,
        )
        visit = await clinic.plans()
        patient = await somebody(Patient, visit.patient, engine, scripts=[ONLY_TURN])
        provider = await somebody(Provider, visit.provider)
        await begin(patient, provider)

        await patient.meets(provider)
        await provider.meets(patient)
        assert {route.split("/")[0] for route in await patient.routes()} == {"relay"}
