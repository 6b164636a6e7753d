"""What the outside must now do, named as orders. Doing one twice does no harm."""

from __future__ import annotations

from dataclasses import dataclass

from rooms.model import DeviceId, SeatId


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
