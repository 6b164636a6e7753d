"""What every store promises. A store joins by a subclass with an ``open_store`` fixture.

``open_store`` is a coroutine function; each call gives another open store on the same data, and
the fixture closes them all. ``clock`` is the clock that these stores read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from rooms.model import Deadline, Device, Need, Notice, Role, Seat, Stage, Standing, Visit
from server.audit import GENESIS, first_break, verify_chain
from server.idempotency import IdempotentReply
from server.store import (
    AlreadyExists,
    ApiKey,
    LinkKind,
    Practice,
    Store,
    StoreUnavailable,
    UnknownVisit,
    VersionConflict,
)
from tests.support.records import Clock, a_link, a_visit, happened

AUDIT_KEY = b"chain-key-of-the-contract-tests!"

OpenStore = Callable[[], Awaitable[Store]]


def a_reply(clock: Clock, **fields: object) -> IdempotentReply:
    given = {
        "practice": "north",
        "key_hash": "key-1",
        "request_hash": "request-1",
        "sealed": b"\x00\xffsealed",
        "expires_at": clock.now + 60,
        **fields,
    }
    return IdempotentReply(**given)  # type: ignore[arg-type]


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


class StoreContract:
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

    # Links

    async def test_a_link_is_found_by_its_hash_as_it_was_kept(self, store):
        desk = a_link("hash-2", kind=LinkKind.DESK, visit="", seat="", desk="desk-1")
        await store.create(a_visit(), [a_link()], [])
        await store.add_links([desk], [])
        assert await store.find_link("hash-1") == a_link()
        assert await store.find_link("hash-2") == desk
        assert await store.find_link("hash-3") is None

    async def test_a_link_to_an_unknown_visit_is_refused(self, store):
        with pytest.raises(UnknownVisit):
            await store.add_links([a_link()], [happened()])
        assert await store.find_link("hash-1") is None
        assert await store.log_after("", 0, 10) == []

    async def test_revoking_reaches_every_link_of_the_seat_and_no_other(self, store):
        other = a_link("hash-3", seat="seat-2")
        await store.create(a_visit(), [a_link(), a_link("hash-2"), other], [])
        assert await store.revoke_links("visit-1", "seat-1", 50.0, [happened("Revoked")]) == 2
        assert await store.find_link("hash-1") == a_link(revoked_at=50.0)
        assert await store.find_link("hash-3") == other
        assert await store.revoke_links("visit-1", "seat-1", 60.0, []) == 0
        assert await store.find_link("hash-1") == a_link(revoked_at=50.0)

    async def test_replacing_revokes_the_older_link_and_keeps_the_new_one(self, store):
        await store.create(a_visit(), [a_link()], [])
        new = a_link("hash-2")
        await store.replace_links("visit-1", "seat-1", new, 50.0, [happened("Replaced")])
        assert await store.find_link("hash-1") == a_link(revoked_at=50.0)
        assert await store.find_link("hash-2") == new

    async def test_a_failed_replacement_leaves_the_older_link_in_force(self, store):
        await store.create(a_visit(), [a_link(), a_link("hash-2", seat="seat-2")], [])
        taken = a_link("hash-2")
        with pytest.raises(AlreadyExists):
            await store.replace_links("visit-1", "seat-1", taken, 50.0, [happened()])
        assert await store.find_link("hash-1") == a_link()
        assert await store.log_after("north", 0, 10) == []

    async def test_a_desk_link_is_found_by_its_desk_and_revoked_by_its_practice(self, store):
        desk = a_link("hash-1", kind=LinkKind.DESK, visit="", seat="", desk="desk-1")
        await store.add_links([desk, replace(desk, hash="hash-2", desk="desk-2")], [])
        told = [happened("DeskLinkRevoked", visit="", practice="north")]
        assert await store.find_desk("desk-1") == desk
        assert await store.find_desk("") is None
        assert not await store.revoke_desk("south", "desk-1", 5.0, told)
        assert await store.find_desk("desk-1") == desk
        assert await store.revoke_desk("north", "desk-1", 5.0, told)
        assert not await store.revoke_desk("north", "desk-1", 6.0, told)
        assert await store.find_link("hash-1") == replace(desk, revoked_at=5.0)
        assert await store.find_link("hash-2") == replace(desk, hash="hash-2", desk="desk-2")
        assert len(await store.log_after("north", 0, 10)) == 1

    # The log

    async def test_each_practice_has_its_own_chain_from_one(self, store):
        await store.create(a_visit(), [], [happened("A"), happened("B")])
        south = a_visit("visit-2", practice="south")
        await store.create(south, [], [happened("C", visit="visit-2")])
        await store.record([happened("D"), happened("E", visit="", outcome="token_invalid")])
        north = await store.log_after("north", 0, 10)
        assert [(entry.cursor, entry.type) for entry in north] == [(1, "A"), (2, "B"), (3, "D")]
        assert north[0].previous_mac == GENESIS
        for practice in ("north", "south", ""):
            assert verify_chain(await store.log_after(practice, 0, 10), AUDIT_KEY) is None
        assert [entry.type for entry in await store.log_after("", 0, 10)] == ["E"]

    async def test_an_entry_says_what_was_told(self, store):
        await store.create(a_visit(), [], [])
        told = happened(
            "SeatAdmitted", at=12.25, seat="s", actor_kind="desk", actor="d", outcome="refused"
        )
        await store.record([told])
        (entry,) = await store.log_after("north", 0, 10)
        assert (entry.at, entry.type, entry.visit, entry.seat) == (
            12.25, "SeatAdmitted", "visit-1", "s",
        )  # fmt: skip
        assert (entry.actor_kind, entry.actor, entry.outcome) == ("desk", "d", "refused")
        assert entry.practice == "north"

    async def test_the_log_is_read_in_pages(self, store):
        await store.create(a_visit(), [], [happened(f"Type{n}") for n in range(5)])
        first = await store.log_after("north", 0, 2)
        second = await store.log_after("north", first[-1].cursor, 10)
        assert [entry.cursor for entry in (*first, *second)] == [1, 2, 3, 4, 5]
        assert await store.log_after("north", 5, 10) == []
        assert await store.log_after("north", 0, 0) == []
        assert await store.log_after("nowhere", 0, 10) == []

    async def test_entries_written_at_once_form_one_chain(self, store):
        await store.create(a_visit(), [], [])
        await asyncio.gather(*(store.record([happened(f"Type{n}")]) for n in range(30)))
        entries = await store.log_after("north", 0, 100)
        assert [entry.cursor for entry in entries] == list(range(1, 31))
        assert verify_chain(entries, AUDIT_KEY) is None

    # Practices and keys

    async def test_a_practice_is_kept_and_changed(self, store):
        assert await store.practice("north") is None
        await store.put_practice(Practice("south", "South", ""))
        await store.put_practice(Practice("north", "North", "+1 555 0100"))
        await store.put_practice(Practice("north", "Nord", "+1 555 0101"))
        assert await store.practice("north") == Practice("north", "Nord", "+1 555 0101")
        assert [practice.id for practice in await store.practices()] == ["north", "south"]

    async def test_an_api_key_is_found_until_and_after_it_is_revoked(self, store):
        key = ApiKey(hash="hash-1", practice="north", id="key-1", created_at=5.0)
        await store.add_api_key(key)
        assert await store.find_api_key("hash-1") == key
        assert await store.revoke_api_key("key-1", 9.0)
        assert not await store.revoke_api_key("key-1", 10.0)
        assert await store.find_api_key("hash-1") == replace(key, revoked_at=9.0)
        assert await store.find_api_key("hash-2") is None
        assert not await store.revoke_api_key("key-2", 10.0)

    async def test_an_api_key_is_kept_once(self, store):
        key = ApiKey(hash="hash-1", practice="north", id="key-1", created_at=5.0)
        await store.add_api_key(key)
        for twin in (replace(key, id="key-2"), replace(key, hash="hash-2")):
            with pytest.raises(AlreadyExists):
                await store.add_api_key(twin)

    # Replies

    async def test_a_reply_is_found_until_it_expires(self, store, clock):
        reply = a_reply(clock)
        await store.create(a_visit(), [], [], idempotency=reply)
        assert await store.find_reply("north", "key-1") == reply
        assert await store.find_reply("south", "key-1") is None
        clock.now = reply.expires_at
        assert await store.find_reply("north", "key-1") is None

    async def test_of_two_visits_for_one_key_only_the_first_exists(self, store, clock):
        tries = (
            store.create(a_visit(f"visit-{n}"), [], [], idempotency=a_reply(clock))
            for n in range(2)
        )
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert sorted(str(type(result).__name__) for result in results) == [
            "AlreadyExists",
            "NoneType",
        ]
        assert len(await store.unfinished()) == 1

    async def test_an_expired_key_can_be_used_again(self, store, clock):
        await store.create(a_visit(), [], [], idempotency=a_reply(clock))
        clock.now += 60
        again = a_reply(clock, request_hash="request-2")
        await store.create(a_visit("visit-2"), [], [], idempotency=again)
        assert await store.find_reply("north", "key-1") == again

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
