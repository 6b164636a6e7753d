"""Our side of the trunk: who we say we are, and requests asked until they are believed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from media.phone.sip.config import TrunkConfig
from media.phone.sip.counters import TrunkCounters
from media.phone.sip.dialog import Dialog, branch_of, derived
from media.phone.sip.digest import Credentials
from media.phone.sip.exchange import Exchange
from media.phone.sip.messages import Fields, Response
from media.phone.sip.transport import bracketed
from media.phone.sip.writing import ALLOW, SDP, SUPPORTED, Outgoing, cancel_of
from media.tasks import Tasks
from rooms.policy import PhonePolicy


class UserAgent:
    """What every call of one trunk shares. Owns the tasks of all its calls."""

    def __init__(
        self,
        config: TrunkConfig,
        policy: PhonePolicy,
        counters: TrunkCounters,
        exchange: Exchange,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.config = config
        self.policy = policy
        self.counters = counters
        self.exchange = exchange
        self.clock, self.wall = clock, wall
        self.tasks = Tasks()
        self.credentials = Credentials(config.user, config.password)

    @property
    def sent_by(self) -> str:
        """What a Via says of us now."""
        return self.exchange.transport.sent_by

    @property
    def contact(self) -> tuple[str, str]:
        """The header that says where requests inside our dialogs go."""
        host, port = self.exchange.transport.own_address
        way = "" if self.config.transport == "udp" else f";transport={self.config.transport}"
        return "Contact", f"<sip:bedside@{bracketed(host)}:{port}{way}>"

    @property
    def server(self) -> str:
        """The URI of the trunk's server."""
        way = "" if self.config.transport == "udp" else f";transport={self.config.transport}"
        return f"sip:{bracketed(self.config.server)}:{self.config.server_port}{way}"

    def address_of(self, number: str) -> str:
        """The URI of a telephone number (RFC 3261 section 19.1.6)."""
        return f"sip:{number}@{bracketed(self.config.address_domain)};user=phone"

    def own_name(self, tag: str) -> str:
        """Our From header."""
        config = self.config
        name = config.display.replace("\\", "").replace('"', "")
        shown = f'"{name}" ' if name.isprintable() and name else ""
        return f"{shown}<sip:{config.caller}@{bracketed(config.address_domain)}>;tag={tag}"

    def invite(self, call: str, number: str, cseq: int, headers: Fields, body: bytes) -> Outgoing:
        """The INVITE of a call; everything that names it is derived from the call's id."""
        call_id = derived("call-id", call)
        return Outgoing(
            method="INVITE",
            target=self.address_of(number),
            hop=self.server,
            sent_by=self.sent_by,
            branch=branch_of(call_id, "INVITE", cseq),
            from_=self.own_name(derived("tag", call)),
            to=f"<{self.address_of(number)}>",
            call_id=call_id,
            cseq=cseq,
            headers=(self.contact, ALLOW, SUPPORTED, *headers),
            body=body,
            content_type=SDP,
        )

    def options(self, name: str, cseq: int, proofs: Fields) -> Outgoing:
        """Whether the trunk is there (RFC 3261 section 11). ``name`` is unique for the question."""
        call_id = derived("options", name)
        return Outgoing(
            method="OPTIONS",
            target=self.server,
            hop=self.server,
            sent_by=self.sent_by,
            branch=branch_of(call_id, "OPTIONS", cseq),
            from_=self.own_name(derived("options-tag", name)),
            to=f"<{self.server}>",
            call_id=call_id,
            cseq=cseq,
            headers=(self.contact, ("Accept", SDP), *proofs),
        )

    async def ask(self, make: Callable[[Fields], Outgoing], within: float) -> Response | None:
        """Ask until the proof is accepted or refused; ``make`` builds each attempt."""
        proofs: Fields = ()
        response: Response | None = None
        for _ in range(self.policy.sip_tries):
            request = make(proofs)
            response = await self.exchange.ask(request, within)
            more = self.prove(response, request, proofs) if response else None
            if more is None:
                break
            proofs = more
        return response

    def prove(self, response: Response, request: Outgoing, already: Fields) -> Fields | None:
        """The proofs for another attempt, if the response wants any that we have."""
        return self.credentials.answer(
            response, request.method, request.target, request.body, already
        )

    async def ask_inside(
        self,
        dialog: Dialog,
        method: str,
        headers: Fields = (),
        body: bytes = b"",
        kind: str = SDP,
        within: float | None = None,
    ) -> Response | None:
        """Ask inside a dialog; None if nothing came."""

        def make(proofs: Fields) -> Outgoing:
            return dialog.request(method, self.sent_by, (*headers, *proofs), body, kind)

        return await self.ask(make, within or self.policy.sip_reply_within)

    async def reinvite(self, dialog: Dialog, headers: Fields, body: bytes) -> Response | None:
        """Ask for the same session again (RFC 3261 section 14.1), and acknowledge the answer."""
        proofs: Fields = ()
        response: Response | None = None
        for _ in range(self.policy.sip_tries):
            invite = dialog.request("INVITE", self.sent_by, (*headers, *proofs), body)
            response = await self.exchange.reinvite(
                invite,
                dialog.ack(invite.cseq, self.sent_by, invite.proofs),
                self.policy.sip_reply_within,
            )
            more = self.prove(response, invite, proofs) if response else None
            if more is None:
                break
            proofs = more
        return response

    async def bye(self, dialog: Dialog) -> None:
        """End a dialog; waits for the answer, if there is one."""
        await self.insist(lambda: self.ask_inside(dialog, "BYE"))

    async def cancel(self, invite: Outgoing) -> None:
        """Cancel an INVITE; waits for the answer, if there is one."""
        within = self.policy.sip_reply_within
        await self.insist(lambda: self.exchange.ask(cancel_of(invite), within))

    async def insist(self, ask: Callable[[], Awaitable[Response | None]]) -> None:
        """Ask what ends a call. A connection that breaks takes what was sent with it: ask again."""
        for _ in range(self.policy.sip_tries):
            await self.way_open()
            response = await ask()
            if response is not None or not self.exchange.transport.reliable:
                return

    async def way_open(self) -> bool:
        """Wait for the connection to the trunk, if it is lost; False if it does not come back."""
        transport, until = self.exchange.transport, self.clock() + self.policy.way_within
        while not transport.connected and self.clock() < until:  # noqa: ASYNC110
            await asyncio.sleep(self.policy.trunk_reconnect)
        return transport.connected
