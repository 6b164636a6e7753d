"""The same visit by keyboard alone, and in Spanish."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.support.browsers import Engine
from tests.support.people import Patient, Provider

MOST_TABS = 25  # presses of Tab before somebody gives up
# Nobody's fingers are quicker than the page, which moves the focus when a screen has changed.
HAS_THE_FOCUS = """button => new Promise(done => requestAnimationFrame(() =>
    requestAnimationFrame(() => done(button === document.activeElement))))"""


async def reaches(page, name):
    """Press Tab until the button with this name has the focus."""
    await page.bring_to_front()  # keys go to the window in front
    button = page.get_by_role("button", name=name, exact=True)
    await expect(button).to_be_visible()
    for _ in range(MOST_TABS):
        if await button.evaluate(HAS_THE_FOCUS):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reached {name!r}")


async def presses_by_keyboard(page, name, key="Enter"):
    await reaches(page, name)
    await page.keyboard.press(key)


@pytest.mark.parametrize("engine", [Engine.CHROMIUM, Engine.FIREFOX], ids=str)
async def test_people_meet_by_keyboard_alone(clinic, somebody, engine):
    visit = await clinic.plans()
    patient = await somebody(Patient, visit.patient, engine)
    provider = await somebody(Provider, visit.provider, engine)
    await patient.opens_the_link()
    await presses_by_keyboard(patient.page, "Join the visit")
    await patient.waits()
    await provider.opens_the_link()
    await presses_by_keyboard(provider.page, "Join the visit", "Space")
    await provider.is_inside()

    await presses_by_keyboard(provider.page, "Admit")
    await patient.meets(provider)
    await provider.meets(patient)

    await presses_by_keyboard(patient.page, "Mute", "Space")
    await expect(provider.tile(patient.name)).to_contain_text("Muted")
    await presses_by_keyboard(patient.page, "Leave")
    dialog = patient.page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await patient.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await presses_by_keyboard(patient.page, "Leave")
    await presses_by_keyboard(patient.page, "Yes, leave")
    await patient.reads("You left the visit")


async def test_patient_who_reads_spanish_finds_the_way_in_spanish(clinic, somebody):
    visit = await clinic.plans()
    patient = await somebody(Patient, visit.patient, locale="es-MX")
    await patient.opens_the_link()
    await expect(patient.page.locator("html")).to_have_attribute("lang", "es")
    await patient.presses("Entrar en la visita")
    await patient.reads("Está en el lugar correcto")
    provider = await somebody(Provider, visit.provider)
    await provider.comes()

    await expect(provider.entry(patient.name)).to_contain_text("Spanish")
    await provider.admits(patient)
    await expect(patient.page.get_by_role("list", name="Personas en la visita")).to_be_visible()
    await patient.meets(provider)
    await provider.meets(patient)

    await patient.presses("Silenciar micrófono")
    await expect(provider.tile(patient.name)).to_contain_text("Muted")
    await patient.presses("Activar micrófono")
    await patient.presses("Salir")
    await patient.presses("Sí, salir")
    await patient.reads("Ha salido de la visita")


async def test_language_that_somebody_chooses_stays_after_a_reload(clinic, somebody):
    visit = await clinic.plans()
    patient = await somebody(Patient, visit.patient)
    await patient.opens_the_link()
    await patient.presses("Español")
    await expect(patient.page.get_by_role("button", name="Entrar en la visita")).to_be_visible()

    await patient.reloads()

    await expect(patient.page.get_by_role("button", name="Entrar en la visita")).to_be_visible()
