"""What the rows of ``admission`` ask (guards) and do (actions) about one seat and its devices.

A guard only looks. An action sets fields and orders effects; the state is the table's business.
"""

from __future__ import annotations

from dataclasses import replace

from rooms.effects import Effect, EndSession
from rooms.errors import DeviceRefused, SeatDenied, SeatRemoved
from rooms.events import (
    Knocked,
    LinkOpened,
    MediaSwitched,
    NoticeSent,
    OwnSeatEvent,
    SeatAdmitted,
    SeatEvent,
    SeatLeft,
    SeatLetBack,
    SeatSentBack,
    SeatWasDenied,
    SessionClosed,
    SessionOpened,
)
from rooms.line_guards import reachable
from rooms.model import Admission, Deadline, Device, Notice, Seat, Standing
from rooms.permissions import Action, may
from rooms.policy import Policy

Result = tuple[Seat, tuple[Effect, ...]]
_LINK_UNKNOWN = "link_unknown"  # withdrawn looks exactly as if it had never been

# -- guards --------------------


def by_own_device(seat: Seat, event: OwnSeatEvent, _policy: Policy) -> bool:
    """The seat's own device did it, or one that may become it."""
    return seat.speaks(event.device)


def page_is_here(seat: Seat, _event: SeatEvent, _policy: Policy) -> bool:
    """The page of the seat's own device is connected, and has not gone in the meantime."""
    return seat.holder is not None and seat.holder.connected


def never_waits(seat: Seat, _event: SeatEvent, _policy: Policy) -> bool:
    """A role that comes in without being admitted."""
    return may(seat.role, Action.ENTER_DIRECTLY)


def enters_directly(seat: Seat, event: OwnSeatEvent, policy: Policy) -> bool:
    """A role that does not wait, on the seat's own device."""
    return by_own_device(seat, event, policy) and never_waits(seat, event, policy)


def too_many_devices(seat: Seat, _event: SeatEvent, policy: Policy) -> bool:
    """The link was opened on as many devices as one person may have, and none can be forgotten."""
    return len(seat.devices) >= policy.max_devices and _longest_gone(seat) is None


def was_refused(seat: Seat, event: OwnSeatEvent, _policy: Policy) -> bool:
    """Staff turned this device away."""
    device = seat.device(event.device)
    return device is not None and device.standing is Standing.REFUSED


def names_second_device(seat: Seat, event: SeatWasDenied, _policy: Policy) -> bool:
    """The denial is about a device that is not the seat's own."""
    return bool(event.device) and (seat.holder is None or seat.holder.id != event.device)


def not_among_waiting(seat: Seat, event: SeatAdmitted, _policy: Policy) -> bool:
    """Nobody waits, or not on the device that was named."""
    waiting = waiting_devices(seat)
    return not waiting or bool(event.device and event.device not in {d.id for d in waiting})


def unclear_which(seat: Seat, event: SeatAdmitted, _policy: Policy) -> bool:
    """Several devices wait and none was named."""
    return not event.device and len(waiting_devices(seat)) > 1


def nobody_waits(seat: Seat, _event: SeatEvent, _policy: Policy) -> bool:
    """No device of the seat waits."""
    return not waiting_devices(seat)


def revoked(seat: Seat, _event: SeatEvent, _policy: Policy) -> bool:
    """The practice withdrew the seat."""
    return seat.revoked


def nothing_to_lift(seat: Seat, _event: SeatEvent, _policy: Policy) -> bool:
    """No device of the seat was refused."""
    return all(d.standing is not Standing.REFUSED for d in seat.devices)


def comes_by_phone(seat: Seat, event: SeatEvent, _policy: Policy) -> bool:
    """A seat without a browser: to admit it is to call it."""
    return seat.phone.only and not getattr(event, "device", "") and not waiting_devices(seat)


def is_called_at_start(seat: Seat, event: SeatEvent, policy: Policy) -> bool:
    """Staff said beforehand that this person is called at the appointment."""
    return seat.phone.at_start and comes_by_phone(seat, event, policy)


def can_be_called(seat: Seat, _event: SeatEvent, _policy: Policy) -> bool:
    """Somebody has agreed to a number since the page was gone: to admit them is to call them."""
    return reachable(seat)


# -- actions --------------------


def keep(seat: Seat, _event: SeatEvent, _now: float, _policy: Policy) -> Result:
    """Nothing but the state changes."""
    return seat, ()


