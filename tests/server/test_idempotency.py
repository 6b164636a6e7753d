from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.policy import EdgePolicy
from server.idempotency import (
    IdempotencyKeyInvalid,
    IdempotencyMismatch,
    ReplySealer,
    parse_key,
)
from tests.support.records import Clock

SEALING_KEY = bytes(range(32))
REPLY = b'{"visit": "v", "seats": [{"link": "https://visits.example.org/join#code"}]}'
keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sealer(clock):
    return ReplySealer(SEALING_KEY, clock)


@given(keys, st.binary(), st.binary())
def test_the_same_request_opens_the_reply(key, request_body, reply):
    sealer = ReplySealer(SEALING_KEY, Clock())
    kept = sealer.seal("north", key, request_body, reply)
    assert sealer.open(kept, key, request_body) == reply
    assert kept.key_hash == sealer.key_hash("north", key)


def test_a_different_request_is_refused(sealer):
    kept = sealer.seal("north", "key-1", b"request", REPLY)
    with pytest.raises(IdempotencyMismatch):
        sealer.open(kept, "key-1", b"request ")


def test_a_reply_is_kept_for_a_day_and_no_longer(sealer, clock):
    kept = sealer.seal("north", "key-1", b"request", REPLY)
    clock.now += 24 * 60 * 60 - 1
    assert sealer.open(kept, "key-1", b"request") == REPLY
    clock.now += 1
    assert sealer.open(kept, "key-1", b"request") is None
    assert sealer.open(kept, "key-1", b"another") is None


def test_how_long_is_the_policys_to_say(clock):
    sealer = ReplySealer(SEALING_KEY, clock, EdgePolicy(reply_kept=5))
    assert sealer.seal("north", "key-1", b"request", REPLY).expires_at == clock.now + 5


def test_what_the_store_keeps_opens_for_nobody_else(sealer, clock):
    kept = sealer.seal("north", "key-1", b"request", REPLY)
    with pytest.raises(IdempotencyMismatch):
        sealer.open(kept, "key-2", b"request")
    with pytest.raises(IdempotencyMismatch):
        sealer.open(replace(kept, practice="south"), "key-1", b"request")
    with pytest.raises(IdempotencyMismatch):
        sealer.open(replace(kept, sealed=kept.sealed[:-1]), "key-1", b"request")
    with pytest.raises(IdempotencyMismatch):
        ReplySealer(bytes(32), clock).open(kept, "key-1", b"request")


def test_what_the_store_keeps_tells_nothing(sealer):
    kept = sealer.seal("north", "key-1", b"request", REPLY)
    shown = repr(kept)
    assert "code" not in shown
    assert "key-1" not in shown
    assert kept.key_hash not in {sealer.key_hash("south", "key-1"), sealer.key_hash("north", "k")}
    assert kept.request_hash != sealer.seal("south", "key-1", b"request", REPLY).request_hash
    assert kept.sealed != sealer.seal("north", "key-1", b"request", REPLY).sealed


@pytest.mark.parametrize("header", ["key-1", '"key-1"', ' "key-1" ', " key-1"])
def test_a_key_is_written_bare_or_quoted(header):
    assert parse_key(header) == "key-1"


@pytest.mark.parametrize("header", ["", '""', " ", "a b", "é", "a" * 256, "a\x00", "\ud800"])
def test_what_is_no_key_is_refused(header):
    with pytest.raises(IdempotencyKeyInvalid):
        parse_key(header)


@given(keys)
def test_every_visible_key_is_taken(key):
    assert parse_key(key) in {key, key[1:-1]}
