"""Digest: the examples of the RFCs, and what servers do."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from media.phone.sip.digest import Credentials, prove, read_challenge, strongest
from media.phone.sip.messages import read
from rooms.policy import PhonePolicy

REFUSED = (
    "SIP/2.0 {code} Unauthorized\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n"
    "From: <sip:a@b.example>;tag=1\r\nTo: <sip:c@b.example>;tag=2\r\n"
    "Call-ID: 1\r\nCSeq: 1 INVITE\r\n{headers}\r\n\r\n"
)
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def refused(code, *headers):
    text = REFUSED.format(code=code, headers="\r\n".join(headers))
    return read(text.encode(), PhonePolicy())


def proof_of(value):
    return re.search(r'response="([0-9a-f]+)"', value)[1]


@pytest.mark.parametrize(
    ("algorithm", "proof"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm, proof):
    asked = (
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        f'nonce="{NONCE}", opaque="{OPAQUE}"'
    )
    challenge = read_challenge(asked, "Authorization")
    value = prove(challenge, "GET", "/dir/index.html", b"", "Mufasa", "Circle of Life", CNONCE)
    assert proof_of(value) == proof
    assert "qop=auth, nc=00000001" in value
    assert f'opaque="{OPAQUE}"' in value


def test_the_example_of_rfc_2617():
    asked = (
        'Digest realm="testrealm@host.com", qop="auth,auth-int", '
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    challenge = read_challenge(asked, "Authorization")
    value = prove(challenge, "GET", "/dir/index.html", b"", "Mufasa", "Circle Of Life", "0a4f113b")
    assert proof_of(value) == "6629fae49393a05397450978507c4ef1"


def test_each_way_of_asking_gives_another_proof():
    values = set()
    for algorithm in ("MD5", "MD5-sess", "SHA-256", "SHA-256-sess"):
        for qop in ("", 'qop="auth",', 'qop="auth-int",'):
            asked = f'Digest realm="r", {qop} nonce="n", algorithm={algorithm}'
            challenge = read_challenge(asked, "Authorization")
            value = prove(challenge, "BYE", "sip:a@b", b"body", "u", "p", "c")
            assert ("cnonce" in value) == (bool(qop) or algorithm.endswith("sess"))
            assert ("nc=" in value) == bool(qop)
            values.add(proof_of(value))
    assert len(values) == 12


def test_the_strongest_challenge_that_we_know_is_answered():
    response = refused(
        407,
        'Proxy-Authenticate: Digest realm="r",nonce="1"',
        'Proxy-Authenticate: Digest realm="r",nonce="2",algorithm=SHA-256,qop="auth"',
        'Proxy-Authenticate: Digest realm="r",nonce="3",algorithm=SHA-512-256',
        'Proxy-Authenticate: Basic realm="r"',
        'WWW-Authenticate: Digest realm="r",nonce="4"',
    )
    chosen = strongest(response)
    assert (chosen.nonce, chosen.header) == ("2", "Proxy-Authorization")


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "Digest",
        "Digest realm",
        'Digest realm="r"',
        "Basic x",
        'Digest nonce="n", realm="r", qop="strange"',
    ],
)
def test_what_we_cannot_answer_is_not_answered(asked):
    assert read_challenge(asked, "Authorization") is None
    response = refused(401, f"WWW-Authenticate: {asked}")
    assert Credentials("u", "p").answer(response, "BYE", "sip:a@b", b"", ()) is None


def test_a_password_that_was_refused_is_not_tried_again_unless_the_nonce_was_stale():
    credentials = Credentials("u", "p")
    response = refused(401, 'WWW-Authenticate: Digest realm="r",nonce="1"')
    first = credentials.answer(response, "BYE", "sip:a@b", b"", ())
    assert [name for name, _ in first] == ["Authorization"]
    assert credentials.answer(response, "BYE", "sip:a@b", b"", first) is None
    stale = refused(401, 'WWW-Authenticate: Digest realm="r",nonce="2",stale=TRUE')
    assert credentials.answer(stale, "BYE", "sip:a@b", b"", first) is not None
    assert Credentials("", "").answer(response, "BYE", "sip:a@b", b"", ()) is None


def test_a_proxy_and_a_server_are_both_answered():
    credentials = Credentials("u", "p")
    proxy = refused(407, 'Proxy-Authenticate: Digest realm="p",nonce="1"')
    server = refused(401, 'WWW-Authenticate: Digest realm="s",nonce="1"')
    first = credentials.answer(proxy, "INVITE", "sip:a@b", b"", ())
    both = credentials.answer(server, "INVITE", "sip:a@b", b"", first)
    assert [name for name, _ in both] == ["Proxy-Authorization", "Authorization"]


def test_quotes_in_names_stay_inside_their_quotes():
    challenge = read_challenge('Digest realm="a \\"b\\"", nonce="n"', "Authorization")
    value = prove(challenge, "BYE", "sip:a@b", b"", 'u"x', "p", "c")
    assert 'username="u\\"x"' in value
    assert 'realm="a \\"b\\""' in value
    assert proof_of(value) != proof_of(
        prove(replace(challenge, realm="other"), "BYE", "sip:a@b", b"", 'u"x', "p", "c")
    )
