"""What hearers report, held against what was sent to them."""

import pytest

from media.reports import HearerReports
from media.rtcp import TICKS_PER_SECOND, ReportBlock
from rooms.policy import MediaPolicy

POLICY = MediaPolicy()


def block(highest=0, lost=0, last_report=0, delay=0):
    return ReportBlock(1, 0, lost & 0xFFFFFF, highest & 0xFFFFFFFF, 0, last_report, delay)


@pytest.fixture
def reports():
    return HearerReports(POLICY)


def tell(reports, *each):
    """(highest, lost, sent) of one report after another, five seconds apart."""
    for number, (highest, lost, sent) in enumerate(each):
        reports.take(block(highest, lost), sent, 0.0, 5.0 * number)


def test_one_report_says_nothing_of_loss(reports):
    tell(reports, (1000, 40, 250))
    assert reports.loss is None
    assert reports.at == 0.0


def test_loss_is_what_two_reports_in_a_row_speak_of(reports):
    tell(reports, (0, 0, 0), (250, 50, 250))
    assert reports.loss is None
    reports.take(block(500, 125), 500, 0.0, 10.0)
    assert reports.loss == pytest.approx(0.2)
    assert reports.since == 5.0


def test_a_single_burst_is_nothing_that_lasts(reports):
    tell(reports, (0, 0, 0), (250, 0, 250), (500, 80, 500), (750, 80, 750))
    assert reports.loss == 0


def test_what_never_came_to_us_is_not_the_hearers_loss(reports):
    """Of 250 numbers 100 are gaps that the sender's network made."""
    tell(reports, (0, 0, 0), (250, 100, 150), (500, 200, 300))
    assert reports.loss == 0


def test_a_hearer_that_receives_nothing_reports_no_loss_and_lost_everything(reports):
    tell(reports, (100, 0, 100), (100, 0, 350), (100, 0, 600))
    assert reports.loss == 1


def test_what_is_under_way_is_not_lost(reports):
    tell(reports, (0, 0, 0), (246, 0, 250), (496, 0, 500))
    assert reports.loss == 0


def test_reports_close_together_are_not_compared(reports):
    for number in range(20):
        reports.take(block(10 * number, 5 * number), 10 * number, 0.0, float(number))
    assert reports.loss == pytest.approx(0.5)
    assert reports.since >= 10


def test_counters_wrap(reports):
    top = 0xFFFFFFFF - 99
    tell(reports, (top, 0xFFFFFF, 0), (top + 250, 0x1000000 + 49, 250), (top + 500, 99, 500))
    assert reports.loss == pytest.approx(0.2)


@pytest.mark.parametrize("lie", [(0, 0), (1 << 31, 0), (5, 0x7FFFFF), (1 << 30, 0x800000)])
def test_whatever_is_reported_stays_a_share(reports, lie):
    tell(reports, (0, 0, 0), (*lie, 250), (0, 0, 500), (*lie, 750))
    assert 0 <= reports.loss <= 1


def test_the_round_trip_counts_from_when_we_sent(reports):
    reports.sent_report(7, 10.0)
    reports.sent_report(8, 11.0)
    reports.take(block(last_report=7, delay=2 * TICKS_PER_SECOND), 0, 0.0, 12.25)
    assert reports.round_trip == pytest.approx(0.25)
    reports.take(block(last_report=99), 0, 0.0, 20.0)
    assert reports.round_trip == pytest.approx(0.25)


def test_a_hearer_cannot_make_time_run_backwards(reports):
    reports.sent_report(7, 10.0)
    reports.take(block(last_report=7, delay=90 * TICKS_PER_SECOND), 0, 0.0, 10.1)
    assert reports.round_trip == 0
