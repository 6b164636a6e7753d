"""A SIP trunk: the carrier that most telephone companies sell."""

from __future__ import annotations

import asyncio
import time

from media.phone.carrier import (
    CallListener,
    CallRequest,
    CallState,
    Ledger,
    PhoneLine,
    Progress,
)
from media.phone.sip.abandoning import abandon
from media.phone.sip.agent import UserAgent
from media.phone.sip.calls import TrunkCall
from media.phone.sip.config import TrunkConfig
from media.phone.sip.counters import TrunkCounters
from media.phone.sip.dialog import derived
from media.phone.sip.exchange import Exchange
from media.phone.sip.health import Health
from media.phone.sip.messages import Fields, Request
from media.phone.sip.outcomes import REFUSED_WITH
from media.phone.sip.stream import StreamTransport
from media.phone.sip.transactions import Times
from media.phone.sip.transport import Address, Transport, UdpTransport
from media.phone.sip.writing import ALLOW, METHODS, SDP, SUPPORTED, reply
from rooms.model import CallFailure, CallId
from rooms.policy import PhonePolicy

_EXTENSIONS = frozenset({"timer"})
_ELSEWHERE = frozenset({"MESSAGE", "PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE"})


class SipTrunk:
    """A ``Carrier`` over one trunk. One owner, one ``close``."""

    def __init__(
        self, config: TrunkConfig, policy: PhonePolicy, times: Times | None = None
    ) -> None:
        self.name = config.name
        self.counters = TrunkCounters()
        self._config = config
        self._policy = policy
        self._times = times or Times()
        self._agent: UserAgent | None = None
        self._health: Health | None = None
        self._listener: CallListener | None = None
        self._ledger: Ledger | None = None
        self._calls: dict[CallId, TrunkCall] = {}
        self._closed = False

    async def start(self, listener: CallListener, ledger: Ledger) -> None:
        self._listener, self._ledger = listener, ledger
        exchange = Exchange(self._transport(), self._policy, self.counters, self._times)
        clock = asyncio.get_running_loop().time
        agent = UserAgent(self._config, self._policy, self.counters, exchange, clock, time.time)
        await exchange.open(self)
        self._agent, self._health = agent, Health(agent)
        agent.tasks.start(self._health.watch())

    def _transport(self) -> Transport:
        if self._config.transport == "udp":
            return UdpTransport(self._config)
        return StreamTransport(self._config, self._policy)

    @property
    def healthy(self) -> bool:
        return self._health is not None and self._health.good and not self._closed

    async def dial(self, request: CallRequest) -> None:
        listener, agent = self._listener, self._agent
        assert listener is not None
        if request.id in self._calls:
            return
        if agent is None or self._ledger is None or self._closed:
            down = CallFailure.CARRIER_DOWN
            listener.progressed(Progress(call=request.id, state=CallState.OVER, failure=down))
            return
        self.counters.calls += 1
        call = TrunkCall(agent, request, listener, self._ledger)
        self._calls[request.id] = call
        task = agent.tasks.start(call.run())
        task.add_done_callback(lambda _done: self._calls.pop(request.id, None))

    async def end(self, call: CallId) -> None:
        if call in self._calls:
            self._calls[call].end()

    def line(self, call: CallId) -> PhoneLine | None:
        found = self._calls.get(call)
        return found.line if found is not None else None

    async def abandon(self, call: CallId, state: str) -> None:
        if self._agent is not None and call not in self._calls:
            await abandon(self._agent, state)

    async def close(self) -> None:
        agent, self._closed = self._agent, True
        if agent is None:
            return
        for call in list(self._calls.values()):
            call.end()
        await self._farewell()
        self._agent = self._health = None
        await agent.tasks.close()
        await agent.exchange.close()

    async def _farewell(self) -> None:
        """Give the trunk a moment to take the last BYEs; the ledger keeps what it did not take."""
        try:
            async with asyncio.timeout(self._policy.hang_up_within):
                await asyncio.gather(*(call.gone.wait() for call in self._calls.values()))
        except TimeoutError:
            self.counters.not_ended += len(self._calls)

    # Requests from outside, as the exchange's core

    def asked(self, request: Request, source: Address) -> None:
        unknown = request.tokens("Require") - _EXTENSIONS
        if request.method == "CANCEL":
            self._reply(request, 481, source)  # every INVITE was answered before
        elif unknown:
            names = ("Unsupported", ", ".join(sorted(unknown)))
            self._reply(request, 420, source, (names,))
        elif request.to_tag:
            self._asked_inside(request, source)
        else:
            self._asked_outside(request, source)

    def _asked_inside(self, request: Request, source: Address) -> None:
        call = self._call_of(request)
        if call is None:
            self._reply(request, 481, source)
        elif request.method in _ELSEWHERE:
            self._reply(request, 405, source, (ALLOW,))
        else:
            call.asked(request, source)

    def _asked_outside(self, request: Request, source: Address) -> None:
        """Everything is answered; of a call, whoever listens says why it is not put through."""
        if request.method == "OPTIONS":
            self._reply(request, 200, source, (ALLOW, SUPPORTED, ("Accept", SDP)))
            return
        self.counters.strangers_refused += 1
        if request.method == "INVITE":
            self._reply(request, self._refused_with(), source)
        elif request.method in METHODS:
            self._reply(request, 481, source)
        elif request.method in _ELSEWHERE:
            self._reply(request, 405, source, (ALLOW,))
        else:
            self._reply(request, 501, source, (ALLOW,))

    def _refused_with(self) -> int:
        why = self._listener.called(self.name) if self._listener else CallFailure.CARRIER_DOWN
        return REFUSED_WITH[why]

    def knows(self, request: Request) -> bool:
        return self._call_of(request) is not None

    def acknowledged(self, request: Request) -> None:
        call = self._call_of(request)
        if call is not None and call.conversation is not None:
            call.conversation.acknowledged(request)

    def unacknowledged(self, request: Request) -> None:
        call = self._call_of(request)
        if call is not None:
            call.lose()

    def _call_of(self, request: Request) -> TrunkCall | None:
        return next((call for call in self._calls.values() if call.owns(request)), None)

    def _reply(self, request: Request, code: int, source: Address, headers: Fields = ()) -> None:
        if self._agent is not None:
            tag = derived("stranger", request.call_id, request.branch)
            message = reply(request, code, source, to_tag=tag, headers=headers)
            self._agent.exchange.answer(request, code, message)
