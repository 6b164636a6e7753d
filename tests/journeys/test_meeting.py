"""People come, are let in, and see and hear each other."""

from __future__ import annotations

from tests.support.people import Patient, Person, Provider


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
