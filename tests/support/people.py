"""People in front of browsers: what they do and what happens to them, in the words of a visit."""

from __future__ import annotations

from re import Pattern
from typing import Any

from playwright.async_api import Locator, Page, Response, WebSocket, expect

from tests.support.visits import Invitation
from tests.support.voices import AMINA, ROSA

PATIENCE = 20.0  # seconds until a step has failed, on a busy machine
SOUND = 1e-3  # seconds of full-scale sound: one beep has five times that, silence has none
AUDIBLE = 0.01  # of full scale: a tone of a test has ten times that, silence nothing
PICTURES = 3  # that many new ones are a moving picture

IN_THE_RIGHT_PLACE = "You are in the right place"


class Browsing:
    """Somebody with a page open."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def reads(self, title: str) -> None:
        """Wait for the page with this title."""
        await expect(self.page.get_by_role("heading", name=title, level=1)).to_be_visible()

    async def says(self) -> str:
        """All the words on the page."""
        return await self.page.locator("body").inner_text()

    async def presses(self, name: str) -> None:
        """Press the button with this name."""
        await self.page.get_by_role("button", name=name, exact=True).click()

    def entry(self, name: str) -> Locator:
        """The line about somebody else in one of the lists."""
        return self.page.get_by_role("group", name=name, exact=True)

    async def decides(self, deed: str, name: str) -> None:
        """Press this button of somebody's line."""
        await self.entry(name).get_by_role("button", name=deed, exact=True).click()

    async def reloads(self) -> None:
        """Open the same page again, as F5 does."""
        await self.page.reload(wait_until="commit")

    async def loses_the_network(self) -> None:
        """Nothing of HTTP and WebSocket comes through any more."""
        await self.page.context.set_offline(True)

    async def finds_the_network(self) -> None:
        """It does again."""
        await self.page.context.set_offline(False)

    async def is_told_of_another_network(self) -> None:
        """The browser tells its page, as phones do between Wi-Fi and mobile data."""
        await self.page.evaluate("() => void dispatchEvent(new Event('online'))")


