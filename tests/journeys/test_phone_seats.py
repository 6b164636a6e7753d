"""Whom telephones serve: patients without video, clinicians, and whoever's page or server dies."""

from __future__ import annotations

import asyncio
import time

from playwright.async_api import expect

from media.phone.routing import Route
from media.phone.sip.trunk import SipTrunk
from media.ports import Impairment, Trouble
from rooms.model import Fallback
from rooms.policy import QualityPolicy
from server.app import Policies
from server.telephony import Phones
from tests.support.browsers import kill
from tests.support.people import Patient, Provider
from tests.support.server_process import server_process
from tests.support.softphone import Softphone
from tests.support.telephoning import CUT, comes_by_telephone, rosa_and_amina, soon
from tests.support.trunks import config_for
from tests.support.visits import CALLABLE, PATIENT, PROVIDER, trunk_settings
from tests.support.voices import AMINA, AMINA_BY_PHONE, ROSA, ROSA_BY_PHONE, voice

CLOSING = 2.0  # seconds between a page's goodbye and the end of its socket, at most
GOODBYE = 4.0  # a reload of a page takes one or two


def reach_each_by_a_trunk_of_its_own(monkeypatch, *phones):
    """What settings cannot say: a trunk that has but one telephone."""

    def routes(_phones, _settings, policies, *_others):
        return [
            Route(
                SipTrunk(config_for(each.port, name=each.number, srtp=True), policies.lines),
                (each.number,),
            )
            for each in phones
        ]

    monkeypatch.setattr(Phones, "_routes", routes)


async def test_patient_whose_browser_is_killed_goes_on_by_telephone_and_in_a_new_browser(
    calling_clinic, phone, browsers, somebody
):
    clinic = await calling_clinic(soon())
    visit = await clinic.plans({**PATIENT, **CALLABLE}, PROVIDER)
    chromium = await browsers.one_of_its_own()
    patient, provider = await rosa_and_amina(visit, somebody, browser=chromium)
    kept = await patient.page.context.storage_state()

    await kill(chromium)
    await comes_by_telephone(phone)
    await provider.hears_tone(patient.telephone, ROSA_BY_PHONE)
    await phone.until_heard(AMINA)
    back = await somebody(Patient, visit.patient, scripts=[voice(ROSA)], kept=kept)
    await back.opens_the_link()
    await provider.sees(back)
    await back.presses("Move my sound back")

    await phone.until("CALL_CLOSED")
    await provider.hears_tone(back.seat, ROSA)
    await back.hears_tone(provider.seat, AMINA)
    await back.sees(provider)
    assert await clinic.admissions(back.seat) == 1


async def test_page_that_is_reloaded_or_left_calls_nobody_and_one_that_is_closed_does(
    calling_clinic, phone, somebody
):
    clinic = await calling_clinic(soon(call_after_silence=CLOSING, call_after_goodbye=GOODBYE))
    visit = await clinic.plans({**PATIENT, **CALLABLE}, PROVIDER)
    patient, provider = await rosa_and_amina(visit, somebody)

    await patient.reloads()
    await patient.hears_tone(provider.seat, AMINA)
    await provider.hears_tone(patient.seat, ROSA)
    await provider.reads_of(patient.name, "good connection")
    assert phone.state == ""

    closed = time.monotonic()
    await patient.page.close(run_before_unload=True)
    await phone.until("CALL_INCOMING")
    assert time.monotonic() - closed >= GOODBYE
    again = Patient(await patient.page.context.new_page(), visit.patient)
    await again.opens_the_link()
    await phone.until("CALL_CLOSED")
    await again.hears_tone(provider.seat, AMINA)

    await again.leaves()
    await again.reads("You left the visit")
    await expect(provider.tile(patient.name)).to_have_count(0)
    seat = (await clinic.node.keeper.current(visit.id)).seat(patient.seat)
    assert seat.line.state is Fallback.GOOD
    assert seat.line.deadline is None
    assert phone.state == "CALL_CLOSED"


