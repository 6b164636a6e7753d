"""What the ledger keeps of a call, so that another process can end it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from media.phone.sip.dialog import Dialog, DialogState
from media.phone.sip.writing import Outgoing

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An INVITE as it was sent, and the dialog it made, if any.

    ``answered`` tells a dialog that wants a BYE from one that a CANCEL still ends.
    """

    target: str
    hop: str
    sent_by: str
    branch: str
    from_: str
    to: str
    call_id: str
    cseq: int
    answered: bool = False
    remote: str = ""
    remote_tag: str = ""
    remote_target: str = ""
    route: tuple[str, ...] = ()
    next_cseq: int = 0

    @classmethod
    def of(cls, invite: Outgoing, dialog: Dialog | None = None) -> Record:
        """What must be known of a call that has come this far."""
        record = cls(
            target=invite.target,
            hop=invite.hop,
            sent_by=invite.sent_by,
            branch=invite.branch,
            from_=invite.from_,
            to=invite.to,
            call_id=invite.call_id,
            cseq=invite.cseq,
        )
        if dialog is None:
            return record
        return replace(
            record,
            answered=dialog.state is DialogState.CONFIRMED,
            remote=dialog.remote,
            remote_tag=dialog.remote_tag,
            remote_target=dialog.target,
            route=dialog.route,
            next_cseq=dialog.cseq,
        )

    @property
    def invite(self) -> Outgoing:
        """The INVITE without its body, for its CANCEL and its ACK."""
        return Outgoing(
            method="INVITE",
            target=self.target,
            hop=self.hop,
            sent_by=self.sent_by,
            branch=self.branch,
            from_=self.from_,
            to=self.to,
            call_id=self.call_id,
            cseq=self.cseq,
        )

    @property
    def dialog(self) -> Dialog | None:
        """The dialog, if the other side had given it a tag."""
        if not self.remote_tag:
            return None
        return Dialog(
            call_id=self.call_id,
            local=self.from_,
            remote=self.remote,
            remote_tag=self.remote_tag,
            target=self.remote_target,
            route=self.route,
            cseq=max(self.cseq, self.next_cseq),
            state=DialogState.CONFIRMED if self.answered else DialogState.EARLY,
        )

    def written(self) -> str:
        """The record as text."""
        return json.dumps({"version": _VERSION, **asdict(self)}, separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Record | None:
        """The record in ``text``; None if it is none of ours. Never raises."""
        try:
            found = json.loads(text)
            if found.pop("version") != _VERSION:
                return None
            record = cls(**{**found, "route": tuple(found["route"])})
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
        return record if record._is_sound() else None

    def _is_sound(self) -> bool:
        words: tuple[object, ...] = (
            *(self.target, self.hop, self.sent_by, self.branch, self.from_, self.to, self.call_id),
            *(self.remote, self.remote_tag, self.remote_target, *self.route),
        )
        numbers: tuple[object, ...] = (self.cseq, self.next_cseq)
        return all(isinstance(word, str) and word.isprintable() for word in words) and all(
            isinstance(number, int) for number in numbers
        )
