"""Each order is carried out once, and its reply kept for a while."""

import asyncio
from dataclasses import replace

import pytest

from server.idempotency import IdempotencyMismatch
from server.peer_replies import PeerReplies, Reply
from server.peering import NodeUnreachable
from tests.support.peer_nodes import POLICY
from tests.support.records import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def replies(clock):
    kept = PeerReplies(replace(POLICY, replies_most=3), clock)
    yield kept
    await kept.close()


def says(text, calls=None, **fields):
    async def work():
        if calls is not None:
            calls.append(text)
        return Reply(200, text.encode(), **fields)

    return work


async def test_the_first_reply_is_the_reply(replies):
    first = await replies.once("order", "asked", says("one"))
    assert await replies.once("order", "asked", says("two")) == first == Reply(200, b"one")
    assert "order" in replies


async def test_another_order_of_that_name_is_refused(replies):
    await replies.once("order", "asked", says("one"))
    with pytest.raises(IdempotencyMismatch):
        await replies.once("order", "asked something else", says("two"))


async def test_what_decided_nothing_is_not_kept(replies):
    await replies.once("order", "asked", says("not here", decided=False))
    await asyncio.sleep(0)
    assert "order" not in replies
    assert (await replies.once("order", "asked", says("here"))).body == b"here"


async def test_work_that_fails_fails_for_all_who_wait_and_is_not_kept(replies):
    begun = asyncio.Event()

    async def fails():
        begun.set()
        raise RuntimeError

    async with asyncio.TaskGroup() as tasks:
        waiting = [
            tasks.create_task(asyncio.wait_for(_outcome(replies, fails), 5)) for _ in range(2)
        ]
    assert [task.result() for task in waiting] == ["failed", "failed"]
    assert "order" not in replies


async def _outcome(replies, work):
    try:
        await replies.once("order", "asked", work)
    except RuntimeError:
        return "failed"


async def test_replies_are_kept_for_their_time(replies, clock):
    await replies.once("early", "asked", says("one"))
    clock.now += POLICY.replies_kept - 1
    await replies.once("late", "asked", says("two"))
    assert "early" in replies
    clock.now += 1
    assert "early" not in replies
    assert "late" in replies


async def test_no_more_are_kept_than_the_policy_says(replies):
    for n in range(5):
        await replies.once(str(n), "asked", says("one"))
    await asyncio.sleep(0)
    assert [str(n) in replies for n in range(5)] == [False, False, True, True, True]


async def test_what_is_under_way_is_never_forgotten(replies, clock):
    go_on, calls = asyncio.Event(), []

    async def slow():
        calls.append("slow")
        await go_on.wait()
        return Reply(200, b"done")

    first = asyncio.create_task(replies.once("slow", "asked", slow))
    await asyncio.sleep(0)
    clock.now += 10 * POLICY.replies_kept
    for n in range(5):
        await replies.once(str(n), "asked", says("one"))
    second = asyncio.create_task(replies.once("slow", "asked", slow))
    await asyncio.sleep(0)
    go_on.set()
    assert await first == await second
    assert calls == ["slow"]


async def test_closing_ends_what_is_under_way_and_takes_nothing_more(replies):
    never = asyncio.Event()

    async def forever():
        await never.wait()
        raise AssertionError

    waiting = asyncio.create_task(replies.once("order", "asked", forever))
    await asyncio.sleep(0)
    await replies.close()
    await replies.close()
    assert waiting.done() or await asyncio.wait([waiting], timeout=5)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(NodeUnreachable):
        await replies.once("another", "asked", says("one"))
