"""An answered call: requests inside its dialog, both ways, until somebody or something ends it.

Quiet is no sign of an end: people listen. A call is broken when the other side does not refresh
the session, refuses or ignores our refresh, or when neither sound nor reports come any more and a
question in the dialog brings no answer either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from media.phone.carrier import Ending
from media.phone.sip.agent import UserAgent
from media.phone.sip.dialog import Dialog
from media.phone.sip.keys import KEYS, read_info, write_info
from media.phone.sip.messages import Fields, Request, Response
from media.phone.sip.rtp import RtpLeg
from media.phone.sip.sdp import Description, read_sound
from media.phone.sip.session_timer import SessionTimer
from media.phone.sip.transport import Address
from media.phone.sip.writing import ALLOW, SDP, SUPPORTED, reply

_DTMF_RELAY = "application/dtmf-relay"
_GONE = frozenset({408, 481})  # RFC 3261 section 12.2.1.2: the dialog is over
_COLLISION = 491  # RFC 3261 section 14.1
_SOUNDLESS = 488
_PAUSE = frozenset(",wp")


class Conversation:
    """One answered call. ``ended`` gets who or what ended it, once."""

    def __init__(
        self,
        agent: UserAgent,
        dialog: Dialog,
        leg: RtpLeg,
        description: Description,
        response: Response,
        pressed: Callable[[str], None],
    ) -> None:
        self.ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._agent = agent
        self._dialog = dialog
        self._leg = leg
        self._description = description
        self._pressed = pressed
        self._timer = SessionTimer.answered(response, agent.clock())
        self._updates = "update" in response.tokens("Allow")
        self._digits_in_sound = False
        self._refreshing = False
        self._report_at = agent.clock()
        self._ask_at = 0.0
        self._refresh_at = 0.0

    def hear(self, response: Response) -> bool:
        """Take the sound that an answer describes; False if it describes none we can use."""
        sound = read_sound(response.body, encrypted=self._leg.key is not None)
        if sound is None:
            return False
        self._leg.use(sound)
        self._digits_in_sound = sound.digits is not None
        return True

    def end(self, ending: Ending) -> None:
        """Idempotent; the first word counts."""
        if not self.ended.done():
            self.ended.set_result(ending)

    # Requests from outside

    def asked(self, request: Request, source: Address) -> None:
        """Answer a request in this dialog."""
        if not self._dialog.in_order(request):
            self._reply(request, 500, source)
            return
        answer = {
            "BYE": self._bye,
            "INVITE": self._described,
            "UPDATE": self._described,
            "INFO": self._info,
            "OPTIONS": self._fine,
            "NOTIFY": self._fine,
        }.get(request.method)
        if answer is None:
            self._reply(request, 501, source, (ALLOW,))
            return
        answer(request, source)

    def _bye(self, request: Request, source: Address) -> None:
        self._reply(request, 200, source)
        self.end(Ending.BY_PHONE)

    def _fine(self, request: Request, source: Address) -> None:
        self._reply(request, 200, source, (ALLOW, SUPPORTED, ("Accept", SDP)))

    def _info(self, request: Request, source: Address) -> None:
        self._reply(request, 200, source)
        key = read_info(request.body) if "dtmf" in request.content_type else None
        if key is not None and not self._leg.keys_in_sound:  # some send each press both ways
            self._pressed(key)

    def _described(self, request: Request, source: Address) -> None:
        """A refresh, a hold, or another address for the sound (sections 14.2; RFC 3311)."""
        if self._refreshing:
            self._reply(request, _COLLISION, source)
            return
        headers: Fields = (self._agent.contact, ALLOW, SUPPORTED)
        body = b""
        if request.body:
            sound = read_sound(request.body, encrypted=self._leg.key is not None)
            if sound is None:
                self._reply(request, _SOUNDLESS, source)
                return
            self._leg.use(sound)
            body = self._description.answer(sound)
        elif request.method == "INVITE":
            body = self._description.offer()
        self._timer = self._timer.asked(request, self._agent.clock())
        self._reply(request, 200, source, (*headers, *self._timer.answer), body)

    def acknowledged(self, ack: Request) -> None:
        """The ACK of an INVITE without an offer holds the answer to ours (section 13.2.1)."""
        sound = read_sound(ack.body, encrypted=self._leg.key is not None) if ack.body else None
        if sound is not None:
            self._leg.use(sound)

    def _reply(
        self,
        request: Request,
        code: int,
        source: Address,
        headers: Fields = (),
        body: bytes = b"",
    ) -> None:
        message = reply(request, code, source, headers=headers, body=body)
        self._agent.exchange.answer(request, code, message)

    # Requests of ours

    async def dial(self, digits: str) -> None:
        """Press keys on the other side; a comma waits a second."""
        for digit in digits:
            if digit in _PAUSE:
                await asyncio.sleep(self._agent.policy.key_pause)
            elif digit.upper() in KEYS:
                await self._press(digit.upper())

    async def _press(self, key: str) -> None:
        if self._digits_in_sound:
            await self._leg.dial(key)
            return
        body = write_info(key, round(self._agent.policy.key_held * 1000))
        await self._agent.ask_inside(self._dialog, "INFO", (), body, _DTMF_RELAY)

    async def watch(self) -> None:
        """Look after the call until it is over."""
        while not self.ended.done():
            await asyncio.sleep(self._agent.policy.line_check)
            now = self._agent.clock()
            if now >= self._report_at:
                self._report_at = now + self._agent.policy.phone_report
                self._leg.report()
            if self._timer.lapsed(now):
                self.end(Ending.BROKEN)
            elif self._timer.due(now) and now >= self._refresh_at:
                await self._refresh()
            elif self._is_quiet(now) and now >= self._ask_at:
                await self._ask_whether_alive()

    def _is_quiet(self, now: float) -> bool:
        return self._leg.left or now >= self._leg.last_heard + self._agent.policy.line_quiet

    async def _ask_whether_alive(self) -> None:
        response = await self._agent.ask_inside(self._dialog, "OPTIONS")
        self._leg.left = False
        self._ask_at = self._agent.clock() + self._agent.policy.line_quiet
        if response is None or response.code in _GONE:
            self.end(Ending.BROKEN)

    async def _refresh(self) -> None:
        self._refreshing = True
        try:
            response = await self._ask_for_refresh()
        finally:
            self._refreshing = False
        now = self._agent.clock()
        if response is not None and response.code < 300:
            self._timer = SessionTimer.answered(response, now)
        elif response is not None and response.code == _COLLISION:
            self._refresh_at = now + self._agent.policy.refresh_again
        else:
            self.end(Ending.BROKEN)

    async def _ask_for_refresh(self) -> Response | None:
        headers: Fields = (self._agent.contact, ALLOW, SUPPORTED, *self._timer.question)
        if self._updates:
            return await self._agent.ask_inside(self._dialog, "UPDATE", headers)
        body = self._description.latest
        return await self._agent.reinvite(self._dialog, headers, body)
