"""People come, are let in, and see and hear each other."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.support.browsers import Engine
from tests.support.people import Patient, Person, Provider
from tests.support.visits import PATIENT, PROVIDER

LONG = 400  # packets of sound that the muted page goes on sending: eight seconds
AT_ONCE = 2.0  # seconds; the made-up microphone beeps once in each


async def test_three_people_meet_and_see_and_hear_each_other(clinic, somebody):
    visit = await clinic.plans()
    patient = await somebody(Patient, visit.patient)
    provider = await somebody(Provider, visit.provider)
    family = await somebody(Person, visit.family)
    await patient.comes()
    await patient.waits()
    await provider.comes()
    await provider.is_inside()
    await provider.admits(patient)
    await patient.is_inside()
    await family.comes()
    await family.waits()
    await provider.admits(family)

    await family.meets(patient, provider)
    await patient.meets(provider, family)
    await provider.meets(patient, family)


async def test_firefox_and_chromium_meet(clinic, somebody):
    visit = await clinic.plans()
    patient = await somebody(Patient, visit.patient, Engine.FIREFOX)
    provider = await somebody(Provider, visit.provider)
    family = await somebody(Person, visit.family, Engine.FIREFOX)
    await provider.comes()
    for person in (patient, family):
        await person.comes()
        await person.waits()
        await provider.admits(person)

    await family.meets(patient, provider)
    await patient.meets(provider, family)
    await provider.meets(patient, family)


@pytest.mark.parametrize("engine", [Engine.BARE_CHROMIUM, Engine.BARE_FIREFOX], ids=str)
async def test_family_without_camera_and_microphone_joins_listening(clinic, somebody, engine):
    visit = await clinic.plans()
    provider = await somebody(Provider, visit.provider)
    await provider.comes()
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await provider.admits(patient)
    family = await somebody(Person, visit.family, engine)

    await family.opens_the_link()
    await family.presses("Join to listen only")
    await family.waits()
    await provider.admits(family)

    await family.meets(patient, provider)
    await expect(provider.tile(family.name)).to_contain_text("Muted")
    await expect(provider.tile(family.name)).to_contain_text("Camera is off")
    await patient.meets(provider)
    await family.sends("audio", 50)  # silence, by which the server knows how well it arrives


@pytest.mark.parametrize("trouble", ["NotAllowedError", "NotReadableError"])
async def test_patient_whose_devices_cannot_be_used_is_helped_and_joins_all_the_same(
    clinic, somebody, trouble
):
    visit = await clinic.plans()
    provider = await somebody(Provider, visit.provider)
    await provider.comes()
    refused = f"""navigator.mediaDevices.getUserMedia = async () => {{
      throw new DOMException("", "{trouble}");
    }};"""
    patient = await somebody(Patient, visit.patient, scripts=[refused])
    await patient.opens_the_link()
    await expect(patient.page.get_by_text("You can join all the same.")).to_be_visible()

    await patient.knocks()
    await patient.waits()
    await provider.admits(patient)

    await patient.meets(provider)


async def test_somebody_muted_for_long_is_heard_at_once_when_unmuted(clinic, somebody):
    visit = await clinic.plans()
    provider = await somebody(Provider, visit.provider)
    await provider.comes()
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await provider.admits(patient)
    await provider.meets(patient)

    await patient.presses("Mute")
    await expect(provider.tile(patient.name)).to_contain_text("Muted")
    heard = await provider.received(patient, "audio", "packetsReceived")
    await patient.sends("audio", LONG)
    heard_while_muted = await provider.received(patient, "audio", "packetsReceived") - heard
    lost = await provider.received(patient, "audio", "packetsLost")
    await patient.presses("Unmute")

    await provider.hears(patient, within=AT_ONCE)
    assert heard_while_muted < 10
    assert await provider.received(patient, "audio", "packetsLost") == lost


async def test_camera_that_is_turned_off_is_not_seen_until_it_is_turned_on(clinic, somebody):
    visit = await clinic.plans()
    provider = await somebody(Provider, visit.provider)
    await provider.comes()
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await provider.admits(patient)
    await provider.sees(patient)

    await patient.presses("Turn camera off")
    await expect(provider.tile(patient.name)).to_contain_text("Camera is off")
    await provider.gets_sound_packets(patient, 10)  # behind the last of the picture's, on one path
    seen = await provider.received(patient, "video", "packetsReceived")
    await provider.gets_sound_packets(patient, 100)
    assert await provider.received(patient, "video", "packetsReceived") == seen
    await patient.presses("Turn camera on")

    await provider.sees(patient)
    await provider.hears(patient)


async def test_eight_people_are_in_one_visit(clinic, somebody, light):
    guests = [{"role": "family", "name": f"Guest {number}"} for number in range(6)]
    visit = await clinic.plans(PATIENT, PROVIDER, *guests)
    provider = await somebody(Provider, visit.provider)
    await provider.comes()
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await provider.admits(patient)
    present = []
    for guest in guests:
        client = await light(visit.of(guest["name"]))
        await client.knocks()
        await provider.decides("Admit", guest["name"])
        await client.until(lambda client=client: client.inside)
        await client.enters()
        await client.speaks()
        present.append(client)

    for person in (patient, provider):
        for client in present:
            await person.sees(client.seat)
            await person.hears(client.seat)
    await patient.meets(provider)
    await provider.meets(patient)
    everybody = {patient.seat, provider.seat, *(client.seat for client in present)}
    for client in present:
        for seat in everybody - {client.seat}:
            await client.gets_sound_and_picture(seat)
