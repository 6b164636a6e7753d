"""How one person's sound reaches the visit: good → degraded → dialing → ringing → gate → bridged →
recovering → good, and stuck where no telephone can help.

The browser's sound is watched by the media plane, which says only when it crosses a threshold; the
carrier says what becomes of a call; the person and staff say what they want. Who hears whom in each
state is ``wiring.who_hears_whom`` and ``wiring.phone_ends``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rooms.errors import (
    CallNotAnswered,
    CallsUsed,
    CallUnderway,
    NoCall,
    NoNumber,
    NotAdmitted,
    NotPermitted,
    PhoneRefused,
    RoomError,
    SpeakFirst,
    VideoNotReady,
)
from rooms.line_calls import (
    answer,
    ask_again,
    be_stuck,
    be_stuck_absent,
    confirm_voice,
    dial,
    dial_absent,
    dial_as_asked,
    dial_as_ordered,
    end_call,
    end_unwanted,
    enter,
    enter_confirmed,
    fail,
    finish_trial,
    give_way,
    greet,
    greeter_gone,
    hand_back,
    join,
    note_on_phone,
    plan_anew,
    record_anew,
    set_back,
    show_again,
    stay_on_phone,
    try_later,
)
from rooms.line_events import (
    CallAnswered,
    CallerLetIn,
    CallEvent,
    CallOrdered,
    CallOver,
    CallRang,
    CallStopped,
    CallWasStopped,
    ConnectAsked,
    CoverBegan,
    CoverEnded,
    GreeterGone,
    GreetingBegun,
    HandBackAsked,
    KeyPressed,
    LineDeadlinePassed,
    LineEvent,
    NodeRestarted,
    NumberRecorded,
    PageBack,
    PageGone,
    PageHid,
    PageLeft,
    PageShown,
    PhoneAsked,
    PhoneKept,
    PhonePlanSet,
    PhonePlanWithdrawn,
    SameSpeechHeard,
    SeatKeptOnPhone,
    SoundChanged,
    VoiceConfirmed,
    WrongPersonFound,
)
from rooms.line_guards import (
    asks_from_outside,
    brings_a_number,
    confirms_trial,
    confirms_trial_in_need,
    connects,
    did_not_greet,
    fine_again,
    fine_again_before_the_answer,
    hand_calls_used,
    is_other_persons,
    is_returning,
    is_steady,
    is_trial,
    joins_still,
    may_be_called,
    no_such_number,
    outside,
    page_is_here,
    refuses,
    refuses_needlessly,
    returns_before_joining,
    returns_to_good_sound,
    rings_former_needlessly,
    rings_former_number,
    somebody_greets,
    sound_is_bad,
    sounds_fine,
    stays_on_phone,
    too_many_keys,
    tries_again,
    was_refused,
)
from rooms.line_sound import (
    expect_media,
    fall_silent,
    give_up_trial,
    hear_nothing,
    heard_at_last,
    keep,
    note,
    page_back,
    page_gone,
    page_hid,
    page_left,
    page_shown,
    record_number,
    record_number_and_call,
    recover,
    rest,
    start_over,
    take_plan,
    take_plan_and_call,
    withdraw_plan,
    worsen,
)
from rooms.machine import STAY, Machine, Refuse, Row, always
from rooms.model import Fallback, Seat

Rows = tuple[Row[Fallback, Seat] | Refuse[Seat], ...]
Table = dict[tuple[Fallback, type[LineEvent]], Rows]

G, D, S, C, R, T, B, V = Fallback  # good, degraded, stuck, dialing (Calls), ringing, gaTe, …
ALL = tuple(Fallback)
BY_BROWSER, PLACING, ON_LINE = (G, D, S), (C, R), (B, V)
IN_A_CALL = (C, R, T, B, V)


def _each(
    states: Iterable[Fallback],
    event: type[LineEvent],
    *rows: Row[Fallback, Seat] | Refuse[Seat],
) -> Table:
    """The same rows for each of these states."""
    return {(state, event): rows for state in states}


_CALL: Rows = (Row(may_be_called, C, dial), Row(always, S, be_stuck))
_NOTE: Rows = (Row(always, STAY, note),)
_AS_ASKED: Rows = (
    Refuse(asks_from_outside, NotAdmitted),
    Refuse(was_refused, PhoneRefused),
    Refuse(no_such_number, NoNumber),
    Refuse(hand_calls_used, CallsUsed),
    Row(always, C, dial_as_asked),
)
_AS_ORDERED: Rows = (
    Refuse(outside, NotAdmitted),
    Refuse(was_refused, PhoneRefused),
    Refuse(no_such_number, NoNumber),
    Refuse(hand_calls_used, CallsUsed),
    Row(always, C, dial_as_ordered),
)
_OVER: Rows = (
    Row(sounds_fine, G, fail),
    Row(tries_again, D, try_later),
    Row(always, S, fail),
)
_FINAL: Rows = (Row(sounds_fine, G, fail), Row(always, S, fail))
_STOP: Rows = (Row(sounds_fine, G, hand_back), Row(always, S, end_call))
_RETURN: Rows = (
    Refuse(sound_is_bad, VideoNotReady),
    Row(joins_still, G, hand_back),
    Row(always, V, give_way),
)
_KEEP: Rows = (Row(always, STAY, stay_on_phone),)

ROWS: Table = {
    # who is looked after
    (G, CoverBegan): (
        Row(page_is_here, STAY, expect_media),
        Row(may_be_called, C, dial_absent),
        Row(always, S, be_stuck_absent),
    ),
    **_each((D, S), CoverEnded, Row(always, G, rest)),
    (G, CoverEnded): (Row(always, STAY, rest),),
    **_each(IN_A_CALL, CoverEnded, Row(always, G, rest)),
    **_each((G,), NodeRestarted, Row(outside, STAY, keep), Row(always, D, start_over)),
    (D, NodeRestarted): (Row(always, STAY, start_over),),
    (S, NodeRestarted): (Row(always, STAY, hear_nothing),),
    **_each(
        (*PLACING, T), NodeRestarted, Row(outside, G, give_up_trial), Row(always, D, start_over)
    ),
    **_each(ON_LINE, NodeRestarted, Row(always, D, start_over)),
    # the browser's sound
    (G, SoundChanged): (
        Row(outside, STAY, keep),
        Row(fine_again, STAY, heard_at_last),
        Row(always, D, worsen),
    ),
    (D, SoundChanged): (Row(fine_again, G, recover), Row(always, STAY, worsen)),
    (S, SoundChanged): (Row(fine_again, G, recover), *_NOTE),
    **_each(
        PLACING,
        SoundChanged,
        Row(outside, STAY, keep),
        Row(fine_again_before_the_answer, G, recover),
        *_NOTE,
    ),
    (T, SoundChanged): (Row(outside, STAY, keep), *_NOTE),
    (B, SoundChanged): (Row(always, STAY, note_on_phone),),
    (V, SoundChanged): (Row(fine_again, STAY, note), Row(always, B, set_back)),
    # the page
    (D, PageGone): (Row(always, STAY, page_gone),),
    **_each(ALL, PageBack, Row(always, STAY, page_back)),
    **_each(ALL, PageHid, Row(always, STAY, page_hid)),
    **_each(ALL, PageShown, Row(always, STAY, page_shown)),
    **_each(ALL, PageLeft, Row(always, STAY, page_left)),
    # the plan
    **_each((G, D, *ON_LINE), PhonePlanSet, Row(always, STAY, take_plan)),
    **_each(
        (*PLACING, T),
        PhonePlanSet,
        Row(rings_former_needlessly, G, plan_anew),
        Row(rings_former_number, D, plan_anew),
        Row(always, STAY, take_plan),
    ),
    (S, PhonePlanSet): (Row(always, D, take_plan_and_call),),
    **_each((G, D, S, *ON_LINE), PhonePlanWithdrawn, Row(always, STAY, withdraw_plan)),
    **_each(
        (C, R, T),
        PhonePlanWithdrawn,
        Row(is_other_persons, STAY, withdraw_plan),
        Row(sounds_fine, G, end_unwanted),
        Row(always, S, end_unwanted),
    ),
    **_each((G, D, *ON_LINE), NumberRecorded, Row(always, STAY, record_number)),
    **_each(
        (*PLACING, T),
        NumberRecorded,
        Row(rings_former_needlessly, G, record_anew),
        Row(rings_former_number, D, record_anew),
        Row(always, STAY, record_number),
    ),
    (S, NumberRecorded): (
        Row(brings_a_number, D, record_number_and_call),
        Row(always, STAY, record_number),
    ),
    # placing a call
    (G, LineDeadlinePassed): (Row(always, D, fall_silent),),
    (D, LineDeadlinePassed): _CALL,
    (G, PhoneAsked): _AS_ASKED,
    (G, CallOrdered): _AS_ORDERED,
    **_each((D, S), PhoneAsked, *_AS_ASKED[1:]),
    **_each((D, S), CallOrdered, *_AS_ORDERED[1:]),
    **_each((D,), CallStopped, Row(always, S, end_call)),
    **_each((D,), CallWasStopped, Row(always, S, end_call)),
    (C, CallRang): (Row(always, R, keep),),
    **_each(PLACING, CallAnswered, Row(always, T, answer)),
    **_each((*PLACING, T), LineDeadlinePassed, *_OVER),
    **_each((*PLACING, T, B), CallOver, *_OVER),
    **_each((*PLACING, T, B), CallStopped, *_STOP),
    **_each((*PLACING, T, B), CallWasStopped, *_STOP),
    # the gate
    (T, KeyPressed): (
        Row(confirms_trial_in_need, D, finish_trial),
        Row(confirms_trial, G, finish_trial),
        Row(refuses_needlessly, G, fail),
        Row(refuses, S, fail),
        Row(connects, B, enter),
        Row(too_many_keys, STAY, keep),
        Row(always, STAY, ask_again),
    ),
    (T, ConnectAsked): (
        Refuse(is_trial, NotPermitted),
        Refuse(is_other_persons, SpeakFirst),
        Row(always, B, enter),
    ),
    (T, GreetingBegun): (
        Refuse(is_trial, NotPermitted),
        Refuse(somebody_greets, NotPermitted),
        Row(always, STAY, greet),
    ),
    (T, GreeterGone): (Row(always, STAY, greeter_gone),),
    (T, CallerLetIn): (Refuse(did_not_greet, SpeakFirst), Row(always, B, enter_confirmed)),
    **_each((T, B), WrongPersonFound, *_FINAL),
    # on the telephone
    (B, LineDeadlinePassed): (Row(is_steady, V, show_again), Row(always, STAY, join)),
    (B, KeyPressed): (
        Row(returns_before_joining, G, hand_back),
        Row(returns_to_good_sound, V, give_way),
        Row(always, STAY, keep),
    ),
    (B, HandBackAsked): _RETURN,
    **_each(ON_LINE, VoiceConfirmed, Row(always, STAY, confirm_voice)),
    **_each(ON_LINE, PhoneKept, *_KEEP),
    **_each(ON_LINE, SeatKeptOnPhone, *_KEEP),
    (V, HandBackAsked): (Row(is_returning, STAY, keep), Row(always, STAY, give_way)),
    (V, KeyPressed): (
        Row(is_returning, STAY, keep),
        Row(returns_to_good_sound, STAY, give_way),
        Row(always, STAY, keep),
    ),
    (V, SameSpeechHeard): (Row(stays_on_phone, STAY, keep), Row(always, STAY, give_way)),
    (V, LineDeadlinePassed): (Row(always, G, hand_back),),
    **_each((V,), CallStopped, Row(always, G, hand_back)),
    **_each((V,), CallWasStopped, Row(always, G, hand_back)),
    **_each((V,), CallOver, Row(always, G, fail)),
    **_each((V,), WrongPersonFound, Row(always, G, fail)),
}

# Known to happen and harmless: a repeated click, a report that comes late.
IGNORED: frozenset[tuple[Fallback, type[LineEvent]]] = frozenset(
    {(state, CoverBegan) for state in ALL if state is not G}
    | {(S, LineDeadlinePassed)}
    | {(state, PageGone) for state in ALL if state is not D}
    | {(state, GreeterGone) for state in ALL if state is not T}
    | {(state, event) for state in (R, T, *ON_LINE) for event in (CallRang,)}
    | {(state, CallAnswered) for state in (T, *ON_LINE)}
    | {(state, KeyPressed) for state in PLACING}
    | {(state, SameSpeechHeard) for state in (*PLACING, T, B)}
    | {(state, event) for state in BY_BROWSER for event in (CallRang, CallAnswered, CallOver)}
    | {(state, event) for state in BY_BROWSER for event in (KeyPressed, SameSpeechHeard)}
    | {(state, event) for state in (G, S) for event in (CallStopped, CallWasStopped)}
    | {(G, HandBackAsked), (B, ConnectAsked), (V, ConnectAsked), (B, PhoneAsked), (V, PhoneAsked)}
    | {(state, event) for state in ON_LINE for event in (GreetingBegun, CallerLetIn)}
)

REFUSED: dict[tuple[Fallback, type[LineEvent]], type[RoomError]] = {
    **{(state, PhoneAsked): CallUnderway for state in (*PLACING, T)},
    **{(state, CallOrdered): CallUnderway for state in IN_A_CALL},
    **{
        (state, event): CallNotAnswered
        for state in (*BY_BROWSER, *PLACING)
        for event in (ConnectAsked, GreetingBegun, CallerLetIn, WrongPersonFound)
    },
    **{(state, HandBackAsked): NoCall for state in (D, S, *PLACING, T)},
    **{
        (state, event): NoCall
        for state in (*BY_BROWSER, *PLACING, T)
        for event in (VoiceConfirmed, PhoneKept, SeatKeptOnPhone)
    },
}


def _write(seat: Seat, state: Fallback) -> Seat:
    stuck = seat.line.stuck if state is S else None
    return replace(seat, line=replace(seat.line, state=state, stuck=stuck))


FALLBACK: Machine[Fallback, Seat, LineEvent] = Machine(
    rows=ROWS,
    ignored=IGNORED,
    refused=REFUSED,
    read=lambda seat: seat.line.state,
    write=_write,
)


def is_stale(seat: Seat, event: LineEvent) -> bool:
    """True for an echo of an old call, a deadline that is no longer the current one."""
    if isinstance(event, CallEvent):
        return seat.line.call is None or seat.line.call.id != event.call
    return isinstance(event, LineDeadlinePassed) and event.deadline != seat.line.deadline
