"""Chromium and Firefox with made-up cameras and microphones: one process of each per test run.

Everybody gets a context of their own in it: own cookies, own language, own permissions.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, Playwright, StorageState

PROBE = Path(__file__).with_name("media_probe.js")

_CHROMIUM = [
    "--no-sandbox",  # the only way as root, which is what containers run tests as
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    # Several people share one window system here, and none of them is in the background.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]
_CHROMIUM_DEVICES = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]

_FIREFOX: dict[str, Any] = {
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.peerconnection.ice.tcp": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.gmp-manager.updateEnabled": False,
    "app.update.auto": False,
    "app.normandy.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.systemAddon.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.prefs.recommended": True,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


async def kill(browser: Browser) -> None:
    """It dies in the middle of whatever it did, and says goodbye to nobody."""
    devtools = await browser.new_browser_cdp_session()
    processes = (await devtools.send("SystemInfo.getProcessInfo"))["processInfo"]
    os.kill(next(each["id"] for each in processes if each["type"] == "browser"), signal.SIGKILL)


class Engine(StrEnum):
    """What a person's browser is."""

    CHROMIUM = "chromium"
    FIREFOX = "firefox"
    BARE_CHROMIUM = "chromium-without-devices"
    BARE_FIREFOX = "firefox-without-devices"


_FIREFOXES = (Engine.FIREFOX, Engine.BARE_FIREFOX)


class Browsers:
    """Every browser of a test run, started when somebody first needs it."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._running: dict[Engine, Browser] = {}
        self._killable: list[Browser] = []
        self._errors: list[str] = []

    async def context(
        self,
        engine: Engine,
        *,
        locale: str = "en-US",
        scripts: Sequence[str] = (),
        browser: Browser | None = None,
        kept: StorageState | None = None,
    ) -> BrowserContext:
        """A browser profile; ``scripts`` run before those of every page.

        There is nothing in it but what was ``kept`` of another one.
        """
        if engine not in self._running and browser is None:
            self._running[engine] = await self._launch(engine)
        options: dict[str, Any] = {
            "locale": locale,
            "viewport": {"width": 1100, "height": 800},
            "reduced_motion": "reduce",
        }
        if engine is Engine.CHROMIUM:
            options["permissions"] = ["camera", "microphone"]
        if engine in _FIREFOXES:
            del options["reduced_motion"]  # WebDriver BiDi has no command for it
        context = await (browser or self._running[engine]).new_context(
            **options, storage_state=kept
        )
        context.on("weberror", lambda failed: self._errors.append(str(failed.error)))
        await context.add_init_script(path=PROBE)
        for script in scripts:
            await context.add_init_script(script)
        return context

    async def page(self, engine: Engine = Engine.CHROMIUM, **options: Any) -> Page:
        """An empty page of a new profile."""
        return await (await self.context(engine, **options)).new_page()

    async def one_of_its_own(self) -> Browser:
        """A Chromium that may be killed without taking anybody else's pages with it."""
        browser = await self._launch(Engine.CHROMIUM)
        self._killable.append(browser)
        return browser

    async def what_everybody_sees(self) -> str:
        """The words on every open page, and what went wrong in any: the first questions."""
        pages = [
            page
            for browser in self._running.values()
            for context in browser.contexts
            for page in context.pages
        ]
        words = [await page.locator("body").inner_text() for page in pages]
        return "\n\n".join(f"---- {each}" for each in (*words, *self._errors))

    async def close_contexts(self) -> None:
        """Close everybody's profile; the browsers stay for the next test."""
        self._errors.clear()
        for browser in self._running.values():
            for context in browser.contexts:
                await context.close()
        while self._killable:
            await self._killable.pop().close()

    async def close(self) -> None:
        """Close every browser."""
        for browser in self._running.values():
            await browser.close()

    async def _launch(self, engine: Engine) -> Browser:
        if engine in _FIREFOXES:
            devices = {"media.navigator.streams.fake": engine is Engine.FIREFOX}
            return await self._playwright.firefox.launch(
                channel="moz-firefox",
                executable_path="/usr/bin/firefox-esr",
                firefox_user_prefs=_FIREFOX | devices,
            )
        switches = _CHROMIUM_DEVICES if engine is Engine.CHROMIUM else []
        return await self._playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*_CHROMIUM, *switches]
        )
