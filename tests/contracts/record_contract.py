"""The second half of what every store promises: links, the log, practices, keys and replies."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from media.phone.former_calls import KeptCall
from server.audit import GENESIS, verify_chain
from server.idempotency import IdempotentReply
from server.store import AlreadyExists, ApiKey, LinkKind, Practice, UnknownVisit
from tests.support.records import Clock, a_link, a_visit, happened

AUDIT_KEY = b"chain-key-of-the-contract-tests!"


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


class RecordContract:
    """Uses the fixtures ``store`` and ``clock`` of ``StoreContract``."""

    # Calls

    async def test_a_call_is_kept_until_it_is_forgotten(self, store, open_store):
        first, second = (
            KeptCall(call=call, carrier="trunk", state=f"INVITE {call}") for call in ("a", "b/2")
        )
        await store.keep_call(second)
        await store.keep_call(first)
        assert await store.kept_calls() == [first, second]
        again = await open_store()
        assert await again.kept_calls() == [first, second], "another process finds them"
        await again.forget_call("a")
        assert await store.kept_calls() == [second]

    async def test_what_is_kept_of_a_call_is_replaced_whole(self, store):
        await store.keep_call(KeptCall(call="a", carrier="trunk", state="early"))
        answered = KeptCall(call="a", carrier="other", state="answered\r\n'; DROP TABLE calls; --")
        await store.keep_call(answered)
        assert await store.kept_calls() == [answered]

    async def test_forgetting_what_is_not_kept_is_no_mistake(self, store):
        await store.forget_call("a")
        await store.keep_call(KeptCall(call="b", carrier="trunk", state=""))
        await store.forget_call("a")
        assert [kept.call for kept in await store.kept_calls()] == ["b"]

    async def test_a_practice_keeps_the_name_that_is_spoken(self, store):
        named = Practice("north", "North Clinic", "+1 555 010 0199", "Riverside")
        await store.put_practice(named)
        await store.put_practice(Practice("south", "South"))
        assert await store.practice("north") == named
        assert await store.practices() == [named, Practice("south", "South")]

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

    async def test_entries_written_at_once_form_one_chain(self, store, open_store):
        stores = (store, await open_store())
        await store.create(a_visit(), [], [])
        await asyncio.gather(*(stores[n % 2].record([happened(f"Type{n}")]) for n in range(30)))
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

    async def test_the_keys_of_a_practice_are_told_the_oldest_first(self, store):
        one = ApiKey(hash="hash-1", practice="north", id="key-1", created_at=5.0)
        two = replace(one, hash="hash-2", id="key-2", created_at=4.0)
        for key in (one, two, replace(one, hash="hash-3", id="key-3", practice="south")):
            await store.add_api_key(key)
        assert await store.api_keys("north") == [two, one]
        await store.revoke_api_key("key-2", 9.0)
        assert await store.api_keys("north") == [replace(two, revoked_at=9.0), one]
        assert await store.api_keys("east") == []

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
