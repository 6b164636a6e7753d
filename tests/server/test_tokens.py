import base64
import hmac
import json
import time
from dataclasses import replace

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from rooms.policy import EdgePolicy
from server.keys import KeyRing, TokenKey
from server.tokens import DeskClaims, DeskTokens, SessionClaims, SessionTokens, TokenInvalid
from tests.support.records import Clock

ISSUER = "https://visits.example.org"
OLD = TokenKey("old", bytes(range(32)))
ACTIVE = TokenKey("active", bytes(range(32, 64)))
RING = KeyRing((ACTIVE, OLD), audit=bytes(range(64, 96)), sealing=bytes(range(96, 128)))
NOW = 1_000_000
WHO = SessionClaims(visit="visit-1", seat="seat-1", seat_epoch=3, device="device-1", session="s-1")
HEADER = {"alg": "HS256", "kid": "active", "typ": "visit+jwt"}
PAYLOAD = {
    "iss": ISSUER,
    "aud": "bedside:visit",
    "sub": "seat-1",
    "iat": NOW,
    "exp": NOW + 600,
    "jti": "token-1",
    "visit": "visit-1",
    "seat_epoch": 3,
    "device": "device-1",
    "session": "s-1",
}


@pytest.fixture
def clock():
    return Clock(NOW)


@pytest.fixture
def tokens(clock):
    return SessionTokens(RING, ISSUER, clock)


def segment(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header=HEADER, payload=PAYLOAD, secret=ACTIVE.secret, digest="sha256"):
    """A token made by hand, properly signed: what a thief of the key or a bug could make."""
    text = f"{segment(header)}.{segment(payload)}"
    return f"{text}.{segment(hmac.new(secret, text.encode(), digest).digest())}"


def without(mapping, name):
    return {key: value for key, value in mapping.items() if key != name}


def refused(tokens, token):
    with pytest.raises(TokenInvalid) as refusal:
        tokens.verify(token)
    assert str(refusal.value) == TokenInvalid.title, "every refusal has the same face"
    assert refusal.value.code == "token_invalid"
    return refusal.value.cause


# What must work


def test_a_minted_token_says_who_it_is(tokens):
    claims = tokens.verify(tokens.mint(WHO))
    assert replace(claims, id="", issued_at=0, expires_at=0) == WHO
    assert (claims.issued_at, claims.expires_at) == (NOW, NOW + 600)
    assert claims.expires_at - claims.issued_at == tokens.life


def test_the_token_made_by_hand_is_the_one_we_make(tokens):
    assert tokens.verify(signed()).id == "token-1"
    header, payload, _ = (
        base64.urlsafe_b64decode(part + "==") for part in tokens.mint(WHO).split(".")
    )
    assert json.loads(header).keys() == HEADER.keys()
    assert json.loads(payload).keys() == PAYLOAD.keys()


def test_every_token_has_an_id_of_its_own(tokens):
    assert len({tokens.verify(tokens.mint(WHO)).id for _ in range(100)}) == 100


def test_a_token_of_the_key_before_the_last_rotation_is_still_believed(clock):
    before = SessionTokens(KeyRing((OLD,), RING.audit, RING.sealing), ISSUER, clock)
    after = SessionTokens(RING, ISSUER, clock)
    assert after.verify(before.mint(WHO)).seat == "seat-1"
    assert jwt.get_unverified_header(after.mint(WHO))["kid"] == "active"


def test_a_token_of_a_retired_key_is_worthless(clock):
    retired = KeyRing((TokenKey("gone", bytes(range(128, 160))),), RING.audit, RING.sealing)
    token = SessionTokens(retired, ISSUER, clock).mint(WHO)
    assert refused(SessionTokens(RING, ISSUER, clock), token) == "key"


def test_a_token_lives_ten_minutes_and_the_leeway(tokens, clock):
    token = tokens.mint(WHO)
    clock.now = NOW + 600 + 29
    assert tokens.verify(token)
    clock.now = NOW + 600 + 30
    assert refused(tokens, token) == "expired"


def test_only_the_given_clock_counts(tokens, clock):
    assert time.time() > NOW + 600, "the token has long expired by the world's clock"
    assert tokens.verify(tokens.mint(WHO))
    clock.now = 4_000_000_000
    assert tokens.verify(tokens.mint(WHO))


@pytest.mark.parametrize("skew", [-30, -29, 29, 30])
def test_clocks_may_differ_by_the_leeway(tokens, skew):
    assert tokens.verify(signed(payload={**PAYLOAD, "iat": NOW + skew, "exp": NOW + skew + 600}))


# The attacks


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", ["", "AA"])
def test_no_algorithm(tokens, alg, signature):
    text = f"{segment({**HEADER, 'alg': alg})}.{segment(PAYLOAD)}"
    refused(tokens, f"{text}.{signature}")


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("alg", ["RS256", "ES256", "HS256"])
def test_algorithm_confusion(tokens, encoding, alg):
    public = rsa.generate_private_key(65_537, 2_048).public_key()
    secret = public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    refused(tokens, signed({**HEADER, "alg": alg}, secret=secret))


