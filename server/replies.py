"""Everything that goes out by a door, as models: replies of REST, and signals to pages."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter

from rooms.line_view import LineReport
from rooms.model import Admission, Fallback, Need, Prompt, Role, Stage
from rooms.view import View, Waiting


class SeatLink(BaseModel):
    """A seat and its link, which is told this once."""

    seat: str
    role: Role
    link: str


class CreatedVisit(BaseModel):
    """A new visit and its links."""

    visit: str
    seats: list[SeatLink]


class Recording(BaseModel):
    """A practice's own recording of one announcement, in one language."""

    prompt: Prompt
    language: str


class Spoken(BaseModel):
    """The words of one announcement, in one language, where the practice has not recorded it."""

    prompt: Prompt
    language: str
    text: str


class Announcements(BaseModel):
    """How telephones are spoken to in a practice's name."""

    spoken_name: str
    call_back: str
    recordings: list[Recording]
    spoken: list[Spoken]


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
    fallback: Fallback


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
    fields: list[str] = []
    retry_after: float = 0.0
    practice_name: str = ""
    practice_phone: str = ""
    host: str = ""
    starts_at: float = 0.0
    opens_at: float = 0.0
    moved_from: float | None = None


class SignalError(BaseModel):
    """Why a signal was refused."""

    code: str
    title: str
    fields: list[str] = []
    retry_after: float = 0.0


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
    calls_people: bool


def snapshot(
    view: View, session: str, practice: PracticeCard, now: float, *, calls_people: bool
) -> dict[str, Any]:
    """The view as it goes over the wire to the page of this session.

    ``calls_people`` is false on a server without any carrier: nobody need be asked for a number.
    """
    whole = {field.name: getattr(view, field.name) for field in fields(view)}
    wire = Snapshot(**whole, practice=practice, session=session, now=now, calls_people=calls_people)
    return _SNAPSHOT.dump_python(wire, mode="json")  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSeat:
    """One seat on a desk's list."""

    seat: str
    role: Role
    name: str
    admission: Admission
    connected: bool
    line: LineReport


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
    more: int  # visits of the day that are not among them


def desk_snapshot(
    practice: PracticeCard, now: float, visits: tuple[DeskVisit, ...], more: int = 0
) -> dict[str, Any]:
    """The practice's day as it goes over the wire to a desk."""
    wire = DeskSnapshot(practice=practice, now=now, visits=visits, more=more)
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


class AddressTold(BaseModel):
    """Where the practice believes the person to be, for sending help; empty if it does not know."""

    address: str


class Renewal(BaseModel):
    """A fresh token for the same session."""

    token: str
    expires_in: int


class InvitationMade(BaseModel):
    """A new seat and its link, which is told this once."""

    seat: str
    link: str


_SNAPSHOT: TypeAdapter[Snapshot] = TypeAdapter(Snapshot)
_DESK: TypeAdapter[DeskSnapshot] = TypeAdapter(DeskSnapshot)
