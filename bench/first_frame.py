"""Click on "Join the visit" (admitted at once) → first decoded remote frame, in Chromium.

The visit holds one provider; a second one, who need not wait, clicks. The reference, in the same
run and browser, is two pages connected directly: from the first call on one page to the first frame
there, the other already capturing. Both are stopped by the same probe in the page.
"""

from __future__ import annotations

import json
import statistics
import time
import urllib.request
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench._node import Served, serving

RUNS = 10
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]

# Watches every remote picture through an element of its own, whatever the page does with it.
PROBE = """
window.probe = { begun: 0 };
window.probe.first = new Promise((resolve) => { window.probe.seen = resolve; });
const watch = (track) => {
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = new MediaStream([track]);
  video.requestVideoFrameCallback(() => window.probe.seen(performance.now()));
  void video.play();
};
const Native = RTCPeerConnection;
window.RTCPeerConnection = class extends Native {
  constructor(...given) {
    super(...given);
    this.addEventListener("track", (event) => {
      if (event.track.kind === "video") watch(event.track);
    });
  }
};
document.addEventListener("click", () => { window.probe.begun = performance.now(); }, true);
"""

DIRECT = """
(async () => {
  const signals = new BroadcastChannel("direct");
  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const peer = new RTCPeerConnection();
  for (const track of media.getTracks()) peer.addTrack(track, media);
  peer.onicecandidate = (event) => {
    signals.postMessage({ candidate: event.candidate && event.candidate.toJSON() });
  };
  signals.onmessage = async ({ data }) => {
    if (data.description) {
      await peer.setRemoteDescription(data.description);
      if (data.description.type === "offer") {
        await peer.setLocalDescription();
        signals.postMessage({ description: peer.localDescription.toJSON() });
      }
    } else if (data.candidate) await peer.addIceCandidate(data.candidate);
  };
  window.call = async () => {
    window.probe.begun = performance.now();
    await peer.setLocalDescription();
    signals.postMessage({ description: peer.localDescription.toJSON() });
  };
})()
"""


def run() -> dict[str, Any]:
    """The benchmark."""
    with serving() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        direct = [_direct(browser, server) for _ in range(RUNS)]
        joined = [_join(browser, server) for _ in range(RUNS)]
        browser.close()
    ours, reference = statistics.median(joined), statistics.median(direct)
    return {
        "click_to_frame_ms": {"p50": ours, "worst": max(joined)},
        "direct_ms": {"p50": reference, "worst": max(direct)},
        "ratio": ours / reference,
    }


def _join(browser: Browser, server: Served) -> float:
    here, there = _links(server)
    host, guest = _context(browser), _context(browser)
    try:
        _enter(host, there)
        page = guest.new_page()
        page.goto(here)
        page.get_by_role("button", name="Join the visit").click()
        return _first_frame(page)
    finally:
        host.close()
        guest.close()


def _enter(context: BrowserContext, link: str) -> None:
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button", name="Join the visit").click()
    page.get_by_role("button", name="Mute").wait_for()


def _direct(browser: Browser, server: Served) -> float:
    context = _context(browser)
    try:
        pages = [context.new_page() for _ in range(2)]
        for page in pages:
            page.goto(f"{server.base_url}/desk")
            page.evaluate(DIRECT)
        pages[0].evaluate("window.call()")
        return _first_frame(pages[0])
    finally:
        context.close()


def _context(browser: Browser) -> BrowserContext:
    context = browser.new_context(permissions=["camera", "microphone"], locale="en-US")
    context.add_init_script(PROBE)
    return context


def _first_frame(page: Page) -> float:
    return float(page.evaluate("window.probe.first.then((at) => at - window.probe.begun)"))


def _links(server: Served) -> tuple[str, str]:
    now = time.time()
    body = {
        "starts_at": now,
        "ends_at": now + 3600,
        "seats": [{"role": "provider", "name": name} for name in ("One", "Two")],
    }
    request = urllib.request.Request(
        f"{server.base_url}/v1/visits",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {server.api_key}"},
    )
    with urllib.request.urlopen(request) as response:
        seats = json.load(response)["seats"]
    codes = [seat["link"].partition("#")[2] for seat in seats]
    one, two = (f"{server.base_url}/join#{code}" for code in codes)
    return one, two
