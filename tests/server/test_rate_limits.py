"""Token buckets: never more than burst plus rate × time, never a key too many, never a lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rate_limits import RateLimiter


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def limiter(clock, rate=2.0, burst=5.0, max_keys=100):
    return RateLimiter(rate, burst, clock, max_keys=max_keys)


def test_a_burst_passes_and_then_the_rate(clock):
    limits = limiter(clock)
    assert [limits.take("a") for _ in range(6)] == [True] * 5 + [False]
    clock.now += 0.5
    assert [limits.take("a") for _ in range(2)] == [True, False]
    clock.now += 1_000
    assert [limits.take("a") for _ in range(6)] == [True] * 5 + [False]


def test_keys_do_not_share(clock):
    limits = limiter(clock)
    assert all(limits.take("a") for _ in range(5))
    assert not limits.take("a")
    assert limits.take("b")


def test_retry_after_is_when_the_next_one_passes(clock):
    limits = limiter(clock)
    assert limits.retry_after("a") == 0
    limits.take("a", 5)
    assert limits.retry_after("a") == pytest.approx(0.5, abs=1e-5)
    clock.now += limits.retry_after("a")
    assert limits.retry_after("a") == 0
    assert limits.take("a")


def test_asking_costs_nothing(clock):
    limits = limiter(clock)
    for _ in range(100):
        assert limits.retry_after("a") == 0
    assert len(limits) == 0


def test_a_refusal_costs_nothing(clock):
    limits = limiter(clock)
    limits.take("a", 5)
    for _ in range(100):
        assert not limits.take("a")
    clock.now += 0.5
    assert limits.take("a")


def test_memory_is_bounded_and_the_idlest_go_first(clock):
    limits = limiter(clock, max_keys=3)
    for key in "abc":
        limits.take(key, 5)
    limits.take("d", 5)
    assert len(limits) == 3
    assert limits.take("a", 5)  # forgotten, so full
    assert not limits.take("d")  # remembered


def test_full_buckets_take_no_memory(clock):
    limits = limiter(clock)
    for key in range(50):
        limits.take(str(key))
    clock.now += 10
    limits.take("other")
    assert len(limits) == 1


def test_a_forgotten_key_starts_afresh(clock):
    limits = limiter(clock)
    limits.take("a", 5)
    limits.forget("a")
    limits.forget("never seen")
    assert limits.take("a", 5)


def test_what_was_given_back_was_never_taken(clock):
    limits = limiter(clock)
    limits.give_back("a")
    assert limits.take("a", 5)
    assert not limits.take("a")
    limits.give_back("a")
    assert limits.take("a")
    assert not limits.take("a")


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 3)), max_size=60))
def test_no_more_than_burst_plus_rate_times_time(steps):
    clock = Clock()
    limits = limiter(clock)
    passed, began = 0, clock.now
    for wait, tokens in steps:
        clock.now += wait
        if limits.take("a", tokens):
            passed += tokens
        assert passed <= 5 + 2 * (clock.now - began) + 0.001
