"""What every noun of a visit is made of: ids, actors, deadlines.

Times are seconds since the Unix epoch (UTC) as ``float``; durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

VisitId: TypeAlias = str
SeatId: TypeAlias = str
DeviceId: TypeAlias = str
CallId: TypeAlias = str


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
