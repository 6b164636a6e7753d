"""One call's INVITE: from the first attempt to the answer, the refusal, or the end by CANCEL.

An invitation outlives its call. Given up while nothing was heard, it waits for the first sign of
life to send CANCEL; and an answer that comes after all is acknowledged and hung up at once, so
that nobody listens to silence and nothing is let in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from media.phone.sip.agent import UserAgent
from media.phone.sip.dialog import Dialog
from media.phone.sip.messages import Fields, Response
from media.phone.sip.outcomes import failure_of
from media.phone.sip.record import Record
from media.phone.sip.session_timer import shortest_of, wanted
from media.phone.sip.writing import Outgoing
from rooms.model import CallFailure

Keep: TypeAlias = Callable[[Record], Awaitable[None]]
Answered: TypeAlias = Callable[[Dialog, Response], None]

_RINGING = frozenset({180, 181, 182, 183})
_TOO_SHORT = 422  # RFC 4028 section 6


@dataclass(slots=True)
class _Branch:
    """One telephone that answered: a forked INVITE may make several (section 13.2.2.4)."""

    ack: Outgoing | None  # None until the answer is kept
    acks: int = 0


class Invitation:
    """One INVITE and its repetitions with proofs.

    ``settled`` is set when nothing can come of it any more.
    ``keep`` stores what another process would need, ``ringing`` is called once, and ``answered``
    at most once, in the very turn of the loop in which the answer came.
    """

    def __init__(
        self,
        agent: UserAgent,
        keep: Keep,
        ringing: Callable[[], None],
        answered: Answered,
    ) -> None:
        self.settled = asyncio.Event()
        self._agent = agent
        self._keep, self._ringing, self._answered = keep, ringing, answered
        self._invite: Outgoing | None = None
        self._key: tuple[str, str, str] | None = None
        self._final: asyncio.Future[Response | None] | None = None
        self._heard = False  # a provisional response: CANCEL may be sent (section 9.1)
        self._rang = False
        self._stopped = False
        self._why: CallFailure | None = None
        self._cancelled = False
        self._early_tag = ""
        self._branches: dict[str, _Branch] = {}
        self._dialog: Dialog | None = None
        self._timers: list[asyncio.TimerHandle] = []

    async def run(
        self, call: str, number: str, offer: bytes, ring_for: float
    ) -> tuple[Dialog, Response] | CallFailure | None:
        """Place the call: the dialog of the answer, why there is none, or None if we ended it."""
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(ring_for, self.stop, CallFailure.NO_ANSWER))
        try:
            final = await self._attempts(call, number, offer)
        finally:
            for timer in self._timers:
                timer.cancel()
        if final is not None and final.code < 300:
            return await self._accepted(final)
        if self._stopped:
            return self._why
        self.settled.set()
        return failure_of(final) if final is not None else CallFailure.CARRIER_DOWN

    async def _attempts(self, call: str, number: str, offer: bytes) -> Response | None:
        proofs: Fields = ()
        interval = self._agent.policy.session_expires
        final: Response | None = None
        for cseq in range(1, self._agent.policy.sip_tries + 2):
            invite = self._agent.invite(call, number, cseq, (*wanted(interval), *proofs), offer)
            await self._keep(Record.of(invite))
            if self._stopped:
                self.settled.set()
                return None
            final = await self._attempt(invite)
            if final is None or self._stopped:
                return final
            if final.code == _TOO_SHORT and shortest_of(final) > interval:
                interval = shortest_of(final)
                continue
            more = self._agent.prove(final, invite, proofs)
            if more is None:
                return final
            proofs = more
        return final

    async def _attempt(self, invite: Outgoing) -> Response | None:
        loop = asyncio.get_running_loop()
        self._invite, self._heard = invite, False
        self._final = loop.create_future()
        try:
            self._key = await self._agent.exchange.invite(invite, self)
        except OSError:
            self.settled.set()
            return None
        if self._stopped:
            self._agent.exchange.leave(self._key)
        self._timers.append(loop.call_later(self._agent.policy.setup_within, self._check_setup))
        return await self._final

    def _check_setup(self) -> None:
        if not self._heard and not self._is_over():
            self.stop(CallFailure.CARRIER_DOWN)
            self._finish(None)  # another carrier need not wait for the silence of this one

    # From outside

    def stop(self, why: CallFailure | None) -> None:
        """End it before it is answered: ``why`` becomes its failure. Idempotent."""
        if self._stopped or self._is_over():
            return
        self._stopped, self._why = True, why
        if self._key is None:
            self._finish(None)
            return
        self._agent.exchange.leave(self._key)
        self._cancel_if_heard()
        within = self._agent.policy.cancel_within
        self._timers.append(asyncio.get_running_loop().call_later(within, self._finish, None))

    async def resume(self, record: Record) -> None:
        """End an INVITE that a former process sent. Raises ``OSError``."""
        self._stopped = self._heard = True
        self._invite = record.invite
        self._early_tag = record.remote_tag
        self._key = await self._agent.exchange.invite(record.invite, self, resumed=True)
        self._cancel_if_heard()

    def _is_over(self) -> bool:
        return self._final is not None and self._final.done()

    def _finish(self, response: Response | None) -> None:
        if self._final is not None and not self._final.done():
            self._final.set_result(response)

    def _cancel_if_heard(self) -> None:
        if self._heard and not self._cancelled and self._invite is not None:
            self._cancelled = True
            self._agent.tasks.start(self._agent.cancel(self._invite))

    # From the trunk

    def responded(self, response: Response) -> None:
        if response.code < 200:
            self._provisional(response)
        elif response.code < 300:
            self._success(response)
        else:
            if self._stopped:
                self.settled.set()
            self._finish(response)

    def unanswered(self) -> None:
        if self._stopped:
            self.settled.set()
        self._finish(None)

    def _provisional(self, response: Response) -> None:
        self._heard = True
        if self._stopped:
            self._cancel_if_heard()
            return
        rings = response.code in _RINGING
        if response.to_tag and response.to_tag != self._early_tag and self._invite is not None:
            self._early_tag = response.to_tag
            dialog = Dialog.of(self._invite, response)
            self._agent.tasks.start(self._keep_soon(Record.of(self._invite, dialog)))
        if rings and not self._rang:
            self._rang = True
            self._ringing()

    def _success(self, response: Response) -> None:
        branch = self._branches.get(response.to_tag)
        if branch is not None:
            self._acknowledge(branch)
        elif self._stopped or self._branches:
            self._hang_up(response)
        elif self._invite is not None:
            self._branches[response.to_tag] = _Branch(None)
            self._dialog = Dialog.of(self._invite, response)
            self._answered(self._dialog, response)
            self._finish(response)

    async def _accepted(self, response: Response) -> tuple[Dialog, Response]:
        """Keep the answer, then acknowledge it: from the ACK on, only a BYE ends the call."""
        invite, dialog = self._invite, self._dialog
        assert invite is not None
        assert dialog is not None
        await self._keep_soon(Record.of(invite, dialog))
        branch = self._branches[response.to_tag]
        branch.ack = dialog.ack(invite.cseq, invite.sent_by, invite.proofs)
        await self._agent.exchange.send(branch.ack)
        return dialog, response

    async def _keep_soon(self, record: Record) -> None:
        """Keep, but do not let the telephone wait for a ledger that is slow or away."""
        try:
            async with asyncio.timeout(self._agent.policy.keep_within):
                await self._keep(record)
        except Exception:  # noqa: BLE001, RUF100  whatever the store raises
            self._agent.counters.not_kept += 1

    def _acknowledge(self, branch: _Branch) -> None:
        if branch.ack is not None and branch.acks < self._agent.policy.acks_repeated:
            branch.acks += 1
            self._agent.exchange.send_soon(branch.ack)

    def _hang_up(self, response: Response) -> None:
        """An answer that nobody wants any more, or a second telephone."""
        assert self._invite is not None
        dialog = Dialog.of(self._invite, response)
        ack = dialog.ack(self._invite.cseq, self._invite.sent_by, self._invite.proofs)
        self._branches[response.to_tag] = _Branch(ack)
        self._agent.counters.hung_up_late += 1
        self._agent.tasks.start(self._acknowledge_and_hang_up(dialog, ack))

    async def _acknowledge_and_hang_up(self, dialog: Dialog, ack: Outgoing) -> None:
        await self._agent.exchange.send(ack)
        await self._agent.bye(dialog)
        if self._stopped:
            self.settled.set()
            self._finish(None)
