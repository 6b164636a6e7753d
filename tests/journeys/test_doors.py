"""Who comes in, who stays out, and what those outside can learn."""

from __future__ import annotations

from dataclasses import replace

from playwright.async_api import expect

from tests.support.people import IN_THE_RIGHT_PLACE, Patient, Person, Provider
from tests.support.visits import FAMILY, HOST, PATIENT, PROVIDER

DAY = 24 * 60 * 60.0
LAST_PACKET = 0.25  # seconds from the decision to remove somebody


async def opened(visit, somebody):
    """A visit with its provider in it."""
    provider = await somebody(Provider, visit.provider)
    await provider.comes()
    await provider.is_inside()
    return provider


async def test_patient_on_a_second_device_waits_and_never_replaces_the_first(clinic, somebody):
    visit = await clinic.plans()
    provider = await opened(visit, somebody)
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await provider.admits(patient)
    await patient.meets(provider)

    tablet = await somebody(Patient, visit.patient)
    await tablet.comes()
    await tablet.waits()

    await expect(tablet.page.get_by_text("a second device")).to_be_visible()
    waiting = provider.page.get_by_role("region", name="Waiting to come in")
    await expect(waiting).to_contain_text("on another device")
    await patient.meets(provider)
    await provider.meets(patient)
    assert await tablet.connections() == 0


async def test_a_scanner_that_opens_the_links_first_keeps_nobody_out(clinic, somebody):
    visit = await clinic.plans()
    for role, seat in ((Provider, visit.provider), (Patient, visit.patient)):
        scanner = await somebody(role, seat)
        await scanner.opens_the_link()
        await expect(scanner.page.get_by_role("button", name="Join the visit")).to_be_visible()
    provider = await opened(visit, somebody)
    patient = await somebody(Patient, visit.patient)
    await patient.opens_the_link()
    await expect(patient.page.get_by_role("button", name="Join the visit")).to_be_visible()
    await expect(patient.page.get_by_text("another device")).to_have_count(0)
    await patient.knocks()

    await expect(scanner.page.get_by_text("on another device")).to_be_visible()
    waiting = provider.page.get_by_role("region", name="Waiting to come in")
    await expect(waiting).to_contain_text(patient.name)
    await expect(waiting).not_to_contain_text("on another device")
    await provider.admits(patient)
    await patient.meets(provider)


async def test_second_device_that_is_let_in_takes_over_from_the_first(clinic, somebody):
    visit = await clinic.plans()
    provider = await opened(visit, somebody)
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await provider.admits(patient)
    await patient.meets(provider)
    tablet = await somebody(Patient, visit.patient)
    await tablet.comes()
    await tablet.waits()

    await provider.lets_in_another_device(patient)

    await patient.reads("You are now on another device")
    await tablet.meets(provider)
    await provider.meets(tablet)


async def test_denied_person_stays_out_after_reload_and_on_another_device(clinic, somebody):
    visit = await clinic.plans()
    provider = await opened(visit, somebody)
    family = await somebody(Person, visit.family)
    await family.comes()
    await family.waits()

    await provider.denies(family)
    await family.reads("You were not let in")
    await family.reloads()
    await family.reads("You were not let in")
    elsewhere = await somebody(Person, visit.family)
    await elsewhere.opens_the_link()
    await elsewhere.reads("You were not let in")

    await provider.lets_back(family)
    await family.presses("Try again")
    await family.knocks()
    await family.waits()


async def test_removed_person_receives_no_more_packets(clinic, somebody, network):
    visit = await clinic.plans()
    provider = await opened(visit, somebody)
    patient = await somebody(Patient, visit.patient)
    family = await somebody(Person, visit.family, scripts=[network.script])
    for person in (patient, family):
        await person.comes()
        await person.waits()
        await provider.admits(person)
    await family.meets(patient, provider)
    await family.keeps_its_connections_open()

    await provider.removes(family)
    await family.reads("You are no longer in the visit")
    await patient.gets_sound_packets(provider, 100)

    (removed,) = await clinic.decided("SeatWasRemoved", family.seat)
    assert network.last_to_browser - removed < LAST_PACKET
    await expect(patient.tile(family.name)).to_have_count(0)
    await family.reloads()
    await family.reads("You are no longer in the visit")


