"""Nothing that comes in can do more than be dropped."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.phone.sip.messages import Message, Request, Response, read, read_uri
from rooms.policy import PhonePolicy

POLICY = PhonePolicy()

RINGING = (
    b"SIP/2.0 180 Ringing\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport=5060;received=192.0.2.1\r\n"
    b'Record-Route: "a, b" <sip:192.0.2.2;lr;x=1>, <sip:192.0.2.3;lr>\r\n'
    b'From: "Clinic" <sip:+15550199@t.example>;tag=ours\r\n'
    b"To: <sip:+15550100@t.example;user=phone>;tag=theirs\r\n"
    b"Call-ID: 77\r\nCSeq: 3 INVITE\r\n"
    b"Contact: <sip:gw;x=*a:b@192.0.2.2:5070;line=sr-N6*.-~>;expires=3\r\n"
    b"Session-Expires: 90;refresher=uas\r\nAllow: INVITE, UPDATE\r\n"
    b"Content-Length: 0\r\n\r\n"
)
BYE = (
    b"BYE sip:bedside@192.0.2.1 SIP/2.0\r\n"
    b"v: SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKq;received=2001:db8::2\r\n"
    b"f: <sip:a@b.example>;tag=1\r\nt: sip:c@d.example;tag=2\r\n"
    b"i: 9\r\nCSeq : 4\r\n  BYE\r\nReason: Q.850;cause=16\r\n\r\n"
)
WHOLE = (RINGING, BYE)


def test_a_response_is_read():
    found = read(RINGING, POLICY)
    assert isinstance(found, Response)
    assert (found.code, found.branch, found.cseq) == (180, "z9hG4bKabc", 3)
    assert (found.from_tag, found.to_tag, found.call_id) == ("ours", "theirs", "77")
    assert found.record_route == ('"a, b" <sip:192.0.2.2;lr;x=1>', "<sip:192.0.2.3;lr>")
    assert found.session_expires == (90, "uas")
    assert found.tokens("allow") == {"invite", "update"}


def test_a_contact_stays_exactly_as_it_was_written():
    found = read(RINGING.replace(b"sip:gw;x=*a:b@", b"sip:gw%2A@"), POLICY)
    assert found.contact == "sip:gw%2A@192.0.2.2:5070;line=sr-N6*.-~"


def test_short_names_folded_lines_and_bare_addresses_are_read():
    found = read(BYE, POLICY)
    assert isinstance(found, Request)
    assert (found.method, found.cseq, found.to_tag) == ("BYE", 4, "2")
    assert found.sent_by == "[2001:db8::1]:5061"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"CSeq: 3 INVITE", b"CSeq: 3"),
        (b"CSeq: 3 INVITE", b"CSeq: 99999999999 INVITE"),
        (b"Call-ID: 77\r\n", b""),
        (b"Call-ID: 77", b"Call-ID:"),
        (b";tag=ours", b";self=ours"),
        (b"<sip:+15550199@t.example>", b"<mailto:a@b>"),
        (b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;", b"Via: nothing;"),
        (b"sip:gw;x=*a:b@", b"nonsense:"),
        (b"Content-Length: 0", b"Content-Length: 5"),
        (b"Content-Length: 0", b"Content-Length: -1"),
        (b"90;refresher", b"x;refresher"),
        (b"SIP/2.0 180", b"SIP/2.0 999"),
        (b"SIP/2.0 180", b"SIP/3.0 180"),
        (b"Allow: ", b"Allow: " + b"a" * 3000),
        (b"Allow: ", b"X: y\r\n" * 200 + b"Allow: "),
        (b"Clinic", b"\xff\xfe"),
    ],
)
def test_what_cannot_be_relied_on_is_dropped(old, new):
    assert old in RINGING
    assert read(RINGING.replace(old, new), POLICY) is None


def test_hosts_with_numbers_are_hosts():
    numbered = (
        RINGING.replace(b"192.0.2.1:5060", b"sbc01:5060")
        .replace(b"t.example", b"pbx.site2")
        .replace(b"192.0.2.2:5070", b"gw-7:5070")
        .replace(b"sip:192.0.2.3;lr", b"sip:p3;lr")
    )
    found = read(numbered, POLICY)
    assert found.contact == "sip:gw;x=*a:b@gw-7:5070;line=sr-N6*.-~"
    assert found.record_route[1] == "<sip:p3;lr>"
    assert found.to == "<sip:+15550100@pbx.site2;user=phone>;tag=theirs"
    assert read(BYE.replace(b"sip:bedside@192.0.2.1", b"sip:b@h2:5"), POLICY)
    assert read_uri(found.contact).host == "gw-7"
    assert read_uri("sip:p3;lr").host == "p3"


def test_the_method_of_a_request_is_that_of_its_number():
    assert read(BYE.replace(b"BYE sip", b"INVITE sip"), POLICY) is None


def test_the_body_ends_where_its_length_says():
    cut = RINGING.replace(b"Content-Length: 0\r\n\r\n", b"Content-Length: 3\r\n\r\nabcdef")
    assert read(cut, POLICY).body == b"abc"


@given(
    st.sampled_from(WHOLE),
    st.lists(
        st.tuples(st.integers(0, 600), st.integers(0, 12), st.binary(max_size=12)), max_size=6
    ),
)
def test_mutated_messages_are_read_or_dropped(message, changes):
    for at, length, put in changes:
        message = message[:at] + put + message[at + length :]
    found = read(message, POLICY)
    assert found is None or isinstance(found, Message)


@given(st.binary(max_size=300))
def test_noise_is_dropped(noise):
    assert read(noise, POLICY) is None


@pytest.mark.parametrize(
    "piece", [b"a.", b"a-", b";a=b", b'"', b"<sip:", b":1", b"%41", b", ", b" "]
)
def test_no_header_takes_long(piece):
    began = time.perf_counter()
    long = piece * (2_000 // len(piece))
    for name in (b"Via", b"From", b"To", b"Contact", b"Record-Route", b"Content-Type"):
        read(RINGING.replace(name + b": ", name + b": " + long, 1), POLICY)
        read(b"BYE sip:" + long + b" SIP/2.0\r\n" + BYE.partition(b"\r\n")[2], POLICY)
    assert time.perf_counter() - began < 2.0
