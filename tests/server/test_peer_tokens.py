"""Tokens between nodes: one order, one node, seconds, once."""

from dataclasses import replace

import pytest

from rooms.policy import EdgePolicy
from server.peer_tokens import PeerClaims, fingerprint
from server.tokens import SessionClaims, SessionTokens, TokenInvalid
from tests.support.peer_nodes import ISSUER, OTHER_RING, POLICY, RING, tokens
from tests.support.records import Clock

NOW = 1_000_000
LIFE = int(POLICY.peer_token_life)
LEEWAY = EdgePolicy().token_leeway
PATH = "/internal/visits/v/submit"


@pytest.fixture
def clock():
    return Clock(NOW)


@pytest.fixture
def here(clock):
    return tokens("here", clock=clock)


@pytest.fixture
def other(clock):
    return tokens("other", clock=clock)


def refused(ours, token):
    with pytest.raises(TokenInvalid) as refusal:
        ours.verify(token)
    return refusal.value.cause


def test_a_token_says_who_asks_whom_for_what(here, other):
    claims = here.verify(other.sign("here", "POST", PATH, b"body"))
    asked = fingerprint("POST", PATH, b"body")
    assert replace(claims, id="", issued_at=0, expires_at=0) == PeerClaims(
        sender="other", to="here", bh=asked
    )
    assert claims.expires_at - claims.issued_at == LIFE
    here.require_same(claims, "POST", PATH, b"body")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", PATH, b"body"),
        ("POST", PATH + "?", b"body"),
        ("POST", PATH.replace("v", "w"), b"body"),
        ("POST", PATH, b""),
        ("POST", PATH, b"body "),
        ("POST", PATH + "\n", b"ody"),
    ],
)
def test_a_token_is_for_one_request(here, other, method, path, body):
    claims = here.verify(other.sign("here", "POST", PATH, b"body"))
    with pytest.raises(TokenInvalid):
        here.require_same(claims, method, path, body)


def test_where_one_part_ends_and_the_next_begins_is_fingerprinted():
    assert fingerprint("POST", "/a", b"\nb") != fingerprint("POST", "/a\n", b"b")


def test_a_token_for_another_node(here, other):
    assert refused(here, other.sign("there", "POST", PATH, b"")) == "to"


def test_a_token_of_another_ring(here, clock):
    stranger = tokens("other", OTHER_RING, clock)
    assert refused(here, stranger.sign("here", "POST", PATH, b"")) == "signature"


def test_a_persons_token_is_no_nodes_and_the_other_way_round(here, other, clock):
    pages = SessionTokens(RING, ISSUER, clock)
    person = SessionClaims(visit="v", seat="s", seat_epoch=1, device="d", session="x")
    assert refused(here, pages.mint(person)) == "header"
    assert refused(pages, other.sign("here", "POST", PATH, b"")) == "header"


def test_a_token_lives_seconds(here, other, clock):
    token = other.sign("here", "POST", PATH, b"")
    clock.now += LIFE + LEEWAY - 1
    assert here.verify(token)
    clock.now += 1
    assert refused(here, token) == "expired"


def test_a_token_is_used_once(here, other, clock):
    claims = here.verify(other.sign("here", "POST", PATH, b""))
    assert here.use(claims)
    assert not here.use(claims)
    clock.now += LIFE + LEEWAY - 0.1
    assert not here.use(claims), "it would still be believed"
    assert here.use(here.verify(other.sign("here", "POST", PATH, b"")))


def test_what_nobody_believes_any_more_is_forgotten(here, other, clock):
    for _ in range(100):
        assert here.use(here.verify(other.sign("here", "POST", PATH, b"")))
    assert here.remembered == 100
    clock.now += LIFE + LEEWAY
    here.use(here.verify(other.sign("here", "POST", PATH, b"")))
    assert here.remembered == 1
