"""What each seat may see: privacy in one function.

A view is a whole small snapshot, per seat and device. Nothing of the roster reaches a device that
is not inside; people who wait never learn of one another; the patient sees who of the family is
there and asks to come in, nobody else's waiting.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rooms.admission_rules import waiting_devices
from rooms.errors import UnknownDevice, UnknownSeat
from rooms.line_guards import reachable
from rooms.line_view import LineReport, MyLine, Way, line_report, my_line, way
from rooms.model import (
    BARRED,
    INSIDE,
    RUNNING,
    Admission,
    Device,
    DeviceId,
    EndReason,
    Need,
    Notice,
    Role,
    Seat,
    SeatId,
    Stage,
    Standing,
    Visit,
    VisitId,
)
from rooms.permissions import MATRIX, Action, may
from rooms.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The reader's own seat and device; ``another_device`` if not this one but another holds it."""

    seat: SeatId
    device: DeviceId
    role: Role
    name: str
    admission: Admission
    standing: Standing
    another_device: bool
    inside: bool
    microphone: bool
    camera: bool
    waiting_since: float | None
    may: tuple[Action, ...]
    notices: tuple[Notice, ...]
    video_kbps: int
    line: MyLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody else who is inside."""

    seat: SeatId
    name: str
    role: Role
    relationship: str
    admission: Admission
    microphone: bool
    camera: bool
    way: Way
    line: LineReport | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One device that waits to be let in, or somebody without one who is then called."""

    seat: SeatId
    device: DeviceId
    name: str
    said_name: str
    role: Role
    relationship: str
    language: str
    needs: tuple[Need, ...]
    waiting_since: float | None
    connected: bool
    another_device: bool
    by_phone: bool  # to admit them now is to call them


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """One line of the guest list, for those who may invite."""

    seat: SeatId
    name: str
    role: Role
    relationship: str
    admission: Admission
    connected: bool
    line: LineReport


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything one device of one seat is told about the visit.

    Views that show the same are equal, whatever their revision: a page that would learn nothing but
    that something happened to somebody else need not be told.
    """

    visit: VisitId
    revision: int = field(compare=False)
    stage: Stage
    starts_at: float
    ends_at: float
    host: str
    end_reason: EndReason | None
    me: Me
    people: tuple[Person, ...]
    waiting: tuple[Waiting, ...]
    seats: tuple[Invited, ...]


_NOT_YET_IN = (Admission.INVITED, Admission.CHECKING, Admission.WAITING, Admission.LEFT)


def view_for(visit: Visit, seat_id: SeatId, device_id: DeviceId, policy: Policy) -> View:
    """The snapshot for this device of this seat. Raises ``UnknownSeat``, ``UnknownDevice``."""
    seat = visit.seat(seat_id)
    if seat is None:
        raise UnknownSeat
    device = seat.device(device_id)
    if device is None:
        raise UnknownDevice
    inside = is_inside(visit, seat, device)
    return View(
        visit=visit.id,
        revision=visit.revision,
        stage=visit.stage,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        host=visit.host,
        end_reason=visit.end_reason,
        me=_me(visit, seat, device, inside, policy),
        people=_people(visit, seat) if inside else (),
        waiting=_waiting_for(visit, seat) if inside else (),
        seats=_guest_list(visit, seat) if inside and may(seat.role, Action.INVITE) else (),
    )


def is_inside(visit: Visit, seat: Seat, device: Device) -> bool:
    """Whether this very device is in the visit: admitted, and the one that was admitted."""
    return (
        visit.stage in RUNNING and seat.admission in INSIDE and device.standing is Standing.HOLDING
    )


def waiting_list(visit: Visit) -> tuple[Waiting, ...]:
    """Every device that waits, longest first, as staff see it; nobody waits at a closed door."""
    if visit.stage not in RUNNING:
        return ()
    entries = [
        _waiting(seat, device)
        for seat in visit.seats
        if seat.admission not in BARRED
        for device in waiting_devices(seat)
    ]
    entries += [
        _waiting_by_phone(visit, seat)
        for seat in visit.seats
        if seat.phone.only and seat.admission in _NOT_YET_IN and not waiting_devices(seat)
    ]
    return tuple(sorted(entries, key=lambda entry: entry.waiting_since or 0.0))


def guest_list(visit: Visit) -> tuple[Invited, ...]:
    """Everybody who was invited and not withdrawn, as staff see it."""
    return tuple(_invited(seat) for seat in visit.seats if not seat.revoked)


def _me(visit: Visit, seat: Seat, device: Device, inside: bool, policy: Policy) -> Me:
    headcount = sum(s.admission in INSIDE for s in visit.seats) if inside else 1
    return Me(
        seat=seat.id,
        device=device.id,
        role=seat.role,
        name=seat.shown_name,
        admission=seat.admission,
        standing=device.standing,
        another_device=seat.holder is not None and seat.holder is not device,
        inside=inside,
        microphone=seat.microphone,
        camera=seat.camera,
        waiting_since=_waits_since(seat, device),
        may=tuple(sorted(MATRIX[seat.role])),
        notices=_notices(seat, device),
        video_kbps=policy.video_kbps_for(headcount),
        line=my_line(seat, own_device=seat.speaks(device.id)),
    )


def _people(visit: Visit, reader: Seat) -> tuple[Person, ...]:
    return tuple(
        Person(
            seat=seat.id,
            name=seat.shown_name,
            role=seat.role,
            relationship=seat.relationship,
            admission=seat.admission,
            microphone=seat.microphone and may(seat.role, Action.SPEAK),
            camera=seat.camera and may(seat.role, Action.SHOW),
            way=way(seat),
            line=line_report(seat) if may(reader.role, Action.SEE_LINES) else None,
        )
        for seat in visit.seats
        if seat.admission in INSIDE and seat.id != reader.id
    )


def _waiting_for(visit: Visit, reader: Seat) -> tuple[Waiting, ...]:
    if may(reader.role, Action.SEE_WAITING):
        return waiting_list(visit)
    if may(reader.role, Action.SEE_FAMILY_WAITING):
        return tuple(entry for entry in waiting_list(visit) if entry.role is Role.FAMILY)
    return ()


def _guest_list(visit: Visit, reader: Seat) -> tuple[Invited, ...]:
    return tuple(entry for entry in guest_list(visit) if entry.seat != reader.id)


def _waiting(seat: Seat, device: Device) -> Waiting:
    return Waiting(
        seat=seat.id,
        device=device.id,
        name=seat.shown_name,
        said_name=seat.said_name,
        role=seat.role,
        relationship=seat.relationship,
        language=seat.language,
        needs=tuple(sorted(seat.needs)),
        waiting_since=_waits_since(seat, device),
        connected=device.connected,
        another_device=device.standing is not Standing.HOLDING,
        by_phone=not device.connected and reachable(seat),
    )


def _waiting_by_phone(visit: Visit, seat: Seat) -> Waiting:
    """Whoever has no browser waits from the appointment on."""
    return Waiting(
        seat=seat.id,
        device="",
        name=seat.shown_name,
        said_name=seat.said_name,
        role=seat.role,
        relationship=seat.relationship,
        language=seat.language,
        needs=tuple(sorted(seat.needs)),
        waiting_since=visit.starts_at if seat.waiting_since is None else seat.waiting_since,
        connected=False,
        another_device=False,
        by_phone=reachable(seat),
    )


def _waits_since(seat: Seat, device: Device) -> float | None:
    return seat.waiting_since if device.standing is Standing.HOLDING else device.waiting_since


def _notices(seat: Seat, device: Device) -> tuple[Notice, ...]:
    """What was said while this very device waited; it may be in other hands than the first."""
    since = _waits_since(seat, device)
    return () if since is None else tuple(n for n in seat.notices if n.at >= since)


def _invited(seat: Seat) -> Invited:
    return Invited(
        seat=seat.id,
        name=seat.shown_name,
        role=seat.role,
        relationship=seat.relationship,
        admission=seat.admission,
        connected=any(device.connected for device in seat.devices),
        line=line_report(seat),
    )
