"""The video fails, the telephone rings, and the visit goes on."""

from __future__ import annotations

import asyncio
import time

from playwright.async_api import expect

from tests.support.people import PATIENCE, Patient, Provider, converse
from tests.support.telephoning import TRACE, WHOLE_CALL
from tests.support.visits import CALLABLE, PATIENT, PROVIDER
from tests.support.voices import AMINA, ANNOUNCEMENT, ROSA, ROSA_BY_PHONE, voice

RINGS_AFTER, RINGS_WITHIN = 7.0, 9.0
HEAVY, HEAVY_RINGS_WITHIN = 0.35, 14.0
CANCELLED_WITHIN = 1.0
LATE = 3.0  # seconds that a busy machine may add
PICTURE_WITHIN = 25.0
SHORT = 6.0  # a change from Wi-Fi to mobile data takes about five
NOTICED = 1.0  # seconds of silence that somebody would notice


async def talking_from_home(clinic, home, somebody):
    """Rosa at home and Amina in the middle of their visit; each says a tone of her own."""
    visit = await clinic.plans({**PATIENT, **CALLABLE}, PROVIDER)
    rosa = home.leads(clinic, visit.patient)
    patient = await somebody(Patient, rosa, scripts=[voice(ROSA), *home.scripts])
    await home.carries(patient.page)
    provider = await somebody(Provider, visit.provider, scripts=[voice(AMINA)])
    await converse(patient, provider)
    return patient, provider


async def test_patient_whose_wifi_dies_is_called_and_returns_to_video(
    calling_clinic, phone, home, somebody
):
    clinic = await calling_clinic(**home.settings)
    await clinic.announces_by_a_tone()
    patient, provider = await talking_from_home(clinic, home, somebody)

    await home.dies()
    cut = time.monotonic()
    await phone.until("CALL_INCOMING", within=RINGS_WITHIN + LATE)
    assert RINGS_AFTER <= time.monotonic() - cut < RINGS_WITHIN + LATE
    await expect(provider.tile(patient.name)).to_contain_text("Is being called by phone")

    await phone.answer()
    await phone.until_heard(ANNOUNCEMENT)
    await phone.until_heard_nothing()
    assert phone.heard_tone(AMINA, WHOLE_CALL) < TRACE
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


async def test_short_interruption_rings_nobody_and_a_longer_one_no_longer_than_it_lasts(
    calling_clinic, phone, home, somebody
):
    clinic = await calling_clinic(**home.settings)
    patient, provider = await talking_from_home(clinic, home, somebody)

    await home.dies()
    await asyncio.sleep(SHORT)
    await home.is_back()

    await expect(provider.tile(patient.name)).not_to_contain_text("Connection lost")
    await provider.hears_tone(patient.seat, ROSA)
    await provider.sees(patient)
    await provider.reads_of(patient.name, "good connection")
    assert phone.state == ""

    await home.dies()
    await phone.until("CALL_INCOMING", within=RINGS_WITHIN + LATE)
    await home.is_back()
    back = time.monotonic()
    await phone.until("CALL_CLOSED")
    assert time.monotonic() - back < CANCELLED_WITHIN + LATE
    await provider.hears_tone(patient.seat, ROSA)
    await provider.reads_of(patient.name, "good connection")
    assert phone.state == "CALL_CLOSED"


async def test_bad_network_pauses_the_picture_then_rings_and_stops_ringing_when_it_is_good_again(
    calling_clinic, phone, home, somebody
):
    clinic = await calling_clinic(**home.settings)
    patient, provider = await talking_from_home(clinic, home, somebody)

    await home.loses(HEAVY)
    broken = time.monotonic()
    await expect(provider.tile(patient.name)).to_contain_text("Weak connection")
    assert phone.state == ""
    await provider.gets_sound_packets(patient, 10)  # behind the last of the picture's, on one path
    seen = await provider.received(patient, "video", "packetsReceived")
    await provider.gets_sound_packets(patient, 40)
    assert await provider.received(patient, "video", "packetsReceived") == seen
    await phone.until("CALL_INCOMING", within=HEAVY_RINGS_WITHIN + LATE)
    assert time.monotonic() - broken < HEAVY_RINGS_WITHIN + LATE

    await home.is_back()
    await phone.until("CALL_CLOSED", within=PATIENCE)
    await provider.sees(patient)
    await provider.hears_tone(patient.seat, ROSA)
    await patient.sees(provider)
    assert phone.state == "CALL_CLOSED"
