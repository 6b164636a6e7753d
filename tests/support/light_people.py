"""People without browsers in a visit that moves between nodes: they come back as pages do.

async with light_people() as people:
    patient = await people.arrives(visit.patient)
    provider = await people.arrives(visit.provider)
    await converse(patient, provider)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.load.plan import Media
from tests.load.sending import Sender
from tests.support.light_connection import LightConnection
from tests.support.returning_client import Refused, ReturningClient
from tests.support.visits import Invitation

BACK_WITHIN = 20.0
A_MOMENT = 5  # packets of sound: a tenth of a second


class LightPerson(ReturningClient):
    """A returning client, in the words of a visit."""

    name: str
    trouble: list[str]  # the codes of everything that went wrong and was tried again
    _sender: Sender | None = None

    @property
    def admission(self) -> str:
        """What the page says about this person's place."""
        return str(self.view["me"]["admission"]) if self.view else ""

    @property
    def node(self) -> str:
        """The name of the node that the page was led to."""
        return str(self.line.session["signal_url"]).partition("/n/")[2].strip("/")

    async def speaks(self, *, shows: bool = False) -> None:
        """Send sound from now on, wherever the visit is."""
        media: Media = "full" if shows else "sound"
        self._sender = Sender(lambda: (self.peer, self.former), media, lambda _packets: None)

    async def close(self) -> None:
        """Close the page; idempotent."""
        if self._sender is not None:
            self._sender.stop()
        await super().close()

    async def admits(self, other: LightPerson) -> None:
        """Let somebody in who waits. Raises ``Refused``."""
        await self.signals("seat:admit", {"seat": other.seat})

    async def is_admitted_by(self, other: LightPerson, within: float = BACK_WITHIN) -> None:
        """Wait until somebody, who presses "Admit" again and again, has let this person in."""
        async with asyncio.timeout(within):
            while True:
                try:
                    await other.admits(self)
                    break
                except Refused:
                    await asyncio.sleep(0.05)
        await self.is_inside()

    async def removes(self, other: LightPerson) -> None:
        """Take somebody out. Raises ``Refused``."""
        await self.signals("seat:remove", {"seat": other.seat})

    async def hears(self, other: LightPerson, within: float = BACK_WITHIN) -> None:
        """Sound arrives from somebody, from now on."""
        on, heard = self._heard_of(other.seat)

        def more() -> bool:
            now, total = self._heard_of(other.seat)
            return total >= (heard + A_MOMENT if now is on else A_MOMENT)

        await self._comes_true(more, within)

    async def hears_nothing(self, within: float = BACK_WITHIN) -> None:
        """Nothing arrives from anybody for half a second."""
        async with asyncio.timeout(within):
            while True:
                before = self.heard
                await asyncio.sleep(0.5)
                if self.heard == before:
                    return

    async def is_inside(self, within: float = BACK_WITHIN) -> None:
        """Wait until the socket is up and the page shows the visit from inside."""
        await self.until(lambda: self.line.up and self.inside, timeout=within)

    async def _comes_true(self, condition: Callable[[], bool], within: float) -> None:
        """Counted packets wake nobody, so that counting stays cheap."""
        try:
            async with asyncio.timeout(within):
                while not condition():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"not within {within} s: {self}") from None

    def __str__(self) -> str:
        media = self.peer.connections.values() if self.peer else ()
        return (
            f"{self.view['me']['role'] if self.view else 'somebody'} {self.admission}"
            f" {'at' if self.line.up else 'cut off from'} node {self.node}"
            f" {self.line.ended}, media {[(each.kind, each.connected) for each in media]},"
            f" trouble {self.trouble}"
        )

    def _heard_of(self, seat: str) -> tuple[LightConnection | None, int]:
        receive = self.receiving
        if receive is None:
            return None, 0
        ssrcs = [ssrc for ssrc, name in receive.streams.items() if name == (seat, "audio")]
        return receive, sum(receive.counts.get(ssrc, 0) for ssrc in ssrcs)


class LightPeople:
    """Everybody of a story. ``light_people`` makes and closes them."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._all: list[LightPerson] = []

    def somebody(self, invitation: Invitation, **peer_options: Any) -> LightPerson:
        """Whoever has this invitation; they have not opened it yet."""
        trouble: list[str] = []
        options = {"decrypt_every": 0, **peer_options}
        person = LightPerson(self._http, invitation.link, trouble.append, **options)
        person.name, person.trouble = invitation.name, trouble
        self._all.append(person)
        return person

    async def arrives(self, invitation: Invitation, **peer_options: Any) -> LightPerson:
        """Somebody opens this invitation and asks to come in."""
        person = self.somebody(invitation, **peer_options)
        await person.open()
        await person.arrives(shows=False)
        return person

    async def close(self) -> None:
        """Close every page."""
        await asyncio.gather(*(person.close() for person in self._all))


async def begin(provider: LightPerson, *others: LightPerson) -> None:
    """The provider lets in whoever waits, and everybody speaks and hears everybody."""
    await provider.is_inside()
    for other in others:
        await provider.admits(other)
        await other.is_inside()
    for each in (provider, *others):
        await each.speaks()
    await hear_each_other(provider, *others)


async def hear_each_other(*people: LightPerson, within: float = BACK_WITHIN) -> None:
    """Everybody hears everybody, from now on."""
    await asyncio.gather(
        *(one.hears(other, within) for one in people for other in people if other is not one)
    )


@asynccontextmanager
async def light_people() -> AsyncIterator[LightPeople]:
    """People whose pages are closed at the end."""
    # Without a cookie jar each of them is a device of its own.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        people = LightPeople(http)
        try:
            yield people
        finally:
            await people.close()


__all__ = ["LightPeople", "LightPerson", "Refused", "begin", "hear_each_other", "light_people"]
