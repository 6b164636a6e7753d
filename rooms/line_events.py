"""What can happen to how one seat is connected, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass

from rooms.events import OwnSeatEvent, SeatEvent
from rooms.model import CallFailure, CallId, CallPurpose, Deadline, PhoneNumber, Sound


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEvent(SeatEvent):
    """Moves one seat's fallback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLineEvent(OwnSeatEvent, LineEvent):
    """Something the person did about their connection, on the seat's own device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverBegan(LineEvent):
    """Derived: the person is inside a running visit; the server looks after their connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverEnded(LineEvent):
    """Derived: they left, were sent back or taken out, or the visit is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageGone(LineEvent):
    """Derived: the page of the seat's own device is no longer connected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageBack(LineEvent):
    """Derived: it is connected again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GreeterGone(LineEvent):
    """Derived: the member of staff who spoke with this telephone is not in the visit any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRestarted(LineEvent):
    """The server was restarted: no call and no media outlived it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundChanged(LineEvent):
    """The browser's sound crossed a threshold, either way of it."""

    sound: Sound


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDeadlinePassed(LineEvent):
    """A deadline of one seat's line came; stale when it is no longer the current one."""

    deadline: Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHid(OwnLineEvent):
    """The page is no longer in front: another app, a locked screen, an incoming call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageShown(OwnLineEvent):
    """The page is in front again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLeft(OwnLineEvent):
    """The page said goodbye without "Leave": it was closed, or is being reloaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhonePlanSet(OwnLineEvent):
    """The person said whom to call, and that they may be called.

    An empty ``number`` (else E.164) keeps the one that the practice recorded. Whoever has only
    opened the link of a seat that another device holds may not say whose telephone comes in.
    """

    number: str = ""
    same_device: bool = False
    wording: str
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhonePlanWithdrawn(OwnLineEvent):
    """The person no longer wants to be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneAsked(OwnLineEvent):
    """The person pressed "Call my phone instead", or "Ring me now" to try it."""

    purpose: CallPurpose = CallPurpose.BY_HAND


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStopped(OwnLineEvent):
    """The person pressed "Stop" or left the telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectAsked(OwnLineEvent):
    """The seat's own page said "I answered: connect me"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandBackAsked(OwnLineEvent):
    """The person pressed "Move my sound back"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneKept(OwnLineEvent):
    """The person wants to stay on the telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRecorded(LineEvent):
    """Staff wrote down a number of the seat and, with a ``wording``, the spoken consent."""

    number: PhoneNumber
    wording: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrdered(LineEvent):
    """Staff want the seat called now, on the number with this id."""

    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWasStopped(LineEvent):
    """Staff stopped a call, or said not to call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingBegun(LineEvent):
    """A member of staff speaks alone with whoever answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerLetIn(LineEvent):
    """The member of staff who spoke with the telephone lets it into the visit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceConfirmed(LineEvent):
    """Staff recognised the voice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongPersonFound(LineEvent):
    """Staff heard somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatKeptOnPhone(LineEvent):
    """Staff keep the person on the telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent(LineEvent):
    """What became of one call; stale unless it is the seat's current one."""

    call: CallId


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRang(CallEvent):
    """The telephone rings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered(CallEvent):
    """Somebody, or something, picked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOver(CallEvent):
    """The call is over, or never came about."""

    why: CallFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressed(CallEvent):
    """A key of the telephone was pressed."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SameSpeechHeard(CallEvent):
    """Browser and telephone picked up the same speech: the person is at both."""


LINE_EVENTS: tuple[type[LineEvent], ...] = (
    CoverBegan,
    CoverEnded,
    PageGone,
    PageBack,
    GreeterGone,
    NodeRestarted,
    SoundChanged,
    LineDeadlinePassed,
    PageHid,
    PageShown,
    PageLeft,
    PhonePlanSet,
    PhonePlanWithdrawn,
    PhoneAsked,
    CallStopped,
    ConnectAsked,
    HandBackAsked,
    PhoneKept,
    NumberRecorded,
    CallOrdered,
    CallWasStopped,
    GreetingBegun,
    CallerLetIn,
    VoiceConfirmed,
    WrongPersonFound,
    SeatKeptOnPhone,
    CallRang,
    CallAnswered,
    CallOver,
    KeyPressed,
    SameSpeechHeard,
)
