"""A browser's packets become a telephone's frames, whatever happens to them on the way."""

import random
import struct

import numpy as np
import pytest

from media.counters import MediaCounters
from media.forwarding import Feed
from media.phone.opus import OpusEncoder, duration
from media.phone.taps import Tap
from media.rtp import OPUS, Kind
from rooms.policy import MediaPolicy, PhonePolicy
from tests.support.speech import frames, share_of_tone, tone

POLICY = PhonePolicy()


class Browser:
    """What a publisher does for a feed, on a clock of its own."""

    def __init__(self):
        self.feed = Feed("ann", Kind.AUDIO, MediaPolicy(), MediaCounters())
        self.tap = Tap(self.feed, POLICY)
        self.tap.open(0.0)
        self.number = 0

    def packet(self, payload, units=960, ssrc=7):
        self.number += 1
        head = struct.pack("!BBHLL", 0x80, OPUS, self.number, self.number * units, ssrc)
        return head + payload

    def send(self, packet, now=0.0):
        if self.feed.reception is None:
            self.feed.connect(self, 7, packet, now)
        self.feed.receive(packet, now)

    def send_rtcp(self, data):
        pass


def encoded(sound):
    encoder = OpusEncoder(POLICY)
    return [encoder.encode(frame) for frame in frames(sound)]


def test_a_tone_comes_through():
    browser = Browser()
    heard = []
    for payload in encoded(tone(700, 1)):
        browser.send(browser.packet(payload))
        heard.append(browser.tap.pull())
    assert heard[0] is None
    sound = np.concatenate(heard[10:])
    assert share_of_tone(sound, 700) > 0.98
    assert len(sound) == 40 * 160


def test_packets_that_changed_places_sound_the_same():
    """Decoding waits for its turn, so the order on the wire does not matter."""
    payloads = encoded(tone(700, 1))
    heard = {}
    for swapped in (False, True):
        browser = Browser()
        packets = [browser.packet(payload) for payload in payloads]
        browser.send(packets[0])
        for one, other in zip(packets[1::2], packets[2::2], strict=False):
            for packet in (other, one) if swapped else (one, other):
                browser.send(packet)
            heard.setdefault(swapped, []).extend([browser.tap.pull(), browser.tap.pull()])
    alike = [np.array_equal(a, b) for a, b in zip(heard[False], heard[True], strict=True)]
    assert all(alike[10:])


def test_lost_packets_are_concealed():
    browser = Browser()
    dice = random.Random(2)
    heard = []
    for payload in encoded(tone(700, 4)):
        packet = browser.packet(payload)
        if dice.random() > 0.1:
            browser.send(packet)
        heard.append(browser.tap.pull())
    assert not [frame for frame in heard[10:] if frame is None]
    sound = np.concatenate(heard[10:])
    assert share_of_tone(sound, 700) > 0.8


@pytest.mark.parametrize("frames_in_packet", [1, 2, 3])
def test_packets_of_any_length_come_out_in_turns_of_twenty_milliseconds(frames_in_packet):
    """Code 3 packets hold several frames (RFC 6716 section 3.2.5)."""
    browser = Browser()
    units = 960 * frames_in_packet
    silence = bytes([0xFB, frames_in_packet])
    heard = []
    for number in range(60):
        if number % frames_in_packet == 0:
            payload = silence + b"\xff\xfe" * frames_in_packet
            assert duration(payload) == units
            browser.send(browser.packet(payload, units))
        heard.append(browser.tap.pull())
    assert sum(frame is not None for frame in heard[10:]) >= 48
    assert {len(frame) for frame in heard if frame is not None} == {160}


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x03", b"\x0b" * 30])
def test_rubbish_is_like_loss(payload):
    browser = Browser()
    heard = []
    for number, good in enumerate(encoded(tone(700, 1))):
        browser.send(browser.packet(payload if number % 10 == 5 else good))
        heard.append(browser.tap.pull())
    assert share_of_tone(np.concatenate([f for f in heard[10:] if f is not None]), 700) > 0.75


def test_a_closed_tap_hears_nothing():
    browser = Browser()
    payloads = encoded(tone(700, 1))
    for payload in payloads[:10]:
        browser.send(browser.packet(payload))
    browser.tap.close()
    browser.tap.close()
    while browser.tap.pull() is not None:
        pass
    browser.send(browser.packet(payloads[10]))
    assert browser.tap.pull() is None
    assert browser.feed.packets == 11
