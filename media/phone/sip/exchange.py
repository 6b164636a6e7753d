"""The transactions of one trunk at work: messages in and out, and their timers.

Nothing here knows what a call is. Requests of ours get their responses, requests from outside are
given to the core once however often they are repeated, and what is unreadable, unexpected or too
much is dropped and counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from media.phone.sip.counters import TrunkCounters
from media.phone.sip.messages import Request, Response, read
from media.phone.sip.transactions import (
    Act,
    Event,
    Kind,
    State,
    Times,
    Transaction,
    begin,
    step,
)
from media.phone.sip.transport import Address, Transport
from media.phone.sip.writing import Outgoing, ack_of_refusal, answer_address
from media.tasks import Tasks
from rooms.policy import PhonePolicy

Key = tuple[str, str, str]  # branch, method, and for servers who sent it


class InviteUser(Protocol):
    """Whoever sent an INVITE. No method may raise."""

    def responded(self, response: Response) -> None:
        """A provisional response, or a final one; 2xx come as often as they arrive."""

    def unanswered(self) -> None:
        """Nothing came, or the INVITE could not be sent."""


class Core(Protocol):
    """Whoever answers requests from outside. No method may raise."""

    def asked(self, request: Request, source: Address) -> None:
        """A new request; answer it with ``Exchange.answer``."""

    def knows(self, request: Request) -> bool:
        """Whether it belongs to a call of ours: a flood of others must not hold up its BYE."""

    def acknowledged(self, request: Request) -> None:
        """The ACK of a 2xx of ours came."""

    def unacknowledged(self, request: Request) -> None:
        """It never came."""


@dataclass(slots=True)
class Running:
    """A transaction with what it sends, to whom, and who wants to know."""

    key: Key
    logic: Transaction
    to: Address
    message: bytes = b""
    sent: Outgoing | None = None  # clients
    request: Request | None = None  # servers
    heard: Callable[[Response | None], None] = field(default=lambda _response: None)
    timer: asyncio.TimerHandle | None = None


class Exchange:
    """All transactions over one transport. One owner, one ``close``."""

    def __init__(
        self,
        transport: Transport,
        policy: PhonePolicy,
        counters: TrunkCounters,
        times: Times,
    ) -> None:
        self.transport = transport
        self._policy = policy
        self._counters = counters
        self._times = times
        self._core: Core | None = None
        self._tasks = Tasks()
        self._clients: dict[Key, Running] = {}
        self._servers: dict[Key, Running] = {}

    async def open(self, core: Core) -> None:
        """Begin to receive. Raises ``OSError``."""
        self._core = core
        await self.transport.open(self.receive)

    async def close(self) -> None:
        """Forget every transaction and release the transport; idempotent."""
        for running in (*self._clients.values(), *self._servers.values()):
            if running.timer is not None:
                running.timer.cancel()
        self._clients.clear()
        self._servers.clear()
        await self._tasks.close()
        await self.transport.close()

    # Clients

    async def invite(self, invite: Outgoing, user: InviteUser, *, resumed: bool = False) -> Key:
        """Send an INVITE, or (``resumed``) listen for the end of one that was sent before.

        Raises ``OSError`` if there is no way to its next hop.
        """
        to = await self.transport.locate(invite.next_hop)

        def heard(response: Response | None) -> None:
            user.unanswered() if response is None else user.responded(response)

        running = self._client(Kind.INVITE_CLIENT, invite, to, heard)
        if resumed:
            self._apply(running, Event.LEAVE)
        else:
            self._send(running)
        return running.key

    def leave(self, key: Key) -> None:
        """The INVITE was cancelled or given up: repeat it no more, and forget it some time."""
        running = self._clients.get(key)
        if running is not None:
            self._apply(running, Event.LEAVE)

    async def ask(self, request: Outgoing, within: float) -> Response | None:
        """Send a request and wait for its final response; None if none came within seconds."""
        try:
            to = await self.transport.locate(request.next_hop)
        except OSError:
            return None
        answer: asyncio.Future[Response | None] = asyncio.get_running_loop().create_future()

        def heard(response: Response | None) -> None:
            if not answer.done() and (response is None or response.code >= 200):
                answer.set_result(response)

        running = self._client(Kind.CLIENT, request, to, heard)
        self._send(running)
        try:
            async with asyncio.timeout(within):
                return await answer
        except TimeoutError:
            self._apply(running, Event.LEAVE)
            return None

    async def reinvite(self, invite: Outgoing, ack: Outgoing, within: float) -> Response | None:
        """Send an INVITE inside a dialog; each 2xx is acknowledged. None if nothing final came."""
        user = _Waiting(self, ack, self._policy.acks_repeated)
        try:
            key = await self.invite(invite, user)
        except OSError:
            return None
        try:
            async with asyncio.timeout(within):
                return await user.final
        except TimeoutError:
            self.leave(key)
            return None

    def send_soon(self, request: Outgoing) -> None:
        """As ``send``, without waiting."""
        self._tasks.start(self.send(request))

    async def send(self, request: Outgoing) -> None:
        """Send a request that has no transaction: the ACK of a 2xx."""
        try:
            to = await self.transport.locate(request.next_hop)
        except OSError:
            return  # the answer comes again, and with it the next chance
        self._counters.messages_out += 1
        self.transport.send(request.encode(), to)

    def _client(
        self,
        kind: Kind,
        request: Outgoing,
        to: Address,
        heard: Callable[[Response | None], None],
    ) -> Running:
        key = (request.branch, request.method, "")
        logic = begin(kind, self._now(), self._times, self.transport.reliable)
        running = Running(key, logic, to, request.encode(), sent=request, heard=heard)
        self._clients[key] = running
        self._set_timer(running)
        return running

    # Servers

    def answer(self, request: Request, code: int, message: bytes) -> None:
        """Send the response to a request that was given to the core."""
        running = self._servers.get(_server_key(request))
        if running is None:
            return
        running.message = message
        self._apply(running, _event_of(code))

    # Both

    def receive(self, datagram: bytes, source: Address) -> None:
        """A message came in. Never raises."""
        if not datagram.strip(b"\r\n\0"):
            return  # a keep-alive
        message = read(datagram, self._policy)
        if message is None:
            self._counters.unreadable += 1
            return
        self._counters.messages_in += 1
        if isinstance(message, Response):
            self._responded(message)
        else:
            self._requested(message, source)

    def _responded(self, response: Response) -> None:
        running = self._clients.get((response.branch, response.cseq_method, ""))
        if running is None or running.sent is None or running.sent.call_id != response.call_id:
            self._counters.unexpected += 1
            return
        self._apply(running, _event_of(response.code), response)

    def _requested(self, request: Request, source: Address) -> None:
        if request.method == "ACK":
            self._acknowledged(request)
            return
        key = _server_key(request)
        running = self._servers.get(key)
        if running is not None:
            self._apply(running, Event.REQUEST)
            return
        full = len(self._servers) >= self._policy.sip_transactions
        if self._core is None or (full and not self._core.knows(request)):
            self._counters.overflowed += 1
            return
        kind = Kind.INVITE_SERVER if request.method == "INVITE" else Kind.SERVER
        logic = begin(kind, self._now(), self._times, self.transport.reliable)
        to = source if self.transport.reliable else answer_address(request, source)
        self._servers[key] = Running(key, logic, to, request=request)
        self._core.asked(request, source)

    def _acknowledged(self, ack: Request) -> None:
        """An ACK belongs to a refusal by its branch, to a 2xx by its call and CSeq."""
        running = self._servers.get((ack.branch, "INVITE", ack.sent_by)) or next(
            (each for each in self._servers.values() if _is_ack_of(ack, each)), None
        )
        if running is not None:
            self._apply(running, Event.ACK, ack)

    def _apply(
        self, running: Running, event: Event, message: Request | Response | None = None
    ) -> None:
        running.logic, acts = step(running.logic, event, self._now(), self._times)
        for act in acts:
            self._perform(running, act, message)
        self._set_timer(running)

    def _perform(self, running: Running, act: Act, message: Request | Response | None) -> None:
        if act is Act.SEND:
            self._send(running)
        elif act is Act.ACK and isinstance(message, Response) and running.sent is not None:
            ack = ack_of_refusal(running.sent, message)
            self._counters.messages_out += 1
            self.transport.send(ack.encode(), running.to)
        elif act is Act.PASS and isinstance(message, Response):
            running.heard(message)
        elif act is Act.PASS and isinstance(message, Request) and self._core is not None:
            self._core.acknowledged(message)
        elif act is Act.GIVE_UP and running.request is not None and self._core is not None:
            self._core.unacknowledged(running.request)
        elif act is Act.GIVE_UP:
            running.heard(None)

    def _send(self, running: Running) -> None:
        if not running.message:
            return
        self._counters.messages_out += 1
        if not self.transport.send(running.message, running.to):
            asyncio.get_running_loop().call_soon(self._apply, running, Event.UNSENDABLE)

    def _set_timer(self, running: Running) -> None:
        if running.timer is not None:
            running.timer.cancel()
            running.timer = None
        if running.logic.state is State.TERMINATED:
            table = self._servers if running.request is not None else self._clients
            if table.get(running.key) is running:
                del table[running.key]
            return
        alarm = running.logic.next_alarm
        if alarm is not None:
            event, at = alarm
            loop = asyncio.get_running_loop()
            running.timer = loop.call_at(at, self._apply, running, event)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


class _Waiting:
    """The user of an INVITE inside a dialog: waits, and acknowledges."""

    def __init__(self, exchange: Exchange, ack: Outgoing, acks: int) -> None:
        self.final: asyncio.Future[Response | None] = asyncio.get_running_loop().create_future()
        self._exchange = exchange
        self._ack = ack
        self._acks = acks

    def responded(self, response: Response) -> None:
        if 200 <= response.code < 300 and self._acks:
            self._acks -= 1
            self._exchange.send_soon(self._ack)
        if response.code >= 200 and not self.final.done():
            self.final.set_result(response)

    def unanswered(self) -> None:
        if not self.final.done():
            self.final.set_result(None)


def _event_of(code: int) -> Event:
    if code < 200:
        return Event.PROVISIONAL
    return Event.SUCCESS if code < 300 else Event.REFUSAL


def _server_key(request: Request) -> Key:
    """What makes two requests the same (section 17.2.3), for old clients too."""
    if not request.branch.startswith("z9hG4bK"):
        return f"{request.call_id}:{request.cseq}", request.method, request.sent_by
    return request.branch, request.method, request.sent_by


def _is_ack_of(ack: Request, running: Running) -> bool:
    invite = running.request
    return (
        invite is not None
        and invite.method == "INVITE"
        and (invite.call_id, invite.cseq, invite.from_tag) == (ack.call_id, ack.cseq, ack.from_tag)
    )
