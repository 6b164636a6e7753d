"""Whole visits at random: seven roles, several devices, staff, desk, practice, and time that jumps.

Half of what happens helps the visit along; the other half is anything by anybody.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator

from hypothesis import strategies as st

from rooms.events import (
    Event,
    LinkOpened,
    LinkWithdrawn,
    NoticeSent,
    SeatAdded,
    SeatAdmitted,
    SeatDeadlinePassed,
    SeatEntered,
    SeatLetBack,
    SeatObjected,
    SeatRevoked,
    SeatSentBack,
    SeatWasDenied,
    SeatWasRemoved,
    SessionOpened,
    VisitRescheduled,
    VisitWasCancelled,
    VisitWasEnded,
)
from rooms.model import Actor, ActorKind, Deadline, Visit
from rooms.view import waiting_list
from rooms.visit import next_deadline
from tests.rooms.cast import (
    DESK,
    EVERYBODY,
    MINUTE,
    POLICY,
    PRACTICE,
    STARTS,
    by,
    device_id,
    seat_of,
    visit_of,
)
from tests.rooms.laws import Beat
from tests.rooms.space import own_events, take

DEVICES = ("one", "two", "three")
PAUSES = (0.0, 0.5, 5.0, 40.0, 3 * MINUTE)
MOST_STEPS = 240
LONG_PAUSES = (11 * MINUTE, 25 * MINUTE)


def walk(seed: int, length: int) -> Iterator[Beat]:
    """The steps of one random visit; deadlines come at their own time, as the server feeds them."""
    rng = random.Random(seed)
    visit, now = visit_of(*EVERYBODY[:-1]), STARTS - POLICY.opens_before - 1
    for _ in range(length):
        now += rng.choice(LONG_PAUSES if rng.random() < 0.01 else PAUSES)
        while (due := next_deadline(visit)) is not None and due.deadline.at <= now:
            beat = take(visit, due, due.deadline.at, POLICY)
            visit = beat.after
            yield beat
        beat = take(visit, _event(rng, visit), now, POLICY)
        visit = beat.after
        yield beat


@functools.cache
def stops(seed: int) -> tuple[Visit, ...]:
    """What a random visit looks like every so often."""
    return tuple(beat.after for beat in walk(seed, MOST_STEPS))[:: MOST_STEPS // 20]


def visits() -> st.SearchStrategy[Visit]:
    """Any visit that can come about, most of them well under way."""
    return st.integers(0, 80).flatmap(lambda seed: st.sampled_from(stops(seed)))


def _event(rng: random.Random, visit: Visit) -> Event:
    choice = rng.random()
    if choice < 0.5:
        return _helpful(rng, visit)
    if choice < 0.75:
        name = rng.choice(EVERYBODY)
        event = rng.choice(list(own_events(name, rng.choice(DEVICES), known=True)))
        assert isinstance(event, Event)
        return event
    return _order(rng, visit) if choice < 0.995 else _about_the_visit(rng)


def _helpful(rng: random.Random, visit: Visit) -> Event:
    """What a person who wants to be inside would do next."""
    waiting = waiting_list(visit)
    if waiting and rng.random() < 0.15:
        entry = rng.choice(waiting)
        return SeatAdmitted(seat=entry.seat, device=entry.device, by=DESK)
    seat = rng.choice(visit.seats)
    device = seat.holder or next(iter(seat.devices), None)
    if device is None:
        there = device_id(seat.id, "one")
        return LinkOpened(seat=seat.id, device=there, credential="c", by=by(seat.id, "one"))
    if not device.connected:
        return SessionOpened(seat=seat.id, device=device.id)
    if seat.admission == "admitted":
        mine = Actor(ActorKind.SEAT, seat.id, device.id)
        return SeatEntered(seat=seat.id, device=device.id, by=mine)
    if seat.admission in ("denied", "removed"):
        return SeatLetBack(seat=seat.id, by=DESK)
    which = device.id.removeprefix(f"{seat.id}-")
    return next(e for e in own_events(seat.id, which, known=True) if e.name == "Knocked")


def _order(rng: random.Random, visit: Visit) -> Event:
    """Something staff could order, by somebody who may or may not."""
    name = rng.choice(EVERYBODY)
    somebody = by(rng.choice(EVERYBODY), rng.choice(DEVICES))
    who = rng.choice((DESK, PRACTICE, by("dora"), by("petra"), somebody))
    device = device_id(name, rng.choice(("", "", *DEVICES)))
    seat = visit.seat(name)
    deadline = seat.deadline if seat is not None and seat.deadline else Deadline("place", STARTS)
    orders: tuple[Event, ...] = (
        SeatAdmitted(seat=name, device=device, by=who),
        SeatAdmitted(seat=name, by=who),
        SeatWasDenied(seat=name, device=device, by=who),
        SeatWasRemoved(seat=name, by=who),
        SeatSentBack(seat=name, by=who),
        SeatLetBack(seat=name, by=who),
        SeatObjected(seat=name, by=who),
        NoticeSent(seat=name, text=f"words for {name}", by=who),
        SeatAdded(seat=seat_of(EVERYBODY[-1]), by=who),
        SeatRevoked(seat=name, by=who) if rng.random() < 0.1 else SeatLetBack(seat=name, by=who),
        LinkWithdrawn(seat=name, by=who),
        SeatDeadlinePassed(seat=name, deadline=Deadline("place", deadline.at - 1)),
    )
    return rng.choice(orders)


def _about_the_visit(rng: random.Random) -> Event:
    later = rng.choice((10 * MINUTE, 24 * 60 * MINUTE))
    who = rng.choice((PRACTICE, by("dora"), DESK, by("petra")))
    return rng.choice(
        (
            VisitWasEnded(by=who),
            VisitWasCancelled(by=who),
            VisitRescheduled(starts_at=STARTS + later, ends_at=STARTS + 2 * later, by=who),
        )
    )
