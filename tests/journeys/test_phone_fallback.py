"""The video fails, the telephone rings, and the visit goes on."""

from __future__ import annotations

import time

from playwright.async_api import expect

from rooms.model import Prompt
from tests.support.people import Patient, Provider, begin
from tests.support.sounds import sound_file, tone
from tests.support.visits import CALLABLE, PATIENT, PRACTICE, PROVIDER
from tests.support.voices import AMINA, ANNOUNCEMENT, ROSA, ROSA_BY_PHONE, voice

SPEAKS_FOR = 1.0  # seconds of announcement; what follows until it is repeated is silence

RINGS_AFTER, RINGS_WITHIN = 7.0, 9.0
LATE = 3.0  # seconds that a busy machine may add
PICTURE_WITHIN = 25.0
ALL_OF_IT = 60.0  # seconds; the call is shorter by then
TRACE = 1e-4  # of the energy; what a tone of a second leaves at the place of another
NOTICED = 1.0  # seconds of silence that somebody would notice


async def announce_by_a_tone(clinic):
    """What is said at the gate is a tone here, so that anything else in the ear shows."""
    recording = sound_file(tone(ANNOUNCEMENT, SPEAKS_FOR, 48_000), "wav", "pcm_s16le")
    await clinic.node.phones.prompts.store(PRACTICE.id, Prompt.GATE, "en", recording)


async def talking(visit, somebody, rosa=None, home=None):
    """Rosa and Amina in the middle of their visit; each says a tone of her own."""
    scripts = [voice(ROSA)] if home is None else [voice(ROSA), *home.scripts]
    patient = await somebody(Patient, rosa or visit.patient, scripts=scripts)
    if home is not None:
        await home.carries(patient.page)
    provider = await somebody(Provider, visit.provider, scripts=[voice(AMINA)])
    await begin(patient, provider)
    await provider.hears_tone(patient.seat, ROSA)
    await patient.hears_tone(provider.seat, AMINA)
    await provider.sees(patient)
    return patient, provider


async def test_patient_whose_wifi_dies_is_called_and_returns_to_video(
    calling_clinic, phone, home, somebody
):
    clinic = await calling_clinic(**home.settings)
    await announce_by_a_tone(clinic)
    visit = await clinic.plans({**PATIENT, **CALLABLE}, PROVIDER)
    rosa = home.leads(clinic, visit.patient)
    patient, provider = await talking(visit, somebody, rosa, home)

    await home.dies()
    cut = time.monotonic()
    await phone.until("CALL_INCOMING", within=RINGS_WITHIN + LATE)
    assert RINGS_AFTER <= time.monotonic() - cut < RINGS_WITHIN + LATE
    await expect(provider.tile(patient.name)).to_contain_text("Is being called by phone")

    await phone.answer()
    await phone.until_heard(ANNOUNCEMENT)
    await phone.until_heard_nothing()
    assert phone.heard_tone(AMINA, ALL_OF_IT) < TRACE
    assert await provider.received(patient.telephone, "audio", "packetsReceived") == 0

    await phone.press("1")
    await expect(provider.tile(patient.name)).to_contain_text("Is joining by phone")
    await provider.hears_tone(patient.telephone, ROSA_BY_PHONE)
    await phone.until_heard(AMINA)

    await home.is_back()
    await provider.sees(patient, within=PICTURE_WITHIN + LATE)
    await provider.begins_to_listen(patient.seat, patient.telephone)
    await patient.presses("Move my sound back")
    await provider.hears_tone(patient.seat, ROSA)
    await patient.hears_tone(provider.seat, AMINA)
    await phone.until("CALL_CLOSED")
    assert await provider.longest_silence() < NOTICED
