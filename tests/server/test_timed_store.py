import asyncio
import inspect

import pytest
from prometheus_client import CollectorRegistry

from rooms.nodes_policy import SightPolicy
from server.node_metrics import NodeMetrics
from server.sqlite_store import SqliteStore
from server.store import Practice, Store, StoreUnavailable, UnknownVisit
from server.timed_store import OPERATIONS, timed, untimed
from tests.support.records import a_visit, happened


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
async def plain(tmp_path):
    store = SqliteStore(tmp_path / "bedside.db", bytes(range(32)))
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def store(plain, registry):
    return timed(plain, NodeMetrics(registry, SightPolicy()))


def count(registry, operation, outcome):
    labels = {"operation": operation, "outcome": outcome}
    return registry.get_sample_value("bedside_store_seconds_count", labels)


async def test_what_goes_well_is_timed(store, registry):
    await store.put_practice(Practice("north", "North"))
    await store.create(a_visit(), [], [happened()])
    assert await store.save(a_visit(ends_at=3_000.0), 1, []) == 2
    assert (await store.load("visit-1")).visit.ends_at == 3_000.0
    assert count(registry, "create", "ok") == count(registry, "save", "ok") == 1
    assert count(registry, "load", "ok") == 1


async def test_what_is_refused_is_told_by_its_code_and_raised(store, plain, registry):
    with pytest.raises(UnknownVisit):
        await store.load("visit-2")
    assert count(registry, "load", "unknown_visit") == 1
    await plain.close()
    with pytest.raises(StoreUnavailable):
        await store.load("visit-2")
    assert count(registry, "load", "store_unavailable") == 1


async def test_who_stops_waiting_is_told_apart(store, registry):
    task = asyncio.create_task(store.practices())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert count(registry, "practices", "cancelled") == 1


def test_every_operation_of_the_contract_is_timed_and_nothing_else(store, plain):
    contract = {n for n, m in vars(Store).items() if inspect.isfunction(m) and n[0] != "_"}
    assert contract - OPERATIONS == {"open", "close"}
    for name in OPERATIONS:
        assert getattr(store, name) != getattr(plain, name)
        assert getattr(store, name) is getattr(store, name)
    assert store.close == plain.close
    assert untimed(store) is plain
    assert untimed(plain) is plain
