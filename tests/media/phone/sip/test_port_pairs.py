"""Ports for sound: even, free, inside the range, given back."""

from __future__ import annotations

import socket

import pytest

from media.phone.sip.port_pairs import open_pair


async def test_pairs_fill_the_range_and_come_back():
    first = await open_pair("127.0.0.1", (14_999, 15_002), 100)
    assert first.port == 15_000
    with pytest.raises(OSError, match=r"^$"):
        await open_pair("127.0.0.1", (14_999, 15_001), 100)
    first.close()
    first.close()


async def test_a_pair_with_one_port_taken_is_not_used():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 14_991))
        with pytest.raises(OSError, match=r"^$"):
            await open_pair("127.0.0.1", (14_990, 14_991), 10)
