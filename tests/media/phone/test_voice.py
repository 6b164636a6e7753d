"""A telephone's sound as a feed: steady packets, a report a second, a stream of its own."""

import struct
from itertools import pairwise

import numpy as np

from media import rtcp
from media.counters import MediaCounters
from media.forwarding import Forward
from media.phone.voice import Voice
from rooms.policy import MediaPolicy, PhonePolicy

SILENCE = np.zeros(160, np.int16)


class Carriage:
    def __init__(self):
        self.packets = []
        self.reports = []

    def send_rtp(self, packet, sequence, timestamp, ssrc):
        self.packets.append((sequence, timestamp, ssrc, packet))

    def send_rtcp(self, data):
        self.reports += [r for block in rtcp.blocks(data) if (r := rtcp.sender_report(block))]


def spoken(turns, start=0.0):
    voice = Voice("cas", MediaPolicy(), PhonePolicy(), MediaCounters())
    carriage = Carriage()
    forward = Forward(voice.feed, carriage)
    voice.feed.add(forward, start)
    for turn in turns:
        voice.speak(SILENCE, turn, start + turn * 0.02)
    return voice, forward, carriage


def test_one_packet_per_turn_silent_or_not():
    _, forward, carriage = spoken(range(100))
    assert len(carriage.packets) == 100
    steps = np.diff([sequence for sequence, *_ in carriage.packets]) % (1 << 16)
    assert set(steps) == {1}
    assert {ssrc for _, _, ssrc, _ in carriage.packets} == {forward.ssrc}


def test_turns_that_were_left_out_are_time_and_not_loss():
    _, _, carriage = spoken([0, 1, 2, 10, 11])
    assert set(np.diff([s for s, *_ in carriage.packets]) % (1 << 16)) == {1}
    steps = np.diff([timestamp for _, timestamp, *_ in carriage.packets]) % (1 << 32)
    assert list(steps) == [960, 960, 8 * 960, 960]


def test_a_report_a_second_pairs_the_clocks():
    _, _, carriage = spoken(range(151), start=1_000.0)
    newest = carriage.reports[-3:]
    seconds = [(b.ntp - a.ntp) / 2**32 for a, b in pairwise(newest)]
    ticks = [b.timestamp - a.timestamp for a, b in pairwise(newest)]
    assert len(carriage.reports) in (4, 5)
    assert all(tick % (1 << 32) == 48_000 for tick in ticks)
    assert all(0 <= second < 5 for second in seconds)


def test_browsers_know_it_from_the_seats_own_sound():
    voice, _, carriage = spoken(range(2))
    assert voice.feed.seat == "cas"
    assert voice.feed.stream == "cas.phone"
    assert struct.unpack_from("!B", carriage.packets[0][3])[0] == 0x80
