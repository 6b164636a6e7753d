"""Order, loss and jitter of one incoming stream (RFC 3550 appendix A)."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.history import History
from media.reception import Reception


def packet(sequence, timestamp=0):
    return struct.pack("!BBHLL", 0x80, 96, sequence & 0xFFFF, timestamp, 7)


def receive(reception, sequence, timestamp=0, now=0.0):
    ahead = reception.note(sequence & 0xFFFF, timestamp, now)
    return reception.highest + min(ahead, 0), ahead


@given(st.integers(0, 0xFFFF), st.lists(st.integers(1, 1000), max_size=300))
def test_indexes_never_wrap(start, gaps):
    reception = Reception(7, packet(start), 90_000, 0.0)
    first, _ = receive(reception, start)
    total = 0
    for gap in gaps:
        total += gap
        index, ahead = receive(reception, start + total)
        assert (index - first, ahead) == (total, gap)


def test_a_packet_from_before_the_first_is_late_not_new():
    reception = Reception(7, packet(0), 90_000, 0.0)
    first, _ = receive(reception, 0)
    before, ahead = receive(reception, -1)
    assert (before - first, ahead) == (-1, -1)


def test_loss_is_reported_for_each_interval():
    reception = Reception(7, packet(10), 90_000, 0.0)
    for sequence in (10, 11, 13, 14):
        receive(reception, sequence)
    assert reception.block(0.0)[1:4] == (256 // 5, 1, 14)
    for sequence in (15, 16):
        receive(reception, sequence)
    assert reception.block(0.0)[1:4] == (0, 1, 16)


def test_an_interval_without_packets_is_no_loss():
    reception = Reception(7, packet(10), 90_000, 0.0)
    receive(reception, 10)
    reception.block(0.0)
    assert reception.block(1.0).fraction_lost == 0


def test_jitter_settles_at_the_mean_deviation():
    reception = Reception(7, packet(0), 1_000, 0.0)
    for number in range(400):
        receive(reception, number, number * 20, number * 0.02 + (number % 2) * 0.008)
    assert reception.jitter == pytest.approx(8, abs=0.5)


def test_what_is_missing_is_asked_for_so_often_and_no_more_than_the_newest():
    reception = Reception(7, packet(0), 90_000, 0.0)
    receive(reception, 0)
    index, ahead = receive(reception, 11)
    reception.miss(index - ahead + 1, index)
    assert reception.to_ask_for(2, 4) == [7, 8, 9, 10]
    receive(reception, 8)
    assert reception.to_ask_for(2, 4) == [7, 9, 10]
    assert reception.to_ask_for(2, 4) == []
    assert reception.missing == {}


class TestHistory:
    def test_keeps_the_newest(self):
        history = History(4)
        for index in range(0x10000, 0x10006):
            history.put(index, packet(index))
        assert history.get(0x10001) is None
        assert history.get(0x10005) == packet(5)

    def test_does_not_give_another_packet_of_the_same_place(self):
        history = History(4)
        history.put(1, packet(1))
        assert history.get(5) is None

    def test_forgets_when_told(self):
        history = History(4)
        history.put(1, packet(1))
        history.clear()
        assert history.get(1) is None

    def test_refuses_a_size_that_would_mix_numbers_up(self):
        with pytest.raises(ValueError, match="divide"):
            History(500)
