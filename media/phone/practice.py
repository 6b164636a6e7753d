"""The built-in carrier: it calls nobody. Telephones are pages in browsers, or follow a script.

For the demo, for rehearsals and for tests. Nothing of its calls outlives the process, so that it
keeps nothing in the ledger and has nothing to abandon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from media.phone.carrier import (
    CallListener,
    CallRequest,
    CallState,
    Ending,
    Ledger,
    Progress,
)
from media.phone.practice_line import PracticeLine
from media.phone.scripts import NUMBERS, Act, Script, Step, Steps, scripts, voicemail
from rooms.model import CallFailure, CallId
from rooms.policy import PracticeCarrierPolicy

ANY_NUMBER = ""
KEYS = frozenset("0123456789*#ABCD")


class Handset(Protocol):
    """A telephone that somebody holds. Neither method may block or raise."""

    def ring(self, call: CallId, caller: str) -> None:
        """Ring, and show ``caller``. Said again to a handset that came back meanwhile."""

    def stop(self, call: CallId) -> None:
        """The call is over, or something else picked it up."""


@dataclass(slots=True)
class _Call:
    request: CallRequest
    line: PracticeLine
    socket: str | None  # the number whose handset rings; None: nobody holds this telephone
    steps: Steps
    state: CallState = CallState.DIALING
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    held: bool = False  # by the page: it answered, and hears and speaks

    def be_still(self) -> None:
        """Nothing happens by itself any more."""
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()


class PracticeCarrier:
    """``Carrier`` without a telephone network.

    A number does what ``rehearse`` said; otherwise the handset of that number rings; otherwise it
    does what ``scripts.NUMBERS`` says; otherwise the handset for any number rings; otherwise it is
    not in service.
    """

    name = "practice"

    def __init__(self, policy: PracticeCarrierPolicy, caller: str = "") -> None:
        self._policy = policy
        self._caller = caller
        self._scripts = scripts(policy)
        self._rehearsed: dict[str, Script] = {}
        self._handsets: dict[str, Handset] = {}
        self._voicemail: set[str] = set()
        self._calls: dict[CallId, _Call] = {}
        self._listener: CallListener | None = None
        self._acts: dict[Act, Callable[[_Call, Step], None]] = {
            Act.RING: self._ring,
            Act.ANSWER: self._machine_answers,
            Act.PRESS: lambda call, step: self._pressed(call, step.key),
            Act.TALK: lambda call, step: call.line.talk(step.frequency),
            Act.HANG_UP: lambda call, _step: self._over(call, ending=Ending.BY_PHONE),
            Act.LOSE: lambda call, _step: self._over(call, ending=Ending.BROKEN),
            Act.FAIL: lambda call, step: self._over(call, step.why),
        }

    # What rehearsals say

    def rehearse(self, number: str, script: Script | None) -> None:
        """Have a number follow a script from its next call on; None forgets it."""
        if script is None:
            self._rehearsed.pop(number, None)
        else:
            self._rehearsed[number] = script

    def connect(self, handset: Handset, number: str = ANY_NUMBER) -> None:
        """Put a handset there, in place of any other; a call that rings there rings it."""
        self._handsets[number] = handset
        for call in self._calls.values():
            if call.socket == number and call.state is CallState.RINGING:
                handset.ring(call.request.id, self._caller)

    def disconnect(self, handset: Handset) -> None:
        """Take a handset away: its conversation is lost, and what rings there rings on unheard."""
        for number in [n for n, there in self._handsets.items() if there is handset]:
            del self._handsets[number]
            for call in [c for c in self._calls.values() if c.socket == number and c.held]:
                self._over(call, ending=Ending.BROKEN)

    def switch_voicemail(self, on: bool, number: str = ANY_NUMBER) -> None:
        """Whether voicemail picks up calls that nobody answers there, from the next call on."""
        if on:
            self._voicemail.add(number)
        else:
            self._voicemail.discard(number)

    # What handsets do; what does not fit the call's state is ignored

    def answer(self, call_id: CallId) -> None:
        """Somebody picked up."""
        call = self._at_handset(call_id, CallState.RINGING)
        if call is not None:
            call.held = True
            self._answered(call)

    def decline(self, call_id: CallId) -> None:
        """Somebody looked at it and said no."""
        call = self._at_handset(call_id, CallState.RINGING)
        if call is not None:
            self._over(call, CallFailure.DECLINED)

    def press(self, call_id: CallId, digit: str) -> None:
        """A key was pressed: one of ``0123456789*#ABCD``."""
        call = self._at_handset(call_id, CallState.ANSWERED)
        if call is not None and digit in KEYS:
            self._pressed(call, digit)

    def hang_up(self, call_id: CallId) -> None:
        """Somebody hung up."""
        call = self._at_handset(call_id, CallState.ANSWERED)
        if call is not None:
            self._over(call, ending=Ending.BY_PHONE)

    def page_line(self, call_id: CallId) -> PracticeLine | None:
        """The telephone's side of the sound, while its handset is in the call."""
        call = self._at_handset(call_id, CallState.ANSWERED)
        return call.line if call is not None else None

    # What every carrier does

    async def start(self, listener: CallListener, ledger: Ledger) -> None:
        self._listener = listener

    @property
    def healthy(self) -> bool:
        """Whether it has been started and not closed."""
        return self._listener is not None

    async def dial(self, request: CallRequest) -> None:
        """Begin to place a call; ``request.digits`` are dialled into the void."""
        if self._listener is None:
            return
        socket, steps = self._answers(request.number)
        call = _Call(request, PracticeLine(self._policy), socket, steps)
        self._calls[request.id] = call
        self._later(call, request.ring_for, lambda: self._over(call, CallFailure.NO_ANSWER))
        self._follow(call, 0)

    async def end(self, call_id: CallId) -> None:
        call = self._calls.get(call_id)
        if call is not None:
            self._over(call, ending=Ending.BY_US)

    def line(self, call_id: CallId) -> PracticeLine | None:
        call = self._calls.get(call_id)
        return call.line if call is not None and call.state is CallState.ANSWERED else None

    async def abandon(self, call_id: CallId, state: str) -> None:
        """Nothing of a practice call outlives the process."""

    async def close(self) -> None:
        for call in list(self._calls.values()):
            self._over(call, ending=Ending.BY_US)
        self._listener = None

    def _answers(self, number: str) -> tuple[str | None, Steps]:
        """Whose handset rings, if any, and what happens by itself."""
        if number in self._rehearsed:
            return None, self._scripts[self._rehearsed[number]]
        if number not in self._handsets and number in NUMBERS:
            return None, self._scripts[NUMBERS[number]]
        socket = number if number in self._handsets else ANY_NUMBER
        if socket not in self._handsets:
            return None, self._scripts[Script.BAD_NUMBER]
        if any(call.socket == socket for call in self._calls.values()):
            return None, self._scripts[Script.BUSY]
        picks_up = voicemail(self._policy) if socket in self._voicemail else ()
        return socket, (Step(self._policy.rings_after, Act.RING), *picks_up)

    def _follow(self, call: _Call, index: int) -> None:
        """Wait for the step with this index, do it, and go on."""
        if index < len(call.steps):
            step = call.steps[index]
            self._later(call, step.after, lambda: self._do(call, index))

    def _do(self, call: _Call, index: int) -> None:
        step = call.steps[index]
        self._acts[step.act](call, step)
        if call.request.id in self._calls:
            self._follow(call, index + 1)

    def _ring(self, call: _Call, _step: Step) -> None:
        self._moved(call, CallState.RINGING)
        handset = self._handset(call)
        if handset is not None:
            handset.ring(call.request.id, self._caller)

    def _machine_answers(self, call: _Call, _step: Step) -> None:
        handset = self._handset(call)
        if handset is not None:
            handset.stop(call.request.id)
        call.line.talk(None)
        self._answered(call)

    def _answered(self, call: _Call) -> None:
        call.be_still()
        self._moved(call, CallState.ANSWERED)

    def _pressed(self, call: _Call, key: str) -> None:
        if self._listener is not None:
            self._listener.pressed(call.request.id, key)

    def _moved(self, call: _Call, state: CallState) -> None:
        call.state = state
        if self._listener is not None:
            self._listener.progressed(Progress(call=call.request.id, state=state))

    def _over(
        self, call: _Call, failure: CallFailure | None = None, ending: Ending | None = None
    ) -> None:
        call.be_still()
        call.state = CallState.OVER
        self._calls.pop(call.request.id, None)
        handset = self._handset(call)
        if handset is not None:
            handset.stop(call.request.id)
        if self._listener is not None:
            self._listener.progressed(
                Progress(call=call.request.id, state=CallState.OVER, failure=failure, ending=ending)
            )

    def _handset(self, call: _Call) -> Handset | None:
        return self._handsets.get(call.socket) if call.socket is not None else None

    def _at_handset(self, call_id: CallId, state: CallState) -> _Call | None:
        """The call in this state, if it is a handset's to do something about."""
        call = self._calls.get(call_id)
        if call is None or call.socket is None or call.state is not state:
            return None
        return call if call.held or state is CallState.RINGING else None

    def _later(self, call: _Call, after: float, act: Callable[[], None]) -> None:
        call.timers.append(asyncio.get_running_loop().call_later(after, act))
