"""The admission of one seat: invited → checking → waiting → admitted → present ⇄ away → left.

The seat's *holding* device moves the seat. Any other device on the same link has only a standing
(opened, waiting, refused) until staff let it in, which makes it the holder: it never silently
replaces the first. Denied and removed concern the person, on every device.
"""

from __future__ import annotations

from dataclasses import replace

from rooms.effects import Effect, EndSession
from rooms.errors import (
    DeviceRefused,
    NotAdmitted,
    NotBarred,
    NotWaiting,
    RoomError,
    SeatDenied,
    SeatRemoved,
    TooManyDevices,
    UnknownSeat,
    WhichDevice,
)
from rooms.events import (
    CheckStarted,
    Knocked,
    LinkOpened,
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
)
from rooms.machine import STAY, Machine, Refuse, Row, always
from rooms.model import Admission, Deadline, Device, Notice, Seat, Standing
from rooms.permissions import Action, may
from rooms.policy import Policy

Result = tuple[Seat, tuple[Effect, ...]]

# -- guards --------------------


def by_holder(seat: Seat, event: OwnSeatEvent, _policy: Policy) -> bool:
    """The seat's own device did it."""
    return seat.holder is not None and seat.holder.id == event.device


def enters_directly(seat: Seat, event: OwnSeatEvent, policy: Policy) -> bool:
    """A role that does not wait, on the seat's own device."""
    return by_holder(seat, event, policy) and may(seat.role, Action.ENTER_DIRECTLY)


def too_many_devices(seat: Seat, _event: SeatEvent, policy: Policy) -> bool:
    """The link was opened on as many devices as one person may have."""
    return len(seat.devices) >= policy.max_devices


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


# -- actions: set fields and order effects, never the admission --------------------


def keep(seat: Seat, _event: SeatEvent, _now: float, _policy: Policy) -> Result:
    """Nothing but the state changes."""
    return seat, ()


def add_device(seat: Seat, event: LinkOpened, now: float, _policy: Policy) -> Result:
    """The first device holds the seat; any other has merely opened the link."""
    standing = Standing.OPENED if seat.holder else Standing.HOLDING
    device = Device(id=event.device, credential=event.credential, opened_at=now, standing=standing)
    return replace(seat, devices=(*seat.devices, device)), ()


def connect(seat: Seat, event: SessionOpened, _now: float, policy: Policy) -> Result:
    """The device's page is here; a kept place is no longer in danger."""
    deadline = None if by_holder(seat, event, policy) else seat.deadline
    return replace(_set(seat, event.device, connected=True), deadline=deadline), ()


def disconnect(seat: Seat, event: SessionClosed, _now: float, _policy: Policy) -> Result:
    """The device's page is gone; nothing else changes."""
    return _set(seat, event.device, connected=False), ()


def disconnect_keeping_place(
    seat: Seat, event: SessionClosed, now: float, policy: Policy
) -> Result:
    """Somebody who waits is gone: keep the place for a while."""
    deadline = Deadline("place", now + policy.waiting_place_kept)
    return replace(_set(seat, event.device, connected=False), deadline=deadline), ()


def wait(seat: Seat, event: Knocked, now: float, _policy: Policy) -> Result:
    """Join the queue, or keep the place one already has."""
    since = seat.waiting_since if seat.waiting_since is not None else now
    return replace(_introduce(seat, event), waiting_since=since), ()


def walk_in(seat: Seat, event: Knocked, _now: float, _policy: Policy) -> Result:
    """Come in without waiting."""
    return _introduce(seat, event), ()


def wait_beside(seat: Seat, event: Knocked, now: float, _policy: Policy) -> Result:
    """A second device asks to come in; the seat itself stays where it is."""
    return _set(seat, event.device, standing=Standing.WAITING, waiting_since=now), ()


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
    return _bar(replace(seat, revoked=True), "link_unknown")


def refuse_device(seat: Seat, event: SeatWasDenied, _now: float, _policy: Policy) -> Result:
    """Turn one second device away; the person's own device is not touched."""
    seat = _set(seat, event.device, standing=Standing.REFUSED, waiting_since=None)
    return seat, (EndSession(seat=seat.id, device=event.device, code=DeviceRefused.code),)


def send_back(seat: Seat, _event: SeatSentBack, now: float, policy: Policy) -> Result:
    """To the end of the queue; somebody who is away has the usual time to return."""
    gone = seat.holder is None or not seat.holder.connected
    deadline = Deadline("place", now + policy.waiting_place_kept) if gone else None
    return replace(seat, waiting_since=now, deadline=deadline), ()


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


def waiting_devices(seat: Seat) -> tuple[Device, ...]:
    """The devices that wait to be let in: the holder of a waiting seat, and any second device."""
    seat_waits = seat.admission is Admission.WAITING
    return tuple(
        d
        for d in seat.devices
        if d.standing is Standing.WAITING or (seat_waits and d.standing is Standing.HOLDING)
    )


def _set(seat: Seat, device_id: str, **changes: object) -> Seat:
    devices = tuple(replace(d, **changes) if d.id == device_id else d for d in seat.devices)  # type: ignore[arg-type]
    return replace(seat, devices=devices)


def _introduce(seat: Seat, event: Knocked) -> Seat:
    return replace(
        seat,
        said_name=event.said_name or seat.said_name,
        language=event.language or seat.language,
        deadline=None,
    )


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


# -- THE tables --------------------

