"""What the clinic does: the desk, colleagues, invitations, and the end of a visit."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.support.people import Desk, Patient, Person, Provider
from tests.support.visits import FAMILY, PATIENT, PROVIDER, Invitation


async def test_desk_sees_who_waits_and_lets_them_in(clinic, browsers, somebody):
    visit = await clinic.plans()
    desk = Desk(await browsers.page())
    await desk.opens(await clinic.desk_link())
    await expect(desk.page.get_by_text("Nobody is waiting")).to_be_visible()
    provider = await somebody(Provider, visit.provider)
    await provider.comes()
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await patient.waits()

    await expect(desk.page).to_have_title(re.compile(r"^\(1\)"))
    await expect(desk.page.get_by_text("1 person waiting")).to_be_visible()
    await desk.admits(patient)

    await patient.meets(provider)
    await provider.meets(patient)
    await expect(desk.page.get_by_text("Nobody is waiting")).to_be_visible()


async def test_clinician_goes_into_the_visit_from_the_desk(clinic, browsers, somebody):
    visit = await clinic.plans()
    desk = Desk(await browsers.page())
    await desk.opens(await clinic.desk_link())
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await patient.waits()

    provider = await desk.opens_the_visit(visit.provider)
    await provider.knocks()

    await provider.admits(patient)
    await patient.meets(provider)
    await provider.meets(patient)


async def test_provider_on_a_second_device_needs_somebody_to_let_it_in(clinic, browsers, somebody):
    visit = await clinic.plans()
    provider = await somebody(Provider, visit.provider)
    await provider.comes()
    await provider.is_inside()
    tablet = await somebody(Provider, visit.provider)
    await tablet.comes()
    await tablet.waits()
    assert await tablet.connections() == 0

    desk = Desk(await browsers.page())
    await desk.opens(await clinic.desk_link())
    await desk.admits(provider)

    await tablet.is_inside()
    await provider.reads("You are now on another device")
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await tablet.admits(patient)
    await tablet.meets(patient)


async def test_second_provider_enters_without_waiting(clinic, somebody):
    colleague = {"role": "provider", "name": "Jonas Weber"}
    visit = await clinic.plans(PATIENT, PROVIDER, colleague)
    provider = await somebody(Provider, visit.provider)
    await provider.comes()
    second = await somebody(Provider, visit.of("Jonas Weber"))

    await second.comes()

    await second.is_inside()
    await second.meets(provider)
    await provider.meets(second)


async def test_provider_invites_somebody_whose_link_works(clinic, somebody):
    visit = await clinic.plans(PATIENT, PROVIDER)
    provider = await somebody(Provider, visit.provider)
    await provider.comes()
    await provider.is_inside()

    link = await provider.invites("Mei Tanaka", role="Interpreter")

    seats = (await clinic.call("GET", f"/v1/visits/{visit.id}"))["seats"]
    seat = next(each["seat"] for each in seats if each["name"] == "Mei Tanaka")
    interpreter = await somebody(Person, Invitation(seat, "interpreter", "Mei Tanaka", link))
    await interpreter.comes()
    await interpreter.waits()
    await provider.admits(interpreter)
    await interpreter.meets(provider)
    await provider.meets(interpreter)


async def test_visit_ends_for_everyone(clinic, somebody):
    visit = await clinic.plans()
    provider = await somebody(Provider, visit.provider)
    await provider.comes()
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await provider.admits(patient)
    await patient.meets(provider)
    family = await somebody(Person, visit.family)
    await family.comes()
    await family.waits()

    await provider.ends_the_visit()

    for person in (patient, provider, family):
        await person.reads("The visit has ended")
    await patient.reloads()
    await patient.reads("The visit has ended")
    assert (await clinic.call("GET", f"/v1/visits/{visit.id}"))["stage"] == "ended"


async def test_patient_who_waits_for_a_visit_that_is_ended_learns_whom_to_call(clinic, somebody):
    visit = await clinic.plans(PATIENT, PROVIDER, FAMILY)
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await patient.waits()

    await clinic.call("POST", f"/v1/visits/{visit.id}/end", {})

    await patient.reads("The visit has ended")
    await expect(patient.page.get_by_role("main").get_by_role("link")).to_have_attribute(
        "href", "tel:+15550100199"
    )
