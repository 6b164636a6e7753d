"""The few header fields that are read, checked against somebody else's parser."""

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from media import rtp

HEADER = bytes([0x80, 96]) + bytes(10)


def with_extension(words, first=0x90):
    length = len(words) // 4
    return bytes([first, 96]) + bytes(10) + b"\xbe\xde" + length.to_bytes(2, "big") + words


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (b"\x51\x12\x34\x00", 0x1234),
        (b"\x10\xff\x51\x12\x34\x00\x00\x00", 0x1234),
        (b"\x00\x00\x51\x12\x34\x00\x00\x00", 0x1234),
        (b"\x10\xff\x00\x00", None),
        (b"\xf1\x12\x34\x00", None),
    ],
)
def test_the_transport_sequence_number_is_found_among_others(words, number):
    assert rtp.transport_sequence(with_extension(words) + b"payload") == number


def test_a_packet_without_extensions_has_none():
    assert rtp.transport_sequence(HEADER + b"payload") is None


def test_other_kinds_of_extension_are_left_alone():
    packet = bytearray(with_extension(b"\x51\x12\x34\x00"))
    packet[12:14] = b"\x10\x00"
    assert rtp.transport_sequence(bytes(packet)) is None


DESCRIPTORS = st.builds(
    VpxPayloadDescriptor,
    partition_start=st.integers(0, 1),
    partition_id=st.integers(0, 7),
    picture_id=st.none() | st.integers(0, 0x7FFF),
    tl0picidx=st.none() | st.integers(0, 255),
    tid=st.none() | st.tuples(st.integers(0, 3), st.integers(0, 1)),
    keyidx=st.none() | st.integers(0, 31),
)


@given(DESCRIPTORS, st.booleans(), st.binary(max_size=4))
def test_a_key_frame_is_known_by_its_first_packet(descriptor, key, rest):
    payload = bytes(descriptor) + bytes([0x10 if key else 0x11]) + rest
    first = descriptor.partition_start == 1 and descriptor.partition_id == 0
    assert rtp.starts_key_frame(HEADER + payload) is (key and first)


def test_padding_alone_is_no_picture():
    assert not rtp.starts_key_frame(bytes([0xA0, 96]) + bytes(10) + bytes(3) + b"\x04")


@given(st.binary(max_size=60))
def test_reading_noise_never_fails(data):
    packet = HEADER[:1] + data + bytes(12)
    for first in (0x80, 0x90, 0xA0, 0xBF):
        noise = bytes([first]) + packet[1:]
        rtp.starts_key_frame(noise)
        rtp.transport_sequence(noise)
