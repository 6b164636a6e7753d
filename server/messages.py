"""Everything that crosses a door, as models: parsed once here, never looked into again.

Unknown fields are ignored in requests (an old page may meet a new server), and none of them names
its sender: who somebody is comes from their token.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from rooms.model import Admission, Need, Role, Stage
from rooms.policy import EdgePolicy, Policy
from rooms.view import View, Waiting
from server.errors import PayloadInvalid

_P, _E = Policy(), EdgePolicy()


def _words(value: Any) -> Any:
    """Text as people meant it: no control or direction-changing characters, no outer spaces."""
    if not isinstance(value, str):
        return value
    return "".join(c for c in value if c.isprintable() or c == "\n").strip()


Name = Annotated[str, BeforeValidator(_words), Field(max_length=_P.max_name)]
Words = Annotated[str, BeforeValidator(_words), Field(min_length=1, max_length=_P.max_notice)]
Id = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]
OptionalId = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9_-]*$")]
Language = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z0-9-]*$")]  # BCP 47
ExternalId = Annotated[str, BeforeValidator(_words), Field(max_length=200)]
LAST_INSTANT = 253_402_300_799.0  # the end of the year 9999, the last that calendars can show
Instant = Annotated[float, Field(ge=0, le=LAST_INSTANT, allow_inf_nan=False)]


class Payload(BaseModel):
    """Something that came from outside."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=False)


class Nothing(Payload):
    """A signal that says all by its name."""


# -- signals of a seat --------------------


class Knock(Payload):
    """Asks to come in."""

    name: Name = ""
    language: Language = ""


class MediaSwitch(Payload):
    """What the server may forward of me."""

    microphone: bool
    camera: bool


class MediaAnswer(Payload):
    """The browser's answer to ``media:offer``."""

    peer: Id
    number: Annotated[int, Field(ge=0, le=2**31)]
    sdp: str


class OfSeat(Payload):
    """A command about one seat."""

    seat: Id


class OfDevice(OfSeat):
    """A command about one seat, or about one device that waits there."""

    device: OptionalId = ""


class Message(OfSeat):
    """Words from the clinic to somebody who waits."""

    text: Words


class Invitation(Payload):
    """A new seat."""

    role: Role
    name: Name = ""
    language: Language = ""
    relationship: Name = ""


# -- signals of a desk --------------------


class OfVisitSeat(OfSeat):
    """A desk's command about one seat of one of the practice's visits."""

    visit: Id


class OfVisitDevice(OfDevice):
    """A desk's command about one seat or device of one of the practice's visits."""

    visit: Id


class VisitMessage(Message):
    """Words from the desk to somebody who waits."""

    visit: Id


# -- REST --------------------


class LinkCode(Payload):
    """The secret of a link."""

    code: Annotated[str, Field(max_length=200)]


class DeviceChoice(Payload):
    """Which device a command is about; empty: the seat itself, or the only device that waits."""

    device: OptionalId = ""


class MessageText(Payload):
    """Words from the clinic."""

    text: Words


class NewSeat(Invitation):
    """A seat of a new visit, or one more."""

    external_ids: dict[ExternalId, ExternalId] = Field(default_factory=dict, max_length=20)
    needs: frozenset[Need] = frozenset()


class Times(Payload):
    """When a visit begins and ends, in seconds since the epoch (UTC)."""

    starts_at: Instant
    ends_at: Instant


class NewVisit(Times):
    """A visit to be created."""

    host: Name = ""
    external_ids: dict[ExternalId, ExternalId] = Field(default_factory=dict, max_length=20)
    seats: Annotated[tuple[NewSeat, ...], Field(min_length=1, max_length=_P.max_seats)]


class SeatLink(BaseModel):
    """A seat and its link, which is told this once."""

    seat: str
    role: Role
    link: str


class CreatedVisit(BaseModel):
    """A new visit and its links."""

    visit: str
    seats: list[SeatLink]


class DeskMade(BaseModel):
    """A desk and its link, which is told this once."""

    desk: str
    link: str


class LinkMade(BaseModel):
    """A link, which is told this once."""

    link: str


class SeatState(BaseModel):
    """One seat as the practice's systems see it."""

    seat: str
    role: Role
    name: str
    relationship: str
    language: str
    external_ids: dict[str, str]
    needs: list[Need]
    admission: Admission
    connected: bool


class VisitState(BaseModel):
    """A visit as the practice's systems see it."""

    visit: str
    stage: Stage
    host: str
    starts_at: float
    ends_at: float
    ended_at: float | None
    end_reason: str | None
    external_ids: dict[str, str]
    seats: list[SeatState]


class VisitList(BaseModel):
    """Visits by their start."""

    visits: list[VisitState]


class Minutes(BaseModel):
    """How long somebody was there, by the way they were there."""

    video: float
    sound: float
    phone: float


class SeatSummary(BaseModel):
    """One person's part of a visit."""

    seat: str
    role: Role
    name: str
    external_ids: dict[str, str]
    first_in: float | None
    last_out: float | None
    minutes: Minutes


