"""``step`` and what is read off a visit, as properties of every visit that can come about."""

from dataclasses import FrozenInstanceError, fields, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooms import events as events_module
from rooms.codec import encode
from rooms.effects import Effect
from rooms.errors import (
    SeatDenied,
    SeatRemoved,
    TimesInvalid,
    UnknownDevice,
    UnknownSeat,
    VisitCancelled,
    VisitEarly,
    VisitEnded,
    VisitExpired,
    VisitMoved,
)
from rooms.events import SEAT_EVENTS, VISIT_EVENTS, Event, SeatAdded, SeatEvent, VisitEvent
from rooms.model import INSIDE, RUNNING, Fallback, Role, Stage
from rooms.visit import door, next_deadline, schedule, step
from rooms.wiring import inside, who_hears_whom
from tests.rooms.cast import DESK, EVERYBODY, MINUTE, POLICY, STARTS, Story, seat_in, visit_of
from tests.rooms.space import take
from tests.rooms.walks import visits, walk

SEEDS = st.integers(0, 1 << 16)


@settings(max_examples=25)
@given(SEEDS)
def test_step_is_deterministic_and_never_mutates(seed):
    for beat in walk(seed, 40):
        written = encode(beat.before)
        again = take(beat.before, beat.event, beat.now, beat.policy)
        assert (again.after, again.effects, again.refusal) == (
            beat.after,
            beat.effects,
            beat.refusal,
        )
        assert encode(beat.before) == written


@settings(max_examples=50)
@given(SEEDS)
def test_the_revision_never_goes_back_and_grows_only_with_a_change(seed):
    beats = list(walk(seed, 40))
    for beat in beats:
        changed = replace(beat.after, revision=0) != replace(beat.before, revision=0)
        assert beat.after.revision - beat.before.revision == int(changed)
    for one, other in pairwise(beats):
        assert other.before == one.after


@given(visits())
def test_media_flows_between_all_who_are_inside_and_nobody_else(visit):
    people = [seat for seat in visit.seats if seat.admission in INSIDE]
    expected = {
        (source.id, hearer.id)
        for source in people
        for hearer in people
        if source is not hearer and source.role is not Role.OBSERVER
    }
    links = who_hears_whom(visit)
    assert {(link.source, link.hearer) for link in links} == (
        expected if visit.stage in RUNNING else set()
    )
    assert {link.hearer for link in links} | {link.source for link in links} <= inside(visit)


@given(visits())
def test_whoever_is_muted_is_not_heard_and_whoever_is_dark_is_not_seen(visit):
    for link in who_hears_whom(visit):
        source = seat_in(visit, link.source)
        assert source.microphone or not link.sound
        assert source.camera or not link.picture
        if {source.line.state, seat_in(visit, link.hearer).line.state} == {Fallback.GOOD}:
            assert (link.sound, link.picture) == (source.microphone, source.camera)


@given(visits())
def test_the_next_deadline_is_the_earliest_and_takes_the_visit_on(visit):
    for _ in range(4 + len(visit.seats)):
        due = next_deadline(visit)
        if due is None:
            break
        after, _ = step(visit, due, due.deadline.at, POLICY)
        assert after != visit
        others = [d for d in (next_deadline(after),) if d is not None]
        assert all(other.deadline.at >= due.deadline.at for other in others)
        visit = after
    assert next_deadline(visit) is None


# -- minutes --------------------


@settings(max_examples=50)
@given(SEEDS)
def test_the_minutes_of_each_seat_add_up(seed):
    """Seconds present, counted a second time from the outside, by picture and without."""
    video: dict[str, float] = dict.fromkeys(EVERYBODY, 0.0)
    sound: dict[str, float] = dict.fromkeys(EVERYBODY, 0.0)
    visit, clock = visit_of(*EVERYBODY), STARTS
    for beat in walk(seed, 120):
        for seat in beat.before.seats:
            if seat.admission == "present" and beat.before.stage in RUNNING:
                shown = seat.camera and seat.role is not Role.OBSERVER
                (video if shown else sound)[seat.id] += max(0.0, beat.now - clock)
        clock, visit = beat.now, beat.after
    for seat in visit.seats:
        running = 0.0 if seat.usage.since is None else clock - seat.usage.since
        assert seat.usage.video + seat.usage.sound + running == pytest.approx(
            video[seat.id] + sound[seat.id]
        )
        if not running:
            assert seat.usage.video == pytest.approx(video[seat.id])
        assert seat.usage.phone == 0.0


