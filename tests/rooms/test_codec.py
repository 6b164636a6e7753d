"""A visit as text and back."""

import json

import pytest
from hypothesis import given

from rooms.codec import SCHEMA, SchemaUnknown, decode, encode
from rooms.visit import next_deadline
from rooms.wiring import who_hears_whom
from tests.rooms.cast import DESK, Story, visit_of
from tests.rooms.walks import visits


@given(visits())
def test_every_visit_survives_the_round_trip(visit):
    again = decode(encode(visit))
    assert again == visit
    assert encode(again) == encode(visit)
    assert next_deadline(again) == next_deadline(visit)
    assert who_hears_whom(again) == who_hears_whom(visit)


def test_what_no_walk_writes_survives_as_well():
    story = Story().waits("petra").writes(DESK, "petra", "“soon” — ☺\n\0")
    again = decode(encode(story.visit))
    assert again.seats == story.visit.seats
    assert isinstance(hash(again), int)


def test_the_text_names_its_schema():
    assert json.loads(encode(visit_of("petra")))["schema"] == SCHEMA


def stored(**changes):
    document = json.loads(encode(visit_of("petra")))
    document["visit"].update(changes)
    return json.dumps(document)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "null",
        "[]",
        "7",
        "{}",
        '{"schema": 1}',
        '{"visit": {}}',
        '{"schema": 1, "visit": {}}',
        '{"schema": 1, "visit": null}',
        '{"schema": 1, "visit": []}',
        encode(visit_of("petra")).replace(f'"schema":{SCHEMA}', f'"schema":{SCHEMA + 1}'),
        encode(visit_of("petra")).replace(f'"schema":{SCHEMA}', '"schema":null'),
        stored(field_of_a_newer_one=1),
        stored(stage="a stage of a newer one"),
        stored(seats=[{"id": "petra"}]),
        stored(seats=None),
        stored(deadline={"name": "opens"}),
    ],
)
def test_anything_else_is_refused_with_one_error(text):
    with pytest.raises(SchemaUnknown):
        decode(text)
