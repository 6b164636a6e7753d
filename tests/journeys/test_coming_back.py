"""Connections, pages, browsers and servers end and come back; seats and admissions outlive them."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from rooms.policy import EdgePolicy
from server.app import Policies
from tests.support.browsers import Engine
from tests.support.people import Patient, Person, Provider, begin

SEVERAL_TOKENS = 400  # packets of sound: eight seconds


async def meeting(visit, somebody, **options):
    """A patient whom a provider has let in, and that provider."""
    patient = await somebody(Patient, visit.patient, **options)
    provider = await somebody(Provider, visit.provider)
    await begin(patient, provider)
    await patient.meets(provider)
    await provider.meets(patient)
    return patient, provider


@pytest.mark.parametrize("engine", [Engine.CHROMIUM, Engine.FIREFOX], ids=str)
async def test_patient_refreshes_and_is_back_without_being_admitted_again(clinic, somebody, engine):
    visit = await clinic.plans()
    patient, provider = await meeting(visit, somebody, engine=engine)

    await patient.reloads()

    await patient.is_inside()
    await patient.meets(provider)
    await provider.meets(patient)
    assert await clinic.admissions(patient.seat) == 1


@pytest.mark.parametrize("engine", [Engine.CHROMIUM, Engine.FIREFOX], ids=str)
async def test_patient_offline_for_longer_than_a_token_is_back_without_being_admitted_again(
    clinic, somebody, network, engine
):
    visit = await clinic.plans()
    patient, provider = await meeting(visit, somebody, engine=engine, scripts=[network.script])

    await patient.loses_the_network()
    network.is_cut()
    await expect(provider.tile(patient.name)).to_contain_text("Connection lost")
    clinic.clock.advance(clinic.node.edge.token_longest + clinic.node.edge.token_leeway)
    network.is_mended()
    async with patient.page.expect_response("**/v1/sessions"):  # the token is worthless by now
        await patient.finds_the_network()

    await patient.meets(provider)
    await provider.meets(patient)
    await expect(provider.tile(patient.name)).not_to_contain_text("Connection lost")
    assert await clinic.admissions(patient.seat) == 1


async def test_patient_who_closed_the_browser_window_is_back_without_being_admitted_again(
    clinic, somebody
):
    visit = await clinic.plans()
    patient, provider = await meeting(visit, somebody)
    context = patient.page.context

    await patient.page.close()
    await expect(provider.tile(patient.name)).to_contain_text("Connection lost")
    back = Patient(await context.new_page(), visit.patient)
    await back.opens_the_link()

    await back.is_inside()
    await back.meets(provider)
    await provider.meets(back)
    assert await clinic.admissions(patient.seat) == 1


async def test_provider_drops_and_returns_while_the_patient_stays(clinic, somebody):
    visit = await clinic.plans()
    patient, provider = await meeting(visit, somebody)
    context = provider.page.context

    await provider.page.close()
    await expect(patient.tile(provider.name)).to_contain_text("Connection lost")
    await patient.is_inside()
    back = Provider(await context.new_page(), visit.provider)
    await back.opens_the_link()

    await back.meets(patient)
    await patient.meets(back)
    assert await clinic.admissions(patient.seat) == 1


async def test_patient_whose_socket_drops_keeps_hearing_and_keeps_the_same_connections(
    clinic, somebody
):
    visit = await clinic.plans()
    patient, provider = await meeting(visit, somebody)
    opened = await patient.connections()

    await patient.loses_the_network()
    await expect(provider.tile(patient.name)).to_contain_text("Connection lost")
    await patient.hears(provider)
    await patient.finds_the_network()
    await expect(provider.tile(patient.name)).not_to_contain_text("Connection lost")

    await patient.meets(provider)
    await provider.meets(patient)
    assert await patient.connections() == opened


async def test_patient_who_opens_the_link_in_another_window_goes_on_there(clinic, somebody):
    visit = await clinic.plans()
    patient, provider = await meeting(visit, somebody)
    again = Patient(await patient.page.context.new_page(), visit.patient)

    await again.opens_the_link()

    await patient.reads("The visit is open in another window")
    await again.meets(provider)
    await provider.meets(again)
    assert await clinic.admissions(patient.seat) == 1


async def test_visit_outlives_many_tokens_without_an_interruption(opens_clinic, somebody):
    short = EdgePolicy(token_life=2.0, token_leeway=0.0)
    clinic = await opens_clinic(Policies(edge=short))
    visit = await clinic.plans()
    patient, provider = await meeting(visit, somebody)
    opened = await patient.connections()

    await patient.gets_sound_packets(provider, SEVERAL_TOKENS)

    await expect(provider.tile(patient.name)).not_to_contain_text("Connection lost")
    await provider.meets(patient)
    assert await patient.connections() == opened


async def test_patient_who_left_comes_back_by_the_same_link(clinic, somebody):
    visit = await clinic.plans()
    patient, provider = await meeting(visit, somebody)

    await patient.leaves()
    await patient.reads("You left the visit")
    await expect(provider.tile(patient.name)).to_have_count(0)
    await patient.presses("Go back to the visit")
    await patient.knocks()

    await patient.waits()
    await provider.admits(patient)
    await patient.meets(provider)
    await provider.meets(patient)


async def test_server_is_killed_during_a_visit_and_everybody_is_back_admitted(killable, somebody):
    visit = await killable.clinic.plans()
    patient, provider = await meeting(visit, somebody)
    family = await somebody(Person, visit.family)
    await family.comes()
    await family.waits()

    await killable.is_killed()
    await killable.starts()

    await patient.meets(provider)
    await provider.meets(patient)
    await family.waits()
    assert await killable.clinic.admissions(patient.seat) == 1
    assert await killable.clinic.admissions(family.seat) == 0
    await expect(provider.entry(family.name)).not_to_contain_text("out of reach")
    await provider.admits(family)
    await family.meets(patient, provider)


async def test_patient_who_waits_keeps_the_place_over_a_restart_of_the_server(killable, somebody):
    visit = await killable.clinic.plans()
    first = await somebody(Patient, visit.patient)
    second = await somebody(Person, visit.family)
    for person in (first, second):
        await person.comes()
        await person.waits()
    since = await first.waiting_since()

    await killable.stops()
    await killable.starts()
    provider = await somebody(Provider, visit.provider)
    await provider.comes()

    await expect(provider.entries()).to_have_text([first.name, second.name])
    assert await first.waiting_since() == since
    await provider.admits(first)
    await first.meets(provider)
