"""Telephones in a visit: who hears whom, and before the gate opens exactly nothing."""

import asyncio
import random
import time
from itertools import pairwise

import numpy as np
import pytest

from media import rtcp
from media.phone.carrier import FRAME_SECONDS
from media.phone.taps import Tap
from media.phone.telephone import Telephony
from media.ports import Wiring
from media.rtp import HEADER_LENGTH, SILENCE
from media.sfu import MediaConfig, Sfu
from rooms.model import Link, PhoneEnd, Prompt
from rooms.policy import MediaPolicy, PhonePolicy
from tests.support.phone_lines import Line, Talker, decoded
from tests.support.speech import FRAME, share_of_tone, speech, tone

VISIT = "visit-1"
SETTLED = 15  # turns: reserve of a tap, decoder and filter


TONES = {"ann": 700, "ben": 1_100, "cas": 1_900, "dot": 2_500}


def who_is_in(sound):
    return {seat for seat, hertz in TONES.items() if share_of_tone(sound, hertz) > 0.02}


class Listener:
    def __init__(self):
        self.told = []
        self.event = asyncio.Event()

    def same_speech(self, visit, seat, call):
        self.told.append((visit, seat, call))
        self.event.set()


class World:
    """A plane with telephones: ``lines`` by call, announcements by prompt."""

    def __init__(self, policy=None):
        self.lines = {}
        self.prompts = {}
        self.listener = Listener()
        self.sfu = Sfu(MediaConfig(bind=("127.0.0.1",), tcp=False), MediaPolicy())
        self.sfu.use(
            Telephony(
                lines=self.lines.get,
                announce=lambda _visit, end: self.prompts.get(end.prompt),
                listener=self.listener,
                policy=policy or PhonePolicy(),
            )
        )
        self.talkers = []

    def talk(self, peer, sound):
        self.talkers.append(Talker(peer, sound))

    async def close(self):
        for talker in self.talkers:
            await talker.stop()
        await self.sfu.close()


@pytest.fixture
async def world():
    world = World()
    await world.sfu.start()
    yield world
    await world.close()


@pytest.fixture
async def room(world, make_room):
    room = make_room(world.sfu)
    yield room
    await room.close()


def wire(room, *ends, links=(), seats=()):
    """Telephones besides the room's browsers; every hearer has the voice of those that talk."""
    everybody = frozenset([*room.seats, *seats])
    voices = {
        Link(end.seat, seat, sound=False, picture=False, voice=True)
        for end in ends
        if end.talks
        for seat in room.seats
        if seat != end.seat
    }
    phoned = {link.source for link in voices}
    others = {link for link in room.links if link.source not in phoned}
    wiring = Wiring(VISIT, everybody, frozenset([*(links or voices | others)]), frozenset(ends))
    room.sfu.wire(wiring)


async def hears_voice(peer, seat, count):
    await peer.until(lambda: len(peer.sound(f"{seat}.phone")) >= count)
    return decoded(peer.sound(f"{seat}.phone"))[SETTLED * FRAME :]


