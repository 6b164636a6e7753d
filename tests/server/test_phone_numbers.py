"""Numbers as people type them: what they mean, and which are never called."""

from contextlib import suppress

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.errors import BedsideError
from server.errors import face_of, status_of
from server.phone_numbers import (
    NumberEmergency,
    NumberingPlan,
    NumberPremium,
    NumberRefused,
    NumberUnreachable,
)

HERE = NumberingPlan("US", frozenset({"US", "CA", "PR"}))
LONDON = NumberingPlan("GB", frozenset({"GB"}))


@pytest.mark.parametrize(
    "typed",
    [
        "2025550142", "202-555-0142", "(202) 555-0142", "202.555.0142", "+1 202 555 0142",
        "1 202 555 0142", "1-202-555-0142", "  +12025550142 ", "tel:+1-202-555-0142",
        "+1 (202) 555‑0142", "２０２５５５０１４２", "011 1 202 555 0142",
    ],
)  # fmt: skip
def test_however_it_is_written_it_is_the_same_number(typed):
    assert HERE.e164(typed) == "+12025550142"


@pytest.mark.parametrize(
    ("plan", "typed", "number"),
    [
        (LONDON, "020 7946 0958", "+442079460958"),
        (LONDON, "+44 20 7946 0958", "+442079460958"),
        (LONDON, "07400 123456", "+447400123456"),
        (HERE, "604 555 0142", "+16045550142"),
        (HERE, "787 723 1234", "+17877231234"),
        (HERE, "800 356 9377", "+18003569377"),
    ],
    ids=["London", "with its country", "a mobile", "Canada", "Puerto Rico", "toll-free"],
)
def test_a_number_is_read_as_in_the_practices_country(plan, typed, number):
    assert plan.e164(typed) == number


@pytest.mark.parametrize(
    ("plan", "typed"),
    [(HERE, "911"), (HERE, "9-1-1"), (HERE, " 911 "), (HERE, "112"), (HERE, "911 555 0142"),
     (HERE, "(911) 555-0142"), (LONDON, "999"), (LONDON, "112")],
)  # fmt: skip
def test_no_machine_calls_for_help(plan, typed):
    with pytest.raises(NumberEmergency):
        plan.e164(typed)


@pytest.mark.parametrize(
    ("plan", "typed"),
    [(HERE, "900 555 1234"), (HERE, "+1 900 555 1234"), (LONDON, "0906 123 4567"),
     (LONDON, "0843 123 4567"), (LONDON, "070 1112 3456")],
)  # fmt: skip
def test_numbers_that_earn_somebody_money_are_not_called(plan, typed):
    with pytest.raises(NumberPremium):
        plan.e164(typed)


@pytest.mark.parametrize(
    "typed",
    ["+44 20 7946 0958", "+52 55 5123 4567", "876 922 1234", "+1 876 555 0142", "+882 13300655",
     "+7 495 123 45 67", "242 322 1234"],
    ids=["London", "Mexico", "Jamaica", "Jamaica's 555", "satellite", "Moscow", "Bahamas"],
)  # fmt: skip
def test_countries_that_no_carrier_of_the_practice_calls(typed):
    with pytest.raises(NumberUnreachable):
        HERE.e164(typed)


@pytest.mark.parametrize(
    "typed",
    ["", " ", "x", "hello", "+", "1", "555 0142", "202 555", "2025550142x5", "202 555 0142 ext. 5",
     "tel:+1-202-555-0142;ext=5", "202 555 01422", "123 456 7890", "000 000 0000", "988", "411",
     "+1 911", "+999 123456789", "sip:rosa@example.org", "0x41", "2025550142, 2025550143",
     "+12025550142+12025550143"],
)  # fmt: skip
def test_what_is_no_number_that_a_person_answers(typed):
    with pytest.raises(NumberRefused) as refused:
        HERE.e164(typed)
    assert type(refused.value) is NumberRefused


@pytest.mark.parametrize("national", ["2025550100", "2025550199", "6045550150"])
def test_numbers_for_fiction_may_be_used_in_drills(national):
    assert HERE.e164(national) == f"+1{national}"


DIGITS = st.text("0123456789+()- .x#*,;", max_size=40)


@given(st.text(max_size=40) | DIGITS)
def test_anything_at_all_is_a_number_or_refused(typed):
    with suppress(NumberRefused):
        number = HERE.e164(typed)
        assert HERE.e164(number) == number
        assert phonenumbers.is_possible_number(phonenumbers.parse(number))
        assert number.startswith("+1")


@pytest.mark.parametrize(
    "error", [NumberRefused, NumberPremium, NumberEmergency, NumberUnreachable]
)
def test_a_refusal_says_why_and_repeats_nothing(error):
    refused = error()
    assert isinstance(refused, BedsideError)
    assert status_of(refused) == 422
    assert face_of(refused)["code"].startswith("number_")
    assert str(refused) == error.title