I, K, W, M, P, A, L, D, X = Admission  # noqa: E741 - invited, checKing, waiting, adMitted, …
OUTSIDE, WITHIN, OUT = (I, K, W, L), (M, P, A), (D, X)
OPEN_TO = (*OUTSIDE, *WITHIN)
Rows = tuple[Row[Admission, Seat] | Refuse[Seat], ...]
Table = dict[tuple[Admission, type[SeatEvent]], Rows]


def _each(
    states: tuple[Admission, ...],
    event: type[SeatEvent],
    *rows: Row[Admission, Seat] | Refuse[Seat],
) -> Table:
    """The same rows for each of these states."""
    return {(state, event): rows for state in states}


_OPEN: Rows = (Refuse(too_many_devices, TooManyDevices), Row(always, STAY, add_device))
_BESIDE: Rows = (Refuse(was_refused, DeviceRefused), Row(always, STAY, wait_beside))
_AT_THE_DOOR: Rows = (Row(enters_directly, M, walk_in), Row(by_holder, W, wait), *_BESIDE)
_ADMIT: Rows = (
    Refuse(not_among_waiting, NotWaiting),
    Refuse(unclear_which, WhichDevice),
    Row(always, M, admit),
)
_DENY: Rows = (Row(names_second_device, STAY, refuse_device), Row(always, D, bar_denied))
_GO_BESIDE: Row[Admission, Seat] = Row(always, STAY, go_beside)

ROWS: Table = {
    # the door
    **_each(OPEN_TO, LinkOpened, *_OPEN),
    **_each((I, L), CheckStarted, Row(by_holder, K, keep), Row(always, STAY, keep)),
    **_each((I, K, L), Knocked, *_AT_THE_DOOR),
    **_each((W,), Knocked, Row(by_holder, STAY, wait), *_BESIDE),
    **_each(WITHIN, Knocked, Row(by_holder, STAY, keep), *_BESIDE),
    **_each(OPEN_TO, SeatAdmitted, *_ADMIT),
    **_each((M, A), SeatEntered, Row(always, P, keep)),
    # the line to the browser
    **_each((I, K, W, M, P, L), SessionOpened, Row(always, STAY, connect)),
    **_each((A,), SessionOpened, Row(by_holder, P, connect), Row(always, STAY, connect)),
    **_each((I, K, M, A, L, D, X), SessionClosed, Row(always, STAY, disconnect)),
    **_each((P,), SessionClosed, Row(by_holder, A, disconnect), Row(always, STAY, disconnect)),
    **_each(
        (W,),
        SessionClosed,
        Row(by_holder, STAY, disconnect_keeping_place),
        Row(always, STAY, disconnect),
    ),
    **_each((W,), SeatDeadlinePassed, Row(always, I, lose_place)),
    # the person's own wishes
    **_each(OPEN_TO, MediaSwitched, Row(always, STAY, switch)),
    **_each((I, K, W), SeatLeft, Row(by_holder, I, go), _GO_BESIDE),
    **_each((M, P, A, L), SeatLeft, Row(by_holder, L, go), _GO_BESIDE),
    # staff, and the patient's word about family
    **_each(OPEN_TO, SeatWasDenied, *_DENY),
    **_each(OPEN_TO, SeatObjected, Row(always, D, bar_denied)),
    **_each(OPEN_TO, SeatWasRemoved, Row(always, X, bar_removed)),
    **_each(WITHIN, SeatSentBack, Row(always, W, send_back)),
    **_each(OPEN_TO, SeatLetBack, Refuse(nothing_to_lift, NotBarred), Row(always, STAY, lift)),
    **_each(OUT, SeatLetBack, Refuse(revoked, UnknownSeat), Row(always, I, lift)),
    **_each(OPEN_TO, NoticeSent, Refuse(nobody_waits, NotWaiting), Row(always, STAY, tell)),
    **_each((*OPEN_TO, *OUT), SeatRevoked, Row(always, X, revoke)),
}

# Known to happen and harmless: a repeated click, a page that says again what is so already.
IGNORED: frozenset[tuple[Admission, type[SeatEvent]]] = frozenset(
    {(state, CheckStarted) for state in (K, W, M, P, A)}
    | {(P, SeatEntered), (W, SeatSentBack), (D, SeatLeft), (X, SeatLeft)}
    | {(state, event) for state in OUT for event in (SeatWasDenied, SeatObjected, SeatWasRemoved)}
    | {(state, SeatDeadlinePassed) for state in (I, K, M, P, A, L, D, X)}
)

_SHUT_OUT = (LinkOpened, SessionOpened, CheckStarted, Knocked, SeatEntered, MediaSwitched)

REFUSED: dict[tuple[Admission, type[SeatEvent]], type[RoomError]] = {
    **{(state, SeatEntered): NotAdmitted for state in OUTSIDE},
    **{(D, event): SeatDenied for event in (*_SHUT_OUT, SeatAdmitted)},
    **{(X, event): SeatRemoved for event in (*_SHUT_OUT, SeatAdmitted)},
    **{(state, SeatSentBack): NotAdmitted for state in (I, K, L, D, X)},
    **{(state, NoticeSent): NotWaiting for state in OUT},
}

ADMISSION: Machine[Admission, Seat, SeatEvent] = Machine(
    rows=ROWS,
    ignored=IGNORED,
    refused=REFUSED,
    read=lambda seat: seat.admission,
    write=lambda seat, admission: replace(seat, admission=admission),
)


def is_stale(seat: Seat, event: SeatEvent) -> bool:
    """True for a deadline that is no longer the current one."""
    return isinstance(event, SeatDeadlinePassed) and event.deadline != seat.deadline
