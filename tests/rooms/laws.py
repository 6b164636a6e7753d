"""What must hold of every visit and of every step, whatever the tables say.

``STATES`` take a visit and the policy; ``BEATS`` take one step. Each raises ``AssertionError``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rooms.effects import Effect, EndSession
from rooms.errors import RoomError
from rooms.events import Event
from rooms.model import (
    BARRED,
    INSIDE,
    ON_PHONE,
    OVER,
    RUNNING,
    Admission,
    Fallback,
    Link,
    Role,
    Seat,
    Stage,
    Standing,
    Visit,
)
from rooms.policy import Policy
from rooms.visit import next_deadline
from rooms.wiring import who_hears_whom

StateLaw = Callable[[Visit, Policy], None]


@dataclass(frozen=True)
class Beat:
    """One step: what it made of ``before``, or the error that refused it (then nothing changed)."""

    before: Visit
    event: Event
    now: float
    after: Visit
    effects: tuple[Effect, ...]
    policy: Policy
    refusal: type[RoomError] | None = None


_latest: tuple[Visit | None, frozenset[Link]] = None, frozenset()


def links_of(visit: Visit) -> frozenset[Link]:
    """Who hears whom, found once for all laws of one visit: they ask one after the other."""
    global _latest  # noqa: PLW0603
    if _latest[0] is not visit:
        _latest = visit, who_hears_whom(visit)
    return _latest[1]


# -- of every visit --------------------


def whoever_waits_has_a_place_in_the_queue(visit: Visit, policy: Policy) -> None:
    for seat in visit.seats:
        assert (seat.admission is Admission.WAITING) == (seat.waiting_since is not None)
        for device in seat.devices:
            assert (device.standing is Standing.WAITING) == (device.waiting_since is not None)


def only_the_place_of_somebody_gone_has_a_deadline(visit: Visit, policy: Policy) -> None:
    for seat in visit.seats:
        gone = seat.holder is None or not seat.holder.connected
        if seat.admission is Admission.INVITED and seat.deadline is not None:
            assert (seat.deadline.name, seat.phone.at_start) == ("appointment", True)
            continue
        kept = seat.admission is Admission.WAITING and gone
        assert kept or seat.deadline is None, (seat.admission, gone, seat.deadline)
        if not any(n.consent or n.contact for n in seat.phone.numbers):
            assert kept == (seat.deadline is not None)
        assert seat.deadline is None or seat.deadline.name == "place"


def one_device_holds_the_seat_once_somebody_knocked(visit: Visit, policy: Policy) -> None:
    for seat in visit.seats:
        holding = [d for d in seat.devices if d.standing is Standing.HOLDING]
        assert len(holding) <= 1
        begun = seat.admission in INSIDE | {Admission.WAITING, Admission.LEFT}
        begun |= any(d.standing is Standing.WAITING for d in seat.devices)
        assert holding or not begun or seat.phone.only
        assert len({d.id for d in seat.devices}) == len(seat.devices) <= policy.max_devices


def nobody_is_there_without_a_device(visit: Visit, policy: Policy) -> None:
    for seat in visit.seats:
        if not seat.devices and not seat.phone.only:
            untouched = (Admission.INVITED, Admission.DENIED, Admission.REMOVED)
            assert seat.admission in untouched


def present_is_connected_and_away_is_not(visit: Visit, policy: Policy) -> None:
    for seat in visit.seats:
        connected = seat.holder is not None and seat.holder.connected
        assert seat.admission is not Admission.PRESENT or connected
        assert seat.admission is not Admission.AWAY or not connected


def providers_never_wait(visit: Visit, policy: Policy) -> None:
    for seat in visit.seats:
        assert not (seat.role is Role.PROVIDER and seat.admission is Admission.WAITING)


def nobody_waits_at_a_seat_that_is_barred(visit: Visit, policy: Policy) -> None:
    for seat in visit.seats:
        if seat.admission in BARRED:
            assert all(d.standing is not Standing.WAITING for d in seat.devices)
        assert not seat.revoked or seat.admission is Admission.REMOVED


def each_stage_has_its_deadline(visit: Visit, policy: Policy) -> None:
    due = (visit.deadline.name, visit.deadline.at) if visit.deadline else None
    if visit.stage in OVER:
        assert due is None
    elif visit.stage in RUNNING:
        assert due == ("closes", visit.ends_at + policy.overrun)
    else:
        assert due == ("opens", visit.starts_at - policy.opens_before)


def only_an_empty_running_visit_counts_as_deserted(visit: Visit, policy: Policy) -> None:
    if visit.deserted is None:
        return
    assert visit.deserted.name == "deserted"
    assert visit.stage in RUNNING
    assert not doors(visit)


def the_stage_says_who_is_together(visit: Visit, policy: Policy) -> None:
    present = [s.role for s in visit.seats if takes_part(s)]
    together = Role.PROVIDER in present and len(present) > 1
    if visit.stage in RUNNING:
        assert (visit.stage is Stage.IN_PROGRESS) == together


def an_ending_has_a_reason_and_an_hour(visit: Visit, policy: Policy) -> None:
    assert (visit.ended_at is not None) == (visit.stage in OVER)
    assert (visit.end_reason is not None) == (visit.stage is Stage.ENDED)


def nobody_is_inside_before_the_opening(visit: Visit, policy: Policy) -> None:
    if visit.stage in (Stage.SCHEDULED, Stage.RESCHEDULED):
        assert all(seat.admission not in INSIDE for seat in visit.seats)


def no_more_inside_than_the_policy_allows(visit: Visit, policy: Policy) -> None:
    assert sum(seat.admission in INSIDE for seat in visit.seats) <= policy.max_inside


def media_flows_only_between_people_inside(visit: Visit, policy: Policy) -> None:
    seats = {seat.id: seat for seat in visit.seats}
    for link in links_of(visit):
        source, hearer = seats[link.source], seats[link.hearer]
        assert visit.stage in RUNNING
        assert source is not hearer
        assert source.admission in INSIDE
        assert hearer.admission in INSIDE
        assert source.role is not Role.OBSERVER
        assert source.microphone or not link.sound
        assert source.camera or not link.picture
        if {source.line.state, hearer.line.state} == {Fallback.GOOD} and not greeters(visit):
            assert (link.sound, link.picture) == (source.microphone, source.camera)


def nothing_over_is_due(visit: Visit, policy: Policy) -> None:
    assert visit.stage not in OVER or next_deadline(visit) is None


STATES: tuple[StateLaw, ...] = (
    whoever_waits_has_a_place_in_the_queue,
    only_the_place_of_somebody_gone_has_a_deadline,
    one_device_holds_the_seat_once_somebody_knocked,
    nobody_is_there_without_a_device,
    present_is_connected_and_away_is_not,
    providers_never_wait,
    nobody_waits_at_a_seat_that_is_barred,
    each_stage_has_its_deadline,
    only_an_empty_running_visit_counts_as_deserted,
    the_stage_says_who_is_together,
    an_ending_has_a_reason_and_an_hour,
    nobody_is_inside_before_the_opening,
    no_more_inside_than_the_policy_allows,
    media_flows_only_between_people_inside,
    nothing_over_is_due,
)


def takes_part(seat: Seat) -> bool:
    """By browser, or by a telephone that has been let in."""
    by_phone = seat.line.state in ON_PHONE and seat.line.joined
    return seat.admission is Admission.PRESENT or (by_phone and seat.admission in INSIDE)


def greeters(visit: Visit) -> set[str]:
    """The staff who speak alone with a telephone."""
    return {s.line.greeter for s in visit.seats if s.line.state is Fallback.GATE} - {""}


def doors(visit: Visit) -> set[str]:
    """What keeps a visit alive: connected pages, in it or at its door, and calls."""
    return {s.line.call.id for s in visit.seats if s.line.call is not None} | {
        device.id
        for seat in visit.seats
        if seat.admission not in BARRED
        for device in seat.devices
        if device.connected
    }


def ended(effects: tuple[Effect, ...]) -> list[tuple[str, str, str]]:
    """(seat, device, code) of every session ended."""
    return sorted((e.seat, e.device, e.code) for e in effects if isinstance(e, EndSession))
