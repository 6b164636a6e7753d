"""The telephone's line and sound, through the real server."""

import asyncio

import aiohttp
import numpy as np
import pytest

from media.phone.carrier import CallRequest, CallState, Ending
from media.phone.scripts import Script
from media.ports import VOICE_SUFFIX
from server.demo_phone import LINE, PAGE, VISIT
from tests.support.demo_pages import PhonePage
from tests.support.phone_lines import Line, Talker, decoded
from tests.support.server_clients import running_server
from tests.support.speech import share_of_tone, tone
from tests.support.witness import MemoryLedger, Witness

NUMBER, CALL = "+12025550171", "the-call"
VISIT_HZ, PAGE_HZ = 700.0, 900.0
VOICE = LINE + VOICE_SUFFIX
TURN, TURNS = 0.02, 50


@pytest.fixture
async def rehearsal(tmp_path):
    async with running_server(tmp_path, practice_carrier=True) as server:
        yield server


@pytest.fixture
def witness():
    return Witness()


@pytest.fixture
async def carrier(rehearsal, witness):
    """The carrier, which for once tells a test instead of the switchboard."""
    carrier = rehearsal.node.phones.practice_carrier
    await carrier.start(witness, MemoryLedger())
    return carrier


async def call(carrier):
    await carrier.dial(CallRequest(id=CALL, number=NUMBER, ring_for=20.0))


async def answered(carrier, page):
    """The page is in a call, and its media is up; the visit's side of the sound."""
    await page.is_in("idle")
    await call(carrier)
    await page.is_in("ringing")
    await page.does("answer")
    await page.is_in("talking")
    await page.peer.until(lambda: page.peer.connected)
    return carrier.line(CALL)


async def exchange(line, said, done):
    """Say a sound into the line turn by turn, as a bridge does, and collect what comes."""
    loop = asyncio.get_running_loop()
    due, visit, came = loop.time(), Line(said), []
    async with asyncio.timeout(15):
        while not done(came):
            line.push(visit.pull())
            frame = line.pull()
            if frame is not None and np.any(frame):
                came.append(frame)
            due += TURN
            await asyncio.sleep(max(0.0, due - loop.time()))
    return np.concatenate(came[-TURNS:])


async def test_both_hear_each_other_through_the_page(rehearsal, carrier):
    async with PhonePage(rehearsal) as page:
        line, peer = await answered(carrier, page), page.peer
        await peer.until(lambda: (VOICE, "audio") in peer.receive.streams.values())
        talker = Talker(peer, tone(PAGE_HZ, 1.0))
        heard = await exchange(
            line,
            tone(VISIT_HZ, 1.0),
            lambda came: len(came) > 2 * TURNS and len(peer.sound(VOICE)) > 3 * TURNS,
        )
        await talker.stop()
        assert share_of_tone(heard, PAGE_HZ) > 0.9
        assert share_of_tone(decoded(peer.sound(VOICE)[-TURNS:]), VISIT_HZ) > 0.9
        await page.does("hang_up")
        await page.is_in("idle")
        assert rehearsal.node.plane.figures(VISIT, PAGE) is None


async def test_a_newer_page_takes_the_telephone(rehearsal):
    async with PhonePage(rehearsal) as first:
        await first.is_in("idle")
        async with PhonePage(rehearsal) as second:
            await first.is_gone()
            assert first.taken
            await second.is_in("idle")
            await second.does("voicemail", on=True)
            await second.until(lambda told: told["voicemail"])


async def test_a_page_that_vanishes_breaks_its_call(rehearsal, carrier, witness):
    async with PhonePage(rehearsal) as page:
        await answered(carrier, page)
    over = await asyncio.wait_for(witness.until(CALL, CallState.OVER), 5)
    assert over.ending is Ending.BROKEN


async def test_a_page_asks_for_its_connections_anew(rehearsal, carrier):
    async with PhonePage(rehearsal) as page:
        await answered(carrier, page)
        offers = len(page.peer.offers)
        await page.does("media:restart")
        await page.peer.until(lambda: len(page.peer.offers) >= offers + 2)


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        "{}",
        '{"type": "explode"}',
        '{"type": "press", "key": "12"}',
        '{"type": "press", "key": "A"}',
        '{"type": "voicemail"}',
        '{"type": "answer", "type": "decline"}',
        '{"type": "media:answer", "peer": "x", "number": -1, "sdp": ""}',
        "x" * 70_000,
        b"bytes",
    ],
)
async def test_what_no_page_of_ours_sends_closes_the_line(rehearsal, text):
    async with PhonePage(rehearsal) as page:
        await page.is_in("idle")
        send = page.socket.send_bytes if isinstance(text, bytes) else page.socket.send_str
        await send(text)
        await page.is_gone()


async def test_what_does_not_fit_the_moment_is_ignored(rehearsal):
    async with PhonePage(rehearsal) as page:
        for deed in ("answer", "decline", "hang_up", "media:restart"):
            await page.does(deed)
        await page.does("press", key="1")
        await page.does("media:answer", peer="gone", number=1, sdp="v=0")
        await page.does("voicemail", on=True)
        told = await page.until(lambda told: told["voicemail"])
        assert told["state"] == "idle"


async def test_pages_of_other_sites_get_no_telephone(rehearsal):
    url = f"{rehearsal.url}/demo/phone/line"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await rehearsal.http.ws_connect(url, origin="https://elsewhere.example")
    assert refused.value.status == 403
    answer = await rehearsal.call("GET", "/demo/phone/line")
    assert answer.status == 400


async def test_a_server_without_the_practice_carrier_has_no_such_door(server):
    for path in ("/demo/phone", "/demo/phone/line", "/demo/control"):
        assert (await server.call("GET", path)).status == 404


async def test_the_page_is_there_in_rehearsals(rehearsal):
    page = await rehearsal.call("GET", "/demo/phone")
    assert page.status == 200
    assert "{{" not in page.text
    assert "<h1>Demo phone</h1>" in page.text


async def test_shutdown_lets_the_page_go(tmp_path):
    async with running_server(tmp_path, practice_carrier=True) as server:
        page = PhonePage(server)
        await page.__aenter__()
        await page.is_in("idle")
        await server.app.shutdown()
        await page.is_gone()
        await page.__aexit__()


async def test_scripts_come_before_the_page(rehearsal, carrier, witness):
    async with PhonePage(rehearsal) as page:
        await page.is_in("idle")
        carrier.rehearse(NUMBER, Script.BUSY)
        await call(carrier)
        await asyncio.wait_for(witness.until(CALL, CallState.OVER), 5)
        assert witness.states(CALL) == [CallState.OVER]