class VisitSummary(BaseModel):
    """Who, when and how long."""

    visit: str
    stage: Stage
    starts_at: float
    ended_at: float | None
    end_reason: str | None
    external_ids: dict[str, str]
    seats: list[SeatSummary]


class EventEntry(BaseModel):
    """One entry of the practice's log: ids, a type and an outcome."""

    cursor: int
    at: float
    type: str
    visit: str
    seat: str
    actor_kind: str
    actor: str
    outcome: str


class EventPage(BaseModel):
    """Entries in order; ask again with ``after=next``."""

    events: list[EventEntry]
    next: int


class Problem(BaseModel):
    """An error (RFC 9457) with Bedside's stable ``code``."""

    type: str
    title: str
    status: int
    code: str
    fields: list[str] | None = None
    retry_after: float | None = None
    practice_name: str | None = None
    practice_phone: str | None = None
    host: str | None = None
    starts_at: float | None = None
    opens_at: float | None = None
    moved_from: float | None = None


class SignalError(BaseModel):
    """Why a signal was refused."""

    code: str
    title: str
    fields: list[str] | None = None
    retry_after: float | None = None


class Health(BaseModel):
    """Whether the process, or the process with its store, works."""

    status: Literal["ok", "unavailable"]


# -- what the server tells pages --------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeCard:
    """What people may be told of the practice."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(View):
    """``visit:changed``: everything one page is told about the visit, whole."""

    practice: PracticeCard
    session: str
    now: float


def snapshot(view: View, session: str, practice: PracticeCard, now: float) -> dict[str, Any]:
    """The view as it goes over the wire to the page of this session."""
    whole = {field.name: getattr(view, field.name) for field in fields(view)}
    wire = Snapshot(**whole, practice=practice, session=session, now=now)
    return _SNAPSHOT.dump_python(wire, mode="json")  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSeat:
    """One seat on a desk's list."""

    seat: str
    role: Role
    name: str
    admission: Admission
    connected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskVisit:
    """One visit on a desk's list."""

    visit: str
    host: str
    stage: Stage
    starts_at: float
    ends_at: float
    seats: tuple[DeskSeat, ...]
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSnapshot:
    """``desk:changed``: the practice's day, whole."""

    practice: PracticeCard
    now: float
    visits: tuple[DeskVisit, ...]


def desk_snapshot(
    practice: PracticeCard, now: float, visits: tuple[DeskVisit, ...]
) -> dict[str, Any]:
    """The practice's day as it goes over the wire to a desk."""
    wire = DeskSnapshot(practice=practice, now=now, visits=visits)
    return _DESK.dump_python(wire, mode="json")  # type: ignore[no-any-return]


class MediaOffer(BaseModel):
    """``media:offer``: an SDP offer for one of the page's two peer connections."""

    peer: str
    connection: Literal["send", "receive"]
    number: int
    sdp: str


class MediaState(BaseModel):
    """``media:state``: whether the server has this page's media."""

    state: Literal["connected", "lost"]


EndCode = Literal[
    "device_refused",
    "device_replaced",
    "left",
    "link_unknown",
    "seat_denied",
    "seat_removed",
    "session_replaced",
    "token_expired",
    "visit_cancelled",
    "visit_early",
    "visit_ended",
    "visit_expired",
    "visit_moved",
]


class SessionOver(BaseModel):
    """``session:ended``: why the server closes this session."""

    code: EndCode


class IceServer(BaseModel):
    """One entry of RTCConfiguration.iceServers."""

    urls: list[str]
    username: str = ""
    credential: str = ""


class SessionReply(BaseModel):
    """What opening a link gives a browser."""

    session: str
    token: str
    expires_in: int
    seat: str
    role: Role
    view: Snapshot
    signal_url: str
    ice_servers: list[IceServer]


class DeskReply(BaseModel):
    """What opening a desk link gives a browser."""

    desk: str
    token: str
    expires_in: int
    signal_url: str


class Renewal(BaseModel):
    """A fresh token for the same session."""

    token: str
    expires_in: int


class InvitationMade(BaseModel):
    """A new seat and its link, which is told this once."""

    seat: str
    link: str


P = TypeVar("P", bound=Payload)


def parse(model: type[P], data: Any) -> P:
    """``data`` as ``model``. Raises ``PayloadInvalid`` that names fields and repeats no value."""
    try:
        return model.model_validate({} if data is None else data)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        places = {".".join(str(part) for part in problem["loc"]) for problem in problems}
        raise PayloadInvalid(tuple(sorted(places))) from None


def query_number(name: str, text: str | None, default: float) -> float:
    """A number from a query string. Raises ``PayloadInvalid``."""
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        raise PayloadInvalid((name,)) from None
    if not 0 <= number <= LAST_INSTANT:
        raise PayloadInvalid((name,))
    return number


_SNAPSHOT: TypeAdapter[Snapshot] = TypeAdapter(Snapshot)
_DESK: TypeAdapter[DeskSnapshot] = TypeAdapter(DeskSnapshot)
