"""Which carrier may place which call, and how fast."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from media.phone.carrier import Carrier

EVERYWHERE = ("+",)


@dataclass(frozen=True, slots=True)
class Route:
    """A carrier, and where it may call: E.164 prefixes, such as ``("+1", "+52")``.

    The prefixes are for safety as much as for price: whoever gets hold of a practice's desk must
    not be able to call an island that charges by the second.
    """

    carrier: Carrier
    prefixes: tuple[str, ...] = EVERYWHERE

    def reaches(self, number: str) -> bool:
        """Whether this carrier may call the number."""
        return number.startswith(self.prefixes)


class Pace:
    """Turns at one carrier, first come, first served; whoever gives up waiting takes none."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self._next = 0.0
        self._waiting = asyncio.Lock()

    async def turn(self) -> None:
        """Wait for the next turn."""
        async with self._waiting:
            clock = asyncio.get_running_loop().time
            await asyncio.sleep(max(0.0, self._next - clock()))
            self._next = clock() + self._gap


class Routes:
    """All carriers of a node in the order in which they are tried, each with its pace.

    Raises ``ValueError`` if two carriers have one name: the ledger could not tell them apart.
    """

    def __init__(self, routes: Sequence[Route], per_second: float) -> None:
        self._routes = tuple(routes)
        self.carriers: Mapping[str, Carrier] = {r.carrier.name: r.carrier for r in routes}
        self._paces = {name: Pace(per_second) for name in self.carriers}
        if len({id(route.carrier) for route in routes}) != len(self.carriers):
            raise ValueError("two carriers have the same name")

    def to(self, number: str) -> Iterator[tuple[Carrier, Pace]]:
        """Every carrier that may call the number."""
        there = (route.carrier for route in self._routes if route.reaches(number))
        return ((carrier, self._paces[carrier.name]) for carrier in there)