class Person(Browsing):
    """Somebody with a link to a seat."""

    def __init__(self, page: Page, invitation: Invitation) -> None:
        super().__init__(page)
        self.invitation = invitation
        self.seat = invitation.seat
        self.name = invitation.name

    # What they do.

    async def opens_the_link(self) -> None:
        """Open the page, without joining yet."""
        await self.page.goto(self.invitation.link, wait_until="commit")

    async def knocks(self) -> None:
        """Press "Join the visit", which is the one main button."""
        await self.presses("Join the visit")

    async def comes(self) -> None:
        """Open the link and join."""
        await self.opens_the_link()
        await self.knocks()

    async def leaves(self) -> None:
        """Leave, and mean it."""
        await self.presses("Leave")
        await self.presses("Yes, leave")

    # What happens to them.

    async def waits(self) -> None:
        """Be told to wait."""
        await self.reads(IN_THE_RIGHT_PLACE)

    async def is_told(self, text: str) -> None:
        """Have a message from the clinic before them."""
        messages = self.page.get_by_role("region", name="Messages from the clinic")
        await expect(messages).to_contain_text(text)

    async def waiting_since(self) -> str:
        """The clock time since which the page says that they wait."""
        text = await self.page.get_by_text("Waiting since").inner_text()
        return text.partition("(")[0].strip()

    async def is_inside(self) -> None:
        """Be in the visit."""
        await expect(self._people).to_be_visible()

    async def meets(self, *others: Person) -> None:
        """See and hear each of them."""
        for other in others:
            await self.sees(other)
            await self.hears(other)

    async def hears(self, other: Person | str, within: float = PATIENCE) -> None:
        """Sound that is not silence arrives from them, from now on."""
        await self._receives(other, "audio", "totalAudioEnergy", SOUND, within)

    async def sees(self, other: Person | str, within: float = PATIENCE) -> None:
        """Pictures arrive from them and are decoded, from now on."""
        await self._receives(other, "video", "framesDecoded", PICTURES, within)

    async def hears_tone(
        self, name: str, frequency: float, *, least: float = 0.9, within: float = PATIENCE
    ) -> None:
        """A third of a second of this tone, at least so pure, comes from a seat or a telephone."""
        about = {"name": name, "frequency": frequency, "least": least, "within": within * 1000}
        assert await self.page.evaluate("about => mediaProbe.sounds(about)", about), (
            f"{self.name} did not hear {frequency} Hz within {within} s"
        )

    async def gets_sound_packets(self, other: Person, count: int, within: float = PATIENCE) -> None:
        """So many packets of sound arrive from them, silence or not."""
        await self._receives(other, "audio", "packetsReceived", count, within)

    async def received(self, other: Person | str, kind: str, field: str) -> float:
        """What has arrived from them so far, by the browser's own statistics."""
        number = await self.page.evaluate(
            "about => mediaProbe.received(about)",
            {"seat": _seat(other), "kind": kind, "field": field},
        )
        return float(number)

    async def sends(self, kind: str, packets: int, within: float = PATIENCE) -> None:
        """So many more packets of sound or picture go out."""
        about = {"kind": kind, "field": "packetsSent", "by": packets, "within": within * 1000}
        assert await self.page.evaluate("about => mediaProbe.leaves(about)", about), (
            f"{self.name} did not send {packets} packets of {kind} within {within} s"
        )

    async def connections(self) -> int:
        """How many peer connections this page has ever opened."""
        return int(await self.page.evaluate("() => mediaProbe.opened"))

    async def opens_connections(self, count: int) -> None:
        """Wait until this page has opened so many peer connections in all."""
        await self.page.wait_for_function("count => mediaProbe.opened >= count", arg=count)

    async def routes(self) -> set[str]:
        """How media travels: kind and protocol of this browser's end, such as ``host/udp``."""
        return set(await self.page.evaluate("() => mediaProbe.routes()"))

    async def keeps_its_connections_open(self) -> None:
        """From now on this page closes no peer connection, whatever it is told."""
        await self.page.evaluate("() => { mediaProbe.keepsOpen = true; }")

    def everything_it_is_told(self) -> list[str]:
        """All that the server sends this page from now on: replies, and frames of its socket."""
        told: list[str] = []

        async def note(response: Response) -> None:
            told.append(await response.text())

        def listen(line: WebSocket) -> None:
            line.on("framereceived", lambda frame: told.append(str(frame)))

        self.page.on("response", note)
        self.page.on("websocket", listen)
        return told

    def tile(self, name: str) -> Locator:
        """Somebody's picture with everything around it."""
        return self._people.get_by_role("listitem").filter(has_text=name)

    @property
    def _people(self) -> Locator:
        return self.page.get_by_role("list", name="People in the visit")

    async def _receives(
        self, other: Person | str, kind: str, field: str, by: float, within: float
    ) -> None:
        about: dict[str, Any] = {"seat": _seat(other), "kind": kind, "field": field, "by": by}
        arrived = await self.page.evaluate(
            "about => mediaProbe.arrives(about)", {**about, "within": within * 1000}
        )
        whose = other if isinstance(other, str) else other.name
        assert arrived, f"{self.name}: {field} of {whose} did not grow by {by} within {within} s"

    async def reads_of(self, name: str, text: str | Pattern[str]) -> None:
        """Be told this about somebody's connection, or anything else in their line."""
        await expect(self.entry(name)).to_contain_text(text)

    @property
    def telephone(self) -> str:
        """What the sound of this person's telephone is called where it is heard."""
        return self.invitation.telephone

    async def begins_to_listen(self, *names: str) -> None:
        """From now on write down how loud each of these is."""
        await self.page.evaluate("names => mediaProbe.follow(names)", list(names))

    async def longest_silence(self) -> float:
        """For how long, at the longest, nothing was heard of any of them."""
        diary = await self.page.evaluate("() => mediaProbe.diary()")
        last, longest = diary[0]["at"], 0.0
        for entry in diary:
            if max(entry["loudness"]) > AUDIBLE or entry is diary[-1]:
                longest, last = max(longest, entry["at"] - last), entry["at"]
        return longest


