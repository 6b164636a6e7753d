"""The nouns of a visit, as frozen values.

Times are seconds since the Unix epoch (UTC) as ``float``; durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

VisitId: TypeAlias = str
SeatId: TypeAlias = str
DeviceId: TypeAlias = str
CallId: TypeAlias = str


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


class Fallback(StrEnum):
    """How somebody's sound reaches the visit (states of ``fallback``)."""

    GOOD = "good"  # by the browser
    DEGRADED = "degraded"  # by the browser, badly or not at all; the picture rests
    STUCK = "stuck"  # as before, and no telephone can help: ``Line.stuck`` says why
    DIALING = "dialing"
    RINGING = "ringing"
    GATE = "gate"  # answered; who holds the telephone is not known yet
    BRIDGED = "bridged"  # by telephone
    RECOVERING = "recovering"  # by telephone, with the picture of the browser


class Sound(StrEnum):
    """How well the browser's sound gets through, both ways, as the server measures it."""

    FINE = "fine"
    WEAK = "weak"
    UNUSABLE = "unusable"
    SILENT = "silent"  # nothing arrives at all


class CallPurpose(StrEnum):
    """Why a call is placed."""

    FALLBACK = "fallback"  # the browser failed
    BY_HAND = "by_hand"  # staff or the person asked for it
    PHONE_ONLY = "phone_only"  # the seat has no browser
    TRIAL = "trial"  # "Ring me now": never let into the visit


class CallFailure(StrEnum):
    """Why a call did not bring the person into the visit."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    BLOCKED = "blocked"  # a network refused it as unwanted (RFC 8197, RFC 8688)
    BAD_NUMBER = "bad_number"
    CARRIER_DOWN = "carrier_down"
    NOBODY_CONFIRMED = "nobody_confirmed"  # voicemail, most likely
    HUNG_UP = "hung_up"  # at the gate, or in the visit
    BROKEN = "broken"  # the carrier lost the call
    LOST = "lost"  # the server was restarted
    WRONG_PERSON = "wrong_person"
    REFUSED = "refused"  # "9": not again in this visit


class Stuck(StrEnum):
    """Why nobody is called although the connection fails."""

    NO_NUMBER = "no_number"
    NO_CONSENT = "no_consent"
    REFUSED = "refused"
    CALLS_USED = "calls_used"
    NOT_REACHED = "not_reached"  # the last call failed in a way that calling again does not mend
    TOO_MANY_PHONES = "too_many_phones"


class ActorKind(StrEnum):
    """Who stands behind an event."""

    SEAT = "seat"
    DESK = "desk"
    PRACTICE = "practice"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something; ``id`` is a seat id for seats and an opaque id for everyone else."""

    kind: ActorKind
    id: str = ""
    device: DeviceId = ""


SYSTEM = Actor(ActorKind.SYSTEM)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A named instant that a state waits for; sent back as ``DeadlinePassed`` when it comes."""

    name: str
    at: float


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
class Consent:
    """That a number may be called: when it was said, to which words, and who wrote it down.

    ``wording`` is the version of the text that was agreed to, ``language`` the one it was read in.
    """

    at: float
    wording: str
    language: str = ""
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """One number that may be called for a seat, in E.164.

    ``id`` names it towards staff, who never see it whole. ``contact`` marks somebody else's
    telephone (an emergency contact): staff speak with it first, always.
    """

    id: str
    number: str
    label: str = ""
    consent: Consent | None = None
    contact: bool = False
    relay: bool = False  # a relay operator answers and needs longer at the gate


OWN_NUMBER = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhonePlan:
    """Whom to call if the seat's video fails.

    ``same_device`` means that the browser runs on the telephone that would be called. ``only``
    means that the seat has no browser at all; ``at_start`` that it is then called at the
    appointment rather than when it is admitted. ``refused`` is "9", or a withdrawn consent.
    """

    numbers: tuple[PhoneNumber, ...] = ()
    same_device: bool = False
    only: bool = False
    at_start: bool = False
    refused: bool = False
    tried_at: float | None = None  # "Ring me now" was answered and confirmed

    def number(self, number_id: str) -> PhoneNumber | None:
        """The number with this id, if the seat has one."""
        return next((n for n in self.numbers if n.id == number_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One attempt to reach a seat by telephone. ``id`` is unguessable and never used again."""

    id: CallId
    number: str  # the id of a ``PhoneNumber`` of the seat
    purpose: CallPurpose
    placed_at: float
    answered_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A call that is over and did not end as it should."""

    at: float
    number: str
    why: CallFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How a seat's sound reaches the visit: the state of ``fallback`` and what it remembers."""

    state: Fallback = Fallback.GOOD
    since: float | None = None  # when the state last changed
    deadline: Deadline | None = None
    sound: Sound = Sound.FINE
    silent_since: float | None = None
    page_left_at: float | None = None  # the page said goodbye: closed, or about to be reloaded
    page_hidden: bool = False
    call: Call | None = None
    attempts: tuple[Attempt, ...] = ()
    calls_placed: int = 0  # by the server's own decision
    stuck: Stuck | None = None
    setbacks: int = 0  # hand-backs that did not last; each doubles the patience of the next
    kept: bool = False  # stays on the telephone until somebody says otherwise
    greeter: SeatId = ""  # the member of staff who speaks alone with the telephone
    joined: bool = False  # the three seconds after the announcement are over
    voice_confirmed: bool = False
    returning: bool = False  # telephone and browser are both heard while one gives way


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


class Prompt(StrEnum):
    """What is said to a telephone, in the seat's language."""

    GATE = "gate"  # who calls, and which keys do what; repeated until somebody decides
    TRIAL = "trial"
    TRIAL_DONE = "trial_done"
    JOINED = "joined"
    FIRST_IN_LINE = "first_in_line"
    HAND_BACK = "hand_back"
    GOODBYE = "goodbye"


@dataclass(frozen=True, slots=True, order=True)
class PhoneEnd:
    """An answered telephone in a visit: what it hears, and who hears it.

    ``hears`` are the seats mixed for it, by browser or telephone, whichever carries them now;
    ``talks`` whether anybody may hear it (who does is in the links' ``voice``). ``prompt`` is said
    to it over and over, or not at all. ``fading`` means that it gives way to the browser.
    ``listens_for_echo`` asks to be told when browser and telephone pick up the same speech.
    """

    seat: SeatId
    call: CallId
    language: str = ""
    hears: tuple[SeatId, ...] = ()
    talks: bool = False
    prompt: Prompt | None = None
    fading: bool = False
    listens_for_echo: bool = False


INSIDE = frozenset({Admission.ADMITTED, Admission.PRESENT, Admission.AWAY})
BARRED = frozenset({Admission.DENIED, Admission.REMOVED})
RUNNING = frozenset({Stage.OPEN, Stage.IN_PROGRESS, Stage.INTERRUPTED})
OVER = frozenset({Stage.ENDED, Stage.CANCELLED})
CALLING = frozenset({Fallback.DIALING, Fallback.RINGING})
ON_PHONE = frozenset({Fallback.BRIDGED, Fallback.RECOVERING})
