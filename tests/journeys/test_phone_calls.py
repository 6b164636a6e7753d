"""Telephones that ring: who picks up, who does not, and what people may do about it."""

from __future__ import annotations

import re

from playwright.async_api import expect

from rooms.model import CallFailure
from tests.support.people import Patient, Provider
from tests.support.telephoning import (
    CUT,
    TRACE,
    WHOLE_CALL,
    comes_by_telephone,
    picks_up,
    rosa_and_amina,
    soon,
)
from tests.support.visits import CALLABLE, FAMILY, PATIENT, PROVIDER, ROSAS_PHONE
from tests.support.voices import AMINA, ANNOUNCEMENT, ROSA, ROSA_BY_PHONE, voice

BUSY_OR_DECLINED = re.compile("The line was busy.|The call was declined.")
VOICEMAIL_SOON = soon(gate_for=2.0, retry_after=dict.fromkeys(CallFailure, 0.5))


async def test_provider_reads_why_nobody_came_by_telephone(calling_clinic, phone, somebody):
    clinic = await calling_clinic(VOICEMAIL_SOON)
    await clinic.announces_by_a_tone()
    visit = await clinic.plans({**PATIENT, **CALLABLE}, PROVIDER)
    patient, provider = await rosa_and_amina(visit, somebody)

    clinic.impairs(visit, visit.patient, CUT)
    await phone.until("CALL_INCOMING")
    await provider.reads_of(patient.name, "Their phone is ringing.")
    await phone.answer()  # as voicemail does
    await provider.reads_of(patient.name, "Answered. Waiting for them to press 1.")
    await phone.until("CALL_CLOSED")
    assert phone.heard_tone(AMINA, WHOLE_CALL) < TRACE
    assert await provider.received(patient.telephone, "audio", "packetsReceived") == 0
    await provider.reads_of(patient.name, "Nobody pressed 1. Perhaps it was voicemail.")

    await phone.until("CALL_INCOMING")
    await phone.hang_up()
    await provider.reads_of(patient.name, BUSY_OR_DECLINED)

    await picks_up(phone)
    await phone.press("9")
    await phone.until("CALL_CLOSED")
    await provider.reads_of(patient.name, "The phone asked for no more calls in this visit.")
    await expect(provider.button_about(patient, "Call now")).to_have_count(0)
    await expect(provider.button_about(patient, "Call their phone")).to_have_count(0)


async def test_patient_goes_over_to_the_telephone_and_back_as_she_likes(
    calling_clinic, phone, somebody
):
    clinic = await calling_clinic(soon())
    visit = await clinic.plans({**PATIENT, **CALLABLE}, PROVIDER)
    patient, provider = await rosa_and_amina(visit, somebody)

    await patient.presses("Phone")
    await patient.presses("Call my phone instead")
    await picks_up(phone)
    await patient.presses("I answered: connect me")
    await provider.hears_tone(patient.telephone, ROSA_BY_PHONE)
    await phone.until_heard(AMINA)
    await provider.sees(patient)
    await patient.presses("Hang up the phone")

    await phone.until("CALL_CLOSED")
    await provider.hears_tone(patient.seat, ROSA)
    await patient.hears_tone(provider.seat, AMINA)


async def test_provider_speaks_first_and_lets_in_or_hangs_up(
    calling_clinic, phone, somebody, light
):
    clinic = await calling_clinic(soon())
    visit = await clinic.plans({**PATIENT, **CALLABLE}, PROVIDER, FAMILY)
    patient, provider = await rosa_and_amina(visit, somebody)
    family = await light(visit.family)
    await family.knocks()
    await provider.decides("Admit", visit.family.name)
    await family.until(lambda: family.inside)
    await family.enters()
    await family.speaks()
    await family.gets_sound_and_picture(provider.seat)

    await provider.calls(patient)
    await phone.until("CALL_INCOMING")
    await provider.decides("Stop the call", patient.name)
    await phone.until("CALL_CLOSED")
    await provider.hears_tone(patient.seat, ROSA)

    await provider.calls(patient)
    await picks_up(phone)
    await provider.decides("Speak first", patient.name)
    await provider.hears_tone(patient.telephone, ROSA_BY_PHONE)
    await phone.until_heard(AMINA)
    assert not family.peer.sound(patient.telephone)
    await provider.decides("Let in", patient.name)
    await family.until(lambda: family.peer.sound(patient.telephone))
    await provider.decides("Hang up", patient.name)
    await phone.until("CALL_CLOSED")
    await provider.hears_tone(patient.seat, ROSA)

    await provider.calls(patient)
    await comes_by_telephone(phone)
    await provider.decides("Wrong person", patient.name)
    await phone.until("CALL_CLOSED")
    await provider.hears_tone(patient.seat, ROSA)


