"""Every call of a node: places it with a carrier that can, and says once and in order what becomes.

A call that its carrier cannot place (``CARRIER_DOWN``) or that a network refuses (``BLOCKED``) is
tried with the next carrier, unless the telephone has rung: nobody is rung twice for one call. The
first attempt has the call's own id, the others ``<id>/2``, ``<id>/3`` …, so that each is unique for
all time and what a carrier derives from it is too. Nobody outside hears of attempts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import structlog

from media.phone.carrier import (
    CallListener,
    CallRequest,
    CallState,
    Carrier,
    Ending,
    PhoneLine,
    Progress,
)
from media.phone.farewell import say
from media.phone.former_calls import CallBook, end_former_calls
from media.phone.routing import Pace, Route, Routes
from media.phone.sound_files import Sound
from media.tasks import Tasks
from rooms.model import CallFailure, CallId
from rooms.policy import SwitchboardPolicy

log = structlog.get_logger(__name__)

_ORDER = tuple(CallState)  # a call only ever moves on
_ANOTHER_MAY = frozenset({CallFailure.CARRIER_DOWN, CallFailure.BLOCKED})


@dataclass(slots=True, eq=False)
class _Call:
    request: CallRequest
    carriers: Iterator[tuple[Carrier, Pace]]  # those not tried yet
    after: asyncio.Event | None  # the end of an unwanted call to the same number
    over: asyncio.Event = field(default_factory=asyncio.Event)
    state: CallState = CallState.DIALING
    attempt: CallId = ""
    attempts: int = 0
    carrier: Carrier | None = None  # whoever has the call now; None before, and between two
    failure: CallFailure = CallFailure.CARRIER_DOWN  # if nobody is left to try
    unwanted: bool = False  # we ended it, and its carrier may not be done with that
    trying: asyncio.Task[None] | None = None


class Switchboard:
    """All carriers and all calls of a node. Is the listener of its carriers.

    A call that is ended before it was answered is over ``BY_US``, whatever its carrier calls it.
    """

    def __init__(self, routes: Sequence[Route], book: CallBook, policy: SwitchboardPolicy) -> None:
        self._routes = Routes(routes, policy.calls_per_second)
        self._book = book
        self._policy = policy
        self._listener: CallListener | None = None
        self._open = False
        self._calls: dict[CallId, _Call] = {}
        self._attempts: dict[CallId, _Call] = {}
        self._recovered = asyncio.Event()
        self._tasks = Tasks()

    async def start(self, listener: CallListener) -> None:
        """Open every carrier, and begin to end the calls of a former process.

        New calls may be placed at once; they wait until that is done. Raises ``OSError`` if a
        carrier cannot be opened; then none is.
        """
        try:
            for carrier in self._routes.carriers.values():
                await carrier.start(self, self._book)
        except OSError:
            await self.close()
            raise
        self._listener = listener
        self._open = True
        self._tasks.start(self._recover())

    def reaches(self, number: str) -> bool:
        """Whether any carrier may call this number (E.164)."""
        return any(True for _ in self._routes.to(number))

    def place(self, request: CallRequest) -> None:
        """Begin a call; the listener is told the rest, ``OVER`` exactly once and last.

        The same request again changes nothing while the call lives. A number that is being called
        already is ``BUSY``: it is one telephone, whoever else wants it. Where no carrier may call
        it is ``BAD_NUMBER``; when all lines are taken, or there is no carrier, ``CARRIER_DOWN``.
        """
        if request.id in self._calls:
            return
        before = [c for c in self._calls.values() if c.request.number == request.number]
        failure = self._refusal(request, before)
        if failure is not None:
            self._tell(Progress(call=request.id, state=CallState.OVER, failure=failure))
            return
        after = before[0].over if before else None
        call = _Call(request, self._routes.to(request.number), after)
        self._calls[request.id] = call
        call.trying = self._tasks.start(self._try(call))

    async def end(self, call_id: CallId, farewell: Sound | None = None) -> None:
        """Cancel or hang up, whatever the call's state; unknown calls are ignored. Idempotent.

        An answered call hears the ``farewell`` (mono, 8 kHz) first; nobody waits for that here.
        """
        call = self._calls.get(call_id)
        if call is None:
            return
        again, call.unwanted = call.unwanted, True
        if call.carrier is None:
            self._withdraw(call)
        elif farewell is None or call.state is not CallState.ANSWERED:
            await call.carrier.end(call.attempt)
        elif not again:
            self._tasks.start(self._part(call.carrier, call.attempt, farewell))

    async def end_former(self, book: CallBook) -> None:
        """End the calls of another switchboard that is no more, by its book. Never raises."""
        await end_former_calls(self._routes.carriers, book, self._policy.abandon_within)

    def line(self, call_id: CallId) -> PhoneLine | None:
        """The sound of an answered call; None before the answer, and once it is to end."""
        call = self._calls.get(call_id)
        if call is None or call.carrier is None or call.unwanted:
            return None
        return call.carrier.line(call.attempt)

    async def close(self) -> None:
        """End every call and close the carriers, within ``close_within``; idempotent."""
        self._open = False
        for call in list(self._calls.values()):
            call.unwanted = True
            if call.carrier is None:
                self._withdraw(call)
        await asyncio.gather(*(self._close(c) for c in self._routes.carriers.values()))
        await self._tasks.close()
        for call in list(self._calls.values()):
            self._over(call, ending=Ending.BY_US)

    # What carriers tell

    def progressed(self, progress: Progress) -> None:
        """An attempt has moved on; what comes late, twice or out of order is not passed on."""
        call = self._attempts.get(progress.call)
        if call is None:
            return
        if progress.state is CallState.OVER:
            self._attempt_over(call, progress)
        elif _ORDER.index(progress.state) > _ORDER.index(call.state):
            call.state = progress.state
            self._tell(replace(progress, call=call.request.id))

    def pressed(self, call: CallId, digit: str) -> None:
        """A key was pressed; before the answer that is an echo of the network, not a person."""
        found = self._attempts.get(call)
        if found is not None and found.state is CallState.ANSWERED and self._listener is not None:
            self._listener.pressed(found.request.id, digit)

    def called(self, carrier: str) -> CallFailure:
        """Somebody calls in; whoever listens decides."""
        return self._listener.called(carrier) if self._listener else CallFailure.CARRIER_DOWN

    async def _recover(self) -> None:
        await end_former_calls(self._routes.carriers, self._book, self._policy.abandon_within)
        self._recovered.set()

    def _refusal(self, request: CallRequest, before: list[_Call]) -> CallFailure | None:
        full = len(self._calls) >= self._policy.lines_per_node
        if not self._open or full or not self._routes.carriers:
            return CallFailure.CARRIER_DOWN
        if not self.reaches(request.number):
            return CallFailure.BAD_NUMBER
        if any(not call.unwanted for call in before):
            return CallFailure.BUSY
        return None

    async def _try(self, call: _Call) -> None:
        """Hand the call to the next carrier that is there, in its turn."""
        await self._recovered.wait()
        if call.after is not None:
            await call.after.wait()
        for carrier, pace in call.carriers:
            if carrier.healthy:
                await pace.turn()
            if carrier.healthy:  # still
                await self._dial(call, carrier)
                return
        self._over(call, call.failure)

    async def _dial(self, call: _Call, carrier: Carrier) -> None:
        call.attempts += 1
        call.attempt = _attempt_id(call)
        call.carrier = carrier
        self._attempts[call.attempt] = call
        attempt = replace(call.request, id=call.attempt)
        try:
            await carrier.dial(attempt)
        except Exception as error:
            log.error("carrier_failed", carrier=carrier.name, error=type(error).__name__)
            down = CallFailure.CARRIER_DOWN
            self.progressed(Progress(call=attempt.id, state=CallState.OVER, failure=down))
        if call.unwanted and attempt.id in self._attempts:
            await carrier.end(attempt.id)  # it may not have known the call when it was asked to

    async def _part(self, carrier: Carrier, attempt: CallId, farewell: Sound) -> None:
        try:
            await say(lambda: carrier.line(attempt), farewell, self._policy)
        except Exception as error:
            log.error("farewell_not_said", carrier=carrier.name, error=type(error).__name__)
        finally:
            await carrier.end(attempt)

    def _attempt_over(self, call: _Call, progress: Progress) -> None:
        del self._attempts[call.attempt]
        call.carrier = None
        if call.unwanted and call.state is not CallState.ANSWERED:
            self._over(call, ending=Ending.BY_US)
        elif call.state is not CallState.DIALING or progress.failure not in _ANOTHER_MAY:
            self._over(call, progress.failure, progress.ending)
        else:
            log.info("call_tried_elsewhere", reason=progress.failure.value)
            call.failure = progress.failure
            call.trying = self._tasks.start(self._try(call))

    def _withdraw(self, call: _Call) -> None:
        """End a call that no carrier has."""
        if call.trying is not None:
            call.trying.cancel()
        self._over(call, ending=Ending.BY_US)

    def _over(
        self, call: _Call, failure: CallFailure | None = None, ending: Ending | None = None
    ) -> None:
        del self._calls[call.request.id]
        self._attempts.pop(call.attempt, None)
        call.over.set()
        over = CallState.OVER
        self._tell(Progress(call=call.request.id, state=over, failure=failure, ending=ending))

    def _tell(self, progress: Progress) -> None:
        if self._listener is not None:
            self._listener.progressed(progress)

    async def _close(self, carrier: Carrier) -> None:
        try:
            await asyncio.wait_for(carrier.close(), self._policy.close_within)
        except Exception as error:
            log.error("carrier_not_closed", carrier=carrier.name, error=type(error).__name__)


def _attempt_id(call: _Call) -> CallId:
    return call.request.id if call.attempts == 1 else f"{call.request.id}/{call.attempts}"
