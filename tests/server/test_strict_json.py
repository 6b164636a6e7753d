import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.strict_json import parse_object

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)  # fmt: skip


@given(st.dictionaries(st.text(), plain))
def test_an_object_is_read_as_it_was_written(value):
    assert parse_object(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "a": 1}', '{"a": {"b": 1, "b": 2}}', '{"a": [{"b": 1, "b": 2}]}', '{"a": NaN}',
     '{"a": [Infinity]}', '{"a": -Infinity}', "[]", "null", '"a"', "1", "", "{", "{'a': 1}",
     '{"a": 1}{"a": 1}', '{"a": ' * 100_000, '{"a": ' + "9" * 5_000 + "}", b"\xff\xfe{"],
    ids=lambda text: repr(text)[:24],
)  # fmt: skip
def test_everything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_object(text)
