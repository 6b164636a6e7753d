import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import links

NEW = (links.new_code, links.new_credential, links.new_api_key)
NOT_CODES = [
    "", "a" * 42, "a" * 44, "a" * 43 + "\n", "a" * 42 + "=", "a" * 42 + "+", "a" * 42 + " ",
    "é" * 43, "a" * 42 + "\x00", "../" + "a" * 40, None, 7, b"a" * 43, ["a" * 43], {"code": "a"},
]  # fmt: skip


@pytest.mark.parametrize("new", NEW)
def test_a_secret_is_256_random_bits(new):
    made = {new().removeprefix("bsk_") for _ in range(500)}
    assert len(made) == 500
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in made)


def test_a_code_and_an_api_key_are_told_apart():
    assert links.is_code(links.new_code())
    assert links.is_code(links.new_credential())
    assert links.is_api_key(links.new_api_key())
    assert not links.is_api_key(links.new_code())
    assert not links.is_code(links.new_api_key())


@pytest.mark.parametrize("value", NOT_CODES, ids=repr)
def test_nothing_else_gets_as_far_as_a_look_up(value):
    assert not links.is_code(value)
    assert not links.is_api_key(value)
    with pytest.raises(ValueError, match="not a code"):
        links.hash_code(value)


@given(st.text())
def test_whatever_is_typed_is_judged_without_an_error(text):
    if not links.is_code(text):
        assert not links.is_api_key(f"bsk_{text}")
        with pytest.raises(ValueError, match=r"\Anot a code\Z"):
            links.hash_code(text)


@pytest.mark.parametrize("new", NEW)
def test_a_secret_is_known_by_its_sha_256(new):
    secret = new()
    assert links.hash_code(secret) == sha256(secret.encode()).hexdigest()
    assert secret not in links.hash_code(secret)


def test_each_seat_has_a_cookie_of_its_own():
    assert links.cookie_name("seat-1", secure=True) == "__Host-bedside-seat-1"
    assert links.cookie_name("seat-1", secure=False) == "bedside-seat-1"
    assert links.cookie_name("seat-1", True) != links.cookie_name("seat-2", True)


@pytest.mark.parametrize("seat", ["", "a;b", "a=b", "a b", "a\r\nSet-Cookie: x=y", "sé", "a,b"])
def test_an_id_that_could_leave_the_cookies_name_is_refused(seat):
    with pytest.raises(ValueError, match="seat"):
        links.cookie_name(seat, secure=True)
