"""How busy a node is: since the last time it was asked."""

from media.counters import MediaCounters
from server.loads import LoadMeter


class Lag:
    worst = 0.02


def test_packets_are_counted_since_the_last_time():
    now, counters = [10.0], MediaCounters(packets_in=1_000)
    meter = LoadMeter(counters, Lag(), ["page"], ["visit", "visit"], lambda: now[0])
    counters.packets_in += 300
    counters.packets_out += 700
    now[0] += 0.5
    first = meter()
    assert first.packets == 2_000
    assert (first.lag, first.pages, first.visits) == (0.02, 1, 2)
    now[0] += 0.5
    assert meter().packets == 0


def test_memory_is_what_this_process_has():
    assert 10e6 < LoadMeter(MediaCounters(), Lag(), [], [])().memory < 10e9


def test_being_asked_twice_at_once_is_no_division_by_nothing():
    meter = LoadMeter(MediaCounters(), Lag(), [], [], lambda: 1.0)
    assert meter().packets == 0
