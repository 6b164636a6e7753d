"""Sound over real sockets: what is taken, and from whom."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

from media.phone.carrier import FRAME_SAMPLES
from media.phone.g711 import encode_ulaw
from media.phone.sip.counters import TrunkCounters
from media.phone.sip.port_pairs import open_pair
from media.phone.sip.reports import write_report
from media.phone.sip.rtp import RtpLeg
from media.phone.sip.sdp import Direction, Sound
from media.phone.sip.srtp import Srtp
from media.rtcp import blocks
from rooms.policy import PhonePolicy

OURS, THEIRS = bytes(30), bytes(range(30))
FRAME = np.full(FRAME_SAMPLES, 8_000, np.int16)
SPOKEN = encode_ulaw(FRAME)


class Telephone:
    """Two sockets on one address."""

    def __init__(self, host):
        self.sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sound.setblocking(False)
        self.sound.bind((host, 0))
        self.sequence = 0

    @property
    def description(self):
        host, port = self.sound.getsockname()
        return Sound(
            host=host, port=port, rtcp_port=port, payload_type=0, digits=101,
            direction=Direction.BOTH,
        )  # fmt: skip

    def packet(self, payload=SPOKEN, kind=0, timestamp=None):
        self.sequence += 1
        at = self.sequence * 160 if timestamp is None else timestamp
        return struct.pack("!BBHLL", 0x80, kind, self.sequence, at, 77) + payload

    def send(self, leg, packet):
        self.sound.sendto(packet, ("127.0.0.1", leg.port))

    async def hear(self):
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(2):
            return await loop.sock_recv(self.sound, 2_000)


@pytest.fixture
def telephone():
    """Makes telephones; all are switched off afterwards."""
    made = []

    def make(host="127.0.0.1"):
        made.append(Telephone(host))
        return made[-1]

    yield make
    for each in made:
        each.sound.close()


@asynccontextmanager
async def leg_open(key=None, behind_nat=False, **policy):
    counters, keys = TrunkCounters(), []
    chosen = replace(PhonePolicy(), **policy)
    loop = asyncio.get_running_loop()
    ports = await open_pair("127.0.0.1", (10_000, 14_998), 100)
    leg = RtpLeg(
        ports, chosen, counters, key=key, behind_nat=behind_nat, pressed=keys.append,
        clock=loop.time, wall=lambda: 1_000.0,
    )  # fmt: skip
    leg.counters, leg.keys = counters, keys
    try:
        yield leg
    finally:
        leg.close()
        leg.close()


async def settle():
    await asyncio.sleep(0.05)


def played(leg):
    frames = [frame for frame in (leg.pull() for _ in range(40)) if frame is not None]
    return max((int(np.abs(frame).max()) for frame in frames), default=0)


async def test_sound_comes_and_goes(telephone):
    phone = telephone()
    async with leg_open() as leg:
        assert leg.pull() is None
        leg.push(FRAME)
        leg.use(phone.description)
        for _ in range(8):
            phone.send(leg, phone.packet())
        await settle()
        assert played(leg) > 7_000
        leg.push(FRAME)
        packet = await phone.hear()
        assert packet[12:] == encode_ulaw(FRAME)
        leg.push(FRAME)
        following = await phone.hear()
        assert struct.unpack("!L", following[4:8])[0] - struct.unpack("!L", packet[4:8])[0] == 160


async def test_sound_from_anywhere_else_is_ignored(telephone):
    phone, thief, other_host = telephone(), telephone(), telephone("127.0.0.2")
    async with leg_open() as leg:
        leg.use(phone.description)
        for _ in range(8):
            other_host.send(leg, other_host.packet())
        await settle()
        assert leg.pull() is None
        assert leg.counters.packets_ignored == 8

        phone.send(leg, phone.packet())
        await settle()
        for _ in range(8):
            thief.send(leg, thief.packet(kind=101, payload=b"\x01\x0a\x00\xa0"))
        await settle()
        assert leg.counters.packets_ignored == 16
        assert leg.keys == []
        leg.push(FRAME)
        assert await phone.hear()


async def test_another_port_of_the_named_host_may_be_where_the_sound_is(telephone):
    named, real = telephone(), telephone()
    async with leg_open() as leg:
        leg.use(named.description)
        real.send(leg, real.packet())
        await settle()
        leg.push(FRAME)
        assert await real.hear()


async def test_behind_a_router_the_first_to_send_is_the_telephone(telephone):
    named, real = telephone(), telephone("127.0.0.2")
    async with leg_open(behind_nat=True) as leg:
        leg.use(named.description)
        real.send(leg, real.packet())
        named.send(leg, named.packet())
        await settle()
        assert leg.counters.packets_ignored == 1


async def test_whoever_does_not_want_to_hear_is_sent_nothing(telephone):
    phone = telephone()
    async with leg_open() as leg:
        leg.use(replace(phone.description, direction=Direction.SEND))
        leg.push(FRAME)
        leg.use(phone.description)
        leg.push(FRAME)
        await phone.hear()
        await settle()
        assert leg.counters.packets_ignored == 0


async def test_noise_is_ignored(telephone):
    phone = telephone()
    async with leg_open() as leg:
        leg.use(phone.description)
        for noise in (b"", b"x", b"\x80" * 11, b"\x00" * 60, b"\xbf" + b"\xff" * 40):
            phone.send(leg, noise)
        phone.send(leg, phone.packet(payload=b""))
        phone.send(leg, phone.packet(kind=99))
        await settle()
        assert played(leg) == 0


async def test_keys_are_told_and_dialled(telephone):
    phone = telephone()
    async with leg_open(key_held=0.06, key_gap=0.0) as leg:
        leg.use(phone.description)
        for _ in range(4):
            phone.send(leg, phone.packet(kind=101, payload=b"\x09\x0a\x00\xa0", timestamp=5_000))
        await settle()
        assert leg.keys == ["9"]
        assert leg.keys_in_sound
        await leg.dial("5")
        packets = [await phone.hear() for _ in range(6)]
        assert [packet[1] for packet in packets] == [0x80 | 101, *[101] * 5]
        assert {packet[4:8] for packet in packets} == {packets[0][4:8]}
        assert packets[-1][12:14] == b"\x05\x8a"


async def test_encrypted_sound_is_taken_only_with_its_key(telephone):
    phone = telephone()
    theirs = Srtp(THEIRS, OURS)
    async with leg_open(key=OURS) as leg:
        leg.use(replace(phone.description, key=THEIRS))
        phone.send(leg, phone.packet())
        await settle()
        assert leg.counters.packets_ignored == 1
        for _ in range(8):
            phone.send(leg, theirs.protect(phone.packet()))
        await settle()
        assert played(leg) > 7_000
        leg.push(FRAME)
        packet = await phone.hear()
        assert packet[12:172] != encode_ulaw(FRAME)
        assert theirs.unprotect(packet)[12:] == encode_ulaw(FRAME)


async def test_reports_are_sent_and_a_goodbye_is_noticed(telephone):
    phone = telephone()
    async with leg_open() as leg:
        leg.report()
        leg.use(phone.description)
        leg.push(FRAME)
        await phone.hear()
        leg.report()
        assert [block.kind for block in blocks(await phone.hear())] == [200, 202]
        before = leg.last_heard
        await settle()
        bye = write_report(9, 0.0, (0, 0, 0), None) + struct.pack("!BBHL", 0x81, 203, 1, 9)
        phone.sound.sendto(bye, ("127.0.0.1", leg.port + 1))
        phone.sound.sendto(b"noise", ("127.0.0.1", leg.port + 1))
        await settle()
        assert leg.left
        assert leg.last_heard > before
        assert leg.counters.packets_ignored == 1
