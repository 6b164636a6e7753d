"""The tables of the transactions, walked whole, and their timers on the clock of the RFC."""

from __future__ import annotations

import itertools

import pytest

from media.phone.sip.transactions import (
    ALARMS,
    IGNORED,
    ROWS,
    Act,
    Event,
    Kind,
    State,
    Times,
    begin,
    step,
    timers_of,
)

TIMES = Times()

STATES = {
    Kind.INVITE_CLIENT: {
        State.CALLING, State.PROCEEDING, State.LEAVING, State.ACCEPTED, State.COMPLETED,
        State.TERMINATED,
    },
    Kind.CLIENT: {State.TRYING, State.PROCEEDING, State.COMPLETED, State.TERMINATED},
    Kind.INVITE_SERVER: {
        State.PROCEEDING, State.ACCEPTED, State.COMPLETED, State.CONFIRMED, State.TERMINATED,
    },
    Kind.SERVER: {State.TRYING, State.PROCEEDING, State.COMPLETED, State.TERMINATED},
}  # fmt: skip


@pytest.mark.parametrize("kind", Kind)
def test_every_pair_is_decided_exactly_once(kind):
    for pair in itertools.product(STATES[kind], Event):
        assert (pair in ROWS[kind]) != (pair in IGNORED[kind]), pair
    known = set(itertools.product(STATES[kind], Event))
    assert set(ROWS[kind]) | IGNORED[kind] == known


@pytest.mark.parametrize("kind", Kind)
def test_every_timer_that_is_set_does_something_and_every_state_can_be_left(kind):
    for state in STATES[kind] - {State.TERMINATED}:
        timers = timers_of(kind, state, TIMES, False)
        for event in timers:
            assert (state, event) in ROWS[kind], (state, event)
        rings = {event for event in ALARMS if (state, event) in ROWS[kind]}
        assert rings == set(timers)
        assert any(row.target is not state for (at, _), row in ROWS[kind].items() if at is state)


def run(transaction, until):
    """Ring every alarm until then: what happened, and when."""
    happened = []
    while (alarm := transaction.next_alarm) and alarm[1] <= until:
        event, at = alarm
        transaction, acts = step(transaction, event, at, TIMES)
        happened += [(round(at, 3), act) for act in acts]
    return transaction, happened


def test_an_invite_is_repeated_at_doubling_pauses_and_given_up_after_32_seconds():
    transaction, happened = run(begin(Kind.INVITE_CLIENT, 0.0, TIMES, False), 100)
    assert happened == [
        *((at, Act.SEND) for at in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)),
        (32.0, Act.GIVE_UP),
    ]
    assert transaction.state is State.TERMINATED


def test_another_request_is_repeated_every_four_seconds_at_most():
    _, happened = run(begin(Kind.CLIENT, 0.0, TIMES, False), 100)
    assert [at for at, _ in happened] == [
        0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5, 32.0,
    ]  # fmt: skip


def test_nothing_is_repeated_over_a_reliable_transport():
    _, happened = run(begin(Kind.INVITE_CLIENT, 0.0, TIMES, True), 100)
    assert happened == [(32.0, Act.GIVE_UP)]


def test_ringing_has_no_limit():
    ringing, acts = step(begin(Kind.INVITE_CLIENT, 0.0, TIMES, False), Event.PROVISIONAL, 1, TIMES)
    assert acts == (Act.PASS,)
    assert ringing.next_alarm is None


def test_a_request_that_was_only_noticed_is_still_given_up_after_32_seconds():
    waiting, _ = step(begin(Kind.CLIENT, 0.0, TIMES, False), Event.PROVISIONAL, 10.0, TIMES)
    _, happened = run(waiting, 100)
    assert happened[-1] == (32.0, Act.GIVE_UP)


def test_an_invite_that_was_left_is_not_repeated_and_is_forgotten():
    left, _ = step(begin(Kind.INVITE_CLIENT, 0.0, TIMES, False), Event.LEAVE, 1.0, TIMES)
    _, happened = run(left, 100)
    assert happened == [(33.0, Act.GIVE_UP)]


def test_an_answer_is_repeated_until_its_ack_on_every_transport():
    for reliable in (False, True):
        asked = begin(Kind.INVITE_SERVER, 0.0, TIMES, reliable)
        answered, acts = step(asked, Event.SUCCESS, 0.0, TIMES)
        assert acts == (Act.SEND,)
        repeated, happened = run(answered, 4.0)
        assert [act for _, act in happened] == [Act.SEND] * 3
        confirmed, acts = step(repeated, Event.ACK, 4.0, TIMES)
        assert acts == (Act.PASS,)
        assert run(confirmed, 100)[1] == []
        assert run(answered, 100)[1][-1] == (32.0, Act.GIVE_UP)


def test_a_refusal_is_acknowledged_each_time_it_comes():
    refused, acts = step(begin(Kind.INVITE_CLIENT, 0.0, TIMES, False), Event.REFUSAL, 1.0, TIMES)
    assert acts == (Act.ACK, Act.PASS)
    again, acts = step(refused, Event.REFUSAL, 2.0, TIMES)
    assert acts == (Act.ACK,)
    assert run(again, 100)[0].state is State.TERMINATED
