"""One call over the trunk, from the request to its one and last ``OVER``."""

from __future__ import annotations

import asyncio
import re
import secrets

from media.phone.carrier import (
    CallListener,
    CallRequest,
    CallState,
    Ending,
    Ledger,
    PhoneLine,
    Progress,
)
from media.phone.sip.agent import UserAgent
from media.phone.sip.conversation import Conversation
from media.phone.sip.dialog import Dialog, DialogState
from media.phone.sip.invitation import Invitation
from media.phone.sip.messages import Request, Response
from media.phone.sip.port_pairs import open_pair
from media.phone.sip.record import Record
from media.phone.sip.rtp import RtpLeg
from media.phone.sip.sdp import KEY_BYTES, Description
from media.phone.sip.transport import Address
from rooms.model import CallFailure

_NUMBER = re.compile(r"\+[0-9]{1,15}")  # E.164


class LedgerPage:
    """What the ledger holds of one call: writes in order, and nothing after the last word."""

    def __init__(self, ledger: Ledger, call: str, carrier: str) -> None:
        self._ledger = ledger
        self._call, self._carrier = call, carrier
        self._turn = asyncio.Lock()
        self._closed = False

    async def keep(self, record: Record) -> None:
        """Store the record, unless the call is over. Raises what the store raises."""
        async with self._turn:
            if not self._closed:
                await self._ledger.keep(self._call, self._carrier, record.written())

    async def forget(self) -> None:
        """The call is over. Raises what the store raises."""
        async with self._turn:
            self._closed = True
            await self._ledger.forget(self._call)


class TrunkCall:
    """One call. ``run`` once; ``end`` whenever."""

    def __init__(
        self, agent: UserAgent, request: CallRequest, listener: CallListener, ledger: Ledger
    ) -> None:
        self.conversation: Conversation | None = None
        self.dialog: Dialog | None = None
        self.gone = asyncio.Event()  # nothing of it is left at the trunk
        self._agent = agent
        self._request = request
        self._listener = listener
        self._page = LedgerPage(ledger, request.id, agent.config.name)
        self._invitation = Invitation(agent, self._page.keep, self._rings, self._answers)
        self._leg: RtpLeg | None = None
        self._description: Description | None = None
        self._ending_by_us = False
        self._up = False

    @property
    def line(self) -> PhoneLine | None:
        """The sound, while the call is answered."""
        return self._leg if self._up else None

    async def run(self) -> None:
        """Place the call and see it to its end. Never raises but when cancelled."""
        over = self._over(CallFailure.CARRIER_DOWN)
        try:
            over = await self._live()
        except OSError:
            self._invitation.settled.set()  # no ports: nothing was sent
        except Exception:  # noqa: BLE001, RUF100  the ledger failed: an unkept call is not placed
            self._agent.counters.not_kept += 1
            self._invitation.settled.set()
        finally:
            self._up = False
            if self._leg is not None:
                self._leg.close()
            self._listener.progressed(over)
        await self._afterwards()

    async def _live(self) -> Progress:
        if not _NUMBER.fullmatch(self._request.number):
            self._invitation.settled.set()
            return self._over(CallFailure.BAD_NUMBER)
        description = await self._open_leg()
        request = self._request
        found = await self._invitation.run(
            request.id, request.number, description.offer(), request.ring_for
        )
        if found is None or isinstance(found, CallFailure):
            return self._over(found)
        return await self._talk()

    async def _open_leg(self) -> Description:
        agent, config = self._agent, self._agent.config
        host = config.local_host
        ports = await open_pair(host, config.rtp_ports, agent.policy.rtp_attempts)
        key = secrets.token_bytes(KEY_BYTES) if config.srtp else None
        self._leg = RtpLeg(
            ports,
            agent.policy,
            agent.counters,
            key=key,
            behind_nat=config.behind_nat,
            pressed=self._presses,
            clock=agent.clock,
            wall=agent.wall,
        )
        shown = config.media_host or agent.exchange.transport.own_address[0]
        self._description = Description(shown, ports.port, key, secrets.randbits(32))
        return self._description

    async def _talk(self) -> Progress:
        conversation, dialog = self.conversation, self.dialog
        assert conversation is not None
        assert dialog is not None
        if self._ending_by_us:
            conversation.end(Ending.BY_US)
        heard = self._up
        if heard and not conversation.ended.done():
            self._tell(CallState.ANSWERED)
        work = [self._agent.tasks.start(conversation.watch())]
        if self._request.digits:
            work.append(self._agent.tasks.start(conversation.dial(self._request.digits)))
        ending = await conversation.ended
        for task in work:
            task.cancel()
        dialog.state = DialogState.TERMINATED
        if ending is not Ending.BY_PHONE:
            self._agent.tasks.start(self._hang_up(dialog))
        else:
            self._invitation.settled.set()
        return self._ended(ending) if heard else self._over(CallFailure.CARRIER_DOWN)

    async def _hang_up(self, dialog: Dialog) -> None:
        await self._agent.bye(dialog)
        self._invitation.settled.set()

    async def _afterwards(self) -> None:
        """Keep the page until nothing can come of the call any more."""
        await self._invitation.settled.wait()
        try:
            await self._page.forget()
        except Exception:  # noqa: BLE001, RUF100  found again at the next start, and ended in vain
            self._agent.counters.not_kept += 1
        self.gone.set()

    # Told by the invitation

    def _rings(self) -> None:
        self._tell(CallState.RINGING)

    def _answers(self, dialog: Dialog, response: Response) -> None:
        """Somebody picked up. An answer whose sound we cannot use is hung up, after its ACK."""
        assert self._leg is not None
        assert self._description is not None
        self.dialog = dialog
        self.conversation = Conversation(
            self._agent, dialog, self._leg, self._description, response, self._presses
        )
        self._up = self.conversation.hear(response)
        if not self._up:
            self.conversation.end(Ending.BROKEN)

    # Told by the owner and by the trunk

    def end(self) -> None:
        """Cancel or hang up; idempotent."""
        self._ending_by_us = True
        if self.conversation is not None:
            self.conversation.end(Ending.BY_US)
        else:
            self._invitation.stop(None)

    def lose(self) -> None:
        """The other side never acknowledged an answer of ours (RFC 3261 section 14.2)."""
        if self.conversation is not None:
            self.conversation.end(Ending.BROKEN)

    def owns(self, request: Request) -> bool:
        """Whether a request belongs to this call's dialog."""
        return self.dialog is not None and self.dialog.owns(request)

    def asked(self, request: Request, source: Address) -> None:
        """Answer a request inside the dialog."""
        assert self.conversation is not None
        self.conversation.asked(request, source)

    # Told to the listener

    def _presses(self, key: str) -> None:
        if self._up:
            self._listener.pressed(self._request.id, key)

    def _tell(self, state: CallState) -> None:
        if state is CallState.ANSWERED:
            self._agent.counters.answered += 1
        self._listener.progressed(Progress(call=self._request.id, state=state))

    def _over(self, failure: CallFailure | None) -> Progress:
        """It never came about; ended by us if there is no failure."""
        ending = Ending.BY_US if failure is None else None
        return Progress(call=self._request.id, state=CallState.OVER, failure=failure, ending=ending)

    def _ended(self, ending: Ending) -> Progress:
        self._agent.counters.broken += ending is Ending.BROKEN
        return Progress(call=self._request.id, state=CallState.OVER, ending=ending)
