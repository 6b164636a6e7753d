"""One person watches the whole story alone: the demo's network is broken, and its phone rings."""

from __future__ import annotations

from playwright.async_api import Page, expect

from media.ports import VOICE_SUFFIX
from rooms.policy import FallbackPolicy, Policy
from server.app import Policies
from server.demo import prepare
from server.demo_phone import LINE
from tests.support.people import Browsing, Patient, Person, Provider, begin
from tests.support.visits import Invitation, OwnClinic
from tests.support.voices import AMINA, ROSA, ROSA_BY_PHONE, voice

# Nobody's patience is tried here: how long things really take is measured in another journey.
SOON = Policies(visit=Policy(fallback=FallbackPolicy(call_after_silence=1.0, steady_for=3.0)))


class FrontPage(Browsing):
    """The page with the demo's links."""

    async def opens(self, origin: str) -> None:
        """Open it."""
        await self.page.goto(origin, wait_until="commit")
        await self.reads("Bedside demo")

    async def breaks(self, how: str, outcome: str) -> None:
        """Press one of the buttons, and read what has become of the network."""
        await self.presses(how)
        await expect(self.page.get_by_role("status")).to_contain_text(outcome)


class DemoPhone(Person):
    """The page that is a telephone. The far end of its call is heard as one seat is in a visit."""

    def __init__(self, page: Page) -> None:
        super().__init__(page, Invitation(LINE, "phone", "the demo phone", ""))

    async def is_switched_on(self, origin: str) -> None:
        """Open the page and press the one button."""
        await self.page.goto(f"{origin}/demo/phone", wait_until="commit")
        await self.presses("Switch the phone on")
        await self.reads("The phone is on")

    async def rings(self) -> None:
        """Wait until somebody calls."""
        await expect(self.page.get_by_role("button", name="Answer", exact=True)).to_be_visible()

    async def call_is_over(self) -> None:
        """Wait until the other side has hung up."""
        await expect(self.page.locator(".note")).to_contain_text("The call is over.")


def invited(clinic: OwnClinic, role: str, name: str) -> Invitation:
    node = clinic.node
    return Invitation(node.demo.seats[role], role, name, node.demo_links[role])


async def test_a_broken_network_rings_the_demos_phone_and_everybody_is_back(
    opens_clinic, somebody, browsers
):
    clinic = await opens_clinic(SOON, practice_carrier=True)
    await prepare(clinic.node)
    front, phone = (
        FrontPage(await browsers.page()),
        DemoPhone(await browsers.page(scripts=[voice(ROSA_BY_PHONE)])),
    )
    await front.opens(clinic.origin)
    await front.breaks("Cut", "Nobody is there yet.")
    await phone.is_switched_on(clinic.origin)
    patient = await somebody(
        Patient, invited(clinic, "patient", "Rosa Alvarez"), scripts=[voice(ROSA)]
    )
    provider = await somebody(
        Provider, invited(clinic, "provider", "Dr. Amina Reyes"), scripts=[voice(AMINA)]
    )
    await begin(patient, provider)
    await provider.meets(patient)

    await front.breaks("Cut", "The patient's network is cut")
    await phone.rings()
    await phone.presses("Answer")
    await phone.hears(LINE + VOICE_SUFFIX)  # the announcement
    assert await provider.received(patient.telephone, "audio", "packetsReceived") == 0
    await phone.presses("1")
    await provider.hears_tone(patient.telephone, ROSA_BY_PHONE)
    await phone.hears_tone(LINE + VOICE_SUFFIX, AMINA)

    await front.breaks("Repair", "The patient's network is good.")
    await provider.sees(patient)
    await patient.presses("Move my sound back")
    await phone.call_is_over()
    await provider.hears_tone(patient.seat, ROSA)
    await patient.hears_tone(provider.seat, AMINA)
