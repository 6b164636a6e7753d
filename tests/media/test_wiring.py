"""Whatever the wiring does, the world follows: exactly the links in it carry sound and picture."""

import random
from itertools import permutations

import pytest

from media.ports import Wiring
from rooms.model import Link
from tests.support.light_peer import comes_true

VISIT = "visit-1"
SEATS = ("ann", "ben", "eve", "dan")
STEPS = 12


def random_links(dice):
    """Some of all possible links, some of them without sound, picture or either."""
    return frozenset(
        Link(source, hearer, sound=dice.random() < 0.7, picture=dice.random() < 0.7)
        for source, hearer in permutations(SEATS, 2)
        if dice.random() < 0.6
    )


async def follows(peers, links):
    """Wait until every browser has been told of exactly the streams it should have."""
    for seat, peer in peers.items():
        wanted = {
            (x.source, kind) for x in links if x.hearer == seat for kind in ("audio", "video")
        }
        await peer.until(lambda p=peer, w=wanted: set(p.receive.streams.values()) == w)


async def taken_in(sfu, count):
    await comes_true(lambda: sfu.counters.packets_in == count)


async def reaches(peers, payload, hearers):
    await comes_true(lambda: heard(peers, payload) == hearers)


def heard(peers, payload):
    """Who received a payload, by connection and not by what the newest offer says."""
    return {
        seat
        for seat, peer in peers.items()
        for packets in peer.receive.received.values()
        if any(packet.payload.endswith(payload) for packet in packets)
    }


@pytest.mark.parametrize("seed", range(6))
async def test_exactly_the_links_carry_media(seed, sfu, room):
    dice = random.Random(seed)
    peers = dict(zip(SEATS, await room.meet(*SEATS), strict=True))
    for step in range(STEPS):
        links = random_links(dice)
        sfu.wire(Wiring(VISIT, frozenset(SEATS), links))
        await follows(peers, links)
        arrived, out = sfu.counters.packets_in, sfu.counters.packets_out
        for seat, peer in peers.items():
            peer.send_audio(f"{seat} says {step}".encode())
            peer.send_video(f"{seat} shows {step}".encode(), key=True)
        await taken_in(sfu, arrived + 2 * len(SEATS))
        shown = sum(link.picture for link in links)
        assert (sfu.counters.pictures, sfu.counters.pictures_paused) == (shown, len(links) - shown)
        running = sum(link.sound + link.picture for link in links)
        assert sfu.counters.packets_out == out + running
        for seat in SEATS:
            hearers = {x.hearer for x in links if x.source == seat and x.sound}
            seers = {x.hearer for x in links if x.source == seat and x.picture}
            await reaches(peers, f"{seat} says {step}".encode(), hearers)
            await reaches(peers, f"{seat} shows {step}".encode(), seers)


async def test_a_seat_that_goes_and_comes_back_starts_from_nothing(sfu, room):
    ann, ben = await room.meet("ann", "ben")
    ann.send_audio(b"before")
    await ben.until(lambda: ben.sound("ann"))
    room.remove("ann")
    await room.knows(ben, 0)
    room.admit("ann")
    assert sfu.counters.legs == 1
    assert sfu.counters.pictures == 2
    again = await room.enter("ann")
    await room.knows(ben, 1)
    again.send_audio(b"after")
    await ben.until(lambda: ben.sound("ann"))
    assert [packet.payload for packet in ben.sound("ann")] == [b"after"]
