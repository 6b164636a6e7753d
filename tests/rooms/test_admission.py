"""The table of one seat, read as data. What it does is told in test_stories.py."""

from itertools import product

import pytest

from rooms.admission import ADMISSION, is_stale
from rooms.events import SEAT_EVENTS, LinkOpened, SeatDeadlinePassed, SessionOpened
from rooms.model import Admission, Deadline
from tests.rooms.cast import Story
from tests.rooms.grids import decided, last_row_always_applies


@pytest.mark.parametrize("pair", list(product(Admission, SEAT_EVENTS)), ids=str)
def test_every_admission_and_event_is_decided_exactly_once(pair):
    assert decided(ADMISSION, pair) == 1


def test_the_tables_decide_nothing_else():
    cells = {*ADMISSION.rows, *ADMISSION.ignored, *ADMISSION.refused}
    assert cells == set(product(Admission, SEAT_EVENTS))


def test_the_last_row_of_every_cell_always_applies():
    for cell, rows in ADMISSION.rows.items():
        assert last_row_always_applies(rows), cell


def test_a_deadline_that_is_not_the_current_one_is_stale():
    seat = Story().waits("petra").drops("petra").seat("petra")
    assert seat.deadline is not None
    earlier = Deadline("place", seat.deadline.at - 1)
    assert not is_stale(seat, SeatDeadlinePassed(seat="petra", deadline=seat.deadline))
    assert is_stale(seat, SeatDeadlinePassed(seat="petra", deadline=earlier))


def test_a_link_opened_by_a_device_that_is_known_is_an_echo():
    seat = Story().opens("petra").seat("petra")
    assert is_stale(seat, LinkOpened(seat="petra", device="petra-one", credential="another"))
    assert not is_stale(seat, LinkOpened(seat="petra", device="petra-two", credential="c"))
    assert not is_stale(seat, SessionOpened(seat="petra", device="petra-one"))
