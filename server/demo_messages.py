"""What passes between a telephone that is a page and the server: JSON, one object per frame."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from media.ports import Connection, LegState
from server.errors import PayloadInvalid
from server.messages import MediaAnswer, Payload
from server.strict_json import parse_object

# -- from the page --------------------


class Answer(Payload):
    """Picks up."""

    type: Literal["answer"]


class Decline(Payload):
    """Does not want this call."""

    type: Literal["decline"]


class HangUp(Payload):
    """Ends the call."""

    type: Literal["hang_up"]


class Press(Payload):
    """Presses a key."""

    type: Literal["press"]
    key: Annotated[str, Field(pattern=r"^[0-9*#]$")]


class SwitchVoicemail(Payload):
    """Whether voicemail picks up what nobody answers."""

    type: Literal["voicemail"]
    on: bool


class SdpAnswer(MediaAnswer):
    """The browser's answer to ``media:offer``."""

    type: Literal["media:answer"]


class Restart(Payload):
    """The page's connections have failed."""

    type: Literal["media:restart"]


Deed: TypeAlias = Answer | Decline | HangUp | Press | SwitchVoicemail | SdpAnswer | Restart
_DEED: TypeAdapter[Deed] = TypeAdapter(Annotated[Deed, Field(discriminator="type")])


def parse_deed(text: str) -> Deed:
    """What the page did. Raises ``PayloadInvalid``."""
    try:
        return _DEED.validate_python(parse_object(text))
    except (ValidationError, ValueError):
        raise PayloadInvalid from None


# -- to the page --------------------


class PhoneChanged(BaseModel):
    """The whole telephone, whenever anything about it changes. ``caller`` may be empty."""

    type: Literal["phone:changed"] = "phone:changed"
    state: Literal["idle", "ringing", "talking"]
    caller: str
    number: str
    voicemail: bool


class MediaOffer(BaseModel):
    """An offer for one of the page's peer connections, as in a visit."""

    type: Literal["media:offer"] = "media:offer"
    peer: str
    connection: Connection
    number: int
    sdp: str


class MediaChanged(BaseModel):
    """What became of the page's connections."""

    type: Literal["media:state"] = "media:state"
    state: LegState


class Taken(BaseModel):
    """Another page has the telephone now; this one hears no more."""

    type: Literal["taken"] = "taken"


News: TypeAlias = PhoneChanged | MediaOffer | MediaChanged | Taken
