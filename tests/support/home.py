"""Somebody's network at home, which can fail as networks do: silently, and for everything at once.

A browser that is told to be offline says goodbye to its server, which a dead network never does.
So here DevTools lose the packets of the media, and a road in front of the server holds the rest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from playwright.async_api import CDPSession, Page

from tests.support.http_road import HttpRoad, http_road_to
from tests.support.network import ONLY_UDP
from tests.support.visits import Clinic, Invitation

# The server tells pages its own address; at home everything goes by the same road.
_LED = """(() => {
  const led = (url) => String(url).replace("localhost:SERVER/", "localhost:ROAD/");
  window.WebSocket = class extends window.WebSocket {
    constructor(url, ...more) {
      super(led(url), ...more);
    }
  };
  const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (method, url, ...more) {
    return open.call(this, method, led(url), ...more);
  };
})();"""


class Home:
    """The network of one Chromium page. ``home_network`` makes and closes it."""

    def __init__(self, road: HttpRoad, server_port: int, port: int) -> None:
        self._road = road
        self._devtools: CDPSession | None = None
        led = _LED.replace("SERVER", str(server_port)).replace("ROAD", str(port))
        self.scripts = [led, ONLY_UDP]  # DevTools lose no packets of TCP, which a dead network does
        self.origin = f"http://localhost:{port}"
        self.settings: dict[str, Any] = {"port": server_port, "allowed_origins": (self.origin,)}

    def leads(self, clinic: Clinic, invitation: Invitation) -> Invitation:
        """The same invitation, opened over this network."""
        return replace(invitation, link=invitation.link.replace(clinic.origin, self.origin))

    async def carries(self, page: Page) -> None:
        """Carry this page's media. Chromium spoils only what is opened after it was told."""
        self._devtools = await page.context.new_cdp_session(page)
        await self._devtools.send("Network.enable")
        await self.loses(0.0)

    async def loses(self, share: float) -> None:
        """Lose this share of the media's packets, each way."""
        assert self._devtools is not None
        rules = {
            "offline": False,
            "latency": 1,  # anything else than nothing at all, or the rest is left aside
            "packetLoss": 100 * share,
            "packetQueueLength": 0,
            "downloadThroughput": -1,
            "uploadThroughput": -1,
        }
        await self._devtools.send("Network.emulateNetworkConditions", rules)

    async def dies(self) -> None:
        """Nothing comes and nothing goes, and nobody is told."""
        self._road.is_cut()
        await self.loses(1.0)

    async def is_back(self) -> None:
        """Everything comes and goes."""
        self._road.is_mended()
        await self.loses(0.0)


@asynccontextmanager
async def home_network(server_port: int, port: int) -> AsyncIterator[Home]:
    """A network whose people find the server at ``port`` of this machine."""
    async with http_road_to(server_port, port) as road:
        yield Home(road, server_port, port)
