"""What can happen to a visit, in the past tense. ``by`` says who did it; payloads never do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rooms.model import SYSTEM, Actor, Deadline, DeviceId, EndReason, Seat, SeatId


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened outside."""

    by: Actor = SYSTEM

    @property
    def name(self) -> str:
        """The event's name in logs and records."""
        return type(self).__name__


# -- the visit as a whole --------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitEvent(Event):
    """Moves the lifecycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRescheduled(VisitEvent):
    """The practice moved the visit."""

    starts_at: float
    ends_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitWasCancelled(VisitEvent):
    """The practice called the visit off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitWasEnded(VisitEvent):
    """A provider or the practice ended the visit for everyone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Met(VisitEvent):
    """Derived: a provider and somebody else are present together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parted(VisitEvent):
    """Derived: they no longer are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emptied(VisitEvent):
    """Derived: no page is connected any more, neither in the visit nor at its door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupied(VisitEvent):
    """Derived: somebody's page is connected again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinePassed(VisitEvent):
    """A deadline of the visit came; stale when it is no longer the current one."""

    deadline: Deadline


# -- one seat --------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatEvent(Event):
    """Moves one seat's admission."""

    seat: SeatId


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSeatEvent(SeatEvent):
    """Something the person at the seat did, on one of their devices."""

    device: DeviceId
    needs_hold: ClassVar[bool] = True  # what no device may do while another holds the seat


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatAdded(Event):
    """Somebody was invited."""

    seat: Seat


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOpened(OwnSeatEvent):
    """A browser without a credential opened the seat's link and got one."""

    needs_hold = False
    credential: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened(OwnSeatEvent):
    """The device's page is connected."""

    needs_hold = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed(OwnSeatEvent):
    """The device's page is gone: a drop, a refresh, a closed lid."""

    needs_hold = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStarted(OwnSeatEvent):
    """The person looks at their camera and microphone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knocked(OwnSeatEvent):
    """The person pressed "Join the visit"."""

    needs_hold = False
    said_name: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatEntered(OwnSeatEvent):
    """The admitted person's page is ready in the visit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatLeft(OwnSeatEvent):
    """The person pressed "Leave"."""

    needs_hold = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSwitched(OwnSeatEvent):
    """The person switched microphone or camera; the server forwards accordingly."""

    microphone: bool
    camera: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatAdmitted(SeatEvent):
    """Staff let a waiting device in; without ``device``, the only one that waits."""

    device: DeviceId = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatWasDenied(SeatEvent):
    """Staff said no: to a second device alone when ``device`` names one, else to the person."""

    device: DeviceId = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatObjected(SeatEvent):
    """The patient said no to a family member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatWasRemoved(SeatEvent):
    """A provider took the person out of the visit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatSentBack(SeatEvent):
    """A provider asked the person to wait again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatLetBack(SeatEvent):
    """Staff lifted a denial or removal; the person may knock again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatRevoked(SeatEvent):
    """The practice withdrew the seat: its links open nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWithdrawn(SeatEvent):
    """The practice replaced the seat's link: whoever opened the former one must open the new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSent(SeatEvent):
    """The clinic wrote to somebody who waits."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatDeadlinePassed(SeatEvent):
    """A deadline of one seat came; stale when it is no longer the current one."""

    deadline: Deadline


VISIT_EVENTS: tuple[type[VisitEvent], ...] = (
    VisitRescheduled,
    VisitWasCancelled,
    VisitWasEnded,
    Met,
    Parted,
    Emptied,
    Occupied,
    DeadlinePassed,
)
SEAT_EVENTS: tuple[type[SeatEvent], ...] = (
    LinkOpened,
    SessionOpened,
    SessionClosed,
    CheckStarted,
    Knocked,
    SeatEntered,
    SeatLeft,
    MediaSwitched,
    SeatAdmitted,
    SeatWasDenied,
    SeatObjected,
    SeatWasRemoved,
    SeatSentBack,
    SeatLetBack,
    SeatRevoked,
    LinkWithdrawn,
    NoticeSent,
    SeatDeadlinePassed,
)
END_REASONS = {"closes": EndReason.TIME_UP, "deserted": EndReason.DESERTED}
