"""A dialog: where its requests go, and which requests belong to it."""

from __future__ import annotations

from media.phone.sip.dialog import Dialog, DialogState, branch_of, derived
from media.phone.sip.messages import read
from media.phone.sip.writing import Outgoing
from rooms.policy import PhonePolicy

INVITE = Outgoing(
    method="INVITE", target="sip:+1@t.example", hop="sip:192.0.2.1", sent_by="UDP 192.0.2.9:5060",
    branch="z9hG4bKx", from_="<sip:a@b.example>;tag=ours", to="<sip:+1@t.example>", call_id="77",
    cseq=3,
)  # fmt: skip


def message(first, cseq, *headers, from_="<sip:+1@t.example>;tag=theirs", to=INVITE.from_):
    lines = [
        first, "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx", f"From: {from_}", f"To: {to}",
        "Call-ID: 77", f"CSeq: {cseq}", *headers,
    ]  # fmt: skip
    return read(("\r\n".join(lines) + "\r\n\r\n").encode(), PhonePolicy())


def answered(code=200, *headers):
    route = ("Record-Route: <sip:p2;lr>, <sip:p1;lr>", "Contact: <sip:gw@192.0.2.5:5070>")
    names = {"from_": INVITE.from_, "to": "<sip:+1@t.example>;tag=theirs"}
    response = message(f"SIP/2.0 {code} X", "3 INVITE", *(headers or route), **names)
    return Dialog.of(INVITE, response)


def test_requests_go_to_the_contact_by_the_reversed_route_with_rising_numbers():
    dialog = answered()
    first = dialog.request("OPTIONS", "UDP 192.0.2.9:5060")
    second = dialog.request("BYE", "UDP 192.0.2.9:5060")
    assert (first.target, first.route) == ("sip:gw@192.0.2.5:5070", ("<sip:p1;lr>", "<sip:p2;lr>"))
    assert (first.cseq, second.cseq) == (4, 5)
    assert first.next_hop == "sip:p1;lr"
    assert first.branch != second.branch
    ack = dialog.ack(3, "UDP 192.0.2.9:5060", (("Authorization", "x"),))
    assert (ack.method, ack.cseq, ack.headers) == ("ACK", 3, (("Authorization", "x"),))
    assert dialog.cseq == 5


def test_a_provisional_response_makes_an_early_dialog():
    assert answered(180).state is DialogState.EARLY
    assert answered(200).state is DialogState.CONFIRMED
    assert answered(200, "Organization: y").target == INVITE.target


def test_requests_belong_to_the_dialog_by_call_and_both_tags():
    dialog = answered()
    theirs = "<sip:+1@t.example>;tag=theirs"
    assert dialog.owns(message("BYE sip:us SIP/2.0".replace("us", "a@b"), "1 BYE"))
    for from_, to in ((theirs, "<sip:a@b.example>"), (theirs, "<sip:a@b>;tag=other"),
                      ("<sip:+1@t.example>;tag=other", INVITE.from_)):  # fmt: skip
        assert not dialog.owns(message("BYE sip:a@b SIP/2.0", "1 BYE", from_=from_, to=to))


def test_numbers_must_rise_and_a_reinvite_may_move_the_target():
    dialog = answered()
    assert dialog.in_order(message("OPTIONS sip:a@b SIP/2.0", "5 OPTIONS", "Contact: <sip:x@y>"))
    assert dialog.target == "sip:gw@192.0.2.5:5070"
    assert not dialog.in_order(message("BYE sip:a@b SIP/2.0", "5 BYE"))
    assert dialog.in_order(message("INVITE sip:a@b SIP/2.0", "6 INVITE", "Contact: <sip:x@y>"))
    assert dialog.target == "sip:x@y"


def test_names_are_derived_from_ids_and_differ_by_purpose():
    assert derived("tag", "1") == derived("tag", "1")
    assert len({derived("tag", "1"), derived("call-id", "1"), derived("tag", "2")}) == 3
    assert len({branch_of("c", "INVITE", 1), branch_of("c", "INVITE", 2)}) == 2
    assert branch_of("c", "INVITE", 1).startswith("z9hG4bK")
