import asyncio
import time
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from rooms.nodes_policy import SightPolicy
from server.loop_lag import LoopLag
from server.node_metrics import NodeMetrics

QUICK = SightPolicy(lag_every=0.005, lag_window=0.05)


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
async def lag(registry):
    lag = LoopLag(NodeMetrics(registry, QUICK), QUICK)
    lag.start()
    yield lag
    await lag.close()
    await lag.close()


async def comes_true(check):
    async with asyncio.timeout(5):
        while not check():  # noqa: ASYNC110 - time itself is what is waited for
            await asyncio.sleep(QUICK.lag_every)


async def test_a_stall_is_seen_and_forgotten(lag, registry):
    await comes_true(lambda: registry.get_sample_value("bedside_loop_late_seconds_count"))
    time.sleep(0.2)
    await comes_true(lambda: lag.worst >= 0.15)
    assert registry.get_sample_value("bedside_loop_lag_seconds") >= 0.15
    await comes_true(lambda: lag.worst < 0.15)


async def test_the_worst_outlives_the_window_it_came_in(registry):
    policy = replace(QUICK, lag_window=60.0)
    lag = LoopLag(NodeMetrics(registry, policy), policy)
    lag.start()
    await asyncio.sleep(0)
    time.sleep(0.05)
    await comes_true(lambda: lag.worst >= 0.04)
    await lag.close()