@pytest.mark.parametrize("alg", ["HS384", "HS512", "hs256", "RS256", "dir", None, 256, ["HS256"]])
def test_another_algorithm_than_the_keys_own(tokens, alg):
    digest = {"HS384": "sha384", "HS512": "sha512"}.get(str(alg), "sha256")
    assert refused(tokens, signed({**HEADER, "alg": alg}, digest=digest)) == "key"


@pytest.mark.parametrize(
    "kid",
    ["", "unknown", "ACTIVE", "active ", "../../../../dev/null", "' OR 1=1 --", "active\x00",
     None, 0, ["active"], {"kid": "active"}],
    ids=repr,
)  # fmt: skip
def test_an_unknown_key(tokens, kid):
    assert refused(tokens, signed({**HEADER, "kid": kid})) == "key"


def test_the_other_keys_name_over_this_keys_signature(tokens):
    assert refused(tokens, signed({**HEADER, "kid": "old"})) == "signature"


@pytest.mark.parametrize("secret", [b"", b"\x00", b"secret", b"active", OLD.secret, RING.audit])
def test_a_signature_with_another_secret(tokens, secret):
    assert refused(tokens, signed(secret=secret)) == "signature"


def test_a_short_key_is_not_believed_even_if_it_is_in_the_ring(clock):
    short = KeyRing((TokenKey("active", b"short-key"),), RING.audit, RING.sealing)
    tokens = SessionTokens(short, ISSUER, clock)
    refused(tokens, signed(secret=b"short-key"))


@pytest.mark.parametrize(
    "extra",
    [
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": {"kty": "oct", "k": segment(b"k" * 32)}},
        {"x5c": ["MII"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"__proto__": {}},
    ],
    ids=lambda extra: "+".join(extra),
)
def test_a_header_that_brings_more_than_we_write(tokens, extra):
    assert refused(tokens, signed({**HEADER, **extra})) == "header"


@pytest.mark.parametrize("name", HEADER)
def test_a_header_that_lacks_something(tokens, name):
    assert refused(tokens, signed(without(HEADER, name))) == "header"


@pytest.mark.parametrize("typ", ["JWT", "jwt", "desk+jwt", "turn+jwt", "VISIT+JWT", "", None, 1])
def test_another_class_of_token(tokens, typ):
    assert refused(tokens, signed({**HEADER, "typ": typ})) == "header"


@pytest.mark.parametrize("name", PAYLOAD)
def test_a_claim_that_is_missing(tokens, name):
    assert refused(tokens, signed(payload=without(PAYLOAD, name))) == "claims"


@pytest.mark.parametrize("name", ["nbf", "role", "admitted", "scope", "SUB", "ѕub", "__proto__"])
def test_a_claim_that_nobody_asked_for(tokens, name):
    assert refused(tokens, signed(payload={**PAYLOAD, name: "provider"})) == "claims"


@pytest.mark.parametrize(
    "audience",
    [["bedside:visit"], ["bedside:visit", "other"], "bedside:desk", "bedside:visit ", "", [], None],
    ids=repr,
)
def test_another_audience_or_a_list(tokens, audience):
    assert refused(tokens, signed(payload={**PAYLOAD, "aud": audience})) == "claims"


@pytest.mark.parametrize(
    "issuer",
    ["https://evil.example", ISSUER + "/", ISSUER[:-1], ISSUER.upper(), "", [ISSUER], None],
    ids=repr,
)
def test_another_issuer(tokens, issuer):
    assert refused(tokens, signed(payload={**PAYLOAD, "iss": issuer})) == "claims"


@pytest.mark.parametrize("name", ["sub", "jti", "visit", "device", "session"])
@pytest.mark.parametrize("value", ["", None, 1, True, ["seat-1"], {"a": 1}], ids=repr)
def test_text_that_is_none(tokens, name, value):
    assert refused(tokens, signed(payload={**PAYLOAD, name: value})) == "claims"


@pytest.mark.parametrize("name", ["iat", "exp", "seat_epoch"])
@pytest.mark.parametrize("value", [str(NOW + 600), None, True, 1e6, [NOW], {}], ids=repr)
def test_numbers_that_are_none(tokens, name, value):
    assert refused(tokens, signed(payload={**PAYLOAD, name: value})) == "claims"


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have(tokens, word):
    body = json.dumps(PAYLOAD).replace(str(NOW + 600), word).encode()
    assert refused(tokens, signed(payload=body)) in {"malformed", "claims"}


@pytest.mark.parametrize("digits", [400, 2_000])
def test_numbers_beyond_all_measure(tokens, digits):
    payload = {**PAYLOAD, "exp": 10**digits}
    assert refused(tokens, signed(payload=payload)) == "life"


@pytest.mark.parametrize("life", [901, 3_600, 10**9, 0, -1])
def test_a_life_longer_than_the_policys_or_none(tokens, life):
    assert refused(tokens, signed(payload={**PAYLOAD, "exp": NOW + life})) == "life"


def test_the_longest_life_is_the_policys(clock):
    tokens = SessionTokens(RING, ISSUER, clock, EdgePolicy(token_life=900, token_longest=900))
    assert tokens.verify(tokens.mint(WHO)).expires_at == NOW + 900


def test_a_token_from_the_future(tokens):
    assert (
        refused(tokens, signed(payload={**PAYLOAD, "iat": NOW + 31, "exp": NOW + 631})) == "early"
    )


@pytest.mark.parametrize(
    ("repeated", "value"),
    [("sub", '"seat-2"'), ("exp", "1000600"), ("visit", '"visit-2"'), ("aud", '"bedside:visit"')],
)
def test_a_repeated_claim(tokens, repeated, value):
    body = json.dumps(PAYLOAD)[:-1] + f', "{repeated}": {value}}}'
    assert refused(tokens, signed(payload=body.encode())) == "malformed"


@pytest.mark.parametrize("repeated", ['"alg": "HS256"', '"kid": "active"', '"typ": "visit+jwt"'])
def test_a_repeated_header(tokens, repeated):
    header = json.dumps(HEADER)[:-1] + f", {repeated}}}"
    assert refused(tokens, signed(header=header.encode())) == "malformed"


@pytest.mark.parametrize("part", [0, 1, 2])
def test_another_spelling_of_the_same_token(tokens, part):
    parts = tokens.mint(WHO).split(".")
    for spelling in (parts[part] + "=", parts[part] + "==", parts[part] + "\n", " " + parts[part]):
        refused(tokens, ".".join([*parts[:part], spelling, *parts[part + 1 :]]))


def test_stray_bits_at_the_end_of_the_signature(tokens):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = tokens.mint(WHO)
    twin = token[:-1] + alphabet[alphabet.index(token[-1]) + 1]
    assert base64.urlsafe_b64decode(twin.split(".")[2] + "=") == base64.urlsafe_b64decode(
        token.split(".")[2] + "="
    )
    assert refused(tokens, twin) == "malformed"


@pytest.mark.parametrize(
    "token",
    [None, 7, b"a.b.c", ["a.b.c"], {}, "", ".", "..", "a.b", "a.b.c", "a.b.c.d", "é.é.é",
     "\ud800.b.c", "a" * 5_000, "eyJhbGciOiJIUzI1NiJ9..", '{"payload": "", "signatures": []}'],
    ids=lambda token: repr(token)[:24],
)  # fmt: skip
def test_what_is_no_token_at_all(tokens, token):
    assert refused(tokens, token) == "malformed"


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"{", b"\xff", b"[" * 2_000], ids=repr)
def test_a_signed_body_that_is_no_object(tokens, body):
    assert refused(tokens, signed(payload=body)) in {"malformed", "claims"}


