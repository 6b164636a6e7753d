"""Failing connections at random, held against a tiny model that keeps its own books."""

import random

import pytest

from rooms.effects import EndCall, PlaceCall
from rooms.events import MediaSwitched, SeatLeft
from rooms.line_events import CallOver, NodeRestarted, SoundChanged
from rooms.model import INSIDE, RUNNING, Fallback, Sound
from rooms.visit import next_deadline
from rooms.wiring import phone_ends
from tests.rooms.cast import POLICY
from tests.rooms.line_space import line_events, own_line_events
from tests.rooms.phone_story import PhoneStory
from tests.rooms.space import check, own_events, take

SEEDS = range(24)
STEPS = 250
PEOPLE = ("dora", "petra", "fay")
PAUSES = (0.0, 0.5, 2.0, 6.0, 25.0)
TOO_LATE = 3 * 3600.0


class Books:
    """Every call that was placed and is not over, told only by orders and by carriers."""

    def __init__(self):
        self.up = {}
        self.placed = set()

    def see(self, beat):
        event = beat.event
        if isinstance(event, NodeRestarted):
            self.up.pop(event.seat, None)
        if isinstance(event, CallOver) and self.up.get(event.seat) == event.call:
            del self.up[event.seat]
        for order in beat.effects:
            if isinstance(order, EndCall):
                assert self.up.pop(order.seat, order.call) == order.call
            elif isinstance(order, PlaceCall):
                assert order.seat not in self.up, "two calls of one seat"
                assert order.call not in self.placed, "a call placed twice"
                self.placed.add(order.call)
                self.up[order.seat] = order.call

    def agree_with(self, visit):
        now = {s.id: s.line.call.id for s in visit.seats if s.line.call is not None}
        assert now == self.up
        answered = {end.seat: end.call for end in phone_ends(visit)}
        assert answered.items() <= self.up.items()


def event(rng, visit):
    seat = visit.seat(rng.choice(PEOPLE))
    choice = rng.random()
    if choice < 0.3:
        return SoundChanged(seat=seat.id, sound=rng.choice((Sound.SILENT, *Sound)))
    if choice < 0.7:
        return rng.choice(list(line_events(seat)))
    if choice < 0.9:
        return rng.choice(list(own_line_events(seat.id)))
    events = list(own_events(seat.id, "one", known=True))
    kept = [e for e in events if not isinstance(e, SeatLeft | MediaSwitched) or rng.random() < 0.3]
    return rng.choice(kept)


def walk(seed):
    rng = random.Random(seed)
    story = PhoneStory(*PEOPLE).comes_in(*PEOPLE)
    visit, now = story.visit, story.now
    for _ in range(STEPS):
        now += rng.choice(PAUSES)
        while (due := next_deadline(visit)) is not None and due.deadline.at <= now:
            beat = take(visit, due, due.deadline.at, POLICY)
            assert beat.refusal is None
            assert beat.after is not visit, "a deadline that passes changes something"
            visit = beat.after
            yield beat
        beat = take(visit, event(rng, visit), now, POLICY)
        visit = beat.after
        yield beat


@pytest.mark.parametrize("seed", SEEDS)
def test_every_call_that_was_placed_is_ended_once(seed):
    books = Books()
    for beat in walk(seed):
        check(beat)
        books.see(beat)
        books.agree_with(beat.after)


@pytest.mark.parametrize("seed", SEEDS[:6])
def test_no_call_outlives_a_visit_that_is_left_alone(seed):
    *_, last = walk(seed)
    visit, now = last.after, last.now
    while (due := next_deadline(visit)) is not None and due.deadline.at <= now + TOO_LATE:
        visit = take(visit, due, due.deadline.at, POLICY).after
    assert visit.stage not in RUNNING
    assert all(seat.line.call is None for seat in visit.seats)


def test_the_walks_come_everywhere():
    seen = set()
    for seed in SEEDS:
        for beat in walk(seed):
            for seat in beat.after.seats:
                seen.add(seat.line.state)
                seen.add(seat.line.stuck)
                seen.add(seat.admission in INSIDE)
    assert set(Fallback) <= seen
    assert {"calls_used", "refused", "no_consent", "stopped", "not_reached"} <= seen
