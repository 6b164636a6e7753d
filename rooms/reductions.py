"""What only takes rights away: who may not come in, or not any more.

Such a decision may be made when others may not, and must survive when others are lost. A store that
fails over can lose its last writes although it had confirmed them; a node that remembers them finds
with ``missing`` what whoever goes on from the older state must decide again.
"""

from __future__ import annotations

from collections.abc import Iterator

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
from rooms.line_guards import reachable
from rooms.model import (
    BARRED,
    INSIDE,
    OVER,
    RUNNING,
    Actor,
    ActorKind,
    Admission,
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

    ``stored`` comes from an older state of the same visit, every deadline that has come included,
    and its new owner may have gone on from there. What it decided since is not undone: a bar is
    missing only where the seat's epoch is behind, and what else people may do again (being let in
    anew, opening the link anew) is only taken back while the visit as a whole, or the time that
    the seat has spent in it, is behind ``known``.

    Stepped in order, each event is permitted and reduces; where the exact decision cannot be made
    any more, a stricter one is.
    """
    if stored.stage in OVER:
        return ()
    if known.stage in OVER:
        return (_end(known, stored),)
    behind = stored.revision < known.revision
    found: list[Event] = []
    for seat in stored.seats:
        was = known.seat(seat.id)
        if was is not None:
            running = stored.stage in RUNNING
            found += _about_phone(was, seat, behind and running)
            found += _about_person(was, seat, behind, running)
            found += _about_devices(was, seat, behind, running)
    return tuple(found)


def _end(known: Visit, stored: Visit) -> VisitEvent:
    """A visit that has not opened can only be called off, one with people in it only be ended."""
    empty = all(seat.admission not in INSIDE for seat in stored.seats)
    never_began = stored.stage is Stage.OPEN and empty and known.stage is Stage.CANCELLED
    if stored.stage not in RUNNING or never_began:
        return VisitWasCancelled(by=AGAIN)
    return VisitWasEnded(by=AGAIN)


# -- the person --------------------


def _about_person(known: Seat, stored: Seat, behind: bool, running: bool) -> Iterator[Event]:
    if known.revoked and not stored.revoked:
        yield SeatRevoked(seat=stored.id, by=AGAIN)
    elif _lost_a_bar(known, stored) and known.admission in BARRED:
        yield _bar(known, stored, running)
    elif stored.admission in INSIDE and _is_out(known, stored, behind):
        yield _out(known, stored)


def _lost_a_bar(known: Seat, stored: Seat) -> bool:
    """Each denial and removal raises the seat's epoch."""
    return stored.admission not in BARRED and stored.epoch < known.epoch


def _bar(known: Seat, stored: Seat, running: bool) -> Event:
    """Before the visit opens a seat can only be withdrawn, which is stricter."""
    if not running:
        return SeatRevoked(seat=stored.id, by=AGAIN)
    bar = SeatWasDenied if known.admission is Admission.DENIED else SeatWasRemoved
    return bar(seat=stored.id, by=AGAIN)


def _is_out(known: Seat, stored: Seat, behind: bool) -> bool:
    """Whether the person, or the device that is in, was out when the store lost its memory."""
    if known.admission in INSIDE:
        return behind and _was_replaced(known, stored)
    return behind or _lost_a_bar(known, stored) or _spent(stored) < _spent(known)


def _was_replaced(known: Seat, stored: Seat) -> bool:
    return stored.holder is not None and (
        known.holder is None or known.holder.id != stored.holder.id
    )


def _spent(seat: Seat) -> float:
    """Grows whenever somebody is not in the visit any more, and never shrinks."""
    return seat.usage.video + seat.usage.sound + seat.usage.phone


def _out(known: Seat, stored: Seat) -> Event:
    """The person left by themselves, or is to wait, which a clinician never does."""
    went = known.admission not in INSIDE and known.admission is not Admission.WAITING
    leaves = (went and not _lost_a_bar(known, stored)) or _never_waits(stored)
    if leaves and stored.holder is not None:
        return SeatLeft(seat=stored.id, device=stored.holder.id)
    if _never_waits(stored):
        return SeatWasRemoved(seat=stored.id, by=AGAIN)
    return SeatSentBack(seat=stored.id, by=AGAIN)


def _never_waits(seat: Seat) -> bool:
    return may(seat.role, Action.ENTER_DIRECTLY)


# -- its browsers --------------------


def _about_devices(known: Seat, stored: Seat, behind: bool, running: bool) -> Iterator[Event]:
    """A device that is unknown by now opened a link that was withdrawn since."""
    if not behind:
        return
    refused = [d.id for d in stored.devices if _was_refused(known, stored, d.id)]
    unknown = any(known.device(d.id) is None for d in stored.devices)
    if unknown or _must_forget(known, stored, refused, running):
        yield LinkWithdrawn(seat=stored.id, by=AGAIN)
    elif stored.admission not in BARRED and known.admission not in BARRED:
        for device in refused:
            yield SeatWasDenied(seat=stored.id, device=device, by=AGAIN)


def _must_forget(known: Seat, stored: Seat, refused: list[str], running: bool) -> bool:
    """One device of several can be refused while it holds nothing, and the visit runs."""
    holds = stored.holder is not None and stored.holder.id in refused
    walks_in = _never_waits(stored) and stored.admission in INSIDE and _was_replaced(known, stored)
    return holds or walks_in or (bool(refused) and not running)


def _was_refused(known: Seat, stored: Seat, device: str) -> bool:
    was, is_now = known.device(device), stored.device(device)
    return (
        was is not None
        and is_now is not None
        and was.standing is Standing.REFUSED
        and is_now.standing is not Standing.REFUSED
    )


# -- its telephone --------------------


def _about_phone(known: Seat, stored: Seat, behind: bool) -> Iterator[Event]:
    """The person does not want to be called any more; without a browser, stop what rings."""
    if not behind or not reachable(stored) or reachable(known):
        return
    speaks = next((d.id for d in stored.devices if stored.speaks(d.id)), None)
    if speaks is not None:
        yield PhonePlanWithdrawn(seat=stored.id, device=speaks)
    elif stored.line.state not in (Fallback.GOOD, Fallback.STUCK):
        yield CallWasStopped(seat=stored.id, by=AGAIN)