def test_minutes_are_told_apart_by_how_somebody_was_there():
    story = Story().comes_in("dora", "petra", "olga").pass_time(2 * MINUTE)
    story.switches("petra", camera=False).pass_time(3 * MINUTE).switches("petra", camera=True)
    story.pass_time(MINUTE).drops("petra").pass_time(5 * MINUTE).connects("petra")
    story.pass_time(MINUTE).ends()
    petra, olga = story.seat("petra").usage, story.seat("olga").usage
    assert (petra.video, petra.sound) == (4 * MINUTE, 3 * MINUTE)
    assert (petra.first_in, petra.last_out) == (STARTS, STARTS + 12 * MINUTE)
    assert (olga.video, olga.sound) == (0.0, 12 * MINUTE)
    assert petra.since is olga.since is None


def test_a_clock_that_goes_back_takes_no_minutes_away():
    story = Story().comes_in("petra").pass_time(MINUTE).drops("petra")
    story.connects("petra")
    story.now -= MINUTE / 2
    assert story.drops("petra").seat("petra").usage.video == MINUTE


# -- the door of the function itself --------------------


@pytest.mark.parametrize("name", EVERYBODY)
def test_muting_stops_the_sound_at_once_and_survives_a_reconnect(name):
    story = Story().comes_in("dora", "petra", *({name} - {"dora", "petra"}))
    story.switches(name, microphone=False, camera=False).drops(name).connects(name)
    for link in who_hears_whom(story.visit):
        if link.source == name:
            assert (link.sound, link.picture) == (False, False)


def test_an_observer_hears_and_is_never_a_source():
    story = Story().comes_in("dora", "petra", "olga").switches("olga", microphone=True, camera=True)
    links = who_hears_whom(story.visit)
    assert {link.hearer for link in links if link.source == "dora"} == {"petra", "olga"}
    assert "olga" not in {link.source for link in links}


def test_a_new_visit_waits_for_its_opening():
    visit = schedule(replace(visit_of("petra"), stage=Stage.RESCHEDULED), POLICY)
    assert visit.stage is Stage.SCHEDULED
    due = next_deadline(visit)
    assert due is not None
    assert due.deadline.at == STARTS - POLICY.opens_before


@pytest.mark.parametrize("length", [0.0, -1.0, float("nan")])
def test_a_visit_that_ends_before_it_begins_is_not_scheduled(length):
    with pytest.raises(TimesInvalid):
        schedule(replace(visit_of("petra"), ends_at=STARTS + length), POLICY)


@pytest.mark.parametrize(
    ("story", "closed"),
    [
        (lambda: Story(now=STARTS - 3600), VisitEarly),
        (lambda: Story(), None),
        (lambda: Story().waits("petra"), None),
        (lambda: Story().denies(DESK, "petra"), SeatDenied),
        (lambda: Story().removes(DESK, "petra"), SeatRemoved),
        (lambda: Story().denies(DESK, "petra").lets_back(DESK, "petra"), None),
        (lambda: Story().moves(3600), VisitMoved),
        (lambda: Story().cancels(), VisitCancelled),
        (lambda: Story().ends(), VisitEnded),
        (lambda: Story().pass_time(24 * 3600), VisitExpired),
    ],
)
def test_a_link_opens_or_says_why_not(story, closed):
    visit = story().visit
    assert isinstance(door(visit, seat_in(visit, "petra")), closed or type(None))


def test_a_deadline_that_is_not_due_any_more_changes_nothing():
    story = Story(now=STARTS - 3600)
    due = next_deadline(story.visit)
    assert due is not None
    story.moves(3600)
    before = story.visit
    assert story.tell(due).visit is before


def test_strangers_and_strange_devices_move_nothing():
    story = Story("petra").opens("petra")
    with pytest.raises(UnknownSeat):
        story.admits(DESK, "mallory")
    with pytest.raises(UnknownDevice):
        story.knocks("petra", "two")
    with pytest.raises(UnknownDevice):
        story.admits(DESK, "petra", "two")


def test_an_event_that_no_machine_takes_is_a_mistake_in_the_program():
    with pytest.raises(AssertionError, match="no machine takes Event"):
        step(visit_of("petra"), Event(), STARTS, POLICY)


def test_the_lists_of_events_are_complete():
    classes = [c for c in vars(events_module).values() if isinstance(c, type)]
    leaves = {c for c in classes if issubclass(c, Event) and not c.__subclasses__()}
    assert leaves == {*SEAT_EVENTS, *VISIT_EVENTS, SeatAdded}
    assert all(issubclass(event, SeatEvent) for event in SEAT_EVENTS)
    assert all(issubclass(event, VisitEvent) for event in VISIT_EVENTS)


def test_nouns_events_and_effects_cannot_be_changed():
    story = Story().comes_in("dora").leaves("dora")
    seat, effect = story.seat("dora"), story.effects[0]
    assert isinstance(effect, Effect)
    for thing in (story.visit, seat, seat.devices[0], seat.usage, effect):
        with pytest.raises(FrozenInstanceError):
            setattr(thing, fields(thing)[0].name, "another")
        assert isinstance(hash(thing), int)