def add_device(seat: Seat, event: LinkOpened, now: float, policy: Policy) -> Result:
    """To have opened the link makes nobody the person whom the seat is for.

    Browsers that keep no cookies, and machines that look into mail, open a link again and again as
    somebody new: the person must still find room.
    """
    device = Device(
        id=event.device,
        credential=event.credential,
        opened_at=now,
        standing=Standing.OPENED,
    )
    former = _longest_gone(seat) if len(seat.devices) >= policy.max_devices else None
    kept = tuple(d for d in seat.devices if d is not former)
    return replace(seat, devices=(*kept, device)), ()


def connect(seat: Seat, event: SessionOpened, _now: float, policy: Policy) -> Result:
    """The device's page is here; a kept place is no longer in danger."""
    deadline = None if by_own_device(seat, event, policy) else seat.deadline
    return replace(_set(seat, event.device, connected=True), deadline=deadline), ()


def disconnect(seat: Seat, event: SessionClosed, _now: float, _policy: Policy) -> Result:
    """The device's page is gone; nothing else changes."""
    return _set(seat, event.device, connected=False), ()


def disconnect_keeping_place(
    seat: Seat, event: SessionClosed, now: float, policy: Policy
) -> Result:
    """Somebody who waits is gone: keep the place for a while."""
    gone = _set(seat, event.device, connected=False)
    return replace(gone, deadline=_kept_place(gone, now, policy)), ()


def wait(seat: Seat, event: Knocked, now: float, policy: Policy) -> Result:
    """Join the queue, or keep the place one already has."""
    seat = _introduce(seat, event)
    since = seat.waiting_since if seat.waiting_since is not None else now
    return replace(seat, waiting_since=since, deadline=_kept_place(seat, now, policy)), ()


def walk_in(seat: Seat, event: Knocked, _now: float, _policy: Policy) -> Result:
    """Come in without waiting."""
    return _introduce(seat, event), ()


def wait_beside(seat: Seat, event: Knocked, now: float, _policy: Policy) -> Result:
    """A second device asks to come in; the seat itself stays where it is."""
    device = seat.device(event.device)
    asked = device.waiting_since if device is not None else None
    since = asked if asked is not None else now
    return _set(seat, event.device, standing=Standing.WAITING, waiting_since=since), ()


def admit(seat: Seat, event: SeatAdmitted, _now: float, _policy: Policy) -> Result:
    """The device that waits holds the seat; a former holder is told that it was replaced."""
    chosen = event.device or waiting_devices(seat)[0].id
    former = seat.holder
    effects: tuple[Effect, ...] = ()
    if former is not None and former.id != chosen:
        seat = _set(seat, former.id, standing=Standing.OPENED)
        effects = (EndSession(seat=seat.id, device=former.id, code="device_replaced"),)
    seat = _set(seat, chosen, standing=Standing.HOLDING, waiting_since=None)
    return replace(seat, waiting_since=None, deadline=None, notices=()), effects


def call_in(seat: Seat, _event: SeatEvent, _now: float, _policy: Policy) -> Result:
    """Nobody's browser is let in; the telephone rings by what follows from being inside."""
    return replace(seat, waiting_since=None, deadline=None), ()


def go(seat: Seat, event: SeatLeft, _now: float, _policy: Policy) -> Result:
    """Give up the place, in the visit or in the queue."""
    left = replace(seat, waiting_since=None, deadline=None, notices=())
    return left, (EndSession(seat=seat.id, device=event.device, code="left"),)


def go_beside(seat: Seat, event: SeatLeft, _now: float, _policy: Policy) -> Result:
    """A second device gives up asking."""
    device = seat.device(event.device)
    if device is not None and device.standing is Standing.WAITING:
        seat = _set(seat, event.device, standing=Standing.OPENED, waiting_since=None)
    return seat, (EndSession(seat=seat.id, device=event.device, code="left"),)


def keep_place(seat: Seat, _event: SeatEvent, _now: float, _policy: Policy) -> Result:
    """The place of somebody who can be called is kept as long as it takes."""
    return replace(seat, deadline=None), ()


def lose_place(seat: Seat, _event: SeatEvent, _now: float, _policy: Policy) -> Result:
    """Nobody came back to the kept place."""
    return replace(seat, waiting_since=None, deadline=None, notices=()), ()


def switch(seat: Seat, event: MediaSwitched, _now: float, _policy: Policy) -> Result:
    """What the server may forward of this person."""
    return replace(seat, microphone=event.microphone, camera=event.camera), ()


def bar_denied(seat: Seat, _event: SeatEvent, _now: float, _policy: Policy) -> Result:
    """Out, on every device."""
    return _bar(seat, SeatDenied.code)


def bar_removed(seat: Seat, _event: SeatEvent, _now: float, _policy: Policy) -> Result:
    """Out, on every device."""
    return _bar(seat, SeatRemoved.code)


