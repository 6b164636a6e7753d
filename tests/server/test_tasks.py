import asyncio

import pytest
from structlog.testing import capture_logs

from server.store import StoreUnavailable
from server.tasks import Tasks


@pytest.fixture
async def tasks():
    tasks = Tasks()
    yield tasks
    await tasks.close()


async def fail(error):
    raise error


async def test_what_is_spawned_is_done(tasks):
    done = asyncio.Event()

    async def work():
        done.set()

    tasks.spawn(work())
    await asyncio.wait_for(done.wait(), 1)


async def test_settled_waits_for_what_work_begins(tasks):
    done = []

    async def second():
        await asyncio.sleep(0)
        done.append("second")

    async def first():
        await asyncio.sleep(0)
        tasks.spawn(second())

    tasks.spawn(first())
    await tasks.settled()
    assert done == ["second"]


@pytest.mark.parametrize(
    ("error", "level", "event"),
    [
        (StoreUnavailable(), "warning", "background_work_refused"),
        (RuntimeError("Rosa Alvarez"), "error", "background_work_failed"),
    ],
)
async def test_a_failure_is_logged_once(tasks, error, level, event):
    with capture_logs() as logged:
        tasks.spawn(fail(error))
        await tasks.settled()
    assert [(entry["log_level"], entry["event"]) for entry in logged] == [(level, event)]


async def test_a_failure_that_somebody_awaits_is_theirs(tasks):
    with capture_logs() as logged:
        task = tasks.start(fail(StoreUnavailable()))
        with pytest.raises(StoreUnavailable):
            await task
    assert logged == []


async def test_what_is_started_goes_on_when_its_caller_is_gone(tasks):
    done = asyncio.Event()

    async def work():
        await asyncio.sleep(0.01)
        done.set()

    async def ask():
        await asyncio.shield(tasks.start(work()))

    asking = asyncio.create_task(ask())
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait_for(done.wait(), 1)


async def test_nothing_survives_the_end_and_nothing_begins_after_it(tasks):
    begun = []

    async def work():
        begun.append(1)
        await asyncio.sleep(60)

    tasks.spawn(work())
    await asyncio.sleep(0)
    before = asyncio.all_tasks()
    await tasks.close()
    await tasks.close()
    tasks.spawn(work())
    await asyncio.sleep(0)
    assert begun == [1]
    assert len(asyncio.all_tasks()) == len(before) - 1
