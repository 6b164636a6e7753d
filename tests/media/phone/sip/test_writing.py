"""What we send is what we meant, and can be read again."""

from __future__ import annotations

from dataclasses import replace

from media.phone.sip.messages import Request, Response, read
from media.phone.sip.writing import Outgoing, ack_of_refusal, answer_address, cancel_of, reply
from rooms.policy import PhonePolicy

POLICY = PhonePolicy()
INVITE = Outgoing(
    method="INVITE",
    target="sip:+15550100@t.example;x=*a",
    hop="sip:192.0.2.1",
    sent_by="UDP 192.0.2.9:5060",
    branch="z9hG4bKx",
    from_="<sip:a@b.example>;tag=1",
    to="<sip:c@d.example>",
    call_id="77",
    cseq=2,
    headers=(("Authorization", "Digest x"), ("Supported", "timer")),
    body=b"v=0",
    content_type="application/sdp",
)
ASKED = (
    "OPTIONS sip:us@192.0.2.9 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKq{rport}, SIP/2.0/UDP 192.0.2.2;branch=b\r\n"
    "Via: SIP/2.0/UDP 192.0.2.3;branch=c\r\nRecord-Route: <sip:192.0.2.2;lr>\r\n"
    "From: <sip:a@b.example>;tag=1\r\nTo: <sip:us@192.0.2.9>\r\n"
    "Call-ID: 9\r\nCSeq: 7 OPTIONS\r\n\r\n"
)


def asked(rport=";rport"):
    return read(ASKED.format(rport=rport).encode(), POLICY)


def test_a_request_is_read_as_it_was_written():
    found = read(INVITE.encode(), POLICY)
    assert isinstance(found, Request)
    assert INVITE.encode().startswith(b"INVITE sip:+15550100@t.example;x=*a SIP/2.0\r\n")
    assert (found.method, found.branch, found.cseq, found.body) == ("INVITE", "z9hG4bKx", 2, b"v=0")
    assert b";rport\r\n" in INVITE.encode()


def test_a_cancel_and_an_ack_repeat_their_invite():
    cancel = cancel_of(INVITE)
    assert (cancel.branch, cancel.cseq, cancel.target) == ("z9hG4bKx", 2, INVITE.target)
    assert not cancel.body
    refusal = read(reply(asked(), 480, ("192.0.2.1", 5070), to_tag="9"), POLICY)
    ack = ack_of_refusal(INVITE, refusal)
    assert (ack.method, ack.to, ack.branch) == ("ACK", refusal.to, "z9hG4bKx")
    assert INVITE.proofs == (("Authorization", "Digest x"),)


def test_a_response_goes_back_the_way_its_request_came():
    message = reply(asked(), 200, ("192.0.2.77", 999), to_tag="us", headers=(("Allow", "BYE"),))
    found = read(message, POLICY)
    assert isinstance(found, Response)
    assert found.via[0].startswith(
        "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKq;rport=999;received=192.0.2.77, SIP/2.0/UDP"
    )
    assert found.via[1] == "SIP/2.0/UDP 192.0.2.3;branch=c"
    assert (found.to_tag, found.cseq, found.record_route) == ("us", 7, ("<sip:192.0.2.2;lr>",))
    assert answer_address(asked(), ("192.0.2.77", 999)) == ("192.0.2.77", 999)
    assert answer_address(asked(""), ("192.0.2.77", 999)) == ("192.0.2.77", 5070)


def test_the_next_hop_is_the_server_then_the_route_then_the_target():
    assert INVITE.next_hop == "sip:192.0.2.1"
    inside = replace(INVITE, hop="", route=('"x" <sip:192.0.2.4;lr>', "<sip:192.0.2.5;lr>"))
    assert inside.next_hop == "sip:192.0.2.4;lr"
    assert replace(inside, route=()).next_hop == INVITE.target
