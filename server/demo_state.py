"""What a demo can show and break. On every other server it stays empty."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.impairment import Damage
from rooms.model import SeatId, VisitId

HANDSET = "handset"


@dataclass(slots=True, kw_only=True)
class DemoState:
    """The demo's visit and its seats by role, which networks are broken, what the phone does.

    ``phone`` is the name of a script of the practice carrier, or ``HANDSET``: it rings in a page.
    """

    visit: VisitId = ""
    seats: dict[str, SeatId] = field(default_factory=dict)
    number: str = ""
    damages: dict[str, Damage] = field(default_factory=dict)
    phone: str = HANDSET
