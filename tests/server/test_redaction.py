import json
import time
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from server.keys import KeyRing, TokenKey
from server.links import new_api_key, new_code, new_credential
from server.redaction import MASK, clean, clean_mapping, clean_text, is_secret_key
from server.tokens import SessionClaims, SessionTokens
from tests.support.records import Clock

SDP = "v=0\r\no=- 46 2 IN IP4 127.0.0.1\r\ns=-\r\na=ice-ufrag:abcd\r\na=fingerprint:sha-256 AB:CD"
CANDIDATE = "candidate:1 1 UDP 2130706431 192.0.2.1 50000 typ host"


def a_token():
    ring = KeyRing((TokenKey("kid", bytes(range(32))),), b"", b"")
    claims = SessionClaims(visit="v", seat="s", seat_epoch=1, device="d", session="s")
    return SessionTokens(ring, "https://visits.example.org", Clock()).mint(claims)


SECRETS = {
    "code": new_code(),
    "credential": new_credential(),
    "api key": new_api_key(),
    "token": a_token(),
    "half a token": a_token().rpartition(".")[0],
    "phone": "+49 170 1234567",
    "phone with dashes": "555-010-0123",
    "phone with brackets": "(555) 010-0123",
    "phone in one piece": "5550100123",
    "phone with a zero-width space": "+49\u2009170\u20091234567",
    "tel": "tel:+15550100123",
    "sip": "sip:+15550100123",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize("around", ["{}", "before {} after", "x={}", '"{}"', "({})", "[{}],"])
def test_a_secret_is_masked_wherever_it_stands(secret, around):
    cleaned = clean_text(around.format(secret))
    assert secret not in cleaned
    assert MASK in cleaned


@pytest.mark.parametrize("sdp", [SDP, CANDIDATE, f"answer was {SDP}", "a=ice-pwd:x", f"a={SDP}"])
def test_of_an_sdp_nothing_is_left(sdp):
    assert clean_text(sdp) == MASK


@pytest.mark.parametrize("path", ["/join#short", "/join?code=short", "https://a.example/x?y=z#w"])
def test_of_an_address_only_the_path_is_left(path):
    cleaned = clean_text(path)
    assert cleaned.endswith(MASK)
    assert not any(word in cleaned for word in ("short", "y=z", "w"))


@pytest.mark.parametrize(
    "text",
    ["visit-1", "192.168.100.200", "192.168.100.200 port 5000", "2001:db8::1", "2026-11-21",
     "3f0c9a52-1f4e-4a50-9d3e-0c6a7b1f2e11", "SeatAdmitted", "not_permitted", "v1.2.3", "10 ms",
     "/v1/visits/{visit}/seats", "server/keeper.py:120 submit", "why?", "12.5", "300 of 65535"],
)  # fmt: skip
def test_what_people_need_to_find_a_fault_stays(text):
    assert clean_text(text) == text


@pytest.mark.parametrize(
    "key",
    ["name", "said_name", "practice_name", "displayName", "phone", "phone_number", "token",
     "access_token", "turnSecret", "Authorization", "Set-Cookie", "sdp", "candidate", "link",
     "password", "text", "host", "email", "credential"],
)  # fmt: skip
def test_values_under_these_keys_are_never_written(key):
    assert is_secret_key(key)
    assert clean_mapping({key: "Ann"}) == {key: MASK}
    assert clean_mapping({key: {"deep": ["Ann"]}}) == {key: MASK}
    assert clean_mapping({"outer": {key: 7}}) == {"outer": {key: MASK}}


@pytest.mark.parametrize("key", ["visit", "seat", "code", "status", "event", "filename", "at"])
def test_values_under_other_keys_are_written(key):
    assert clean_mapping({key: "x-1"}) == {key: "x-1"}


class Colour(StrEnum):
    RED = "red"


@dataclass
class Person:
    told: str


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None), (True, True), (7, 7), (1.5, 1.5), (Colour.RED, "red"),
        (Path("a/b"), "a/b"), (ip_address("192.0.2.1"), "192.0.2.1"), ((1, "a"), [1, "a"]),
        (Person("Ann"), "<Person>"), (b"Ann", "<bytes>"), (ValueError("Ann"), "<ValueError>"),
        (SecretStr("Ann"), "<SecretStr>"), ([Person("Ann")], ["<Person>"]), (object, "<type>"),
    ],
    ids=repr,
)  # fmt: skip
def test_only_plain_values_are_written(value, written):
    assert clean(value) == written


def test_a_value_that_holds_itself_ends():
    loop: list[object] = []
    loop.append(loop)
    assert "list" in json.dumps(clean(loop))


@pytest.mark.parametrize(
    "character",
    ["\r", "\n", "\x00", "\x1b", "\x7f", "\x9b", "\u2028", "\u202e", "\u2066", "\ud800"],
)  # fmt: skip
def test_no_character_can_forge_a_line_or_turn_it_round(character):
    cleaned = clean_text(f"a{character}b")
    assert character not in cleaned
    assert cleaned == f"a\\u{ord(character):04x}b"


@given(st.text())
def test_any_text_comes_out_as_one_printable_line(text):
    cleaned = clean_text(text)
    assert len(cleaned.splitlines()) <= 1
    cleaned.encode()


def test_a_flood_is_cut():
    assert 900 < len(clean_text("a b " * 100_000)) <= 1_001


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize("cut", [1, 3, 9])
def test_a_cut_never_leaves_half_a_secret(secret, cut):
    before = "word, " * 200
    cleaned = clean_text(before[: 1_000 - len(secret) + cut - 1] + " " + secret + " after" * 1_000)
    assert secret[:6] not in cleaned


def test_hostile_lengths_cost_no_time():
    started = time.process_time()
    for text in ("1 " * 50_000, "eyJ" * 50_000, "(" * 100_000, "a" * 100_000, "\r\n" * 50_000):
        clean_text(text)
    assert time.process_time() - started < 0.5
