"""Whole visits at random, held against a tiny model of the world that keeps its own books."""

from collections import Counter

import pytest

from rooms.events import (
    Knocked,
    LinkWithdrawn,
    SeatAdmitted,
    SeatDeadlinePassed,
    SeatLeft,
    SeatLetBack,
    SeatObjected,
    SeatRevoked,
    SeatSentBack,
    SeatWasDenied,
    SeatWasRemoved,
    SessionClosed,
    SessionOpened,
)
from rooms.model import BARRED, INSIDE, RUNNING, ActorKind, Role
from rooms.wiring import inside
from tests.rooms.cast import ROLES, seat_in
from tests.rooms.space import check
from tests.rooms.walks import walk

SEEDS = range(40)
STEPS = 400


class World:
    """Who was let in by whom, on which device: told only by what was done and accepted."""

    def __init__(self):
        self.holder = {}
        self.inside = set()
        self.waits = set()  # seats
        self.asks = set()  # second devices
        self.barred = {}
        self.bars: Counter[str] = Counter()
        self.connected = set()
        self.refused = set()

    def see(self, beat):
        event = beat.event
        if isinstance(event, SeatDeadlinePassed) and beat.after is beat.before:
            return
        handle = {
            SessionOpened: lambda e: self.connected.add(e.device),
            SessionClosed: lambda e: self.connected.discard(e.device),
            Knocked: self.knocked,
            SeatLeft: self.left,
            SeatDeadlinePassed: lambda e: self.waits.discard(e.seat),
            SeatAdmitted: self.admitted,
            SeatSentBack: self.sent_back,
            SeatWasDenied: self.denied,
            SeatObjected: lambda e: self.bar(e.seat, "denied"),
            SeatWasRemoved: lambda e: self.bar(e.seat, "removed"),
            SeatRevoked: self.revoked,
            LinkWithdrawn: self.link_withdrawn,
            SeatLetBack: self.let_back,
        }.get(type(event))
        if handle:
            handle(event)

    def mine(self, event):
        return self.holder.get(event.seat) == event.device

    def knocked(self, event):
        self.holder.setdefault(event.seat, event.device)
        if not self.mine(event):
            self.asks.add((event.seat, event.device))
        elif event.seat in self.inside or event.seat in self.waits:
            pass
        elif ROLES[event.seat] is Role.PROVIDER:
            self.inside.add(event.seat)
        else:
            self.waits.add(event.seat)

    def left(self, event):
        self.asks.discard((event.seat, event.device))
        if self.mine(event):
            self.inside.discard(event.seat)
            self.waits.discard(event.seat)

    def admitted(self, event):
        assert self.may_decide(event.by, event.seat)
        here = {d for s, d in self.asks if s == event.seat and d in self.connected}
        here |= {self.holder[event.seat]} if event.seat in self.waits else set()
        device = event.device or here.pop()
        assert device == event.device or not here, "it was not said which"
        self.asks.discard((event.seat, device))
        self.waits.discard(event.seat)
        self.holder[event.seat] = device
        self.inside.add(event.seat)

    def may_decide(self, actor, seat):
        if actor.kind is not ActorKind.SEAT:
            return actor.kind in (ActorKind.DESK, ActorKind.PRACTICE)
        provider = ROLES[actor.id] is Role.PROVIDER and actor.id != seat
        return provider and actor.id in self.inside and self.holder[actor.id] == actor.device

    def sent_back(self, event):
        self.inside.discard(event.seat)
        self.waits.add(event.seat)

    def denied(self, event):
        if not event.device or self.mine(event):
            self.bar(event.seat, "denied")
        elif event.seat not in self.barred:
            self.asks.discard((event.seat, event.device))
            self.refused.add(event.device)

    def bar(self, seat, how):
        if seat not in self.barred:
            self.force_out(seat, how)

    def revoked(self, event):
        self.force_out(event.seat, "removed")

    def link_withdrawn(self, event):
        seat = event.seat
        stays = self.holder[seat] if seat in self.inside else ""
        strangers = {d for d in self.connected | self.refused if d.startswith(f"{seat}-")} - {stays}
        self.connected -= strangers
        self.refused -= strangers
        self.asks = {(s, d) for s, d in self.asks if s != seat}
        if not stays:
            self.holder.pop(seat, None)
            self.waits.discard(seat)

    def force_out(self, seat, how):
        self.barred[seat] = how
        self.bars[seat] += 1
        self.inside.discard(seat)
        self.waits.discard(seat)
        self.asks = {(s, d) for s, d in self.asks if s != seat}

    def let_back(self, event):
        self.barred.pop(event.seat, None)
        self.refused = {d for d in self.refused if not d.startswith(f"{event.seat}-")}

    def agrees_with(self, visit):
        seats = visit.seats
        assert {s.id for s in seats if s.admission in INSIDE} == self.inside
        assert inside(visit) == (self.inside if visit.stage in RUNNING else set())
        assert {s.id for s in seats if s.admission == "waiting"} == self.waits
        assert {s.id: s.admission for s in seats if s.admission in BARRED} == self.barred
        assert {s.id: s.holder.id for s in seats if s.holder} == self.holder
        devices = [(s, d) for s in seats for d in s.devices]
        assert {(s.id, d.id) for s, d in devices if d.standing == "waiting"} == self.asks
        assert {d.id for _, d in devices if d.standing == "refused"} == self.refused
        assert {d.id for _, d in devices if d.connected} == self.connected
        assert {s.id: s.epoch - 1 for s in seats if s.epoch > 1} == dict(self.bars)


def nobody_else_is_thrown_out(beat):
    """Whatever befalls one person, a provider's drop above all."""
    concerned = getattr(beat.event, "seat", None)
    for seat in beat.before.seats:
        if seat.id != concerned and seat.admission in INSIDE:
            assert seat_in(beat.after, seat.id).admission is seat.admission


@pytest.mark.parametrize("seed", SEEDS)
def test_the_visit_and_the_world_agree(seed):
    world = World()
    for beat in walk(seed, STEPS):
        check(beat)
        nobody_else_is_thrown_out(beat)
        if beat.refusal is None:
            world.see(beat)
        world.agrees_with(beat.after)


def test_the_walks_come_everywhere():
    seen: Counter[object] = Counter()
    for seed in SEEDS:
        for beat in walk(seed, STEPS):
            seen[beat.after.stage] += 1
            seen[type(beat.event).__name__, beat.refusal is None] += 1
            seen.update((s.role, s.admission) for s in beat.after.seats)
            seen[len(inside(beat.after))] += 1
    assert {"scheduled", "rescheduled", "open", "in_progress", "interrupted", "ended"} <= set(seen)
    assert all(seen[role, "present"] for role in Role)
    assert all(seen[role, "waiting"] for role in Role if role is not Role.PROVIDER)
    assert seen[len(ROLES) - 1] > 0
    assert all(seen[event.__name__, True] for event in DECISIONS)


DECISIONS = (Knocked, SeatAdmitted, SeatObjected, SeatWasDenied, SeatLetBack, SeatSentBack)
