"""What the outside must now do, named as orders. Doing one twice does no harm."""

from __future__ import annotations

from dataclasses import dataclass

from rooms.model import CallId, DeviceId, Prompt, SeatId


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Something to be done outside, after the save."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession(Effect):
    """End the browser sessions of this seat, with their media, and tell the page why.

    An empty ``device`` means every device of the seat.
    """

    seat: SeatId
    code: str
    device: DeviceId = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceCall(Effect):
    """Call the number that the seat's current call names, if that call is still this one."""

    seat: SeatId
    call: CallId


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCall(Effect):
    """Stop this call, whatever has become of it, after saying ``farewell`` to an open line."""

    seat: SeatId
    call: CallId
    farewell: Prompt | None = None
    language: str = ""
