"""Everything that comes in by a door, as models: parsed once here, never looked into again.

Unknown fields are ignored in requests (an old page may meet a new server), and none of them names
its sender: who somebody is comes from their token.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
)

from rooms.model import Need, Role
from rooms.policy import EdgePolicy, Policy
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


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)]


class MediaHeard(Payload):
    """How the page heard the others in the last second (W3C webrtc-stats).

    ``concealed`` is the share of samples that were made up, silence aside; ``buffer`` the mean
    delay of the jitter buffer and ``round_trip`` the time to the server and back, in seconds.
    """

    concealed: Share
    buffer: Seconds
    round_trip: Seconds | None = None


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


# -- the telephone --------------------

Digits = Annotated[str, BeforeValidator(_words), Field(max_length=40)]
Wording = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9._-]*$")]


class PhonePlan(Payload):
    """Whom to call if my video fails; empty ``number``: the one that the practice has.

    ``wording`` is the version of the text that the person agreed to.
    """

    number: Digits = ""
    same_device: bool = False
    wording: Annotated[Wording, Field(min_length=1)]
    language: Language = ""


class OfNumber(OfSeat):
    """A command about one of a seat's numbers; empty: the person's own."""

    number: OptionalId = ""


class NewNumber(Payload):
    """A number that may be called for a seat.

    ``wording`` is the version of the text that somebody agreed to, on paper or by word of mouth;
    without it the number is kept and not called. ``contact``: somebody else's telephone, with whom
    staff always speak first.
    """

    id: OptionalId = ""
    number: Annotated[Digits, Field(min_length=1)]
    label: Name = ""
    contact: bool = False
    wording: Wording = ""
    language: Language = ""


class NumberOfSeat(NewNumber, OfSeat):
    """A number of a seat, written down by staff."""


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


class OfVisitNumber(OfNumber):
    """A desk's command about one of a seat's numbers."""

    visit: Id


class VisitNumber(NumberOfSeat):
    """A number of a seat, written down at the desk."""

    visit: Id


# -- REST --------------------


class Goodbye(Payload):
    """A page's last word, sent while it closes: the token of its session."""

    token: Annotated[str, Field(max_length=_E.token_bytes)]


class Announced(Payload):
    """How announcements name the practice, and the number to call back: its own.

    Whoever answers a telephone hears both.
    """

    spoken_name: Name
    call_back: Digits


class NumberChoice(Payload):
    """Which of the seat's numbers; empty: the person's own."""

    number: OptionalId = ""


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
    numbers: tuple[NewNumber, ...] = Field(default=(), max_length=_P.max_numbers)
    by_phone_only: bool = False
    call_at_start: bool = False
    address: Words | None = None

    @field_serializer("needs")
    def _in_order(self, needs: frozenset[Need]) -> list[Need]:
        return sorted(needs)  # the same request reads the same, whichever process reads it


class Times(Payload):
    """When a visit begins and ends, in seconds since the epoch (UTC)."""

    starts_at: Instant
    ends_at: Instant


class NewVisit(Times):
    """A visit to be created."""

    host: Name = ""
    external_ids: dict[ExternalId, ExternalId] = Field(default_factory=dict, max_length=20)
    seats: Annotated[tuple[NewSeat, ...], Field(min_length=1, max_length=_P.max_seats)]


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
