"""The nouns of a visit, as frozen values; those of ``basics`` and ``telephony`` are had from here.

Times are seconds since the Unix epoch (UTC) as ``float``; durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rooms.basics import SYSTEM as SYSTEM
from rooms.basics import Actor as Actor
from rooms.basics import ActorKind as ActorKind
from rooms.basics import CallId as CallId
from rooms.basics import Deadline as Deadline
from rooms.basics import DeviceId as DeviceId
from rooms.basics import SeatId as SeatId
from rooms.basics import VisitId as VisitId
from rooms.telephony import CALLING as CALLING
from rooms.telephony import ON_PHONE as ON_PHONE
from rooms.telephony import OWN_NUMBER as OWN_NUMBER
from rooms.telephony import REPEATED as REPEATED
from rooms.telephony import Attempt as Attempt
from rooms.telephony import Call as Call
from rooms.telephony import CallFailure as CallFailure
from rooms.telephony import CallPurpose as CallPurpose
from rooms.telephony import Consent as Consent
from rooms.telephony import Fallback as Fallback
from rooms.telephony import Line as Line
from rooms.telephony import PhoneEnd as PhoneEnd
from rooms.telephony import PhoneNumber as PhoneNumber
from rooms.telephony import PhonePlan as PhonePlan
from rooms.telephony import Prompt as Prompt
from rooms.telephony import Sound as Sound
from rooms.telephony import Stuck as Stuck


class Role(StrEnum):
    """What somebody is in a visit; decides what they may do and see."""

    PATIENT = "patient"
    PROVIDER = "provider"
    FAMILY = "family"
    INTERPRETER = "interpreter"
    CONSULTANT = "consultant"
    PRESENTER = "presenter"
    OBSERVER = "observer"


class Stage(StrEnum):
    """Where the visit as a whole is (states of ``lifecycle``)."""

    SCHEDULED = "scheduled"
    RESCHEDULED = "rescheduled"
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    INTERRUPTED = "interrupted"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Admission(StrEnum):
    """How far one seat has come (states of ``admission``)."""

    INVITED = "invited"
    CHECKING = "checking"
    WAITING = "waiting"
    ADMITTED = "admitted"
    PRESENT = "present"
    AWAY = "away"
    LEFT = "left"
    DENIED = "denied"
    REMOVED = "removed"


class Standing(StrEnum):
    """What one browser is to the seat whose link it opened."""

    HOLDING = "holding"  # the seat's own device: what it does, the seat does
    OPENED = "opened"  # has not asked to come in
    WAITING = "waiting"  # asks to come in while another device holds the seat
    REFUSED = "refused"  # staff turned it away


class EndReason(StrEnum):
    """Why a visit ended."""

    BY_PROVIDER = "by_provider"
    BY_PRACTICE = "by_practice"
    TIME_UP = "time_up"
    DESERTED = "deserted"


class Need(StrEnum):
    """How somebody communicates, where that changes what the system must do."""

    SIGNING = "signing"
    RELAY = "relay"
    CAPTIONS = "captions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One browser that opened the seat's link.

    ``credential`` is the SHA-256 (hex) of the secret in that browser's cookie, never the secret.
    """

    id: DeviceId
    credential: str
    opened_at: float
    standing: Standing
    connected: bool = False
    waiting_since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A one-way message from the clinic to somebody who waits."""

    id: int
    text: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Seconds a seat spent in the visit by the way it was there."""

    video: float = 0.0
    sound: float = 0.0
    phone: float = 0.0
    since: float | None = None
    first_in: float | None = None
    last_out: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One person's place in a visit; outlives any connection.

    ``epoch`` grows whenever every session of the seat must become worthless.
    ``name`` is what the practice calls the person, ``said_name`` what they typed themselves.
    """

    id: SeatId
    role: Role
    name: str = ""
    said_name: str = ""
    language: str = ""
    relationship: str = ""
    external_ids: tuple[tuple[str, str], ...] = ()
    needs: frozenset[Need] = frozenset()
    phone: PhonePlan = field(default_factory=PhonePlan)
    line: Line = field(default_factory=Line)
    address: str = ""
    admission: Admission = Admission.INVITED
    deadline: Deadline | None = None
    waiting_since: float | None = None
    devices: tuple[Device, ...] = ()
    epoch: int = 1
    revoked: bool = False
    microphone: bool = True
    camera: bool = True
    notices: tuple[Notice, ...] = ()
    usage: Usage = field(default_factory=Usage)

    @property
    def holder(self) -> Device | None:
        """The seat's own device: the first that knocked, or the one that staff let in since."""
        return next((d for d in self.devices if d.standing is Standing.HOLDING), None)

    def speaks(self, device_id: DeviceId) -> bool:
        """Whether what this device does, the seat does. Until one has knocked, each may."""
        device = self.device(device_id)
        own = Standing.OPENED if self.holder is None else Standing.HOLDING
        return device is not None and device.standing is own

    @property
    def shown_name(self) -> str:
        """The name others see: the practice's word comes before the person's own."""
        return self.name or self.said_name

    def device(self, device_id: DeviceId) -> Device | None:
        """The device with this id, if it ever opened this seat's link."""
        return next((d for d in self.devices if d.id == device_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One encounter. ``host`` is whom the invited are told they will meet (not the roster)."""

    id: VisitId
    practice: str
    starts_at: float
    ends_at: float
    host: str = ""
    external_ids: tuple[tuple[str, str], ...] = ()
    stage: Stage = Stage.SCHEDULED
    deadline: Deadline | None = None
    deserted: Deadline | None = None
    end_reason: EndReason | None = None
    ended_at: float | None = None
    moved_from: float | None = None
    seats: tuple[Seat, ...] = ()
    revision: int = 0

    def seat(self, seat_id: SeatId) -> Seat | None:
        """The seat with this id, if the visit has one."""
        return next((s for s in self.seats if s.id == seat_id), None)


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """One direction of media between two admitted seats, towards the hearer's browser.

    ``sound`` and ``picture`` come from the source's browser, ``voice`` from its telephone. A link
    with none of them is a pause: the forwards exist and send nothing. ``probe`` sends the rhythm
    of the sound with silence in it, so that a browser that may hear nothing can be measured.
    """

    source: SeatId
    hearer: SeatId
    sound: bool = True
    picture: bool = True
    voice: bool = False
    probe: bool = False


INSIDE = frozenset({Admission.ADMITTED, Admission.PRESENT, Admission.AWAY})
BARRED = frozenset({Admission.DENIED, Admission.REMOVED})
RUNNING = frozenset({Stage.OPEN, Stage.IN_PROGRESS, Stage.INTERRUPTED})
OVER = frozenset({Stage.ENDED, Stage.CANCELLED})
