"""The dialog that an INVITE of ours made (RFC 3261 section 12)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from media.phone.sip.messages import Fields, Request, Response
from media.phone.sip.writing import MAGIC, SDP, Outgoing


class DialogState(StrEnum):
    """How far a dialog has come (section 12)."""

    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


def derived(purpose: str, *parts: object) -> str:
    """128 bits that follow from a call's unguessable id, and that nobody else can compute."""
    text = "\0".join(["sip", purpose, *map(str, parts)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def branch_of(call_id: str, method: str, cseq: int) -> str:
    """The branch of one request of a dialog; known again after a restart."""
    return MAGIC + derived("branch", call_id, method, cseq)


@dataclass(slots=True, kw_only=True)
class Dialog:
    """What both sides of a dialog have agreed on.

    ``local`` and ``remote`` are the From and To of our requests, tags included; ``target`` is the
    URI they are for, ``route`` the Route headers. ``cseq`` is the number last used by us.
    """

    call_id: str
    local: str
    remote: str
    remote_tag: str
    target: str
    route: tuple[str, ...] = ()
    cseq: int
    remote_cseq: int = -1
    state: DialogState = DialogState.EARLY

    @classmethod
    def of(cls, invite: Outgoing, response: Response) -> Dialog:
        """The dialog that a response with a To tag makes (section 12.1.2)."""
        return cls(
            call_id=invite.call_id,
            local=invite.from_,
            remote=response.to,
            remote_tag=response.to_tag,
            target=response.contact or invite.target,
            route=tuple(reversed(response.record_route)),
            cseq=invite.cseq,
            state=DialogState.CONFIRMED if response.code >= 200 else DialogState.EARLY,
        )

    def request(
        self, method: str, sent_by: str, headers: Fields = (), body: bytes = b"", kind: str = SDP
    ) -> Outgoing:
        """The next request inside this dialog (section 12.2.1.1)."""
        self.cseq += 1
        return self._outgoing(method, self.cseq, sent_by, headers, body, kind)

    def ack(self, cseq: int, sent_by: str, proofs: Fields, body: bytes = b"") -> Outgoing:
        """The ACK of a 2xx to an INVITE with this number (section 13.2.2.4)."""
        return self._outgoing("ACK", cseq, sent_by, proofs, body, SDP)

    def _outgoing(
        self, method: str, cseq: int, sent_by: str, headers: Fields, body: bytes, kind: str
    ) -> Outgoing:
        return Outgoing(
            method=method,
            target=self.target,
            sent_by=sent_by,
            branch=branch_of(f"{self.call_id}/{self.remote_tag}", method, cseq),
            from_=self.local,
            to=self.remote,
            call_id=self.call_id,
            cseq=cseq,
            route=self.route,
            headers=headers,
            body=body,
            content_type=kind if body else "",
        )

    def owns(self, request: Request) -> bool:
        """Whether a request from outside belongs to this dialog (section 12.2.2)."""
        return (
            request.call_id == self.call_id
            and request.from_tag == self.remote_tag
            and f";tag={request.to_tag}" in self.local
            and bool(request.to_tag)
        )

    def in_order(self, request: Request) -> bool:
        """Whether the request's number is new; remembers it (section 12.2.2)."""
        if request.cseq <= self.remote_cseq:
            return False
        self.remote_cseq = request.cseq
        if request.contact and request.method in {"INVITE", "UPDATE"}:
            self.target = request.contact  # a target refresh (RFC 3261 12.2.2, RFC 3311 5.1)
        return True
