"""TABLE of every Socket.IO signal: name, payload, who may send it, and what it becomes.

No payload names its sender: a seat or desk is who its token said when it connected. Every signal
from a page is acknowledged with ``{"ok": true, …}`` or ``{"error": {"code", "title", …}}``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from rooms.model import CallPurpose
from rooms.permissions import Action
from server import desk_signals as desk
from server import messages as m
from server import phone_signals as phone
from server import replies as r
from server import seat_signals as seat
from server.desks import DESK
from server.gateway import VISIT


@dataclass(frozen=True, slots=True)
class Signal:
    """One row: a signal from a page. ``needs`` is an action of the matrix, or whose it is."""

    namespace: str
    name: str
    payload: type[m.Payload]
    needs: Action | str
    perform: Callable[..., Awaitable[dict[str, Any]]]
    meaning: str
    result: type[BaseModel] | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One row: a signal to a page."""

    namespace: str
    name: str
    payload: type[Any]
    meaning: str


OWN, INSIDE = "own seat", "own seat, inside"
A = Action

SIGNALS: tuple[Signal, ...] = (
    Signal(VISIT, "visit:check", m.Nothing, OWN, seat.own(seat.checked), "looks at camera and microphone: invited → checking"),
    Signal(VISIT, "visit:knock", m.Knock, OWN, seat.own(seat.knocked), "asks to come in: → waiting, or → admitted for roles that enter directly"),
    Signal(VISIT, "visit:enter", m.Nothing, INSIDE, seat.own(seat.entered), "the page is ready: admitted → present"),
    Signal(VISIT, "visit:leave", m.Nothing, OWN, seat.own(seat.left), "leaves on purpose, the visit or the queue"),
    Signal(VISIT, "visit:end", m.Nothing, A.END, seat.own(seat.ended), "ends the visit for everyone"),
    Signal(VISIT, "session:renew", m.Nothing, OWN, seat.renewed, "a fresh token for the same session", r.Renewal),
    Signal(VISIT, "media:switch", m.MediaSwitch, OWN, seat.own(seat.switched), "what the server may forward of the sender"),
    Signal(VISIT, "media:answer", m.MediaAnswer, INSIDE, seat.answered, "the answer to `media:offer`"),
    Signal(VISIT, "media:restart", m.Nothing, INSIDE, seat.restarted, "the network changed: offer both peer connections again with new ICE credentials"),
    Signal(VISIT, "media:heard", m.MediaHeard, OWN, seat.heard, "how the page heard the others in the last second; refines what the server measures"),
    Signal(VISIT, "page:hidden", m.Nothing, OWN, seat.own(phone.hid), "the page is no longer in front"),
    Signal(VISIT, "page:shown", m.Nothing, OWN, seat.own(phone.shown), "the page is in front again"),
    Signal(VISIT, "phone:plan", m.PhonePlan, OWN, phone.planned, "whom to call if the sender's video fails, and that they agree to it"),
    Signal(VISIT, "phone:withdraw", m.Nothing, OWN, seat.own(phone.withdrawn), "do not call me"),
    Signal(VISIT, "phone:try", m.Nothing, OWN, seat.own(phone.asked(CallPurpose.TRIAL)), "ring me now, to try it; lets nobody in"),
    Signal(VISIT, "phone:call_me", m.Nothing, OWN, seat.own(phone.asked(CallPurpose.BY_HAND)), "call my phone instead"),
    Signal(VISIT, "phone:stop", m.Nothing, OWN, seat.own(phone.stopped), "stop the call, leave the phone, or do not call now"),
    Signal(VISIT, "phone:connect", m.Nothing, OWN, seat.own(phone.connected), "I answered: connect me"),
    Signal(VISIT, "phone:move_back", m.Nothing, OWN, seat.own(phone.moved_back), "move my sound back to this page"),
    Signal(VISIT, "phone:keep", m.Nothing, OWN, seat.own(phone.kept), "leave my sound on the phone"),
    Signal(VISIT, "seat:call", m.OfNumber, A.CALL, seat.command("call"), "calls somebody now, on their own number or another of the seat"),
    Signal(VISIT, "seat:stop_call", m.OfSeat, A.CALL, seat.command("stop_call"), "stops a call, or says not to call"),
    Signal(VISIT, "seat:keep_on_phone", m.OfSeat, A.CALL, seat.command("keep_on_phone"), "leaves somebody's sound on the phone"),
    Signal(VISIT, "seat:greet", m.OfSeat, A.GREET, seat.command("greet"), "speaks alone with whoever answered"),
    Signal(VISIT, "seat:let_in", m.OfSeat, A.GREET, seat.command("let_in"), "lets in the phone that the sender has spoken with"),
    Signal(VISIT, "seat:confirm_voice", m.OfSeat, A.GREET, seat.command("confirm_voice"), "this is the person"),
    Signal(VISIT, "seat:wrong_person", m.OfSeat, A.GREET, seat.command("wrong_person"), "this is somebody else: hangs up"),
    Signal(VISIT, "seat:record_number", m.NumberOfSeat, A.CALL, phone.seat_recorded, "writes down a number of a seat, and the consent to call it"),
    Signal(VISIT, "seat:address", m.OfSeat, A.SEE_LINES, phone.seat_address, "where to send help; logged", r.AddressTold),
    Signal(VISIT, "seat:admit", m.OfDevice, A.ADMIT, seat.command("admit"), "lets a waiting device in"),
    Signal(VISIT, "seat:deny", m.OfDevice, A.DENY, seat.command("deny"), "says no: to a second device alone when it is named, else to the person"),
    Signal(VISIT, "seat:remove", m.OfSeat, A.REMOVE, seat.command("remove"), "takes the person out, on every device"),
    Signal(VISIT, "seat:send_back", m.OfSeat, A.SEND_BACK, seat.command("send_back"), "asks the person to wait again"),
    Signal(VISIT, "seat:let_back", m.OfSeat, A.LET_BACK, seat.command("let_back"), "lifts a denial or removal"),
    Signal(VISIT, "seat:message", m.Message, A.MESSAGE, seat.command("message"), "tells somebody who waits something"),
    Signal(VISIT, "seat:object", m.OfSeat, A.OBJECT, seat.command("object"), "the patient says no to a family member"),
    Signal(VISIT, "seat:invite", m.Invitation, A.INVITE, seat.invited, "one more seat; its link is told this once", r.InvitationMade),
    Signal(DESK, "desk:admit", m.OfVisitDevice, A.ADMIT, desk.command("admit"), "lets a waiting device in"),
    Signal(DESK, "desk:deny", m.OfVisitDevice, A.DENY, desk.command("deny"), "says no, as `seat:deny`"),
    Signal(DESK, "desk:remove", m.OfVisitSeat, A.REMOVE, desk.command("remove"), "takes the person out, on every device"),
    Signal(DESK, "desk:send_back", m.OfVisitSeat, A.SEND_BACK, desk.command("send_back"), "asks the person to wait again"),
    Signal(DESK, "desk:let_back", m.OfVisitSeat, A.LET_BACK, desk.command("let_back"), "lifts a denial or removal"),
    Signal(DESK, "desk:message", m.VisitMessage, A.MESSAGE, desk.command("message"), "tells somebody who waits something"),
    Signal(DESK, "desk:open", m.OfVisitSeat, A.OPEN, desk.opened, "a link to a provider's seat, for the clinician at this desk", r.LinkMade),
    Signal(DESK, "desk:call", m.OfVisitNumber, A.CALL, desk.command("call"), "calls somebody now, as `seat:call`"),
    Signal(DESK, "desk:stop_call", m.OfVisitSeat, A.CALL, desk.command("stop_call"), "stops a call, or says not to call"),
    Signal(DESK, "desk:keep_on_phone", m.OfVisitSeat, A.CALL, desk.command("keep_on_phone"), "leaves somebody's sound on the phone"),
    Signal(DESK, "desk:record_number", m.VisitNumber, A.CALL, phone.desk_recorded, "writes down a number of a seat, and the consent to call it"),
    Signal(DESK, "desk:address", m.OfVisitSeat, A.SEE_LINES, phone.desk_address, "where to send help; logged", r.AddressTold),
    Signal(DESK, "desk:renew", m.Nothing, "own desk", desk.renewed, "a fresh token for the same desk", r.Renewal),
)  # fmt: skip

NOTICES: tuple[Notice, ...] = (
    Notice(VISIT, "visit:changed", r.Snapshot, "the whole view of this device, on connecting and after each change"),
    Notice(VISIT, "media:offer", r.MediaOffer, "an offer for one of the page's two peer connections"),
    Notice(VISIT, "media:state", r.MediaState, "whether the server has the page's media"),
    Notice(VISIT, "session:ended", r.SessionOver, "why the server now closes the session"),
    Notice(DESK, "desk:changed", r.DeskSnapshot, "the practice's day, whole"),
    Notice(DESK, "session:ended", r.SessionOver, "why the server now closes the session"),
)  # fmt: skip
