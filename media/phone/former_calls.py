"""What a former process left behind: its calls are ended before new ones are placed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from media.phone.carrier import Carrier, Ledger
from rooms.model import CallId

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCall:
    """What the ledger kept of one call."""

    call: CallId
    carrier: str
    state: str


class CallBook(Ledger, Protocol):
    """A ledger that can be read: at start, it holds the calls of the former process."""

    async def kept(self) -> Sequence[KeptCall]:
        """Everything that was kept and not forgotten. Raises what the store raises."""


async def end_former_calls(carriers: Mapping[str, Carrier], book: CallBook, within: float) -> None:
    """Have each carrier end what it left, all at once; returns after ``within`` seconds at most.

    Never raises: a node that cannot read its past still has to call. What could not be ended stays
    in the book for the next start.
    """
    try:
        async with asyncio.timeout(within):
            left = await book.kept()
            await asyncio.gather(*(_end(kept, carriers, book) for kept in left))
    except Exception as error:
        log.error("former_calls_not_ended", error=type(error).__name__)


async def _end(kept: KeptCall, carriers: Mapping[str, Carrier], book: CallBook) -> None:
    carrier = carriers.get(kept.carrier)
    if carrier is None:
        log.warning("former_call_of_unknown_carrier", carrier=kept.carrier)
    else:
        try:
            await carrier.abandon(kept.call, kept.state)
        except Exception as error:
            log.error("former_call_not_ended", carrier=kept.carrier, error=type(error).__name__)
            return
    await book.forget(kept.call)