class Patient(Person):
    """The person the visit is about."""

    async def objects_to(self, other: Person) -> None:
        """Say no to somebody of the family."""
        await self.decides("Object", other.name)


class Provider(Person):
    """The clinician."""

    def entries(self) -> Locator:
        """The names of those who wait, in their order."""
        waiting = self.page.get_by_role("region", name="Waiting to come in")
        return waiting.get_by_role("group").locator(".person-name")

    async def admits(self, *others: Person) -> None:
        """Let everybody of these in who waits."""
        for other in others:
            await self.decides("Admit", other.name)

    async def lets_in_another_device(self, other: Person) -> None:
        """Admit a second device of somebody who is in the visit."""
        waiting = self.page.get_by_role("region", name="Waiting to come in")
        await waiting.get_by_role("button", name="Admit", exact=True).click()

    async def denies(self, other: Person) -> None:
        """Do not let them in."""
        await self.decides("Deny", other.name)

    async def removes(self, other: Person) -> None:
        """Take them out of the visit."""
        await self.decides("Remove", other.name)

    async def sends_back(self, other: Person) -> None:
        """Send them back to the waiting room."""
        await self.decides("Send back to waiting room", other.name)

    async def lets_back(self, other: Person) -> None:
        """Lift a denial or a removal."""
        await self.decides("Let back in", other.name)

    async def tells(self, other: Person, text: str) -> None:
        """Send a message to somebody who waits."""
        await self.decides("Message", other.name)
        await self.entry(other.name).get_by_role("textbox").fill(text)
        await self.entry(other.name).get_by_role("button", name="Send", exact=True).click()

    def button_about(self, other: Person, name: str) -> Locator:
        """A button in somebody's line."""
        return self.entry(other.name).get_by_role("button", name=name, exact=True)

    async def calls(self, other: Person) -> None:
        """Call somebody whose video is well."""
        button = self.button_about(other, "Call their phone")
        if not await button.is_visible():
            await self.entry(other.name).get_by_text("Phone and address").click()
        await button.click()

    async def invites(self, name: str, role: str = "Family") -> str:
        """Invite somebody; the link that the page shows for them."""
        await self.presses("Invite someone")
        dialog = self.page.get_by_role("dialog")
        await dialog.get_by_label("Who are they?").select_option(label=role)
        await dialog.get_by_label("Name", exact=True).fill(name)
        await dialog.get_by_role("button", name="Make the link").click()
        link = await dialog.get_by_label("Link", exact=True).input_value()
        await dialog.get_by_role("button", name="Done").click()
        return link

    async def ends_the_visit(self) -> None:
        """End it for everyone, and mean it."""
        await self.presses("End visit for everyone")
        await self.presses("Yes, end the visit")


class Desk(Browsing):
    """Staff with the list of the day."""

    async def opens(self, link: str) -> None:
        """Open the desk's link."""
        await self.page.goto(link, wait_until="commit")
        await self.reads("Visits today")

    async def admits(self, other: Person) -> None:
        """Let somebody in who waits."""
        await self.decides("Admit", other.name)

    async def opens_the_visit(self, invitation: Invitation) -> Provider:
        """Go into a visit at a provider's seat; it opens in a tab of its own."""
        async with self.page.context.expect_page() as opened:
            await self.decides("Open the visit", invitation.name)
        return Provider(await opened.value, invitation)


async def begin(patient: Patient, provider: Provider) -> None:
    """A visit as most begin: the patient comes and waits, the provider comes and admits."""
    await patient.comes()
    await patient.waits()
    await provider.comes()
    await provider.admits(patient)


async def converse(patient: Patient, provider: Provider) -> None:
    """Both in the middle of their visit, each saying the tone of ``voices``."""
    await begin(patient, provider)
    await provider.hears_tone(patient.seat, ROSA)
    await patient.hears_tone(provider.seat, AMINA)
    await provider.sees(patient)


def _seat(other: Person | str) -> str:
    return other if isinstance(other, str) else other.seat