class TestWhoHearsWhom:
    async def test_everybody_hears_the_others_and_nobody_themselves(self, world, room):
        ann, ben = await room.meet("ann", "ben")
        world.talk(ann, tone(700, 1))
        world.talk(ben, tone(1_100, 1))
        cas = world.lines["call-1"] = Line(tone(1_900, 1))
        dot = world.lines["call-2"] = Line(tone(2_500, 1))
        wire(
            room,
            PhoneEnd("cas", "call-1", "", ("ann", "ben", "cas"), ("cas", "dot"), True),
            PhoneEnd("dot", "call-2", "", ("ann", "ben"), ("cas",), True),
            seats=("cas", "dot"),
        )
        await cas.hears(SETTLED)
        (at_cas, at_dot), of_cas, of_dot = await asyncio.gather(
            asyncio.gather(cas.hears(25), dot.hears(25)),
            hears_voice(ann, "cas", 2 * SETTLED),
            hears_voice(ben, "dot", 2 * SETTLED),
        )
        shares = [share_of_tone(at_cas, hertz) for hertz in (700, 1_100, 1_900, 2_500)]
        assert min(shares[0], shares[1], shares[3]) > 0.2
        assert shares[2] < 0.001
        shares = [share_of_tone(at_dot, hertz) for hertz in (700, 1_100, 1_900, 2_500)]
        assert min(shares[:3]) > 0.2
        assert shares[3] < 0.001
        assert share_of_tone(of_cas, 1_900) > 0.9
        assert share_of_tone(of_dot, 2_500) > 0.9

    async def test_a_telephone_hears_exactly_whom_the_wiring_says(self, world, room):
        ann, ben = await room.meet("ann", "ben")
        world.talk(ann, tone(700, 1))
        world.talk(ben, tone(1_100, 1))
        line = world.lines["call-1"] = Line()
        wire(room, PhoneEnd("cas", "call-1", hears=("ben",)), seats=("cas",))
        await line.hears(SETTLED)
        heard = await line.hears(10)
        assert share_of_tone(heard, 1_100) > 0.98
        wire(room, PhoneEnd("cas", "call-1", hears=()), seats=("cas",))
        assert not (await line.hears(10)).any()

    async def test_whatever_the_wiring_does_telephones_follow(self, world, room):
        """Exactly who is named is heard, at every step of a random walk."""
        dice = random.Random(5)
        ann, ben = await room.meet("ann", "ben")
        world.talk(ann, tone(TONES["ann"], 1))
        world.talk(ben, tone(TONES["ben"], 1))
        lines = {seat: Line(tone(TONES[seat], 1)) for seat in ("cas", "dot")}
        world.lines.update(lines)
        for _ in range(6):
            ends = [
                PhoneEnd(
                    seat,
                    seat,
                    hears=tuple(s for s in ("ann", "ben") if dice.random() < 0.5),
                    hears_phones=tuple(s for s in lines if dice.random() < 0.7),
                    talks=dice.random() < 0.7,
                )
                for seat in lines
            ]
            wire(room, *ends, seats=tuple(lines))
            talking = {end.seat for end in ends if end.talks}
            await asyncio.gather(*(lines[end.seat].hears(SETTLED) for end in ends))
            heard = await asyncio.gather(*(lines[end.seat].hears(15) for end in ends))
            for end, sound in zip(ends, heard, strict=True):
                wanted = {*end.hears, *(talking & {*end.hears_phones})} - {end.seat}
                assert who_is_in(sound) == wanted

    async def test_a_voice_is_a_steady_stream_of_its_own(self, world, room):
        (ann,) = await room.meet("ann")
        world.lines["call-1"] = Line(tone(1_900, 1))
        end = PhoneEnd("cas", "call-1", talks=True)
        wire(room, end, seats=("cas",))
        await hears_voice(ann, "cas", 60)
        packets = ann.sound("cas.phone")
        assert {(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(packets)} == {1}
        steps = [(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets)]
        assert not any(step % 960 for step in steps)  # more than one where this machine stalled
        assert steps.count(960) > len(steps) / 2
        reports = [rtcp.sender_report(block) for block in ann.receive.rtcp]
        assert ann.ssrc("cas.phone", "audio") in {report.ssrc for report in reports if report}
        wire(room, seats=("cas",))
        await ann.until(lambda: ("cas.phone", "audio") not in ann.receive.streams.values())

    async def test_a_hearer_that_may_not_hear_is_sent_the_rhythm(self, world, room):
        (ann,) = await room.meet("ann")
        world.lines["call-1"] = Line(tone(1_900, 1))
        probe = Link("cas", "ann", sound=False, picture=False, voice=False, probe=True)
        wire(room, PhoneEnd("cas", "call-1", talks=True), links=(probe,), seats=("cas",))
        await ann.until(lambda: len(ann.sound("cas.phone")) > 5)
        payloads = {packet.payload for packet in ann.sound("cas.phone")}
        assert payloads == {SILENCE[HEADER_LENGTH:]}

    async def test_unmuting_needs_no_new_offer(self, world, room):
        (ann,) = await room.meet("ann")
        world.lines["call-1"] = Line(tone(1_900, 1))
        mute = [Link("cas", "ann", sound=False, picture=False)]
        wire(room, PhoneEnd("cas", "call-1", talks=True), seats=("cas",))
        await hears_voice(ann, "cas", 5)
        offers = len(ann.offers)
        wire(room, PhoneEnd("cas", "call-1"), links=mute, seats=("cas",))
        count = len(ann.sound("cas.phone"))
        wire(room, PhoneEnd("cas", "call-1", talks=True), seats=("cas",))
        await ann.until(lambda: len(ann.sound("cas.phone")) > count + 5)
        assert len(ann.offers) == offers
        assert not np.diff([p.sequence for p in ann.sound("cas.phone")]).max() > 1


class TestBeforeTheGateOpens:
    async def test_both_sides_hear_exactly_nothing_of_each_other(self, world, room):
        ann, ben = await room.meet("ann", "ben")
        world.talk(ann, tone(700, 1))
        line = world.lines["call-1"] = Line(tone(1_900, 1, level=20_000))
        said = world.prompts[Prompt.GATE] = tone(440, 0.4)
        everything = [
            Link(source, hearer, voice=True)
            for source in ("ann", "ben", "cas")
            for hearer in ("ann", "ben", "cas")
            if source != hearer
        ]
        gate = PhoneEnd("cas", "call-1", prompt=Prompt.GATE)
        wire(room, gate, links=everything, seats=("cas",))
        heard = await line.hears(60)
        assert np.array_equal(heard[: len(said)], said)
        assert np.abs(heard[len(said) :]).max() == 0
        assert line.pulled >= 60
        assert not [
            stream
            for stream in ben.receive.streams.values()
            if "cas" in stream[0] and "phone" in stream[0]
        ]
        assert not ben.sound("cas")
        assert not ann.sound("cas")

    async def test_a_telephone_of_a_seat_outside_is_heard_by_nobody(self, world, room):
        (ann,) = await room.meet("ann")
        line = world.lines["call-1"] = Line(tone(1_900, 1))
        other = world.lines["call-2"] = Line()
        wire(
            room,
            PhoneEnd("cas", "call-1", talks=True),
            PhoneEnd("dot", "call-2", hears_phones=("cas",), talks=True),
            links=room.links | {Link("cas", "ann", voice=True)},
            seats=("dot",),
        )
        await line.hears(10)
        assert not (await other.hears(10)).any()
        assert not ann.sound("cas.phone")

    async def test_a_telephone_that_does_not_talk_is_not_mixed_for_another(self, world, room):
        await room.meet("ann")
        world.lines["call-1"] = Line(tone(1_900, 1))
        other = world.lines["call-2"] = Line()
        wire(
            room,
            PhoneEnd("cas", "call-1"),
            PhoneEnd("dot", "call-2", hears_phones=("cas",), talks=True),
            seats=("cas", "dot"),
        )
        assert not (await other.hears(20)).any()


class TestGivingWay:
    async def test_the_telephone_fades_in_a_second_both_ways(self, world, room):
        (ann,) = await room.meet("ann")
        world.talk(ann, tone(700, 1))
        line = world.lines["call-1"] = Line(tone(1_900, 1))
        end = PhoneEnd("cas", "call-1", hears=("ann",), talks=True)
        wire(room, end, seats=("cas",))
        await line.hears(SETTLED)
        await ann.until(lambda: ann.sound("cas.phone"))
        wire(room, PhoneEnd("cas", "call-1", hears=("ann",), talks=True, fading=True),
             seats=("cas",))  # fmt: skip
        heard = await line.hears(60)
        levels = [np.abs(heard[n * 1_600 : n * 1_600 + 400]).max() for n in range(6)]
        assert levels == sorted(levels, reverse=True)
        assert levels[2] == pytest.approx(levels[0] * 0.6, rel=0.2)
        assert np.abs(heard[-400:]).max() == 0
        voice = decoded(ann.sound("cas.phone"))
        assert np.abs(voice).max() > 5_000
        assert np.abs(voice[-800:]).max() < 20

    async def test_a_browser_comes_in_as_its_telephone_goes(self, world, room):
        (ann,) = await room.meet("ann")
        world.talk(ann, tone(700, 1))
        world.lines["call-1"] = Line(tone(1_900, 1))
        other = world.lines["call-2"] = Line()
        ends = [
            PhoneEnd("ann", "call-1", talks=True, fading=True),
            PhoneEnd("dot", "call-2", hears=("ann",), hears_phones=("ann",), talks=True),
        ]
        wire(room, *ends, seats=("dot",))
        heard = await other.hears(70)
        begin, end = heard[2_400:4_800], heard[-1_600:]
        assert share_of_tone(begin, 1_900) > share_of_tone(begin, 700)
        assert share_of_tone(end, 700) > 0.98


class TestLines:
    async def test_a_missing_line_is_silence(self, world, room):
        (ann,) = await room.meet("ann")
        line = world.lines["call-2"] = Line()
        wire(
            room,
            PhoneEnd("cas", "no-such-call", talks=True),
            PhoneEnd("dot", "call-2", hears_phones=("cas",), talks=True),
            seats=("cas", "dot"),
        )
        assert not (await line.hears(5)).any()
        assert not (await hears_voice(ann, "cas", 2 * SETTLED)).any()

    async def test_a_line_that_fails_silences_nobody_else(self, world, room):
        (ann,) = await room.meet("ann")

        class Broken(Line):
            def pull(self):
                raise RuntimeError

            push = pull

        world.lines["call-1"] = Broken()
        line = world.lines["call-2"] = Line(tone(1_900, 1))
        wire(
            room,
            PhoneEnd("cas", "call-1", talks=True),
            PhoneEnd("dot", "call-2", talks=True),
            seats=("cas", "dot"),
        )
        await line.hears(5)
        assert share_of_tone(await hears_voice(ann, "dot", 2 * SETTLED), 1_900) > 0.9

    async def test_a_stalled_loop_is_not_made_up_for_in_a_burst(self, world, room):
        await room.meet("ann")
        line = world.lines["call-1"] = Line()
        wire(room, PhoneEnd("cas", "call-1"), seats=("cas",))
        await line.hears(2)
        line.heard.clear()
        started = time.monotonic()
        time.sleep(0.5)
        await line.until(lambda: len(line.heard) >= 10)
        elapsed = time.monotonic() - started - 0.5
        at_once = 10 - elapsed / FRAME_SECONDS
        assert at_once <= PhonePolicy().bridge_catches_up + 1.5


class TestSameSpeech:
    async def test_is_told_once(self, world, room):
        (ann,) = await room.meet("ann")
        said = speech(12, 3)
        line = world.lines["call-1"] = Line((said * 0.4).astype(np.int16))
        world.talk(ann, said)
        wire(room, PhoneEnd("ann", "call-1", talks=True, compares=True))
        await asyncio.wait_for(world.listener.event.wait(), 10)
        await line.hears(20)
        assert world.listener.told == [(VISIT, "ann", "call-1")]


class TestOwnership:
    async def test_nothing_is_decoded_without_a_telephone(self, world, room, monkeypatch):
        ann, ben = await room.meet("ann", "ben")
        made = []
        monkeypatch.setattr(Tap, "open", lambda tap, now: made.append(tap))
        world.talk(ann, tone(700, 1))
        await ben.until(lambda: len(ben.sound("ann")) > 5)
        assert not made
        wire(room, PhoneEnd("cas", "call-1", hears=("ann",)), seats=("cas",))
        assert len(made) == 1

    async def test_the_clock_ends_with_the_last_telephone(self, world, room):
        await room.meet("ann")
        before = asyncio.all_tasks()
        line = world.lines["call-1"] = Line()
        wire(room, PhoneEnd("cas", "call-1"), seats=("cas",))
        assert len(asyncio.all_tasks() - before) == 1
        await line.hears(2)
        wire(room)
        await asyncio.sleep(0)
        assert not asyncio.all_tasks() - before

    async def test_no_task_survives_a_visit_with_telephones(self):
        before = asyncio.all_tasks()
        world = World()
        await world.sfu.start()
        line = world.lines["call-1"] = Line()
        phones = frozenset({PhoneEnd("cas", "call-1", hears=("cas",), talks=True)})
        world.sfu.wire(Wiring(VISIT, frozenset({"cas"}), frozenset(), phones))
        await line.hears(3)
        await world.close()
        await world.sfu.close()
        assert asyncio.all_tasks() == before

    async def test_a_visit_of_telephones_alone_begins_and_ends(self, world):
        line = world.lines["call-1"] = Line()
        world.prompts[Prompt.TRIAL] = tone(440, 0.1)
        phones = frozenset({PhoneEnd("cas", "call-1", prompt=Prompt.TRIAL)})
        before = asyncio.all_tasks()
        world.sfu.wire(Wiring(VISIT, frozenset(), frozenset(), phones))
        heard = await line.hears(10)
        assert share_of_tone(heard[:800], 440) > 0.98
        world.sfu.wire(Wiring(VISIT, frozenset(), frozenset()))
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before
