"""The numbers of many nodes, held against one another where one rests on another."""

from rooms.nodes_policy import NodesPolicy

NODES = NodesPolicy()


def test_several_beats_must_be_missed_before_a_node_counts_as_dead():
    assert NODES.stale_after >= 4 * NODES.beat_every


def test_an_observer_that_was_away_itself_judges_nobody():
    assert NODES.beat_every < NODES.watch_gap < NODES.stale_after


def test_who_asks_during_a_takeover_waits_until_it_is_over():
    assert NODES.takeover_wait > NODES.stale_after + 2 * NODES.beat_every


def test_a_repeated_order_finds_the_reply_to_the_first():
    assert NODES.replies_kept > 2 * NODES.forward_within


def test_what_readers_of_the_feed_have_missed_is_kept_longer_than_a_visit():
    assert NODES.log_kept > NODES.visit_kept
