"""What only takes rights away: who may not come in, or not any more.

Such a decision may be made when others may not, and must survive when others are lost. A store that
fails over can lose its last writes although it had confirmed them; a node that remembers them finds
with ``missing`` what whoever goes on from the older state must decide again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rooms.events import (
    Event,
    LinkWithdrawn,
    SeatLeft,
    SeatObjected,
    SeatRevoked,
    SeatSentBack,
    SeatWasDenied,
    SeatWasRemoved,
    VisitEvent,
    VisitWasCancelled,
    VisitWasEnded,
)
from rooms.line_events import CallWasStopped, PhonePlanWithdrawn
from rooms.line_guards import number_to_call, reachable
from rooms.model import (
    BARRED,
    INSIDE,
    OVER,
    RUNNING,
    Actor,
    ActorKind,
    Admission,
    Device,
    Fallback,
    Seat,
    Stage,
    Standing,
    Visit,
)
from rooms.permissions import Action, may

REDUCING: tuple[type[Event], ...] = (
    CallWasStopped,
    LinkWithdrawn,
    PhonePlanWithdrawn,
    SeatLeft,
    SeatObjected,
    SeatRevoked,
    SeatSentBack,
    SeatWasDenied,
    SeatWasRemoved,
    VisitWasCancelled,
    VisitWasEnded,
)

# What is decided again was somebody's, who is in the older log; it is done in the practice's name,
# since clocks and wires may decide nothing about people.
AGAIN = Actor(ActorKind.PRACTICE, "failover")


def is_reducing(event: Event) -> bool:
    """Whether nobody gains anything by this."""
    return isinstance(event, REDUCING)


def missing(known: Visit, stored: Visit) -> tuple[Event, ...]:
    """What must happen to ``stored`` so that nobody is in it who is out in ``known``.

    For a store that has certainly lost writes: ``stored`` goes back to an older state than
    ``known``, every deadline that has come included, and its new owner may have gone on from there.
    What was decided there since stands where that shows: a seat's epoch grows with each bar, and a
    browser or a consent can be newer than everything in ``known``. Where it does not show, people
    who are out in ``known`` are taken out; they can ask to come in again.

    Stepped in order each event is permitted and reduces. Where the decision itself cannot be
    repeated, a stricter one is made.
    """
    if stored.stage in OVER:
        return ()
    if known.stage in OVER:
        return (_end(known, stored),)
    latest, running = _latest(known), stored.stage in RUNNING
    found: list[Event] = []
    for seat in stored.seats:
        was = known.seat(seat.id)
        if was is not None:
            pair = _Pair(was, seat, latest, running)
            found += (*_about_phone(pair), *_about_person(pair), *_about_devices(pair))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Pair:
    """One seat as it was known and as it is stored; ``latest`` is the last instant in ``known``."""

    known: Seat
    stored: Seat
    latest: float
    running: bool

    @property
    def lost_a_bar(self) -> bool:
        """Each denial and removal raises the seat's epoch."""
        return self.stored.admission not in BARRED and self.stored.epoch < self.known.epoch

    @property
    def never_waits(self) -> bool:
        return may(self.stored.role, Action.ENTER_DIRECTLY)

    def is_new(self, device: Device) -> bool:
        """It opened the link after everything that was known."""
        return self.known.device(device.id) is None and device.opened_at > self.latest

    def was_withdrawn(self, device: Device) -> bool:
        """It was forgotten with a link that was replaced."""
        return self.known.device(device.id) is None and not self.is_new(device)

    def was_refused(self, device: Device) -> bool:
        was = self.known.device(device.id)
        return (
            was is not None
            and was.standing is Standing.REFUSED
            and device.standing is not Standing.REFUSED
        )


def _latest(visit: Visit) -> float:
    """The last instant at which anything is said to have happened."""
    told: list[float | None] = [0.0]
    for seat in visit.seats:
        usage = seat.usage
        told += (seat.waiting_since, seat.line.since, usage.since, usage.last_out)
        told += [device.opened_at for device in seat.devices]
        told += [device.waiting_since for device in seat.devices]
    return max(at for at in told if at is not None)


