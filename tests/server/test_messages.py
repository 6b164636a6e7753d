import math
import os
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import messages as m
from server.errors import PayloadInvalid
from server.messages import LAST_INSTANT, parse, query_number

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
MODELS = [
    thing
    for thing in vars(m).values()
    if isinstance(thing, type) and issubclass(thing, m.Payload) and thing is not m.Payload
]


@given(data=ANYTHING)
def test_anything_at_all_is_parsed_or_refused(data):
    for model in MODELS:  # cases are the same each time: making them once is enough
        with suppress(PayloadInvalid):
            assert isinstance(parse(model, data), model)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_payload_names_its_sender(model):
    named = set(model.model_fields)
    own = {"token"} if model is m.Goodbye else set()  # a closing page's token is who it is
    senders = {"by", "actor", "sender", "user", "sid", "session", "token", "admitted"}
    assert not named & (senders - own)


@given(st.text())
def test_words_hold_nothing_that_changes_how_others_are_read(text):
    name = parse(m.Knock, {"name": text[:100]}).name
    assert all(character.isprintable() or character == "\n" for character in name)
    assert name == name.strip()


@pytest.mark.parametrize("name", ["x" * 129, 5, None, ["x"], {"x": 1}])
def test_a_name_that_will_not_do(name):
    with pytest.raises(PayloadInvalid) as refusal:
        parse(m.Knock, {"name": name})
    assert refusal.value.fields == ("name",)


@pytest.mark.parametrize("text", ["", " ", "\u200b", "x" * 501])
def test_a_message_that_says_nothing_or_too_much(text):
    with pytest.raises(PayloadInvalid):
        parse(m.MessageText, {"text": text})


@pytest.mark.parametrize("id_", ["", "x" * 41, "a b", "a/b", "\u0430bc", "a\n", "a\x00"])
def test_an_id_that_is_none(id_):
    with pytest.raises(PayloadInvalid):
        parse(m.OfSeat, {"seat": id_})


@pytest.mark.parametrize("at", [-1, LAST_INSTANT + 1, math.nan, math.inf, "soon", None])
def test_an_instant_that_no_calendar_shows(at):
    with pytest.raises(PayloadInvalid):
        parse(m.Times, {"starts_at": at, "ends_at": 1.0})


def test_nothing_is_an_empty_payload():
    assert parse(m.Nothing, None) == m.Nothing()
    assert parse(m.Knock, None) == m.Knock()


@pytest.mark.parametrize(("text", "number"), [(None, 7.0), ("0", 0.0), ("12.5", 12.5)])
def test_a_number_of_a_query(text, number):
    assert query_number("after", text, 7.0) == number


@pytest.mark.parametrize("text", ["", "x", "-1", "nan", "inf", "1e300", "0x10"])
def test_a_number_of_a_query_that_is_none(text):
    with pytest.raises(PayloadInvalid) as refusal:
        query_number("after", text, 0.0)
    assert refusal.value.fields == ("after",)


def test_the_same_request_reads_the_same_in_every_process():
    """What an Idempotency-Key is held against; the order of a set changes with each start."""
    code = (
        "from server.messages import NewSeat; "
        "print(NewSeat(role='patient', needs=['signing', 'relay', 'captions']).model_dump_json())"
    )
    read = set()
    for seed in "1234":
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=True
        )
        read.add(run.stdout)
    assert len(read) == 1
