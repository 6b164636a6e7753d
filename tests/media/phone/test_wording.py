import re

import pytest

from media.phone.wording import (
    SPOKEN,
    Announcer,
    opens_with_name,
    spoken_number,
    tells_of_health,
    text_of,
    texts,
)
from rooms.model import Prompt

NAMED = Announcer(practice="p", who="Riverside", call_back="+12025550123")
EVERYTHING = [(*said, by) for by in (Announcer(), NAMED) for said in texts(by)]


def test_everything_is_said_in_every_language():
    assert {said[:2] for said in texts(NAMED)} == {(p, s) for p in Prompt for s in SPOKEN}


@pytest.mark.parametrize(("prompt", "language", "text", "by"), EVERYTHING)
def test_no_announcement_tells_of_health_or_leaves_a_gap(prompt, language, text, by):
    assert not tells_of_health(text)
    assert not re.search(r"[{}\[\]<>]|  ", text)
    assert text[0].isupper()
    assert text.endswith(".")
    assert (by is NAMED and opens_with_name(prompt)) == ("Riverside" in text)


@pytest.mark.parametrize("language", SPOKEN)
def test_the_gate_opens_with_the_name_and_the_number_and_offers_both_keys(language):
    text = text_of(Prompt.GATE, language, NAMED)
    opening, _, rest = text.partition(". ")
    assert "Riverside" in opening
    assert opening.endswith("1, 2 0 2, 5 5 5, 0 1 2 3")
    assert "1" in rest
    assert "9" in rest


@pytest.mark.parametrize("by", [Announcer(who="Riverside"), Announcer(call_back="202 555 0123")])
def test_a_name_or_a_number_alone_will_do(by):
    for language in SPOKEN:
        opening = text_of(Prompt.GATE, language, by).partition(". ")[0]
        assert (by.who or "2 0 2, 5 5 5, 0 1 2 3") in opening


def test_without_a_name_a_call_opens_with_what_it_is():
    assert Announcer().has_no_name
    assert text_of(Prompt.GATE, "en", Announcer()).startswith(
        "This is an automatic call to reconnect"
    )


@pytest.mark.parametrize(
    ("number", "spoken"),
    [
        ("+12025550123", "plus 1, 2 0 2, 5 5 5, 0 1 2 3"),
        ("+44 20 7946 0101", "plus 4 4, 2 0, 7 9 4 6, 0 1 0 1"),
        ("555-0100", "5 5 5, 0 1 0 0"),
        ("", ""),
    ],
)
def test_numbers_are_said_digit_by_digit(number, spoken):
    assert spoken_number(number, "en") == spoken


def test_a_name_cannot_give_orders_to_the_voice():
    text = text_of(Prompt.GATE, "en", Announcer(who="Acme [[h@l'oU]] <break/> {call_back}"))
    assert text.startswith("This is Acme h l'oU break call_back. This is")


@pytest.mark.parametrize(
    "name",
    ["Riverside Clinic", "Dr. Reyes", "Clínica del Río", "Lakeside Oncology", "St. Mary's Hospital",
     "Salud Ya", "Hope Rehab", "Eastside HIV Services", "Urgent Care"],
)  # fmt: skip
def test_names_that_tell_of_health(name):
    assert tells_of_health(name)


@pytest.mark.parametrize(
    "name", ["Riverside", "Amber Street Group", "President Office", "Drake & Co"]
)
def test_names_that_do_not(name):
    assert not tells_of_health(name)