def _end(known: Visit, stored: Visit) -> VisitEvent:
    """A visit that has not opened can only be called off, one with people in it only be ended."""
    empty = all(seat.admission not in INSIDE for seat in stored.seats)
    never_began = stored.stage is Stage.OPEN and empty and known.stage is Stage.CANCELLED
    if stored.stage not in RUNNING or never_began:
        return VisitWasCancelled(by=AGAIN)
    return VisitWasEnded(by=AGAIN)


# -- the person --------------------


def _about_person(pair: _Pair) -> Iterator[Event]:
    if pair.known.revoked and not pair.stored.revoked:
        yield SeatRevoked(seat=pair.stored.id, by=AGAIN)
    elif pair.lost_a_bar and pair.known.admission in BARRED:
        yield _bar(pair)
    elif pair.stored.admission in INSIDE and _is_out(pair):
        yield _out(pair)


def _bar(pair: _Pair) -> Event:
    """Before the visit opens a seat can only be withdrawn, which is stricter."""
    if not pair.running:
        return SeatRevoked(seat=pair.stored.id, by=AGAIN)
    bar = SeatWasDenied if pair.known.admission is Admission.DENIED else SeatWasRemoved
    return bar(seat=pair.stored.id, by=AGAIN)


def _is_out(pair: _Pair) -> bool:
    """Whether the device that is in was out: with its person, or another in its place."""
    known, holder = pair.known, pair.stored.holder
    if pair.stored.epoch > known.epoch or known.admission in BARRED:
        return False  # what bars this person is stored, and so is what lifted it
    if holder is None:
        return known.admission not in INSIDE
    was = known.device(holder.id)
    if was is None:
        return not pair.is_new(holder)
    return known.admission not in INSIDE or was.standing is not Standing.HOLDING


def _out(pair: _Pair) -> Event:
    """Whoever left by themselves has left; others are to wait, which a clinician never does."""
    went = pair.known.admission not in (*INSIDE, Admission.WAITING)
    leaves = (went and not pair.lost_a_bar) or pair.never_waits
    if leaves and pair.stored.holder is not None:
        return SeatLeft(seat=pair.stored.id, device=pair.stored.holder.id)
    if pair.never_waits:
        return SeatWasRemoved(seat=pair.stored.id, by=AGAIN)
    return SeatSentBack(seat=pair.stored.id, by=AGAIN)


# -- its browsers --------------------


def _about_devices(pair: _Pair) -> Iterator[Event]:
    refused = [device for device in pair.stored.devices if pair.was_refused(device)]
    if _must_forget(pair, refused):
        yield LinkWithdrawn(seat=pair.stored.id, by=AGAIN)
    elif not {pair.stored.admission, pair.known.admission} & BARRED:
        for device in refused:
            yield SeatWasDenied(seat=pair.stored.id, device=device.id, by=AGAIN)


def _must_forget(pair: _Pair, refused: list[Device]) -> bool:
    """One device of several can be refused only while it holds nothing, and the visit runs.

    A clinician's device that was replaced would walk in again as the one that holds the seat.
    """
    holder, former = pair.stored.holder, pair.known.holder
    if any(pair.was_withdrawn(device) for device in pair.stored.devices):
        return True
    if refused and (holder in refused or not pair.running):
        return True
    if holder is None or former is None or pair.is_new(holder):
        return False
    return pair.never_waits and former.id != holder.id


# -- its telephone --------------------


def _about_phone(pair: _Pair) -> Iterator[Event]:
    """The person does not want to be called any more; without a browser, stop what rings."""
    seat = pair.stored
    if not pair.running or not reachable(seat) or reachable(pair.known):
        return
    agreed = number_to_call(seat)
    if agreed is not None and agreed.consent is not None and agreed.consent.at > pair.latest:
        return
    speaks = next((device.id for device in seat.devices if seat.speaks(device.id)), None)
    if speaks is not None:
        yield PhonePlanWithdrawn(seat=seat.id, device=speaks)
    elif seat.line.state not in (Fallback.GOOD, Fallback.STUCK):
        yield CallWasStopped(seat=seat.id, by=AGAIN)
