"""What only takes rights away: who may not come in, or not any more.

Such a decision may be made when others may not, and must survive when others are lost.
"""

from __future__ import annotations

from rooms.events import (
    Event,
    LinkWithdrawn,
    SeatObjected,
    SeatRevoked,
    SeatSentBack,
    SeatWasDenied,
    SeatWasRemoved,
    VisitWasCancelled,
    VisitWasEnded,
)

REDUCING: tuple[type[Event], ...] = (
    LinkWithdrawn,
    SeatObjected,
    SeatRevoked,
    SeatSentBack,
    SeatWasDenied,
    SeatWasRemoved,
    VisitWasCancelled,
    VisitWasEnded,
)


def is_reducing(event: Event) -> bool:
    """Whether nobody gains anything by this."""
    return isinstance(event, REDUCING)
