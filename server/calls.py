"""The telephone calls of this node: from the visit's orders to carriers, and back as events.

A visit names its calls; a carrier gets an id that is derived from that name with a secret, so that
nobody who sees a SIP message can make up another.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from media.phone.carrier import CallRequest, CallState, Ending, PhoneLine, Progress
from media.phone.prompts import Prompts
from media.phone.sound_files import Sound as Samples
from media.phone.switchboard import Switchboard
from media.phone.wording import Announcer
from rooms.effects import EndCall, PlaceCall
from rooms.events import Event
from rooms.line_events import (
    CallAnswered,
    CallOver,
    CallRang,
    KeyPressed,
    SameSpeechHeard,
    SoundChanged,
)
from rooms.model import CallFailure, CallId, PhoneEnd, Prompt, SeatId, Sound, Visit, VisitId
from rooms.policy import CallLimits, FallbackPolicy
from server.call_allowance import CallAllowance, LocalAllowance
from server.metrics import Metrics
from server.rate_limits import RateLimiter
from server.reports import Reports
from server.store import StoreUnavailable
from server.tasks import Tasks

log = structlog.get_logger(__name__)

_ENDINGS = {
    Ending.BY_PHONE: CallFailure.HUNG_UP,
    Ending.BROKEN: CallFailure.BROKEN,
    Ending.BY_US: CallFailure.HUNG_UP,
}


@dataclass(frozen=True, slots=True)
class _Known:
    """A call that the switchboard has, as the visit knows it."""

    visit: VisitId
    seat: SeatId
    call: CallId
    announcer: Announcer


class Calls:
    """Places and ends calls as visits order, and reports what becomes of them."""

    def __init__(
        self,
        switchboard: Switchboard,
        prompts: Prompts,
        reports: Reports,
        announcer: Callable[[str], Awaitable[Announcer]],
        secret: bytes,
        rules: FallbackPolicy,
        limits: CallLimits,
        metrics: Metrics,
    ) -> None:
        self.allowance: CallAllowance = LocalAllowance(limits)  # unless nodes count together
        self._switchboard = switchboard
        self._prompts = prompts
        self._reports = reports
        self._announcer = announcer
        self._secret = secret
        self._rules = rules
        self._metrics = metrics
        self._known: dict[CallId, _Known] = {}  # by the switchboard's id
        self._placing: dict[CallId, VisitId] = {}  # what is yet to be known or allowed
        self._parting: dict[CallId, asyncio.Event] = {}
        self._tasks = Tasks()
        self._keys = RateLimiter(
            limits.keys_per_second, limits.keys_burst, time.monotonic, max_keys=limits.remembered
        )

    # -- what visits order --------------------

    async def place(self, visit: Visit, order: PlaceCall) -> None:
        """Call the number that the seat's current call names, unless it is another one by now."""
        number = _ordered(visit, order)
        placed = self._placed_id(order.call)
        if number is None or placed in self._known or placed in self._placing:
            return
        self._placing[placed] = visit.id
        try:
            announcer = await self._announcer_of(visit.practice)
            allowed = await self._may_call(visit.practice, number)
        finally:
            still_ours = self._placing.pop(placed, None) is not None
        if not still_ours:
            return
        known = _Known(visit.id, order.seat, order.call, announcer)
        if not allowed:
            self._refuse(known)
            return
        self._known[placed] = known
        self._switchboard.place(
            CallRequest(id=placed, number=number, ring_for=self._rules.ring_for)
        )

    async def end(self, _visit: Visit, order: EndCall) -> None:
        """End this call, after the farewell if there is one."""
        placed = self._placed_id(order.call)
        known = self._known.get(placed)
        if known is None:
            return
        farewell: Samples | None = None
        if order.farewell is not None:
            farewell = self._prompts.frames(order.farewell, order.language, known.announcer)
        await self._switchboard.end(placed, farewell)

    def leave(self, visit: VisitId) -> None:
        """Another node looks after this visit and calls anew: end its calls, and report nothing."""
        for placed in [placed for placed, of in self._placing.items() if of == visit]:
            del self._placing[placed]
        for placed in self._of(visit):
            del self._known[placed]
            self._tasks.spawn(self._switchboard.end(placed))

    async def part(self, visit: Visit, farewell: Prompt) -> None:
        """Say this to the visit's telephones and hang up; returns when they can be called again.

        What becomes of these calls is not reported: whoever looks after the visit next calls anew.
        """
        calls = self._of(visit.id)
        await asyncio.gather(*(self._part(visit, placed, farewell) for placed in calls))

    async def _part(self, visit: Visit, placed: CallId, farewell: Prompt) -> None:
        known, free = self._known.pop(placed, None), asyncio.Event()
        if known is None:  # it was over before its turn came
            return
        self._parting[placed] = free
        seat = visit.seat(known.seat)
        language = seat.language if seat is not None else ""
        sound = self._prompts.frames(farewell, language, known.announcer)
        await self._switchboard.end(placed, sound)
        try:
            async with asyncio.timeout(self._rules.ring_for):
                await free.wait()
        except TimeoutError:
            log.warning("call_not_over", visit=visit.id)
        finally:
            del self._parting[placed]

    def has_calls(self, visit: VisitId) -> bool:
        """Whether any telephone of the visit rings or is connected."""
        return bool(self._of(visit))

    def _of(self, visit: VisitId) -> list[CallId]:
        return [placed for placed, known in self._known.items() if known.visit == visit]

    # -- what the bridge asks --------------------

    def line(self, call: CallId) -> PhoneLine | None:
        """The sound of an answered call, by the visit's name for it."""
        return self._switchboard.line(self._placed_id(call))

    def announcement(self, _visit: VisitId, end: PhoneEnd) -> Samples | None:
        """What is said to this telephone now, at 8 kHz."""
        known = self._known.get(self._placed_id(end.call))
        if known is None or end.prompt is None:
            return None
        return self._prompts.frames(Prompt(end.prompt), end.language, known.announcer)

    # -- what carriers and media tell --------------------

    def progressed(self, progress: Progress) -> None:
        """A call has moved on."""
        known = self._known.get(progress.call)
        if known is None:
            if progress.state is CallState.OVER and progress.call in self._parting:
                self._parting[progress.call].set()
            return
        if progress.state is CallState.RINGING:
            self._report(known, CallRang(seat=known.seat, call=known.call))
        elif progress.state is CallState.ANSWERED:
            self._report(known, CallAnswered(seat=known.seat, call=known.call))
        elif progress.state is CallState.OVER:
            del self._known[progress.call]
            why = _why(progress)
            self._metrics.calls.labels(outcome=_outcome(progress)).inc()
            self._report(known, CallOver(seat=known.seat, call=known.call, why=why))

    def pressed(self, call: CallId, digit: str) -> None:
        """A key of a telephone was pressed; more than anybody can press are left out."""
        known = self._known.get(call)
        if known is not None and self._keys.take(call):
            self._report(known, KeyPressed(seat=known.seat, call=known.call, key=digit))

    def called(self, _carrier: str) -> CallFailure:
        """Somebody calls back: nobody can be put through from here, but that they tried is seen."""
        self._metrics.calls_in.inc()
        return CallFailure.NO_ANSWER

    def sound_changed(self, visit: VisitId, seat: SeatId, sound: Sound) -> None:
        """A browser's sound crossed a threshold."""
        self._reports.add(visit, SoundChanged(seat=seat, sound=sound))

    def same_speech(self, visit: VisitId, seat: SeatId, call: CallId) -> None:
        """Browser and telephone pick up the same speech."""
        self._reports.add(visit, SameSpeechHeard(seat=seat, call=call))

    # -- details --------------------

    async def _announcer_of(self, practice: str) -> Announcer:
        """Somebody needs to be called also while the store is away; then in nobody's name."""
        try:
            return await self._announcer(practice)
        except StoreUnavailable:
            return Announcer(practice=practice)

    def _refuse(self, known: _Known) -> None:
        log.warning("call_limit_reached", visit=known.visit)
        self._metrics.calls.labels(outcome=CallFailure.LIMITED.value).inc()
        self._report(known, CallOver(seat=known.seat, call=known.call, why=CallFailure.LIMITED))

    def _report(self, known: _Known, event: Event) -> None:
        self._reports.add(known.visit, event)

    def _placed_id(self, call: CallId) -> CallId:
        return self._derived("call", call)

    async def _may_call(self, practice: str, number: str) -> bool:
        """Whoever got hold of a desk, and a fault of ours, can ring one telephone only so often."""
        return await self.allowance.take(practice, self._derived("number", number))

    def _derived(self, kind: str, text: str) -> str:
        digest = hmac.digest(self._secret, f"{kind}/{text}".encode(), "sha256")
        return base64.b32encode(digest).decode().rstrip("=").lower()


def _ordered(visit: Visit, order: PlaceCall) -> str | None:
    """The number to call, if the visit still wants this call."""
    seat = visit.seat(order.seat)
    call = seat.line.call if seat is not None else None
    if seat is None or call is None or call.id != order.call:
        return None
    number = seat.phone.number(call.number)
    return number.number if number is not None else None


def _why(progress: Progress) -> CallFailure:
    if progress.failure is not None:
        return progress.failure
    return _ENDINGS[progress.ending] if progress.ending is not None else CallFailure.BROKEN


def _outcome(progress: Progress) -> str:
    """For counting: how it failed, or who ended it."""
    if progress.failure is not None:
        return progress.failure.value
    return progress.ending.value if progress.ending is not None else Ending.BROKEN.value
