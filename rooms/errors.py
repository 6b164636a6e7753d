"""Everything a visit can refuse, as one tree. ``code`` is stable and part of the protocol.

BedsideError
├── RoomError
│   ├── NotPermitted            not_permitted       the role may not do this
│   ├── NotAdmitted             not_admitted        only for people who are inside the visit
│   ├── NotWaiting              not_waiting         there is nobody to admit here
│   ├── WhichDevice             which_device        several devices wait; say which one
│   ├── NotBarred               not_barred          nobody to let back in
│   ├── UnknownSeat             unknown_seat
│   ├── UnknownDevice           unknown_device
│   ├── VisitFull               visit_full
│   ├── VisitRunning            visit_running       people are inside
│   ├── VisitNotOpen            visit_not_open      it has not begun
│   ├── NoNumber                no_number           nobody may be called: no number with consent
│   ├── PhoneRefused            phone_refused       "9": not again in this visit
│   ├── CallsUsed               calls_used          as many calls as one person may get
│   ├── CallUnderway            call_underway       one call at a time
│   ├── NoCall                  no_call             there is none to do that with
│   ├── CallNotAnswered         call_not_answered   nobody has picked up
│   ├── SpeakFirst              speak_first         somebody else's telephone: speak with it first
│   ├── VideoNotReady           video_not_ready     the browser's sound is not good enough yet
│   ├── TimesInvalid            times_invalid       it would end before it begins
│   └── DoorClosed                                  the link is real and cannot be used now
│       ├── VisitEarly          visit_early
│       ├── VisitMoved          visit_moved
│       ├── VisitEnded          visit_ended
│       ├── VisitExpired        visit_expired
│       ├── VisitCancelled      visit_cancelled
│       ├── SeatDenied          seat_denied
│       ├── SeatRemoved         seat_removed
│       ├── DeviceRefused       device_refused
│       └── TooManyDevices      too_many_devices
└── (the server adds its own branch in server/errors.py)
"""

from __future__ import annotations

from typing import ClassVar


class BedsideError(Exception):
    """Anything Bedside says no to, with a stable ``code`` and a plain-words ``title``."""

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.title)


class RoomError(BedsideError):
    """The visit refuses; nothing was changed."""


class NotPermitted(RoomError):
    """The role may not do this."""

    code = "not_permitted"
    title = "Your role in this visit does not allow that."


class NotAdmitted(RoomError):
    """Only for people who are inside the visit."""

    code = "not_admitted"
    title = "You have not been let into this visit."


class NotWaiting(RoomError):
    """There is nobody to admit at this seat."""

    code = "not_waiting"
    title = "Nobody is waiting at this seat."


class WhichDevice(RoomError):
    """Several devices wait at one seat, and the caller did not say which."""

    code = "which_device"
    title = "More than one device is waiting at this seat. Choose one."


class NotBarred(RoomError):
    """Nobody to let back in: the seat was neither denied nor removed."""

    code = "not_barred"
    title = "This person has not been turned away."


class UnknownSeat(RoomError):
    """The visit has no such seat."""

    code = "unknown_seat"
    title = "This visit has no such seat."


class UnknownDevice(RoomError):
    """No such device ever opened this seat's link."""

    code = "unknown_device"
    title = "This seat has no such device."


class VisitFull(RoomError):
    """The visit has as many people as the policy allows."""

    code = "visit_full"
    title = "This visit is full."


class VisitRunning(RoomError):
    """People are inside: the visit can be ended, not moved or cancelled."""

    code = "visit_running"
    title = "People are in this visit. End it instead."


class VisitNotOpen(RoomError):
    """The visit has not begun."""

    code = "visit_not_open"
    title = "This visit has not opened yet."


class NoNumber(RoomError):
    """The seat has no number that may be called."""

    code = "no_number"
    title = "There is no phone number that may be called."


class PhoneRefused(RoomError):
    """Whoever answered pressed 9."""

    code = "phone_refused"
    title = "This phone asked not to be called again during this visit."


class CallsUsed(RoomError):
    """As many calls were placed as one person may get in one visit."""

    code = "calls_used"
    title = "This person has been called as often as is allowed in one visit."


class CallUnderway(RoomError):
    """At most one call per seat."""

    code = "call_underway"
    title = "A call is under way already."


class NoCall(RoomError):
    """There is no call to do that with."""

    code = "no_call"
    title = "There is no phone call."


class CallNotAnswered(RoomError):
    """Nobody has picked up, or it has been dealt with."""

    code = "call_not_answered"
    title = "Nobody has answered the phone."


class SpeakFirst(RoomError):
    """Only staff who spoke with this telephone can let it in."""

    code = "speak_first"
    title = "Speak with whoever answered first."


class VideoNotReady(RoomError):
    """The browser's sound is not good enough to move back."""

    code = "video_not_ready"
    title = "The connection is not good enough yet. Please stay on the phone."


class TimesInvalid(RoomError):
    """A visit must end after it begins, and not before it is planned."""

    code = "times_invalid"
    title = "A visit must end after it begins, and in the future."


class DoorClosed(RoomError):
    """The link is real, and cannot be used now; said kindly to whoever holds it."""


class VisitEarly(DoorClosed):
    """The link's window has not begun."""

    code = "visit_early"
    title = "You are early. The visit has not opened yet."


class VisitMoved(DoorClosed):
    """The visit was rescheduled, and its new window has not begun."""

    code = "visit_moved"
    title = "This visit was moved to another time."


class VisitEnded(DoorClosed):
    """The visit is over."""

    code = "visit_ended"
    title = "This visit has ended."


class VisitExpired(DoorClosed):
    """The visit's time passed."""

    code = "visit_expired"
    title = "The time for this visit has passed."


class VisitCancelled(DoorClosed):
    """The practice cancelled the visit."""

    code = "visit_cancelled"
    title = "This visit was cancelled."


class SeatDenied(DoorClosed):
    """Staff or the patient said no to this person."""

    code = "seat_denied"
    title = "You were not let into this visit."


class SeatRemoved(DoorClosed):
    """Staff removed this person."""

    code = "seat_removed"
    title = "You were removed from this visit."


class DeviceRefused(DoorClosed):
    """Staff turned this device away; the person's other device is not affected."""

    code = "device_refused"
    title = "This device was not let into the visit."


class TooManyDevices(DoorClosed):
    """The link was opened on more devices than one person has."""

    code = "too_many_devices"
    title = "This link was opened on too many devices."
