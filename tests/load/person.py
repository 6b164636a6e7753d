"""One person of a load: a page that returns, what it sends, and what reaches it."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.load.figures import Figures
from tests.load.plan import Plan
from tests.load.sending import Sender
from tests.support.returning_client import ReturningClient
from tests.support.visits import Invitation

PATIENCE = 60.0  # seconds; a loaded server is slow, and a lost answer takes eight
HEARD = {"concealed": 0.0, "buffer": 0.05, "round_trip": 0.03}  # what pages report each second


class Person:
    """``expected`` and ``received`` count packets of the others since ``starts_counting``."""

    def __init__(
        self, http: aiohttp.ClientSession, invitation: Invitation, plan: Plan, figures: Figures
    ) -> None:
        self.invitation = invitation
        self.busy = False  # is just away, or has left
        self.knocked_at = self.admitted_at = 0.0
        self.expected = self.received = 0
        self._plan = plan
        self._figures = figures
        self._counted: tuple[object, int] = (None, 0)
        self._sender: Sender | None = None
        self.page = ReturningClient(
            http, invitation.link, figures.trouble, **_peer_options(invitation.link)
        )

    @property
    def seat(self) -> str:
        """The person's seat."""
        return self.invitation.seat

    @property
    def waits(self) -> bool:
        """Whether the page says that it waits to be let in."""
        return bool(self.page.view) and self.page.view["me"]["admission"] == "waiting"

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something, or for the end of the session. Raises ``TimeoutError``."""
        await self.page.until(lambda: condition() or self.page.line.ended, timeout=PATIENCE)

    async def comes(self, knocks: Callable[[], None] = lambda: None) -> None:
        """Open the link and ask to come in; ``knocks`` is told just before."""
        with self._figures.time("open"):
            await self.page.open()
        knocks()
        self.knocked_at = perf_counter()
        await self.page.arrives(shows=self._plan.media == "full")

    def speaks(self, to: Callable[[int], None]) -> None:
        """Send from now on; ``to`` is told of so many packets."""
        if self._plan.media != "none":
            self._sender = Sender(lambda: (self.page.peer, self.page.former), self._plan.media, to)

    async def hears(self) -> None:
        """Packets of somebody else arrive; without media, only the connection stands."""
        silent = self._plan.media == "none"
        await self.until(lambda: self.page.connected and (silent or self.page.heard))

    def sent_to(self, packets: int) -> None:
        """Somebody else has sent so many packets."""
        if self.page.connected and self.page.inside:
            self.expected += packets

    def counts(self) -> None:
        """Add what has come since the last time; a new connection begins at nothing."""
        connection, heard = self.page.receiving, self.page.heard
        former, before = self._counted
        self.received += heard - (before if connection is former else 0)
        self._counted = (connection, heard)

    def starts_counting(self) -> None:
        """Forget what was counted."""
        self.counts()
        self.expected = self.received = 0

    async def reports(self) -> None:
        """Say how the others are heard, as pages do each second."""
        if self.page.inside and self.page.connected:
            await self.page.line.mention("media:heard", HEARD)

    async def drops(self) -> None:
        """Lose the socket, and come back. Raises ``Refused``."""
        with self._figures.time("drop_back"):
            await self.page.drops()

    async def reloads(self) -> None:
        """Begin again as a new page of the same browser. Raises ``Refused``."""
        with self._figures.time("reload_back"):
            await self.page.reloads()
            if self.page.inside:
                await self.hears()

    async def goes(self) -> None:
        """Close the page; idempotent."""
        self.busy = True
        if self._sender is not None:
            self._sender.stop()
        await self.page.close()


def _peer_options(link: str) -> dict[str, Any]:
    """A server on this machine is reached by loopback, whatever it advertises."""
    near = urlsplit(link).hostname in {"localhost", "127.0.0.1"}
    where = {} if near else {"host": "0.0.0.0", "server_host": None}
    return {"decrypt_every": 0, **where}
