from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.policy import EdgePolicy
from server.audit import GENESIS, chain, first_break, verify_chain
from server.sqlite_store import SqliteStore
from server.store import LogDraft, LogEntry
from tests.support.records import a_visit, happened

KEY = b"chain-key-of-the-audit-tests...."

words = st.text("abcxyzABC_.:", max_size=40)
drafts = st.builds(
    LogDraft,
    at=st.floats(0, 4e9),
    type=words,
    visit=words,
    seat=words,
    actor_kind=words,
    actor=words,
    outcome=words,
    practice=st.just("north"),
)


def chained(given_drafts, key=KEY):
    entries: list[LogEntry] = []
    for cursor, draft in enumerate(given_drafts, 1):
        previous = entries[-1].mac if entries else GENESIS
        entries.append(chain(draft, cursor, previous, key))
    return entries


@given(st.lists(drafts, max_size=8))
def test_a_chain_holds_from_its_beginning_and_from_any_place(given_drafts):
    entries = chained(given_drafts)
    assert verify_chain(entries, KEY) is None
    for place in range(1, len(entries)):
        assert verify_chain(entries[place:], KEY, after=entries[place - 1]) is None


@given(st.lists(drafts, min_size=3, max_size=8))
def test_what_is_left_of_a_trimmed_log_holds_and_its_first_entry_is_checked_too(given_drafts):
    entries = chained(given_drafts)[2:]
    assert verify_chain(entries, KEY) == 1, "it does not pass for a whole log"
    assert verify_chain(entries, KEY, trimmed=True) is None
    entries[0] = replace(entries[0], outcome=entries[0].outcome[:-1] + "-")
    assert verify_chain(entries, KEY, trimmed=True) == 3


@given(st.lists(drafts, min_size=1, max_size=6), st.data())
def test_a_changed_field_breaks_the_chain_there(given_drafts, data):
    entries = chained(given_drafts)
    place = data.draw(st.integers(0, len(entries) - 1))
    name = data.draw(st.sampled_from([field.name for field in fields(LogEntry)]))
    old = getattr(entries[place], name)
    new = old + 1 if isinstance(old, int | float) else ("x" if old != "x" else "y")
    if new == old:  # a float so large that one more is the same
        return
    entries[place] = replace(entries[place], **{name: new})
    assert verify_chain(entries, KEY) == place + 1


@given(st.lists(drafts, min_size=2, max_size=6), st.data())
def test_a_dropped_entry_breaks_the_chain_there(given_drafts, data):
    entries = chained(given_drafts)
    place = data.draw(st.integers(0, len(entries) - 2))
    assert verify_chain(entries[:place] + entries[place + 1 :], KEY) == place + 1


@given(st.lists(drafts, min_size=2, max_size=6, unique_by=lambda draft: draft.at), st.data())
def test_a_swap_and_a_copy_break_the_chain_there(given_drafts, data):
    entries = chained(given_drafts)
    place = data.draw(st.integers(0, len(entries) - 2))
    swapped = [*entries]
    swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
    assert verify_chain(swapped, KEY) == place + 1
    copied = [*entries[: place + 1], entries[place], *entries[place + 1 :]]
    assert verify_chain(copied, KEY) == place + 2


def test_whoever_lacks_the_key_cannot_write_a_chain():
    forged = chained([happened(practice="north")] * 3, key=b"another key of the same length..")
    assert verify_chain(forged, KEY) == 1


def test_the_mac_covers_where_one_field_ends_and_the_next_begins():
    one = chain(happened("ab", visit="c"), 1, GENESIS, KEY)
    two = chain(happened("a", visit="bc"), 1, GENESIS, KEY)
    assert one.mac != two.mac


def test_the_log_of_another_practice_does_not_go_on_with_this_one():
    first = chain(happened(practice="north"), 1, GENESIS, KEY)
    second = chain(happened(practice="south"), 2, first.mac, KEY)
    assert verify_chain([first, second], KEY) == 2


@pytest.mark.parametrize("page", [1, 2, 3, 100])
async def test_a_whole_log_is_read_in_pages(tmp_path, page):
    store = SqliteStore(tmp_path / "bedside.db", KEY)
    await store.open()
    await store.create(a_visit(), [], [happened(f"Type{n}") for n in range(6)])
    policy = EdgePolicy(log_page=page)
    assert await first_break(store, "north", KEY, policy) is None
    assert await first_break(store, "nowhere", KEY, policy) is None
    assert await first_break(store, "north", b"another key", policy) == 1
    await store.close()
