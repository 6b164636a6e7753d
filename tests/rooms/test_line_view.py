"""What is shown of telephones: to their owner, to staff, to everybody else, and never a number."""

import pytest

from rooms.line_view import way
from rooms.model import CallFailure, CallPurpose, Sound
from tests.rooms.cast import DESK
from tests.rooms.line_space import SPACES
from tests.rooms.phone_story import PhoneStory


def ways(story):
    """How petra is there, step by step."""
    story.cut()
    yield way(story.seat("petra"))
    story.pass_time(5)
    yield way(story.seat("petra"))
    story.rings().answers()
    yield way(story.seat("petra"))
    story.presses("1")
    yield way(story.seat("petra"))
    story.pass_time(3)
    yield way(story.seat("petra"))


def test_everybody_may_know_how_somebody_is_there():
    story = PhoneStory("dora", "petra").meet()
    assert way(story.seat("petra")) == "browser"
    assert list(ways(story)) == ["weak", "calling", "calling", "joining", "phone"]


def test_trying_a_number_shows_nobody_anything():
    story = PhoneStory("dora", "petra").meet().asks(CallPurpose.TRIAL)
    assert way(story.seat("petra")) == "browser"
    assert story.view("petra").me.line.trial


@pytest.mark.parametrize("space", ["line", "phone_only"])
def test_no_view_holds_a_number(space):
    for visit in list(SPACES[space]().visits.values())[::20]:
        story = PhoneStory("dora", "petra")
        story.visit = visit
        for name in ("dora", "petra"):
            if visit.seat(name).devices:
                assert "+49" not in repr(story.view(name))


def test_staff_choose_a_number_by_its_name_and_family_are_told_nothing():
    story = PhoneStory().meet()
    story.sounds("petra", Sound.WEAK).orders(DESK, "son")
    report = {p.seat: p for p in story.view("dora").people}["petra"].line
    assert [(n.id, n.contact, n.agreed) for n in report.numbers] == [
        ("own", False, True),
        ("son", True, True),
    ]
    for reader in ("fay", "petra"):
        assert all(person.line is None for person in story.view(reader).people)


def test_staff_see_when_the_next_call_comes_and_why_the_last_one_failed():
    story = PhoneStory("dora", "petra").meet().cut()
    report = {p.seat: p for p in story.view("dora").people}["petra"].line
    assert (report.state, report.next_call_at) == ("degraded", story.now + 5)
    story.pass_time(5)
    story.over(CallFailure.BUSY)
    report = {p.seat: p for p in story.view("dora").people}["petra"].line
    assert (report.why, report.next_call_at, report.calls) == ("busy", story.now + 60, 1)
    assert story.view("petra").me.line.why == "busy"


def test_a_countdown_is_shown_only_where_somebody_will_be_called():
    agreed = PhoneStory("dora", "petra").meet().cut().view("dora")
    assert agreed.people[0].line.next_call_at is not None
    not_agreed = PhoneStory("dora", "petra").equip("petra", agreed=False).meet().cut().view("dora")
    assert not_agreed.people[0].line.next_call_at is None
