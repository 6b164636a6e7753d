"""The nouns of the telephone: whom to call, what a call is, how somebody is connected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rooms.basics import Actor, CallId, Deadline, SeatId


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
    LIMITED = "limited"  # as many calls as one number or practice may get in a day
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
    STOPPED = "stopped"  # somebody said not to call


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
    heard: bool = False  # since coming in; until then ``sound`` is a hope
    silent_since: float | None = None
    page_left_at: float | None = None  # the page said goodbye: closed, or about to be reloaded
    page_back_at: float | None = None  # connected again, or in front again
    page_hidden: bool = False
    call: Call | None = None
    attempts: tuple[Attempt, ...] = ()
    calls: int = 0  # placed so far
    calls_by_hand: int = 0  # of those, by somebody's order
    stuck: Stuck | None = None
    setbacks: int = 0  # hand-backs that did not last; each doubles the patience of the next
    kept: bool = False  # stays on the telephone until somebody says otherwise
    greeter: SeatId = ""  # the member of staff who speaks alone with the telephone
    asked_again: int = 0  # wrong keys at the gate: each has the announcement begin anew
    joined: bool = False  # the three seconds after the announcement are over
    voice_confirmed: bool = False
    returning: bool = False  # telephone and browser are both heard while one gives way


class Prompt(StrEnum):
    """What is said to a telephone, in the seat's language."""

    GATE = "gate"  # who calls, and which keys do what
    CONNECTING = "connecting"  # let in; sound follows
    TRIAL = "trial"  # "Ring me now": press 1 if you hear this
    TRIAL_DONE = "trial_done"
    JOINED = "joined"  # to the telephones that are there already: another one joins
    FIRST_IN_LINE = "first_in_line"  # no clinician is there yet
    HAND_BACK = "hand_back"  # the video is good again; "2" moves the sound
    INTERRUPTED = "interrupted"  # its server is being restarted; another one calls at once
    GOODBYE = "goodbye"


REPEATED = frozenset({Prompt.GATE, Prompt.TRIAL, Prompt.FIRST_IN_LINE})


@dataclass(frozen=True, slots=True, order=True)
class PhoneEnd:
    """An answered telephone in a visit: what it hears, and who hears it.

    ``hears`` are the seats whose browser's sound is mixed for it, ``hears_phones`` those whose
    telephone is. ``talks`` says whether anybody may hear it (who, is in the links' ``voice``).
    ``prompt`` is said to it: over and over if it is one of ``REPEATED``, otherwise once, and anew
    when ``asked_again`` grows. ``fading`` means that it gives way to the browser.
    ``compares`` asks to be told when browser and telephone pick up the same speech.
    """

    seat: SeatId
    call: CallId
    language: str = ""
    hears: tuple[SeatId, ...] = ()
    hears_phones: tuple[SeatId, ...] = ()
    talks: bool = False
    prompt: Prompt | None = None
    asked_again: int = 0
    fading: bool = False
    compares: bool = False


CALLING = frozenset({Fallback.DIALING, Fallback.RINGING})
ON_PHONE = frozenset({Fallback.BRIDGED, Fallback.RECOVERING})