async def test_both_are_cut_off_and_meet_by_telephone(opens_clinic, phone, somebody, monkeypatch):
    aminas = {"number": "+12025550173", "wording": "2026-11"}
    async with Softphone(number=aminas["number"], tone=AMINA_BY_PHONE, srtp=True) as other:
        reach_each_by_a_trunk_of_its_own(monkeypatch, phone, other)
        clinic = await opens_clinic(soon())
        visit = await clinic.plans({**PATIENT, **CALLABLE}, {**PROVIDER, "numbers": [aminas]})
        await rosa_and_amina(visit, somebody)

        for seat in (visit.patient, visit.provider):
            clinic.impairs(visit, seat, CUT)
        await asyncio.gather(comes_by_telephone(phone), comes_by_telephone(other))

        await phone.until_heard(AMINA_BY_PHONE)
        await other.until_heard(ROSA_BY_PHONE)


async def test_clinician_whose_own_link_fails_is_called(calling_clinic, phone, somebody):
    clinic = await calling_clinic(soon())
    visit = await clinic.plans(PATIENT, {**PROVIDER, **CALLABLE})
    patient, provider = await rosa_and_amina(visit, somebody)

    clinic.impairs(visit, visit.provider, CUT)
    await expect(patient.tile(provider.name)).to_contain_text("Is being called by phone")
    await comes_by_telephone(phone)

    await patient.hears_tone(provider.telephone, ROSA_BY_PHONE)
    await phone.until_heard(ROSA)


async def test_patient_without_video_is_let_in_by_telephone(calling_clinic, phone, somebody):
    clinic = await calling_clinic(soon())
    visit = await clinic.plans({**PATIENT, **CALLABLE, "by_phone_only": True}, PROVIDER)
    provider = await somebody(Provider, visit.provider, scripts=[voice(AMINA)])
    await provider.comes()

    await provider.decides("Call and admit", visit.patient.name)
    await comes_by_telephone(phone)

    await expect(provider.tile(visit.patient.name)).to_contain_text("On the phone")
    await provider.hears_tone(visit.patient.telephone, ROSA_BY_PHONE)
    await phone.until_heard(AMINA)
    await provider.ends_the_visit()
    await phone.until("CALL_CLOSED")


async def test_patient_who_closed_the_page_while_waiting_is_called_when_let_in(
    calling_clinic, phone, somebody
):
    clinic = await calling_clinic(soon())
    visit = await clinic.plans({**PATIENT, **CALLABLE}, PROVIDER)
    patient = await somebody(Patient, visit.patient)
    await patient.comes()
    await patient.waits()
    await patient.page.close()
    provider = await somebody(Provider, visit.provider, scripts=[voice(AMINA)])
    await provider.comes()

    await provider.decides("Call and admit", patient.name)
    await comes_by_telephone(phone)

    await provider.hears_tone(patient.telephone, ROSA_BY_PHONE)
    await phone.until_heard(AMINA)


async def test_picture_of_somebody_who_signs_goes_on(calling_clinic, somebody):
    weak_soon = QualityPolicy(weak=85.0, weak_for=0.0, fine=90.0)
    clinic = await calling_clinic(Policies(quality=weak_soon))
    visit = await clinic.plans({**PATIENT, "needs": ["signing"]}, PROVIDER)
    patient, provider = await rosa_and_amina(visit, somebody)

    clinic.impairs(visit, visit.patient, Impairment(up=Trouble(loss=0.1), down=Trouble(loss=0.1)))
    await provider.reads_of(patient.name, "weak connection")
    await patient.gets_sound_packets(provider, 10)  # behind the last of the picture's
    seen = await patient.received(provider, "video", "packetsReceived")
    await provider.sees(patient)
    assert await patient.received(provider, "video", "packetsReceived") == seen


async def test_telephone_does_not_ring_on_when_its_server_is_killed(tmp_path, phone, somebody):
    async with server_process(tmp_path, **trunk_settings(phone.port)) as server:
        visit = await server.clinic.plans({**PATIENT, **CALLABLE, "by_phone_only": True}, PROVIDER)
        provider = await somebody(Provider, visit.provider, scripts=[voice(AMINA)])
        await provider.comes()
        await provider.decides("Call and admit", visit.patient.name)
        await phone.until("CALL_INCOMING")

        await server.is_killed()
        await server.starts()

        await phone.until("CALL_CLOSED")
