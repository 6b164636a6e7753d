"""The table of one line, read as data. What it does is told in test_fallback_stories.py."""

from itertools import product

import pytest

from rooms.fallback import FALLBACK, is_stale
from rooms.line_events import LINE_EVENTS, CallRang, LineDeadlinePassed, PageGone
from rooms.model import Deadline, Fallback
from tests.rooms.grids import decided, last_row_always_applies
from tests.rooms.line_space import SPACES
from tests.rooms.phone_story import PhoneStory


@pytest.mark.parametrize("pair", list(product(Fallback, LINE_EVENTS)), ids=str)
def test_every_state_and_event_is_decided_exactly_once(pair):
    assert decided(FALLBACK, pair) == 1


def test_the_tables_decide_nothing_else():
    cells = {*FALLBACK.rows, *FALLBACK.ignored, *FALLBACK.refused}
    assert cells == set(product(Fallback, LINE_EVENTS))


def test_the_last_row_of_every_cell_always_applies():
    for cell, rows in FALLBACK.rows.items():
        assert last_row_always_applies(rows), cell


@pytest.mark.parametrize("space", ["line", "phone_only"])
def test_somebody_can_come_to_every_state(space):
    seats = [visit.seat("petra") for visit in SPACES[space]().visits.values()]
    assert {seat.line.state for seat in seats if seat is not None} == set(Fallback)


def test_what_is_not_about_the_current_call_or_deadline_is_stale():
    story = PhoneStory("dora", "petra").meet().cut()
    due = story.line().deadline
    assert due is not None
    seat = story.seat("petra")
    assert not is_stale(seat, LineDeadlinePassed(seat="petra", deadline=due))
    assert is_stale(seat, LineDeadlinePassed(seat="petra", deadline=Deadline("call", due.at - 1)))
    assert is_stale(seat, CallRang(seat="petra", call="petra-1"))
    story.pass_time(5)
    assert not is_stale(story.seat("petra"), CallRang(seat="petra", call=story.call()))
    assert is_stale(story.seat("petra"), CallRang(seat="petra", call="petra-0"))
    assert not is_stale(seat, PageGone(seat="petra"))