async def test_nobody_who_waits_receives_a_packet_or_a_name(clinic, somebody, network):
    visit = await clinic.plans(
        PATIENT, PROVIDER, FAMILY, {"role": "family", "name": "Carlos Ibarra"}
    )
    provider = await opened(visit, somebody)
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await provider.admits(patient)
    await patient.meets(provider)
    another = await somebody(Person, visit.of("Carlos Ibarra"))
    await another.comes()
    await another.waits()
    family = await somebody(Person, visit.family, scripts=[network.script])
    told = family.everything_it_is_told()

    await family.comes()
    await family.waits()
    await provider.tells(family, "Just a moment, please.")
    await family.is_told("Just a moment, please.")
    await patient.meets(provider)

    everything = "\n".join([*told, await family.page.content()])
    assert "Just a moment, please." in everything
    for person in (patient, provider, another):
        assert person.name not in everything
        assert person.seat not in everything
    assert await family.connections() == 0
    assert network.to_browser == 0


async def test_patient_objects_to_family_who_asks_to_sit_in(clinic, somebody):
    visit = await clinic.plans()
    provider = await opened(visit, somebody)
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await provider.admits(patient)
    await patient.is_inside()
    family = await somebody(Person, visit.family)
    await family.comes()
    await family.waits()

    await patient.objects_to(family)

    await family.reads("You were not let in")
    await expect(provider.entries()).to_have_count(0)


async def test_patient_objects_to_family_who_is_in_the_visit(clinic, somebody):
    visit = await clinic.plans()
    provider = await opened(visit, somebody)
    patient = await somebody(Patient, visit.patient)
    family = await somebody(Person, visit.family)
    for person in (patient, family):
        await person.comes()
        await provider.admits(person)
    await family.meets(patient, provider)

    await patient.objects_to(family)

    await family.reads("You were not let in")
    await expect(patient.tile(family.name)).to_have_count(0)
    await patient.meets(provider)
    await family.reloads()
    await family.reads("You were not let in")


async def test_provider_sends_the_patient_back_to_wait_and_admits_them_again(clinic, somebody):
    visit = await clinic.plans()
    provider = await opened(visit, somebody)
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await provider.admits(patient)
    await patient.meets(provider)

    await provider.sends_back(patient)
    await patient.waits()
    await expect(provider.tile(patient.name)).to_have_count(0)
    await provider.admits(patient)

    await patient.meets(provider)
    await provider.meets(patient)
    assert await clinic.admissions(patient.seat) == 2


async def test_nobody_is_admitted_by_a_message_from_the_clinic(clinic, somebody):
    visit = await clinic.plans()
    provider = await opened(visit, somebody)
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await patient.waits()

    await provider.tells(patient, "We are running a little late.")

    await patient.is_told("We are running a little late.")
    await patient.reads(IN_THE_RIGHT_PLACE)
    assert await clinic.admissions(patient.seat) == 0


async def test_link_that_does_not_open_says_kindly_why(clinic, somebody):
    visit = await clinic.plans(starts_in=DAY)
    patient = await somebody(Patient, visit.patient)

    await patient.opens_the_link()
    await patient.reads("You are early")
    await expect(patient.page.get_by_role("main")).to_contain_text(HOST)

    await clinic.moves(visit, starts_in=2 * DAY)
    await patient.presses("Try again")
    await patient.reads("Your visit has a new time")

    await clinic.call("POST", f"/v1/visits/{visit.id}/cancel", {})
    await patient.presses("Try again")
    await patient.reads("This visit is cancelled")


async def test_link_that_was_replaced_looks_as_if_it_had_never_been(clinic, somebody):
    visit = await clinic.plans()
    await clinic.call("POST", f"/v1/visits/{visit.id}/seats/{visit.family.seat}/link", {})
    replaced = await somebody(Person, visit.family)
    made_up = await somebody(
        Person, replace(visit.family, link=f"{visit.family.link[:-8]}AAAAAAAA")
    )

    for person in (replaced, made_up):
        await person.opens_the_link()
        await person.reads("This link does not work")

    assert await replaced.says() == await made_up.says()
