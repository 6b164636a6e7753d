"""The tree of refusals."""

import re

import pytest

from rooms import errors
from rooms.errors import BedsideError, DoorClosed, RoomError

TREE = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, BedsideError)]
BRANCHES = (BedsideError, RoomError, DoorClosed)
LEAVES = [error for error in TREE if error not in BRANCHES]


def test_every_refusal_has_a_code_of_its_own():
    codes = [error.code for error in LEAVES]
    assert len(set(codes)) == len(codes)
    assert "internal" not in codes
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("error", LEAVES, ids=lambda e: e.__name__)
def test_every_refusal_says_in_plain_words_what_is_so(error):
    assert error.title.endswith(".")
    assert error.title != BedsideError.title
    assert str(error()) == error.title
    assert str(error("more exactly")) == "more exactly"
    assert issubclass(error, RoomError)


@pytest.mark.parametrize("error", TREE, ids=lambda e: e.__name__)
def test_the_drawn_tree_is_the_tree(error):
    """Every class is drawn, below its parent, with its code."""
    drawn = {m[2]: (len(m[1]), m[3]) for m in DRAWN}
    depth, code = drawn[error.__name__]
    assert error in BRANCHES or code == error.code
    parents = [depth for name, (depth, _) in drawn.items() if name == error.__base__.__name__]
    assert error is BedsideError or parents == [depth - 4]


DRAWN = list(
    re.finditer(r"^([│├└─ ]*)([A-Z]\w+)(?: +([a-z_]+))?", errors.__doc__ or "", re.MULTILINE)
)

AT_THE_DOOR = {
    "visit_early", "visit_moved", "visit_ended", "visit_expired", "visit_cancelled",
    "seat_denied", "seat_removed", "device_refused", "too_many_devices",
}  # fmt: skip


def test_what_a_page_must_word_kindly_is_said_at_the_door():
    assert {e.code for e in LEAVES if issubclass(e, DoorClosed)} == AT_THE_DOOR
