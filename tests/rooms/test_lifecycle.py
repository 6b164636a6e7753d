"""The table of the visit as a whole, read as data; test_visit_stories.py tells what it does."""

from itertools import product

import pytest

from rooms import lifecycle
from rooms.errors import TimesInvalid
from rooms.events import VISIT_EVENTS, DeadlinePassed, VisitRescheduled, VisitWasEnded
from rooms.lifecycle import LIFECYCLE, is_stale, reason_of
from rooms.model import Deadline, EndReason, Stage
from tests.rooms.cast import PRACTICE, STARTS, Story, by
from tests.rooms.grids import decided, last_row_always_applies, offered, used

HELPERS = ("everyone_out", "reason_of", "opening", "appointed", "is_stale")


@pytest.mark.parametrize("pair", list(product(Stage, VISIT_EVENTS)), ids=str)
def test_every_stage_and_event_is_decided_exactly_once(pair):
    assert decided(LIFECYCLE, pair) == 1


def test_the_tables_decide_nothing_else():
    cells = {*LIFECYCLE.rows, *LIFECYCLE.ignored, *LIFECYCLE.refused}
    assert cells == set(product(Stage, VISIT_EVENTS))


def test_the_last_row_of_every_cell_always_applies():
    for cell, rows in LIFECYCLE.rows.items():
        assert last_row_always_applies(rows), cell


@pytest.mark.parametrize("rule", offered(lifecycle, *HELPERS), ids=lambda f: f.__name__)
def test_every_guard_and_action_is_used_by_the_table(rule):
    assert rule in used(LIFECYCLE)


def test_a_deadline_is_stale_unless_it_is_one_of_the_two_clocks():
    story = Story().comes_in("dora", "petra").drops("dora").drops("petra")
    closes, deserted = story.visit.deadline, story.visit.deserted
    assert closes is not None
    assert deserted is not None
    assert not is_stale(story.visit, DeadlinePassed(deadline=closes))
    assert not is_stale(story.visit, DeadlinePassed(deadline=deserted))
    for old in (Deadline("closes", STARTS), Deadline("opens", closes.at)):
        assert is_stale(story.visit, DeadlinePassed(deadline=old))
    assert not is_stale(story.visit, VisitWasEnded(by=PRACTICE))


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (DeadlinePassed(deadline=Deadline("closes", 1)), EndReason.TIME_UP),
        (DeadlinePassed(deadline=Deadline("deserted", 1)), EndReason.DESERTED),
        (VisitWasEnded(by=PRACTICE), EndReason.BY_PRACTICE),
        (VisitWasEnded(by=by("dora")), EndReason.BY_PROVIDER),
    ],
)
def test_an_end_has_the_reason_of_what_ended_it(event, reason):
    assert reason_of(event) is reason


@pytest.mark.parametrize("ends_at", [STARTS - 1, STARTS, float("nan")])
def test_a_visit_is_not_moved_to_times_in_the_wrong_order(ends_at):
    story = Story()
    with pytest.raises(TimesInvalid):
        story.tell(VisitRescheduled(starts_at=STARTS, ends_at=ends_at, by=PRACTICE))
    assert story.visit.starts_at == STARTS


def test_a_visit_moved_into_its_opening_time_opens_at_once():
    story = Story(now=STARTS - 7200).moves(-6000).pass_time(0)
    assert story.visit.stage is Stage.OPEN
    assert story.visit.moved_from == STARTS
