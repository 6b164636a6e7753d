"""What every store promises. A store joins by a subclass with an ``open_store`` fixture.

``open_store`` is a coroutine function; each call gives another open store on the same data, and
the fixture closes them all. ``clock`` is the clock that these stores read.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from rooms.model import Deadline, Device, Need, Notice, Role, Seat, Stage, Standing, Visit
from server.audit import first_break
from server.store import (
    AlreadyExists,
    LogDraft,
    Practice,
    Store,
    Stored,
    StoreError,
    StoreUnavailable,
    UnknownVisit,
    VersionConflict,
)
from tests.contracts.record_contract import AUDIT_KEY, RecordContract, a_reply
from tests.support.records import Clock, a_link, a_visit, happened

OpenStore = Callable[[], Awaitable[Store]]


def a_full_visit() -> Visit:
    device = Device(id="d", credential="c", opened_at=1.5, standing=Standing.HOLDING)
    seat = Seat(
        id="seat-1",
        role=Role.PATIENT,
        name="Zoë O’Hara-Ñúñez 王",
        external_ids=(("mrn", "1"),),
        needs=frozenset({Need.SIGNING}),
        deadline=Deadline("waiting", 3.25),
        devices=(device,),
        notices=(Notice(id=1, text="Two minutes\n'; DROP TABLE visits; --", at=2.5),),
    )
    return a_visit(seats=(seat,), deserted=Deadline("deserted", 1e9 + 0.1), revision=7)


async def try_one(
    store: Store, world: dict[str, Stored], visit: Visit, told: list[LogDraft], dice: random.Random
) -> bool:
    """Create or save, at the right version or another, as ``world`` says it must turn out."""
    known = world.get(visit.id)
    if dice.randrange(3) == 0:
        refusal: type[StoreError] | None = AlreadyExists if known else None
        act: Awaitable[object] = store.create(visit, [], told)
    else:
        version = dice.choice([known.version, known.version + 1, 1]) if known else 1
        stale = VersionConflict if known and version != known.version else None
        refusal = stale if known else UnknownVisit
        act = store.save(visit, version, told)
    if refusal is not None:
        with pytest.raises(refusal):
            await act
        return False
    await act
    world[visit.id] = Stored(visit, known.version + 1 if known else 1)
    return True


class StoreContract(RecordContract):
    @pytest.fixture
    def clock(self):
        return Clock()

    @pytest.fixture
    async def store(self, open_store: OpenStore):
        return await open_store()

    # Visits

    async def test_a_created_visit_is_loaded_equal(self, store):
        await store.create(a_full_visit(), [], [])
        stored = await store.load("visit-1")
        assert (stored.visit, stored.version) == (a_full_visit(), 1)

    async def test_a_saved_visit_is_loaded_equal_at_the_next_version(self, store):
        await store.create(a_visit(), [], [])
        assert await store.save(a_full_visit(), 1, []) == 2
        stored = await store.load("visit-1")
        assert (stored.visit, stored.version) == (a_full_visit(), 2)

    async def test_an_unknown_visit_is_neither_loaded_nor_saved(self, store):
        with pytest.raises(UnknownVisit):
            await store.load("visit-1")
        with pytest.raises(UnknownVisit):
            await store.save(a_visit(), 1, [happened()])
        assert await store.log_after("", 0, 10) == []

    async def test_a_visit_is_created_once_and_the_second_try_leaves_no_trace(self, store, clock):
        await store.create(a_visit(), [], [])
        with pytest.raises(AlreadyExists):
            await store.create(
                a_visit(host="other"), [a_link()], [happened()], idempotency=a_reply(clock)
            )
        assert (await store.load("visit-1")).visit == a_visit()
        assert await store.find_link("hash-1") is None
        assert await store.find_reply("north", "key-1") is None
        assert await store.log_after("north", 0, 10) == []

    async def test_a_visit_whose_link_is_taken_is_not_created(self, store):
        await store.create(a_visit(), [a_link()], [])
        with pytest.raises(AlreadyExists):
            await store.create(a_visit("visit-2"), [a_link(visit="visit-2")], [])
        with pytest.raises(UnknownVisit):
            await store.load("visit-2")

    async def test_a_stale_save_is_refused_and_leaves_no_trace(self, store):
        await store.create(a_visit(), [], [])
        await store.save(a_visit(host="first"), 1, [happened("First")])
        with pytest.raises(VersionConflict):
            await store.save(a_visit(host="late"), 1, [happened("Late")], links=[a_link()])
        assert (await store.load("visit-1")).visit.host == "first"
        assert await store.find_link("hash-1") is None
        assert [entry.type for entry in await store.log_after("north", 0, 10)] == ["First"]

    async def test_a_save_from_the_future_is_refused(self, store):
        await store.create(a_visit(), [], [])
        with pytest.raises(VersionConflict):
            await store.save(a_visit(), 2, [])

    async def test_a_save_whose_link_is_taken_changes_nothing(self, store):
        await store.create(a_visit(), [a_link()], [])
        with pytest.raises(AlreadyExists):
            await store.save(a_visit(host="new"), 1, [happened()], links=[a_link()])
        assert (await store.load("visit-1")).version == 1
        assert await store.log_after("north", 0, 10) == []

    async def test_of_many_saves_of_one_version_exactly_one_wins(self, open_store):
        stores = [await open_store() for _ in range(2)]
        await stores[0].create(a_visit(), [], [])
        for version in range(1, 6):
            tries = (
                stores[n % 2].save(a_visit(host=f"host-{n}"), version, [happened(f"Try{n}")])
                for n in range(12)
            )
            results = await asyncio.gather(*tries, return_exceptions=True)
            winners = [n for n, result in enumerate(results) if result == version + 1]
            assert len(winners) == 1
            assert sum(isinstance(result, VersionConflict) for result in results) == 11
            stored = await stores[0].load("visit-1")
            assert (stored.visit.host, stored.version) == (f"host-{winners[0]}", version + 1)
        assert len(await stores[0].log_after("north", 0, 100)) == 5

    async def test_no_update_is_lost_between_coroutines_that_try_again(self, store):
        await store.create(a_visit(), [], [])

        async def count_ten():
            for _ in range(10):
                while True:
                    stored = await store.load("visit-1")
                    grown = replace(stored.visit, revision=stored.visit.revision + 1)
                    try:
                        await store.save(grown, stored.version, [happened("Counted")])
                        break
                    except VersionConflict:
                        continue

        await asyncio.gather(*(count_ten() for _ in range(5)))
        assert (await store.load("visit-1")).visit.revision == 50
        assert len(await store.log_after("north", 0, 100)) == 50
        assert await first_break(store, "north", AUDIT_KEY) is None

    async def test_unfinished_visits_are_told_soonest_first(self, store):
        for n, stage in enumerate(Stage):
            await store.create(a_visit(f"visit-{n}", starts_at=100.0 - n, stage=stage), [], [])
        over = {"visit-5", "visit-6"}  # ended and cancelled stand last in the enumeration
        expected = [f"visit-{n}" for n in reversed(range(7)) if f"visit-{n}" not in over]
        assert await store.unfinished() == expected

    async def test_a_visit_that_ends_is_no_longer_unfinished(self, store):
        await store.create(a_visit(), [], [])
        await store.save(a_visit(stage=Stage.ENDED), 1, [])
        assert await store.unfinished() == []

    async def test_a_window_holds_its_start_and_not_its_end(self, store):
        for n, starts_at in enumerate((99.0, 100.0, 150.0, 200.0)):
            await store.create(a_visit(f"visit-{n}", starts_at=starts_at), [], [])
        await store.create(a_visit("visit-x", practice="south", starts_at=150.0), [], [])
        found = await store.visits_between("north", 100.0, 200.0)
        assert [visit.id for visit in found] == ["visit-1", "visit-2"]

    async def test_whatever_runs_is_in_every_window(self, store):
        for stage in Stage:
            await store.create(a_visit(f"is-{stage.value}", starts_at=1.0, stage=stage), [], [])
        found = await store.visits_between("north", 100.0, 200.0)
        assert {visit.id for visit in found} == {"is-open", "is-in_progress", "is-interrupted"}

    async def test_a_rescheduled_visit_moves_to_its_new_window(self, store):
        await store.create(a_visit(starts_at=100.0), [], [])
        await store.save(a_visit(starts_at=500.0), 1, [])
        assert await store.visits_between("north", 0.0, 200.0) == []
        assert len(await store.visits_between("north", 400.0, 600.0)) == 1

    # Everything together

    @pytest.mark.parametrize("seed", range(12))
    async def test_a_random_walk_agrees_with_a_dictionary(self, open_store, seed):
        dice, store = random.Random(seed), await open_store()
        world: dict[str, Stored] = {}
        logged = 0
        for step in range(60):
            if not dice.randrange(10):
                await store.close()
                store = await open_store()
            told = [happened("Told")] * dice.randrange(3) if "visit-1" in world else []
            visit = a_visit(f"visit-{dice.randrange(1, 6)}", host=f"host-{step}")
            if await try_one(store, world, visit, told, dice):
                logged += len(told)
        for name, expected in world.items():
            assert await store.load(name) == expected
        assert set(await store.unfinished()) == set(world)
        assert len(await store.log_after("north", 0, 1_000)) == logged
        assert await first_break(store, "north", AUDIT_KEY) is None

    # Opening and closing

    async def test_what_was_kept_is_there_after_closing_and_opening(self, open_store, clock):
        store = await open_store()
        await store.put_practice(Practice("north", "North", ""))
        await store.create(a_visit(), [a_link()], [happened()], idempotency=a_reply(clock))
        await store.save(a_full_visit(), 1, [happened()])
        await store.close()
        store = await open_store()
        assert (await store.load("visit-1")).version == 2
        assert await store.find_link("hash-1") == a_link()
        assert await store.find_reply("north", "key-1") == a_reply(clock)
        assert len(await store.log_after("north", 0, 10)) == 2
        await store.record([happened()])
        assert await first_break(store, "north", AUDIT_KEY) is None

    async def test_a_closed_store_refuses_and_says_so(self, store):
        assert await store.healthy()
        await store.close()
        await store.close()
        assert not await store.healthy()
        with pytest.raises(StoreUnavailable):
            await store.load("visit-1")
        with pytest.raises(StoreUnavailable):
            await store.create(a_visit(), [], [])
