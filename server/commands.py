"""What staff (and the patient, about family) can order about a seat: one table for every door.

REST, the visit page and the desk all end here, so a command has one meaning and one permission.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rooms.events import (
    NoticeSent,
    SeatAdmitted,
    SeatEvent,
    SeatLetBack,
    SeatObjected,
    SeatSentBack,
    SeatWasDenied,
    SeatWasRemoved,
)
from rooms.line_events import (
    CallerLetIn,
    CallOrdered,
    CallWasStopped,
    GreetingBegun,
    SeatKeptOnPhone,
    VoiceConfirmed,
    WrongPersonFound,
)
from rooms.model import Actor
from rooms.permissions import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command's arguments, whichever door they came through."""

    seat: str
    device: str = ""
    text: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """One row: what the command is called, what it needs and what it becomes."""

    name: str
    action: Action
    becomes: Callable[[Order, Actor], SeatEvent]
    meaning: str


COMMANDS: tuple[Command, ...] = (
    Command(
        "admit",
        Action.ADMIT,
        lambda order, by: SeatAdmitted(seat=order.seat, device=order.device, by=by),
        "let a waiting device in",
    ),
    Command(
        "deny",
        Action.DENY,
        lambda order, by: SeatWasDenied(seat=order.seat, device=order.device, by=by),
        "say no: to a second device alone when it is named, else to the person on every device",
    ),
    Command(
        "remove",
        Action.REMOVE,
        lambda order, by: SeatWasRemoved(seat=order.seat, by=by),
        "take the person out of the visit, on every device",
    ),
    Command(
        "send_back",
        Action.SEND_BACK,
        lambda order, by: SeatSentBack(seat=order.seat, by=by),
        "ask the person to wait again",
    ),
    Command(
        "let_back",
        Action.LET_BACK,
        lambda order, by: SeatLetBack(seat=order.seat, by=by),
        "lift a denial or removal: the person may knock again",
    ),
    Command(
        "message",
        Action.MESSAGE,
        lambda order, by: NoticeSent(seat=order.seat, text=order.text, by=by),
        "tell somebody who waits something",
    ),
    Command(
        "object",
        Action.OBJECT,
        lambda order, by: SeatObjected(seat=order.seat, by=by),
        "the patient says no to a family member, at the door or inside",
    ),
    Command(
        "call",
        Action.CALL,
        lambda order, by: CallOrdered(seat=order.seat, number=order.number, by=by),
        "call this person now, on their own number or another one of the seat",
    ),
    Command(
        "stop_call",
        Action.CALL,
        lambda order, by: CallWasStopped(seat=order.seat, by=by),
        "stop the call, or say not to call",
    ),
    Command(
        "keep_on_phone",
        Action.CALL,
        lambda order, by: SeatKeptOnPhone(seat=order.seat, by=by),
        "leave the person's sound on the telephone",
    ),
    Command(
        "greet",
        Action.GREET,
        lambda order, by: GreetingBegun(seat=order.seat, by=by),
        "speak alone with whoever answered",
    ),
    Command(
        "let_in",
        Action.GREET,
        lambda order, by: CallerLetIn(seat=order.seat, by=by),
        "let the telephone that one has spoken with into the visit",
    ),
    Command(
        "confirm_voice",
        Action.GREET,
        lambda order, by: VoiceConfirmed(seat=order.seat, by=by),
        "this is the person",
    ),
    Command(
        "wrong_person",
        Action.GREET,
        lambda order, by: WrongPersonFound(seat=order.seat, by=by),
        "this is somebody else: hang up",
    ),
)

BY_NAME = {command.name: command for command in COMMANDS}
