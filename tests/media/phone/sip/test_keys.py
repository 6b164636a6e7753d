"""Keys of a telephone: one press is one press."""

from __future__ import annotations

import pytest

from media.phone.sip.keys import KEYS, KeyReader, press, read_info, write_info


def test_a_press_is_read_once_however_many_packets_it_takes():
    reader = KeyReader()
    for at, key in ((1_000, "1"), (9_000, "1"), (17_000, "#")):
        found = [reader.read(at, payload) for _, payload in press(key, 5)]
        assert found == [key] + [None] * 7


def test_a_late_packet_of_the_press_before_is_not_a_press():
    reader = KeyReader()
    payload = next(press("1", 5))[1]
    assert reader.read(9_000, payload) == "1"
    assert reader.read(8_000, payload) is None
    assert reader.read(4_000_000_000, payload) == "1"  # a new clock


def test_timestamps_go_round():
    reader = KeyReader()
    payload = next(press("1", 5))[1]
    assert reader.read(0xFFFFFF00, payload) == "1"
    assert reader.read(0x40, payload) == "1"


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x10\x0a\x00\xa0", b"\xff\xff\xff\xff"])
def test_what_is_no_key_is_none(payload):
    assert KeyReader().read(1, payload) is None


def test_a_press_begins_marked_and_ends_three_times():
    packets = list(press("#", 2))
    assert [first for first, _ in packets] == [True, False, False, False, False]
    assert [payload.hex() for _, payload in packets[1:3]] == ["0b0a0140", "0b8a0140"]


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b"Signal=5\r\nDuration=160\r\n", "5"),
        (b"duration= 1\nsignal = #", "#"),
        (b"a", "A"),
        (b"Signal=55", None),
        (b"Signal=\xff", None),
        (b"", None),
    ],
)
def test_a_key_in_an_info(body, key):
    assert read_info(body) == key


def test_what_we_write_can_be_read():
    assert all(read_info(write_info(key, 100)) == key for key in KEYS)
