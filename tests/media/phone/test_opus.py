"""Through libopus and back, and nothing that a packet holds stops the next one."""

import random

import numpy as np
import pytest

from media.phone.opus import OpusDecoder, OpusEncoder, duration
from media.phone.resample import Decimator
from media.rtp import HEADER_LENGTH, SILENCE
from rooms.policy import PhonePolicy
from tests.support.speech import frames, share_of_tone, tone


def packets(sound):
    encoder = OpusEncoder(PhonePolicy())
    return [encoder.encode(frame) for frame in frames(sound)]


def test_a_tone_survives():
    decoder, decimator = OpusDecoder(), Decimator()
    heard = [decimator.decimate(decoder.decode(p)) for p in packets(tone(700, 2))]
    assert share_of_tone(np.concatenate(heard)[1_600:], 700) > 0.98


def test_every_packet_is_one_frame_of_no_more_than_was_allowed():
    made = packets(tone(700, 2))
    assert {duration(packet) for packet in made} == {960}
    assert sum(map(len, made)) * 8 / 2 < 1.3 * PhonePolicy().voice_kbps * 1_000


def test_silence_decodes_to_exact_silence():
    decoder = OpusDecoder()
    assert not decoder.decode(SILENCE[HEADER_LENGTH:]).any()
    assert duration(SILENCE[HEADER_LENGTH:]) == 960


def test_an_empty_packet_does_not_end_the_stream():
    decoder = OpusDecoder()
    good = packets(tone(700, 0.2))
    assert decoder.decode(good[0]) is not None
    assert decoder.decode(b"") is None
    assert all(len(decoder.decode(packet)) == 960 for packet in good[1:])


def test_rubbish_does_not_stop_what_follows():
    decoder = OpusDecoder()
    dice = random.Random(4)
    good = packets(tone(700, 0.2))
    for size in range(1, 200):
        rubbish = dice.randbytes(size)
        found = decoder.decode(rubbish)
        assert found is None or 0 < len(found) <= 5_760
        assert duration(rubbish) >= 0
    assert all(len(decoder.decode(packet)) == 960 for packet in good)


@pytest.mark.parametrize(
    ("payload", "samples"),
    [
        (b"", 0),
        (bytes([0 << 3]), 480),
        (bytes([3 << 3]), 2_880),
        (bytes([9 << 3]), 960),
        (bytes([13 << 3]), 960),
        (bytes([16 << 3]), 120),
        (bytes([31 << 3]), 960),
        (bytes([31 << 3 | 1]), 1_920),
        (bytes([31 << 3 | 3, 3]), 2_880),
        (bytes([31 << 3 | 3]), 0),
        (bytes([31 << 3 | 3, 7]), 0),
    ],
)
def test_how_long_a_packet_lasts(payload, samples):
    assert duration(payload) == samples