def test_a_token_of_more_than_the_policys_size(tokens):
    assert refused(tokens, signed(payload={**PAYLOAD, "visit": "v" * 4_096})) == "malformed"


@given(st.data())
def test_no_changed_character_goes_unnoticed(data):
    tokens = SessionTokens(RING, ISSUER, Clock(NOW))
    token = signed()
    place = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters().filter(lambda c: c != token[place]))
    with pytest.raises(TokenInvalid):
        tokens.verify(token[:place] + character + token[place + 1 :])


@given(st.text())
def test_nothing_typed_is_ever_an_error_of_another_kind(text):
    with pytest.raises(TokenInvalid):
        SessionTokens(RING, ISSUER, Clock(NOW)).verify(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(PAYLOAD)), json_values)
def test_a_signed_token_with_odd_claims_is_refused_or_means_what_it_says(name, value):
    tokens = SessionTokens(RING, ISSUER, Clock(NOW))
    payload = {**PAYLOAD, name: value}
    try:
        claims = tokens.verify(signed(payload=payload))
    except TokenInvalid:
        return
    assert isinstance(value, type(PAYLOAD[name]))
    assert not isinstance(value, bool)
    said = {"sub": claims.seat, "jti": claims.id, "iat": claims.issued_at, "exp": claims.expires_at}
    assert said.get(name, getattr(claims, name, value)) == value


# Desks


def test_a_desk_token_says_which_desk(clock):
    tokens = DeskTokens(RING, ISSUER, clock)
    claims = tokens.verify(tokens.mint(DeskClaims(desk="desk-1", practice="north")))
    assert (claims.desk, claims.practice) == ("desk-1", "north")
    assert claims.expires_at == NOW + 600


def test_neither_class_of_token_passes_for_the_other(tokens, clock):
    desks = DeskTokens(RING, ISSUER, clock)
    assert refused(desks, tokens.mint(WHO)) == "header"
    assert refused(tokens, desks.mint(DeskClaims(desk="seat-1", practice="north"))) == "header"
    disguised = signed({**HEADER, "typ": "desk+jwt"})
    assert refused(desks, disguised) == "claims"


def test_a_refusal_holds_nothing_of_the_token(tokens):
    token = tokens.mint(WHO)[:-2]
    with pytest.raises(TokenInvalid) as refusal:
        tokens.verify(token)
    assert token not in repr(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None
