"""The admission of one seat: invited → checking → waiting → admitted → present ⇄ away → left.

The first device that knocks *holds* the seat, and from then on it alone moves the seat: to open a
link takes nothing from anybody, for machines that look into mail open it before the person does.
Any other device has only a standing (opened, waiting, refused) until staff let it in, which makes
it the holder: it never silently replaces the first. Denied and removed concern the person, on
every device.
"""

from __future__ import annotations

from dataclasses import replace

from rooms.admission_rules import (
    add_device,
    admit,
    bar_denied,
    bar_removed,
    by_own_device,
    call_in,
    can_be_called,
    comes_by_phone,
    connect,
    disconnect,
    disconnect_keeping_place,
    enters_directly,
    forget_devices,
    forget_second_devices,
    go,
    go_beside,
    is_called_at_start,
    keep,
    keep_place,
    lift,
    lose_place,
    names_second_device,
    never_waits,
    nobody_waits,
    not_among_waiting,
    nothing_to_lift,
    page_is_here,
    refuse_device,
    revoke,
    revoked,
    send_back,
    switch,
    tell,
    too_many_devices,
    unclear_which,
    wait,
    wait_beside,
    walk_in,
    was_refused,
)
from rooms.errors import (
    DeviceRefused,
    NotAdmitted,
    NotBarred,
    NotPermitted,
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
    LinkWithdrawn,
    MediaSwitched,
    NoticeSent,
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
from rooms.model import Admission, Seat

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
_CONNECT: Rows = (Refuse(was_refused, DeviceRefused), Row(always, STAY, connect))
_BESIDE: Rows = (Refuse(was_refused, DeviceRefused), Row(always, STAY, wait_beside))
_AT_THE_DOOR: Rows = (Row(enters_directly, M, walk_in), Row(by_own_device, W, wait), *_BESIDE)
_ADMIT: Rows = (
    Row(comes_by_phone, M, call_in),
    Refuse(not_among_waiting, NotWaiting),
    Refuse(unclear_which, WhichDevice),
    Row(always, M, admit),
)
_DENY: Rows = (Row(names_second_device, STAY, refuse_device), Row(always, D, bar_denied))
_GO_BESIDE: Row[Admission, Seat] = Row(always, STAY, go_beside)

ROWS: Table = {
    # the door
    **_each(OPEN_TO, LinkOpened, *_OPEN),
    **_each((I, L), CheckStarted, Row(always, K, keep)),
    **_each((I, K, L), Knocked, *_AT_THE_DOOR),
    **_each((W,), Knocked, Row(by_own_device, STAY, wait), *_BESIDE),
    **_each(WITHIN, Knocked, Row(by_own_device, STAY, keep), *_BESIDE),
    **_each(OUTSIDE, SeatAdmitted, *_ADMIT),
    **_each(WITHIN, SeatAdmitted, *_ADMIT[1:]),
    **_each(
        (I,), SeatDeadlinePassed, Row(is_called_at_start, M, call_in), Row(always, STAY, lose_place)
    ),
    **_each((M,), SeatEntered, Row(page_is_here, P, keep), Row(always, A, keep)),
    # the line to the browser
    **_each((I, K, W, M, P, L), SessionOpened, *_CONNECT),
    **_each((A,), SessionOpened, Row(by_own_device, P, connect), *_CONNECT),
    **_each((I, K, M, A, L, D, X), SessionClosed, Row(always, STAY, disconnect)),
    **_each((P,), SessionClosed, Row(by_own_device, A, disconnect), Row(always, STAY, disconnect)),
    **_each(
        (W,),
        SessionClosed,
        Row(by_own_device, STAY, disconnect_keeping_place),
        Row(always, STAY, disconnect),
    ),
    **_each(
        (W,), SeatDeadlinePassed, Row(can_be_called, STAY, keep_place), Row(always, I, lose_place)
    ),
    # the person's own wishes
    **_each(OPEN_TO, MediaSwitched, Row(always, STAY, switch)),
    **_each((I, K, W), SeatLeft, Row(by_own_device, I, go), _GO_BESIDE),
    **_each((M, P, A, L), SeatLeft, Row(by_own_device, L, go), _GO_BESIDE),
    # staff, and the patient's word about family
    **_each(OPEN_TO, SeatWasDenied, *_DENY),
    **_each(OPEN_TO, SeatObjected, Row(always, D, bar_denied)),
    **_each(OPEN_TO, SeatWasRemoved, Row(always, X, bar_removed)),
    **_each(WITHIN, SeatSentBack, Refuse(never_waits, NotPermitted), Row(always, W, send_back)),
    **_each(OPEN_TO, SeatLetBack, Refuse(nothing_to_lift, NotBarred), Row(always, STAY, lift)),
    **_each(OUT, SeatLetBack, Refuse(revoked, UnknownSeat), Row(always, I, lift)),
    **_each(OPEN_TO, NoticeSent, Refuse(nobody_waits, NotWaiting), Row(always, STAY, tell)),
    **_each((*OPEN_TO, *OUT), SeatRevoked, Row(always, X, revoke)),
    **_each(OUTSIDE, LinkWithdrawn, Row(always, I, forget_devices)),
    **_each(WITHIN, LinkWithdrawn, Row(always, STAY, forget_second_devices)),
    **_each(OUT, LinkWithdrawn, Row(always, STAY, forget_devices)),
}

# Known to happen and harmless: a repeated click, a page that says again what is so already.
IGNORED: frozenset[tuple[Admission, type[SeatEvent]]] = frozenset(
    {(state, CheckStarted) for state in (K, W, M, P, A)}
    | {(P, SeatEntered), (A, SeatEntered), (W, SeatSentBack), (D, SeatLeft), (X, SeatLeft)}
    | {(state, event) for state in OUT for event in (SeatWasDenied, SeatObjected, SeatWasRemoved)}
    | {(state, SeatDeadlinePassed) for state in (K, M, P, A, L, D, X)}
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
    """True for a deadline that is no longer the current one, and for a device known already."""
    if isinstance(event, SeatDeadlinePassed):
        return event.deadline != seat.deadline
    return isinstance(event, LinkOpened) and seat.device(event.device) is not None
