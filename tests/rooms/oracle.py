"""What must become of a seat, said a second time: by event instead of by state.

Independent of the tables on purpose. It knows nothing of permissions, of the visit's stage or of a
full visit; callers ask only about events that come that far.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rooms.errors import (
    DeviceRefused,
    NotAdmitted,
    NotBarred,
    NotPermitted,
    NotWaiting,
    RoomError,
    SeatDenied,
    SeatRemoved,
    TimesInvalid,
    TooManyDevices,
    UnknownSeat,
    VisitCancelled,
    VisitEnded,
    VisitNotOpen,
    VisitRunning,
    WhichDevice,
)
from rooms.events import (
    CheckStarted,
    Event,
    Knocked,
    LinkOpened,
    LinkWithdrawn,
    MediaSwitched,
    NoticeSent,
    OwnSeatEvent,
    SeatAdmitted,
    SeatDeadlinePassed,
    SeatEntered,
    SeatEvent,
    SeatLeft,
    SeatLetBack,
    SeatObjected,
    SeatRevoked,
    SeatSentBack,
    SeatWasDenied,
    SeatWasRemoved,
    SessionClosed,
    SessionOpened,
    VisitRescheduled,
    VisitWasCancelled,
    VisitWasEnded,
)
from rooms.model import (
    BARRED,
    INSIDE,
    OVER,
    OWN_NUMBER,
    RUNNING,
    Admission,
    Device,
    Role,
    Seat,
    Stage,
    Standing,
    Visit,
)
from rooms.policy import Policy

A = Admission
Answer = Admission | type[RoomError]
BARRING = (SeatWasDenied, SeatObjected, SeatWasRemoved, SeatRevoked)
SETTLED = (SeatWasDenied, SeatObjected, SeatWasRemoved, SeatLeft, SeatDeadlinePassed, SessionClosed)


def admission_after(seat: Seat, event: SeatEvent, policy: Policy) -> Answer:
    """The admission of ``seat`` after ``event``, or the error that refuses it."""
    if isinstance(event, CheckStarted | SeatEntered | MediaSwitched) and not own(seat, event):
        return NotAdmitted
    if isinstance(event, SeatRevoked):
        return A.REMOVED
    if isinstance(event, LinkWithdrawn):
        return seat.admission if seat.admission in BARRED | INSIDE else A.INVITED
    if isinstance(event, OwnSeatEvent):
        return _barred(seat, event) or _own_doing(seat, event, policy)
    return _barred(seat, event) or _word_of_staff(seat, event)


def own(seat: Seat, event: SeatEvent) -> bool:
    """Whether the seat's own device did it; nobody's yet, it is that of whoever opened the link."""
    stands = Standing.HOLDING if holder_id(seat) else Standing.OPENED
    mine = [d.id for d in seat.devices if d.standing is stands]
    return isinstance(event, OwnSeatEvent) and event.device in mine


def holder_id(seat: Seat) -> str:
    """The id of the device that holds the seat, or nothing before anybody has knocked."""
    return next((d.id for d in seat.devices if d.standing is Standing.HOLDING), "")


def asking(seat: Seat) -> list[Device]:
    """The devices somebody could let in now."""
    return [
        d
        for d in seat.devices
        if (d.standing is Standing.WAITING and d.connected)
        or (d.standing is Standing.HOLDING and seat.admission is A.WAITING)
    ]


def chosen(seat: Seat, event: SeatAdmitted) -> Device | type[RoomError]:
    """The device an admission means."""
    candidates = [d for d in asking(seat) if event.device in ("", d.id)]
    if not candidates:
        return NotWaiting
    return candidates[0] if len(candidates) == 1 else WhichDevice


def may_be_reached(seat: Seat) -> bool:
    """A telephone could bring this person in."""
    agreed = [n for n in seat.phone.numbers if n.id == OWN_NUMBER and n.consent is not None]
    return bool(agreed) and not seat.phone.refused


def second_only(seat: Seat, event: SeatWasDenied | SeatObjected) -> bool:
    """The denial means one device that isn't the seat's own."""
    return isinstance(event, SeatWasDenied) and event.device not in ("", holder_id(seat))


def _barred(seat: Seat, event: SeatEvent) -> Answer | None:
    if seat.admission not in BARRED:
        return None
    if isinstance(event, SETTLED):
        return seat.admission
    if isinstance(event, SeatLetBack):
        return UnknownSeat if seat.revoked else A.INVITED
    if isinstance(event, SeatSentBack):
        return NotAdmitted
    if isinstance(event, NoticeSent):
        return NotWaiting
    return SeatDenied if seat.admission is A.DENIED else SeatRemoved


def _own_doing(seat: Seat, event: OwnSeatEvent, policy: Policy) -> Answer:
    was = seat.admission
    device = seat.device(event.device)
    refused = device is not None and device.standing is Standing.REFUSED
    if isinstance(event, LinkOpened) and full(seat, policy) and not forgettable(seat):
        return TooManyDevices
    if isinstance(event, SessionOpened | Knocked) and refused:
        return DeviceRefused
    if isinstance(event, SeatEntered) and was not in INSIDE:
        return NotAdmitted
    return _own_move(seat, event) if own(seat, event) else was


def _own_move(seat: Seat, event: OwnSeatEvent) -> Admission:
    was = seat.admission
    connected = any(d.id == event.device and d.connected for d in seat.devices)
    match event:
        case SessionOpened() if was is A.AWAY:
            return A.PRESENT
        case SessionClosed() if was is A.PRESENT:
            return A.AWAY
        case Knocked() if was in (A.INVITED, A.CHECKING, A.LEFT):
            return A.ADMITTED if seat.role is Role.PROVIDER else A.WAITING
        case CheckStarted() if was in (A.INVITED, A.LEFT):
            return A.CHECKING
        case SeatEntered() if was is A.ADMITTED:
            return A.PRESENT if connected else A.AWAY
        case SeatLeft():
            return A.LEFT if was in INSIDE or was is A.LEFT else A.INVITED
    return was


def _word_of_staff(seat: Seat, event: SeatEvent) -> Answer:
    was = seat.admission
    match event:
        case SeatAdmitted():
            device = chosen(seat, event)
            by_phone = seat.phone.only and was not in INSIDE and not event.device
            called = by_phone and not asking(seat)
            return A.ADMITTED if called or isinstance(device, Device) else device
        case SeatWasDenied() | SeatObjected():
            return was if second_only(seat, event) else A.DENIED
        case SeatWasRemoved():
            return A.REMOVED
        case SeatSentBack():
            return _sent_back(seat)
        case SeatLetBack():
            refused = any(d.standing is Standing.REFUSED for d in seat.devices)
            return was if refused else NotBarred
        case NoticeSent():
            return was if asking(seat) else NotWaiting
        case SeatDeadlinePassed():
            called = was is A.INVITED and seat.phone.at_start and seat.phone.only
            lost = was is A.WAITING and not may_be_reached(seat)
            return A.ADMITTED if called and not asking(seat) else A.INVITED if lost else was
    raise AssertionError(f"nobody has said what {event.name} means")


def _sent_back(seat: Seat) -> Answer:
    if seat.admission in INSIDE:
        return NotPermitted if seat.role is Role.PROVIDER else A.WAITING
    return A.WAITING if seat.admission is A.WAITING else NotAdmitted


# -- the visit --------------------


def refusal_of(visit: Visit, event: Event) -> type[RoomError] | None:
    """The error that refuses to move, cancel or end the visit."""
    inside = any(seat.admission in INSIDE for seat in visit.seats)
    running, over = visit.stage in RUNNING, visit.stage in OVER
    if isinstance(event, VisitWasEnded):
        early = not running and not over
        return VisitNotOpen if early else _over(visit, Stage.CANCELLED)
    if isinstance(event, VisitWasCancelled):
        busy = inside or visit.stage in (Stage.IN_PROGRESS, Stage.INTERRUPTED)
        return VisitRunning if running and busy else _over(visit, Stage.ENDED)
    if isinstance(event, VisitRescheduled):
        busy = inside or visit.stage in (Stage.IN_PROGRESS, Stage.INTERRUPTED)
        if over or (running and busy):
            return _over(visit, Stage.ENDED, Stage.CANCELLED) or VisitRunning
        return None if event.starts_at < event.ends_at else TimesInvalid
    return None


def _over(visit: Visit, *stages: Stage) -> type[RoomError] | None:
    if visit.stage not in stages:
        return None
    return VisitEnded if visit.stage is Stage.ENDED else VisitCancelled


# -- devices, and the pages that are told --------------------


def bars(seat: Seat, event: SeatEvent) -> bool:
    """Whether an accepted event puts the person out on every device."""
    if isinstance(event, SeatRevoked):
        return True
    if not isinstance(event, BARRING) or seat.admission in BARRED:
        return False
    return not (isinstance(event, SeatWasDenied) and second_only(seat, event))


def full(seat: Seat, policy: Policy) -> bool:
    """Whether the link was opened on as many devices as it may be."""
    return len(seat.devices) >= policy.max_devices


def forgettable(seat: Seat) -> list[Device]:
    """Second devices that have gone, those that asked to come in last, then by age."""
    gone = [d for d in seat.devices if not d.connected]
    opened = [d for d in gone if d.standing is Standing.OPENED]
    asked = [d for d in gone if d.standing is Standing.WAITING]
    return [*sorted(opened, key=_age), *sorted(asked, key=_age)]


def _age(device: Device) -> float:
    return device.opened_at


def devices_after(seat: Seat, event: SeatEvent, now: float, policy: Policy) -> Iterator[Device]:
    """The devices of ``seat`` after an accepted ``event``."""
    forgotten = _forgotten(seat, event, policy)
    for device in seat.devices:
        if device in forgotten:
            continue
        yield replace(
            device,
            connected=_connected(device, event),
            standing=(stands := _standing(seat, device, event)),
            waiting_since=None if stands is not Standing.WAITING else device.waiting_since or now,
        )
    if isinstance(event, LinkOpened):
        stands = Standing.OPENED
        yield Device(id=event.device, credential=event.credential, opened_at=now, standing=stands)


def _forgotten(seat: Seat, event: SeatEvent, policy: Policy) -> list[Device]:
    """The devices that are strangers from now on."""
    if isinstance(event, LinkWithdrawn):
        stays = holder_id(seat) if seat.admission in INSIDE else ""
        return [d for d in seat.devices if d.id != stays]
    opening = isinstance(event, LinkOpened) and full(seat, policy)
    return forgettable(seat)[:1] if opening else []


def _connected(device: Device, event: SeatEvent) -> bool:
    if isinstance(event, SessionOpened | SessionClosed) and event.device == device.id:
        return isinstance(event, SessionOpened)
    return device.connected


def _standing(seat: Seat, device: Device, event: SeatEvent) -> Standing:
    stands = device.standing
    if isinstance(event, SeatAdmitted):
        if device == chosen(seat, event):
            return Standing.HOLDING
        return Standing.OPENED if stands is Standing.HOLDING else stands
    if stands is Standing.HOLDING:
        return stands
    if bars(seat, event):
        return Standing.OPENED if stands is Standing.WAITING else stands
    if isinstance(event, SeatLetBack):
        return Standing.OPENED if stands is Standing.REFUSED else stands
    meant = isinstance(event, OwnSeatEvent | SeatWasDenied) and event.device == device.id
    if meant and isinstance(event, Knocked) and own(seat, event):
        return Standing.HOLDING
    return _second_after(seat, stands, event) if meant else stands


def _second_after(seat: Seat, stands: Standing, event: SeatEvent) -> Standing:
    if isinstance(event, SeatWasDenied) and seat.admission not in BARRED:
        return Standing.REFUSED
    if isinstance(event, Knocked):
        return Standing.WAITING
    if isinstance(event, SeatLeft) and stands is Standing.WAITING:
        return Standing.OPENED
    return stands


def told(seat: Seat, event: SeatEvent) -> list[tuple[str, str, str]]:
    """(seat, device, code) of the sessions that ``event`` must end."""
    barred = seat.admission in BARRED
    if bars(seat, event):
        code = {SeatWasRemoved: "seat_removed", SeatRevoked: "link_unknown"}
        return [(seat.id, "", code.get(type(event), "seat_denied"))]
    if isinstance(event, LinkWithdrawn):
        others = [d.id for d in seat.devices if d.id != holder_id(seat)]
        if seat.admission not in INSIDE:
            others = [""] if seat.devices else []
        return [(seat.id, device, "link_unknown") for device in others]
    if isinstance(event, SeatLeft) and not barred:
        return [(seat.id, event.device, "left")]
    if isinstance(event, SeatWasDenied) and not barred:
        return [(seat.id, event.device, "device_refused")]
    if isinstance(event, SeatAdmitted):
        device, holder = chosen(seat, event), holder_id(seat)
        replaced = isinstance(device, Device) and device.id != holder
        return [(seat.id, holder, "device_replaced")] if replaced else []
    return []
