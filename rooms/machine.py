"""Runs a transition table. A transition that is not in a table does not exist.

Each machine has three literal tables over (state, event type): ``rows`` move, ``ignored`` are
harmless repeats and late echoes, ``refused`` raise the error they name. A test proves that each
pair is in exactly one. Actions set fields and order effects; they never choose the state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rooms.effects import Effect
from rooms.errors import RoomError
from rooms.events import Event
from rooms.policy import Policy

S = TypeVar("S")  # the state enumeration
T = TypeVar("T")  # the thing that carries the state
E = TypeVar("E", bound=Event)  # the machine's branch of the event tree

STAY = None

# The event is Any so that an action may name the event class that its rows use it for.
Guard = Callable[[T, Any, Policy], bool]
Action = Callable[[T, Any, float, Policy], tuple[T, tuple[Effect, ...]]]


@dataclass(frozen=True, slots=True)
class Row(Generic[S, T]):
    """If ``guard`` holds, perform ``action`` and go to ``target`` (``STAY``: remain)."""

    guard: Guard[T]
    target: S | None
    action: Action[T]


@dataclass(frozen=True, slots=True)
class Refuse(Generic[T]):
    """If ``guard`` holds, refuse with ``error``; stands among the rows of a cell."""

    guard: Guard[T]
    error: type[RoomError]


@dataclass(frozen=True, slots=True)
class Machine(Generic[S, T, E]):
    """One transition table and how its state is read from and written to the thing."""

    rows: Mapping[tuple[S, type[E]], tuple[Row[S, T] | Refuse[T], ...]]
    ignored: frozenset[tuple[S, type[E]]]
    refused: Mapping[tuple[S, type[E]], type[RoomError]]
    read: Callable[[T], S]
    write: Callable[[T, S], T]

    def step(self, thing: T, event: E, now: float, policy: Policy) -> tuple[T, tuple[Effect, ...]]:
        """The thing after ``event`` and the effects ordered. Raises the table's ``RoomError``."""
        pair = (self.read(thing), type(event))
        if pair in self.ignored:
            return thing, ()
        if pair in self.refused:
            raise self.refused[pair]()
        for row in self.rows[pair]:
            if not row.guard(thing, event, policy):
                continue
            if isinstance(row, Refuse):
                raise row.error()
            changed, effects = row.action(thing, event, now, policy)
            if row.target is not STAY:
                changed = self.write(changed, row.target)
            return changed, effects
        raise AssertionError("the last row of every cell applies")


def always(_thing: object, _event: Event, _policy: Policy) -> bool:
    """The guard of a cell's last row."""
    return True
