"""What a keeper is told of its visits' home: whether it decides, and what it must not forget.

One node alone decides about everything and need remember nothing: its store forgets nothing.
"""

from __future__ import annotations

from typing import Protocol

from rooms.events import Event
from rooms.model import Visit, VisitId
from server.store import Stored


class Home(Protocol):
    """One node's memory of the visits that it decides about."""

    def decides_about(self, visit: VisitId) -> bool:
        """Whether this node owns the visit."""

    def keeps(self, visit: VisitId) -> bool:
        """The same, or it is just taking it up."""

    def known(self, visit: VisitId) -> Stored | None:
        """The last that was saved or loaded here."""

    def shown(self, visit: VisitId) -> Visit | None:
        """The same, removals included that could not be stored."""

    def remember(self, stored: Stored) -> None:
        """This is what the store has."""

    def held(self, visit: VisitId) -> tuple[Event, ...]:
        """What was decided without the store and is to be stored yet."""

    def hold(self, visit: Visit, event: Event) -> None:
        """Remember a removal that could not be stored, and the visit after it."""

    def settled(self, visit: VisitId) -> None:
        """What was held is stored."""

    async def reassert(self, known: Stored) -> None:
        """The store has lost what it had confirmed: write it again. Raises ``NotOwner``."""

    def lost(self, visit: VisitId) -> None:
        """Another node decides about this visit."""


class OnlyHome:
    """The home of a node that has no others."""

    def decides_about(self, _visit: VisitId) -> bool:
        return True

    def keeps(self, _visit: VisitId) -> bool:
        return True

    def known(self, _visit: VisitId) -> Stored | None:
        return None

    def shown(self, _visit: VisitId) -> Visit | None:
        return None

    def remember(self, _stored: Stored) -> None: ...

    def held(self, _visit: VisitId) -> tuple[Event, ...]:
        return ()

    def hold(self, _visit: Visit, _event: Event) -> None: ...

    def settled(self, _visit: VisitId) -> None: ...

    async def reassert(self, _known: Stored) -> None: ...

    def lost(self, _visit: VisitId) -> None: ...
