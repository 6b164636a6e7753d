import re

from rooms.nodes_policy import SightPolicy
from server.traces import Traces

SECRET, OTHER = bytes(range(32)), bytes(range(32, 64))


def test_one_id_has_one_name_wherever_the_ring_is():
    assert Traces(SECRET).name("visit-1") == Traces(SECRET).name("visit-1")
    assert Traces(SECRET).name("visit-1") != Traces(OTHER).name("visit-1")
    assert len({Traces(SECRET).name(f"visit-{n}") for n in range(1_000)}) == 1_000


def test_a_name_is_short_and_made_of_plain_characters():
    assert re.fullmatch("[a-z2-7]{12}", Traces(SECRET).name("visit-1"))
    assert len(Traces(SECRET, SightPolicy(trace_length=20)).name("visit-1")) == 20


def test_nobody_has_no_name():
    assert Traces(SECRET).name("") == ""