def revoke(seat: Seat, _event: SeatEvent, _now: float, _policy: Policy) -> Result:
    """Out for good, and the link looks as if it had never been."""
    return _bar(replace(seat, revoked=True), _LINK_UNKNOWN)


def forget_devices(seat: Seat, _event: SeatEvent, _now: float, _policy: Policy) -> Result:
    """Nobody has opened the seat's link yet."""
    effects = (EndSession(seat=seat.id, code=_LINK_UNKNOWN),) if seat.devices else ()
    return replace(seat, devices=(), waiting_since=None, deadline=None, notices=()), effects


def forget_second_devices(seat: Seat, _event: SeatEvent, _now: float, _policy: Policy) -> Result:
    """Whoever was let in stays, on that device alone."""
    effects = tuple(
        EndSession(seat=seat.id, device=d.id, code=_LINK_UNKNOWN)
        for d in seat.devices
        if d is not seat.holder
    )
    return replace(seat, devices=tuple(d for d in seat.devices if d is seat.holder)), effects


def refuse_device(seat: Seat, event: SeatWasDenied, _now: float, _policy: Policy) -> Result:
    """Turn one second device away; the person's own device is not touched."""
    seat = _set(seat, event.device, standing=Standing.REFUSED, waiting_since=None)
    return seat, (EndSession(seat=seat.id, device=event.device, code=DeviceRefused.code),)


def send_back(seat: Seat, _event: SeatSentBack, now: float, policy: Policy) -> Result:
    """To the end of the queue; somebody who is away has the usual time to return."""
    return replace(seat, waiting_since=now, deadline=_kept_place(seat, now, policy)), ()


def lift(seat: Seat, _event: SeatLetBack, _now: float, _policy: Policy) -> Result:
    """May knock again, on any device."""
    devices = tuple(
        replace(d, standing=Standing.OPENED) if d.standing is Standing.REFUSED else d
        for d in seat.devices
    )
    return replace(seat, devices=devices), ()


def tell(seat: Seat, event: NoticeSent, now: float, policy: Policy) -> Result:
    """Keep the clinic's message where a reconnecting page finds it."""
    number = seat.notices[-1].id + 1 if seat.notices else 1
    notices = (*seat.notices, Notice(id=number, text=event.text, at=now))
    return replace(seat, notices=notices[-policy.notices_kept :]), ()


# -- what both stand on --------------------


def waiting_devices(seat: Seat) -> tuple[Device, ...]:
    """The devices that wait to be let in: the holder of a waiting seat, and any second device.

    A second device waits only while its page is open: letting in one that has gone would throw
    the person out of the device they are on, for nobody.
    """
    seat_waits = seat.admission is Admission.WAITING
    return tuple(
        d
        for d in seat.devices
        if (d.standing is Standing.WAITING and d.connected)
        or (seat_waits and d.standing is Standing.HOLDING)
    )


def _longest_gone(seat: Seat) -> Device | None:
    """The device that can be forgotten for a new one: it has gone and does not hold the seat.

    First those that never asked to come in, and of those the oldest. One that staff turned away is
    never forgotten: it would be a new one the next time.
    """
    gone = [
        d
        for d in seat.devices
        if d.standing in (Standing.OPENED, Standing.WAITING) and not d.connected
    ]
    return min(gone, key=lambda d: (d.standing is Standing.WAITING, d.opened_at), default=None)


def _set(seat: Seat, device_id: str, **changes: object) -> Seat:
    devices = tuple(replace(d, **changes) if d.id == device_id else d for d in seat.devices)  # type: ignore[arg-type]
    return replace(seat, devices=devices)


def _introduce(seat: Seat, event: Knocked) -> Seat:
    """Whoever knocks first holds the seat, and says who they are."""
    return replace(
        _set(seat, event.device, standing=Standing.HOLDING),
        said_name=event.said_name or seat.said_name,
        language=event.language or seat.language,
    )


def _kept_place(seat: Seat, now: float, policy: Policy) -> Deadline | None:
    """How long the place of somebody who is gone is kept; a connected page loses nothing."""
    here = seat.holder is not None and seat.holder.connected
    if here or reachable(seat):  # admitting them calls their telephone
        return None
    return Deadline("place", now + policy.waiting_place_kept)


def _bar(seat: Seat, code: str) -> Result:
    devices = tuple(
        replace(d, standing=Standing.OPENED, waiting_since=None)
        if d.standing is Standing.WAITING
        else d
        for d in seat.devices
    )
    barred = replace(
        seat,
        devices=devices,
        epoch=seat.epoch + 1,
        waiting_since=None,
        deadline=None,
        notices=(),
    )
    return barred, (EndSession(seat=seat.id, code=code),)
