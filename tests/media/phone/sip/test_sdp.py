"""SDP of telephone calls: what we say, and what we take."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.phone.sip.sdp import PCMA, PCMU, Description, Direction, read_sound

KEY = bytes(range(30))
ANSWER = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=sendonly\r\n"
    "m=video 0 RTP/AVP 96\r\n"
    "m=audio 4000 RTP/AVP 96 8 0 97\r\nc=IN IP4 192.0.2.7\r\na=rtcp:4005\r\n"
    "a=rtpmap:97 TELEPHONE-EVENT/8000\r\na=rtpmap:96 telephone-event/48000\r\n"
)


def described(text):
    return read_sound(text.encode(), encrypted=False)


def test_an_answer_is_read():
    found = described(ANSWER)
    assert (found.host, found.port, found.rtcp_port) == ("192.0.2.7", 4000, 4005)
    assert (found.payload_type, found.digits) == (PCMA, 97)
    assert found.direction is Direction.SEND
    assert not found.listens


def test_a_direction_of_the_sound_comes_before_that_of_the_session():
    assert described(ANSWER + "a=sendrecv\r\n").listens
    assert not described(ANSWER.replace("192.0.2.7", "0.0.0.0") + "a=sendrecv\r\n").listens


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("m=audio 4000", "m=audio 0"),
        ("m=audio 4000", "m=audio 70000"),
        ("m=audio 4000", "m=audio x"),
        ("RTP/AVP 96 8 0 97", "RTP/AVP 96 9 97"),
        ("m=audio 4000 RTP/AVP", "m=audio 4000 RTP/SAVP"),
        ("c=IN IP4 192.0.2.7", "c=IN IP4 host.example"),
        ("c=IN IP4 192.0.2.7", "c=IN"),
        ("m=audio", "m=image"),
        ("m=audio 4000", "m="),
        ("a=rtcp:4005", "a=rtcp:99999"),
    ],
)
def test_what_we_cannot_use_is_refused(old, new):
    assert old in ANSWER
    assert described(ANSWER.replace(old, new)) is None


@given(st.integers(0, 300), st.integers(0, 9), st.text(max_size=8))
def test_no_description_does_more_than_be_refused(at, length, put):
    described(ANSWER[:at] + put + ANSWER[at + length :])


def test_our_offer_is_read_and_its_version_counts_changes():
    ours = Description("192.0.2.9", 5000, None, 7)
    offer = ours.offer()
    found = read_sound(offer, encrypted=False)
    assert (found.host, found.port, found.payload_type) == ("192.0.2.9", 5000, PCMU)
    assert b"o=- 7 1 IN IP4" in offer
    assert ours.offer() == offer
    answer = ours.answer(described(ANSWER))
    assert b"o=- 7 2 IN IP4" in answer
    assert b"a=recvonly" in answer
    assert b"RTP/AVP 8 97" in answer


def test_keys_are_exchanged():
    ours = Description("2001:db8::9", 5000, KEY, 7)
    found = read_sound(ours.offer(), encrypted=True)
    assert (found.key, found.tag, found.host) == (KEY, "1", "2001:db8::9")
    assert read_sound(ours.offer(), encrypted=False) is None
    theirs = ours.offer().replace(b"crypto:1 AES", b"crypto:4 AES")
    assert b"a=crypto:4 AES" in ours.answer(read_sound(theirs, encrypted=True))


@pytest.mark.parametrize("key", [b"", KEY[:29], KEY + b"x"])
def test_a_key_of_another_length_is_refused(key):
    offer = Description("192.0.2.9", 5000, KEY, 7).offer()
    changed = offer.replace(base64.b64encode(KEY), base64.b64encode(key))
    assert read_sound(changed, encrypted=True) is None
