"""What is counted of arrivals, and how it is told."""

from __future__ import annotations

import struct

from media.phone.sip.reports import Arrivals, write_report
from media.rtcp import blocks, report_blocks, sender_report


def arrive(arrivals, numbers, ssrc=5):
    for number in numbers:
        arrivals.came(ssrc, number & 0xFFFF, number * 160, number * 160.0)


def test_loss_is_counted_since_the_last_report_and_in_all():
    arrivals = Arrivals()
    assert arrivals.block(0.0) is None
    arrive(arrivals, [n for n in range(65_500, 65_600) if n % 4])
    first = arrivals.block(0.0)
    assert (first.ssrc, first.lost) == (5, 24)
    assert first.fraction_lost == 24 * 256 // 99
    assert first.highest == 65_599
    arrive(arrivals, range(65_600, 65_700))
    second = arrivals.block(1.0)
    assert (second.fraction_lost, second.lost) == (0, 24)


def test_another_stream_begins_anew():
    arrivals = Arrivals()
    arrive(arrivals, range(10))
    arrive(arrivals, range(40_000, 40_010), ssrc=6)
    block = arrivals.block(0.0)
    assert (block.ssrc, block.lost, block.jitter) == (6, 0, 0)


def test_jitter_is_that_of_the_rfc():
    arrivals = Arrivals()
    for number in range(400):
        arrivals.came(5, number, number * 160, number * 160.0 + 80 * (number % 2))
    assert 78 <= arrivals.block(0.0).jitter <= 80


def test_reports_are_read_as_they_were_written():
    arrivals = Arrivals()
    arrive(arrivals, range(10))
    sent = write_report(9, 1_000.5, (4_242, 7, 1_120), arrivals.block(0.0))
    report, names = blocks(sent)
    found = sender_report(report)
    assert (found.ssrc, found.timestamp) == (9, 4_242)
    assert found.ntp == (1_000 + 2_208_988_800 << 32) + (1 << 31)
    assert struct.unpack_from("!LL", report.body, 16) == (7, 1_120)
    assert next(report_blocks(report)).ssrc == 5
    assert b"00000009" in names.body

    other = Arrivals()
    other.reported(blocks(sent), 10.0)
    arrive(other, range(3))
    answer = other.block(10.5)
    assert answer.last_report == found.middle
    assert answer.delay == 32_768


def test_who_sends_nothing_writes_no_sender_report():
    first, _ = blocks(write_report(9, 0.0, (0, 0, 0), None))
    assert sender_report(first) is None
    assert len(first.body) == 4
