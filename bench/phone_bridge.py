"""What one telephone in a visit of three costs, what it delays, and what it loses.

The telephone's end is a line without sockets: G.711 both ways and the playout that carriers use.
CPU is what the server's process takes while two browsers in another process speak, with the
telephone less without it. Delay is counted from the packet's or frame's arrival to the one that
first carries the same sound away again.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import cycle, permutations
from typing import Any

import numpy as np

from bench._media_rig import Rig, cpu_seconds
from bench._speech import speech_packets
from media.phone import g711
from media.phone.carrier import FRAME_SAMPLES, FRAME_SECONDS, Frame
from media.phone.jitter import Gap, JitterBuffer, Playout
from media.phone.opus import OpusDecoder
from media.phone.telephone import Telephony
from media.ports import Wiring
from media.sfu import MediaConfig, Sfu
from rooms.model import Link, PhoneEnd
from rooms.policy import MediaPolicy, PhonePolicy
from tests.support.light_peer import LightPeer
from tests.support.speech import frames, speech, tone

MEASURED, ROUNDS = 6.0, 3  # seconds
VISITS = (1, 8)  # at once; see ``_waking`` for why a single one looks dear
SESSIONS, ONSETS = 6, 3  # each way
QUIET = 25  # turns of silence before a tone as long
SOUND = np.concatenate((np.zeros(QUIET * FRAME_SAMPLES, np.int16), tone(700, 0.5, 20_000)))
LOUD = 2_000  # a tenth of the tone
FRAMES = 20_000
BROWSERS = ("seat-0", "seat-1")
PHONE = "seat-2"


class Line:
    """A telephone without a network: what it hears is encoded, what it says is played out."""

    def __init__(self) -> None:
        self.buffer = JitterBuffer(PhonePolicy(), FRAME_SAMPLES)
        self.loud_at: float | None = None
        self._sent = 0

    def arrive(self, payload: bytes) -> None:
        self.buffer.put(self._sent * FRAME_SAMPLES, g711.decode_ulaw(payload))
        self._sent += 1

    def pull(self) -> Frame | None:
        return self.buffer.pull()

    def push(self, frame: Frame) -> None:
        if self.loud_at is None and np.abs(g711.decode_ulaw(g711.encode_ulaw(frame))).max() > LOUD:
            self.loud_at = time.monotonic()


class SpeakingLine(Line):
    """Says something whenever it is asked, as if a packet had just come."""

    def __init__(self) -> None:
        super().__init__()
        self._payloads = cycle([g711.encode_ulaw(f) for f in frames(speech(10, seed=2))])

    def pull(self) -> Frame | None:
        self.arrive(next(self._payloads))
        return super().pull()


def run() -> dict[str, Any]:
    """Milliseconds of CPU a second, milliseconds of delay, loss in percent."""
    return {
        "cpu": {f"{visits}_visits": asyncio.run(_cpu(visits)) for visits in VISITS},
        "delay": asyncio.run(_delay()),
        "waking_costs_times": _waking(),
        "loss": {f"{percent}_percent": _loss(percent / 100) for percent in (2, 5, 10)},
    }


def _waking() -> float:
    """What the same few lines of Python cost every 20 ms, next to one after the other.

    A machine that sleeps in between, or is shared, finds its caches cold: this much of the CPU of
    a single telephone is not the telephone's.
    """
    costs = []
    for pause in (FRAME_SECONDS, 0.0):
        used = 0.0
        for _ in range(200):
            time.sleep(pause)
            began = time.thread_time()
            sum(number * number for number in range(200))
            used += time.thread_time() - began
        costs.append(used)
    return round(costs[0] / costs[1], 1)


def _wiring(visit: str, phones: bool) -> Wiring:
    links = {Link(a, b) for a, b in permutations(BROWSERS, 2)}
    if not phones:
        return Wiring(visit, frozenset({*BROWSERS, PHONE}), frozenset(links))
    links |= {Link(PHONE, seat, sound=False, picture=False, voice=True) for seat in BROWSERS}
    end = PhoneEnd(seat=PHONE, call=visit, hears=BROWSERS, talks=True)
    return Wiring(visit, frozenset({*BROWSERS, PHONE}), frozenset(links), frozenset({end}))


async def _cpu(visits: int) -> dict[str, float]:
    """Milliseconds a second of one visit, and of its telephone."""
    rig = Rig()
    lines: dict[str, SpeakingLine] = defaultdict(SpeakingLine)
    rig.sfu.use(Telephony(lines=lines.__getitem__))
    await rig.start()
    await rig.meet(visits, len(BROWSERS))
    used: dict[bool, list[float]] = {False: [], True: []}
    for phones in (False, True) * ROUNDS:
        for visit in rig.visits:
            rig.sfu.wire(_wiring(visit, phones))
        await rig.ask({"speak": 1.0})
        before = cpu_seconds()
        await rig.ask({"speak": MEASURED})
        used[phones].append(1e3 * (cpu_seconds() - before) / MEASURED / visits)
    await rig.close()
    without, with_phone = statistics.median(used[False]), statistics.median(used[True])
    return {
        "visit_without_ms_per_s": round(without, 2),
        "one_telephone_ms_per_s": round(with_phone - without, 2),
    }


async def _delay() -> dict[str, dict[str, float]]:
    """Several visits, since the clocks of browser, telephone and bridge differ in each."""
    found = [await _delays_of_one_visit(number) for number in range(SESSIONS)]
    to_phone, to_browser = (
        [1e3 * delay for each in found for delay in each[way]] for way in (0, 1)
    )
    return {"browser_to_phone": _summary(to_phone), "phone_to_browser": _summary(to_browser)}


async def _delays_of_one_visit(number: int) -> tuple[list[float], list[float]]:
    line = Line()
    sfu = Sfu(MediaConfig(bind=("127.0.0.1",), tcp=False), MediaPolicy())
    sfu.use(Telephony(lines=lambda _call: line))
    await sfu.start()
    sfu.wire(_wiring("visit", phones=True))
    peer = LightPeer(lambda *answer: sfu.answer("visit", BROWSERS[0], "leg", *answer))
    sfu.attach("visit", BROWSERS[0], "leg", peer)
    await peer.until(lambda: peer.connected and len(peer.receive.streams) >= 2)
    await asyncio.sleep(random.Random(number).random() * 0.02)
    ears = _Ears(peer)
    delays = await _onsets(peer, line, ears)
    await peer.close()
    await sfu.close()
    return delays


async def _onsets(peer: LightPeer, line: Line, ears: _Ears) -> tuple[list[float], list[float]]:
    """Both say silence at the pace of 20 ms, and now and then one of them a tone."""
    packets = speech_packets(SOUND)
    payloads = [g711.encode_ulaw(frame) for frame in frames(SOUND)]
    delays: tuple[list[float], list[float]] = ([], [])
    loop = asyncio.get_running_loop()
    due = loop.time()
    for onset in range(2 * ONSETS):
        browser_speaks = onset % 2 == 0
        listener: Line | _Ears = line if browser_speaks else ears
        spoken = 0.0
        for turn, (packet, payload) in enumerate(zip(packets, payloads, strict=True)):
            await asyncio.sleep(max(0.0, due - loop.time()))
            due += 0.02
            if turn == QUIET:
                listener.loud_at, spoken = None, time.monotonic()
            peer.send_audio(packet if browser_speaks else packets[0])
            line.arrive(payloads[0] if browser_speaks else payload)
        assert listener.loud_at is not None, "the sound never arrived"
        delays[not browser_speaks].append(listener.loud_at - spoken)
    return delays


class _Ears:
    """When a browser first receives something loud from the telephone."""

    def __init__(self, peer: LightPeer) -> None:
        self.loud_at: float | None = None
        self._peer = peer
        self._decoder = OpusDecoder()
        peer.receive.on_packet = self._packet

    def _packet(self, packet: Any) -> None:
        if packet.ssrc != self._peer.ssrc(f"{PHONE}.phone", "audio"):
            return
        sound = self._decoder.decode(packet.payload)
        if self.loud_at is None and sound is not None and np.abs(sound).max() > LOUD:
            self.loud_at = time.monotonic()


def _summary(milliseconds: list[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {"p50_ms": round(statistics.median(ordered), 1), "most_ms": round(ordered[-1], 1)}


def _arrivals(loss: float) -> Iterator[tuple[float, int]]:
    """When each packet comes, in turns: 20 ms of jitter, and what is lost does not come."""
    dice = random.Random(1)
    found = [(n + dice.random(), n) for n in range(FRAMES) if dice.random() >= loss]
    yield from sorted(found)


def _loss(loss: float) -> dict[str, float]:
    playout: Playout[int] = Playout(PhonePolicy(), FRAME_SAMPLES)
    arrivals = list(_arrivals(loss))
    wire = 1 - len(arrivals) / FRAMES
    played = turns = at = 0
    for turn in range(FRAMES):
        while at < len(arrivals) and arrivals[at][0] <= turn:
            playout.put(arrivals[at][1] * FRAME_SAMPLES, arrivals[at][1])
            at += 1
        found = playout.pull()
        turns += found is not Gap.EMPTY
        played += not isinstance(found, Gap)
    return {"wire": round(100 * wire, 2), "played_out": round(100 * (1 - played / turns), 2)}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
