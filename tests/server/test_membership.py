"""Who lives and who has room, judged by one observer with a clock of its own."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.nodes_policy import NodesPolicy
from server.claims import Load, NodeRecord
from server.membership import Watch, fullness, least_loaded, whose_turn

POLICY = NodesPolicy()
A = NodeRecord(name="a", owner="a.1", url="http://a")
B = NodeRecord(name="b", owner="b.1", url="http://b")


def beats(record, count):
    return replace(record, beat=count)


def names(records):
    return [record.name for record in records]


def watched(until, *, a_stops_at=float("inf"), every=POLICY.beat_every):
    """An observer that has looked ``every`` so often while A (until then) and B beat."""
    watch, now, count = Watch(POLICY), 0.0, 0
    while now <= until:
        count += 1
        a_count = count if now < a_stops_at else -1
        watch.saw([beats(A, a_count), beats(B, count)], now)
        now += every
    return watch


def test_nodes_that_beat_live():
    assert names(watched(10.0).live(10.0)) == ["a", "b"]


def test_a_node_without_a_new_beat_is_dead_after_the_policys_time_and_not_before():
    stopped = 4.0
    before = stopped + POLICY.stale_after - POLICY.beat_every
    assert watched(before, a_stops_at=stopped).dead(before) == ()
    after = stopped + POLICY.stale_after
    assert names(watched(after, a_stops_at=stopped).dead(after)) == ["a"]
    assert names(watched(after, a_stops_at=stopped).live(after)) == ["b"]


def test_an_observer_that_was_away_judges_nobody():
    watch = watched(4.0, a_stops_at=3.0)
    later = 4.0 + POLICY.media_hold
    assert watch.dead(later) == ()
    watch.saw([beats(A, -1), beats(B, 9)], later)
    assert watch.dead(later) == ()
    assert watch.dead(later + POLICY.beat_every) == ()


def test_after_an_outage_of_the_store_everybody_has_time_to_beat_again():
    watch = watched(4.0)
    back = 60.0
    for step in range(3):
        watch.saw([beats(A, 100), beats(B, 100 + step)], back + step * POLICY.beat_every)
    assert watch.dead(back + 2 * POLICY.beat_every) == ()
    later = back
    while later < back + POLICY.stale_after:
        later += POLICY.beat_every
        watch.saw([beats(A, 100), beats(B, 200 + round(later))], later)
    assert names(watch.dead(later)) == ["a"]


def test_a_dead_node_that_beats_again_lives():
    watch = watched(10.0, a_stops_at=3.0)
    watch.saw([beats(A, 77), beats(B, 99)], 10.2)
    assert names(watch.live(10.2)) == ["a", "b"]
    assert watch.node("a.1", 10.2) == beats(A, 77)


def test_a_node_that_was_started_again_is_the_end_of_its_former_self():
    again = replace(A, owner="a.2", started_at=1.0)
    watch = Watch(POLICY)
    watch.saw([A, again], 0.0)
    assert [record.owner for record in watch.dead(0.0)] == ["a.1"]
    assert watch.node("a.1", 0.0) is None


def test_a_node_that_is_not_listed_any_more_is_unknown():
    watch = watched(2.0)
    watch.saw([B], 2.4)
    assert watch.node("a.1", 2.4) is None
    assert watch.dead(2.4) == ()


def test_an_owner_that_was_never_listed_is_gone_once_it_had_time_to_come():
    watch = watched(2.0)
    assert not watch.is_gone("c.1", 2.0)
    late = 2.0
    while late < 2.0 + POLICY.stale_after:
        assert not watch.is_gone("c.1", late)
        late += POLICY.beat_every
        watch.saw([beats(A, round(late * 10)), beats(B, round(late * 10))], late)
    assert watch.is_gone("c.1", late)
    assert not watch.is_gone("a.1", late)


def test_an_owner_that_comes_late_is_not_gone():
    watch = watched(2.0)
    watch.is_gone("c.1", 2.0)
    watch.saw([replace(A, owner="c.1", name="c")], 2.5)
    assert not watch.is_gone("c.1", 2.5)


@pytest.mark.parametrize(
    ("load", "fuller"),
    [
        (Load(packets=1_000), Load(packets=20_000)),
        (Load(lag=0.01), Load(lag=0.02)),
        (Load(memory=1e8), Load(memory=5e8)),
        (Load(visits=1), Load(visits=2)),
        (Load(visits=1, lag=0.004), Load(visits=2, lag=0.002)),
    ],
)
def test_whoever_has_more_to_do_is_fuller(load, fuller):
    assert fullness(load, POLICY) < fullness(fuller, POLICY)


def test_a_visit_goes_to_the_node_with_most_room():
    busy = replace(A, load=Load(packets=20_000))
    assert least_loaded([busy, B], {}, POLICY) == B


def test_a_node_that_is_draining_gets_nothing():
    draining = replace(A, draining=True)
    assert least_loaded([draining, replace(B, load=Load(lag=9))], {}, POLICY).name == "b"
    assert least_loaded([draining], {}, POLICY) is None
    assert whose_turn("v", [draining]) is None


def test_what_was_placed_since_the_last_beat_counts():
    assert least_loaded([A, B], {"a.1": 1}, POLICY) == B
    assert least_loaded([A, B], {"a.1": 1, "b.1": 2}, POLICY) == A


@given(st.lists(st.text(min_size=1), min_size=200, max_size=200, unique=True))
def test_everybody_has_a_share_and_keeps_it_when_another_goes(visits):
    three = [A, B, NodeRecord(name="c", owner="c.1", url="http://c")]
    turns = {visit: whose_turn(visit, three) for visit in visits}
    assert {node.name for node in turns.values()} == {"a", "b", "c"}
    for visit, node in turns.items():
        if node.name != "c":
            assert whose_turn(visit, three[:2]) == node