async def test_provider_finds_a_lost_patient_on_another_number(calling_clinic, phone, somebody):
    out_of_service = {"number": "+12025550172", "wording": "2026-11"}
    at_home = {"number": ROSAS_PHONE, "id": "home", "label": "Home", "wording": "2026-11"}
    clinic = await calling_clinic(soon())
    visit = await clinic.plans(
        {**PATIENT, "numbers": [out_of_service, at_home], "address": "12 Harbor Road"}, PROVIDER
    )
    patient, provider = await rosa_and_amina(visit, somebody)

    clinic.impairs(visit, visit.patient, CUT)
    await provider.reads_of(patient.name, "This number does not work.")
    await provider.reads_of(patient.name, "Gone for 0:0")
    await provider.decides("Show address", patient.name)
    await provider.reads_of(patient.name, "12 Harbor Road")
    await provider.decides("Call other number: Home", patient.name)
    await comes_by_telephone(phone)

    await provider.hears_tone(patient.telephone, ROSA_BY_PHONE)
    await phone.until_heard(AMINA)
    await provider.reads_of(patient.name, "voice not confirmed")
    await provider.decides(f"It’s {patient.name}", patient.name)
    await expect(provider.entry(patient.name)).not_to_contain_text("voice not confirmed")


async def test_patient_gives_a_number_and_tries_it_while_waiting(calling_clinic, phone, somebody):
    clinic = await calling_clinic(soon())
    visit = await clinic.plans()
    patient = await somebody(Patient, visit.patient, scripts=[voice(ROSA)])
    await patient.comes()
    await patient.waits()
    await patient.page.get_by_label("Your phone number").fill("(202) 555-0171")
    await patient.presses("Yes, call me if the video fails")
    await patient.presses("Ring me now")
    await picks_up(phone)
    await phone.press("1")
    await expect(patient.page.get_by_text("It works.")).to_be_visible()
    await phone.until("CALL_CLOSED")
    await patient.waits()

    provider = await somebody(Provider, visit.provider, scripts=[voice(AMINA)])
    await provider.comes()
    await provider.admits(patient)
    await provider.hears_tone(patient.seat, ROSA)
    clinic.impairs(visit, visit.patient, CUT)
    await comes_by_telephone(phone)
    await provider.hears_tone(patient.telephone, ROSA_BY_PHONE)


async def test_clinician_speaks_first_with_whoever_answers_in_an_emergency(
    calling_clinic, phone, somebody
):
    contact = {"number": ROSAS_PHONE, "id": "lucia", "label": "Lucia", "wording": "2026-11"}
    clinic = await calling_clinic(soon())
    await clinic.announces_by_a_tone()
    visit = await clinic.plans({**PATIENT, "numbers": [{**contact, "contact": True}]}, PROVIDER)
    patient, provider = await rosa_and_amina(visit, somebody)

    clinic.impairs(visit, visit.patient, CUT)
    await provider.reads_of(patient.name, "there is no phone number")
    await provider.decides("Call emergency contact: Lucia", patient.name)
    await picks_up(phone)
    await phone.until_heard_nothing()
    await phone.press("1")
    await phone.until_heard(ANNOUNCEMENT)
    assert await provider.received(patient.telephone, "audio", "packetsReceived") == 0

    await provider.decides("Speak first", patient.name)
    await provider.hears_tone(patient.telephone, ROSA_BY_PHONE)
    await phone.until_heard(AMINA)
    await provider.decides("Let in", patient.name)
    await expect(provider.tile(patient.name)).to_contain_text("On the phone")
