"""Whose address counts: nobody may choose their own, and nobody is lumped together by mistake."""

from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from rooms.policy import EdgePolicy
from server.addresses import UNKNOWN, address_block, client_address, parse_address

PROXIES = tuple(ip_network(text) for text in ("10.0.0.0/8", "127.0.0.1/32", "fd00::/8"))


def address(peer, *, proxies=PROXIES, **headers):
    """What the server makes of a request from ``peer``; header names with ``_`` for ``-``."""
    pairs = {name.replace("_", "-"): value for name, value in headers.items()}
    request = make_mocked_request("GET", "/", headers=pairs).clone(remote=peer)
    return client_address(request, proxies)


def test_without_a_proxy_it_is_the_peer():
    assert address("192.0.2.7") == "192.0.2.7"
    assert address("2001:DB8::7") == "2001:db8::7"
    assert address("::ffff:192.0.2.7") == "192.0.2.7"
    assert address("fe80::1%eth0") == "fe80::1"


@pytest.mark.parametrize("peer", ["", "unix:", "somewhere"])
def test_a_peer_without_address_is_unknown_and_vouches_for_nobody(peer):
    assert address(peer, X_Forwarded_For="192.0.2.1") == UNKNOWN


@pytest.mark.parametrize("peer", ["192.0.2.7", "11.0.0.1", "fe00::1"])
def test_an_untrusted_peer_is_not_believed(peer):
    assert address(peer, X_Forwarded_For="198.51.100.1") == peer
    assert address(peer, Forwarded="for=198.51.100.1") == peer
    assert address(peer, X_Real_IP="198.51.100.1") == peer


@pytest.mark.parametrize("peer", ["10.1.2.3", "127.0.0.1", "::ffff:10.1.2.3", "fd00::5"])
def test_a_trusted_proxy_is_believed(peer):
    assert address(peer, X_Forwarded_For="198.51.100.1") == "198.51.100.1"
    assert address(peer, Forwarded="for=198.51.100.1") == "198.51.100.1"


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        ("198.51.100.1, 10.0.0.9", "198.51.100.1"),
        ("198.51.100.1,10.0.0.9,10.0.0.8", "198.51.100.1"),
        ("1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.5, 1.1.1.1, 198.51.100.1, 10.0.0.9", "198.51.100.1"),
        ("127.0.0.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.5, 10.0.0.9", "10.0.0.5"),
        ("198.51.100.1:51234", "198.51.100.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("::ffff:10.0.0.9", "10.0.0.9"),
        ("198.51.100.1, ::ffff:10.0.0.9", "198.51.100.1"),
        ("  198.51.100.1  ", "198.51.100.1"),
    ],
)
def test_the_right_most_untrusted_hop_is_the_client(hops, client):
    assert address("10.0.0.1", X_Forwarded_For=hops) == client


@pytest.mark.parametrize(
    "garbage",
    ["unknown", "_hidden", "evil", "198.51.100", "198.51.100.1.1", "198.51.100.256", "0x7f000001",
     "1.1.1.1;2.2.2.2", "-", "''", "[2001:db8::1", "2001:db8::1]:80", "198.51.100.1:port"],
)  # fmt: skip
def test_garbage_is_where_knowledge_ends(garbage):
    assert address("10.0.0.1", X_Forwarded_For=garbage) == "10.0.0.1"
    assert address("10.0.0.1", X_Forwarded_For=f"198.51.100.1, {garbage}, 10.0.0.9") == "10.0.0.9"
    assert address("10.0.0.1", X_Forwarded_For=f"{garbage}, 198.51.100.1") == "198.51.100.1"


@pytest.mark.parametrize(
    ("header", "client"),
    [
        ("for=198.51.100.1;proto=https;by=10.0.0.1", "198.51.100.1"),
        ("by=10.0.0.1; For=198.51.100.1", "198.51.100.1"),
        ('for="198.51.100.1:4711"', "198.51.100.1"),
        ('for="[2001:db8::1]:4711"', "2001:db8::1"),
        ('for="[2001:db8::1]"', "2001:db8::1"),
        ("for=1.1.1.1, for=198.51.100.1, for=10.0.0.9", "198.51.100.1"),
        ("for=198.51.100.1;host=a, for=10.0.0.9", "198.51.100.1"),
        ('for=198.51.100.1;ext="a,b;for=1.1.1.1"', "198.51.100.1"),
        ("for=unknown", "10.0.0.1"),
        ("for=_gazonk", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
        ("for=", "10.0.0.1"),
        ("for=198.51.100.1 for=1.1.1.1", "10.0.0.1"),
        ('for="1.1.1.1, for=198.51.100.1', "198.51.100.1"),
    ],
)
def test_forwarded_is_read_as_its_standard_says(header, client):
    assert address("10.0.0.1", Forwarded=header) == client


def test_two_headers_that_agree_are_believed():
    headers = {"X_Forwarded_For": "1.1.1.1, 198.51.100.1", "Forwarded": "for=198.51.100.1"}
    assert address("10.0.0.1", **headers) == "198.51.100.1"


def test_a_header_that_the_proxy_passed_through_helps_nobody():
    """nginx writes X-Forwarded-For and hands the client's own Forwarded on."""
    headers = {"X_Forwarded_For": "198.51.100.1", "Forwarded": "for=1.1.1.1"}
    assert address("10.0.0.1", **headers) == "10.0.0.1"


def test_the_header_may_come_in_several_lines():
    pairs = [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "198.51.100.1, 10.0.0.9")]
    request = make_mocked_request("GET", "/")
    headers = request.headers.copy()
    for name, value in pairs:
        headers.add(name, value)
    request = request.clone(headers=headers, remote="10.0.0.1")
    assert client_address(request, PROXIES) == "198.51.100.1"


def test_nobody_is_trusted_unless_somebody_says_so():
    assert address("127.0.0.1", proxies=(), X_Forwarded_For="198.51.100.1") == "127.0.0.1"


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_the_headers_say_the_answer_is_an_address(left, right):
    clean = str.maketrans("", "", "\r\n\0")
    headers = {"X_Forwarded_For": left.translate(clean), "Forwarded": right.translate(clean)}
    assert parse_address(address("10.0.0.1", **headers)) is not None


@given(st.text(max_size=60))
def test_what_a_client_writes_in_front_changes_nothing(written):
    front = written.replace("\r", "").replace("\n", "").replace("\0", "")
    assert address("10.0.0.1", X_Forwarded_For=f"{front}, 198.51.100.1") == "198.51.100.1"


def test_limits_count_a_whole_ipv6_network_as_one_client():
    policy = EdgePolicy()
    assert address_block("192.0.2.7", policy) == "192.0.2.7"
    assert address_block("2001:db8::1", policy) == address_block("2001:db8::ffff:1", policy)
    assert address_block("2001:db8::1", policy) != address_block("2001:db8:0:1::1", policy)
    assert address_block(UNKNOWN, policy) == UNKNOWN
