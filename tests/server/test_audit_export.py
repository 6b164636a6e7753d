import json
from dataclasses import replace

import pytest

from server.audit import GENESIS, chain
from server.audit_disk import line
from server.audit_export import ChainBroken, Fork, Gap, before, parse, read, verify
from tests.support.records import happened

KEY = bytes(range(32))


def a_log(practice="north", count=6):
    """A practice's chained entries."""
    entries, mac = [], GENESIS
    for cursor in range(1, count + 1):
        entries.append(chain(happened(practice=practice), cursor, mac, KEY))
        mac = entries[-1].mac
    return entries


LOG = a_log()


class Kept:
    """A store's log, a few entries at once, without what has expired."""

    def __init__(self, entries, page=2):
        self._entries, self._page = entries, page

    async def log_after(self, _practice, cursor, _limit):
        return [entry for entry in self._entries if entry.cursor > cursor][: self._page]


async def all_of(entries, after=0, expires=False, practice="north"):
    return [e async for e in read(Kept(entries), practice, after, KEY, expires=expires)]


def test_a_line_and_its_entry_say_the_same():
    for entry in LOG:
        assert parse(line(entry)) == entry
        assert parse(line(entry).encode()) == entry


@pytest.mark.parametrize(
    "change",
    [
        {"cursor": True},
        {"cursor": 1.0},
        {"at": 1},
        {"visit": None},
        {"more": 1},
        {"outcome": "A b"},
    ],
    ids=str,
)
def test_a_line_of_other_fields_or_types_is_no_entry(change):
    told = {**json.loads(line(LOG[0])), **change}
    with pytest.raises(ValueError, match=r"."):
        parse(json.dumps(told))


async def test_a_log_is_read_whole_or_from_any_entry_on():
    assert await all_of(LOG) == LOG
    assert await all_of(LOG, after=3) == LOG[3:]
    assert await all_of(LOG, after=6) == []


async def test_what_has_expired_is_missed_only_where_nothing_expires():
    assert await all_of(LOG[2:], expires=True) == LOG[2:]
    with pytest.raises(ChainBroken, match="entry 1"):
        await all_of(LOG[2:])


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("change", [{"outcome": "denied"}, {"at": 1.0}, {"mac": "0" * 64}])
async def test_a_changed_entry_breaks_the_log_where_it_stands(at, change):
    touched = [*LOG[:at], replace(LOG[at], **change), *LOG[at + 1 :]]
    seen = []
    with pytest.raises(ChainBroken, match=f"entry {at + 1}:"):  # noqa: PT012
        async for entry in read(Kept(touched), "north", 0, KEY, expires=True):
            seen.append(entry)  # noqa: PERF401 - what came before the break is looked at
    assert seen == LOG[:at]


async def test_an_entry_that_was_taken_out_breaks_the_log():
    with pytest.raises(ChainBroken, match="entry 3"):
        await all_of([*LOG[:2], *LOG[3:]])


async def test_another_practices_log_is_not_this_ones():
    with pytest.raises(ChainBroken):
        await all_of(LOG, practice="south")


def test_the_entry_before_is_known_by_its_mac():
    assert before(LOG[0]) is None
    assert (before(LOG[3]).cursor, before(LOG[3]).mac) == (3, LOG[2].mac)


def test_files_of_many_practices_are_checked_together():
    mixed = sorted(LOG + a_log("south"), key=lambda entry: (entry.practice, entry.cursor))
    assert list(verify(mixed, KEY)) == []
    assert list(verify(sorted(LOG + LOG, key=lambda entry: entry.cursor), KEY)) == []


def test_what_is_missing_is_told_and_the_rest_still_proved():
    assert list(verify([LOG[0], *LOG[3:]], KEY)) == [Gap("north", 2, 3)]
    with pytest.raises(ChainBroken, match="entry 4"):
        list(verify([LOG[0], replace(LOG[3], outcome="denied")], KEY))


def told_again(after, count, outcome="denied"):
    """The log as it went on when what came after this entry had been lost."""
    entries = [LOG[after - 1]]
    for cursor in range(after + 1, after + 1 + count):
        draft = happened(practice="north", outcome=outcome)
        entries.append(chain(draft, cursor, entries[-1].mac, KEY))
    return entries[1:]


def in_order(*logs):
    return sorted(
        (e for log in logs for e in log), key=lambda entry: (entry.practice, entry.cursor)
    )


def test_two_stories_that_are_both_proved_are_told_and_no_break():
    assert list(verify(in_order(LOG, told_again(2, 3)), KEY)) == [
        Fork("north", 3),
        Fork("north", 4),
        Fork("north", 5),
    ]
    lost_by_all = in_order(LOG[:2], told_again(2, 3), told_again(2, 1, "twice"))
    assert list(verify(lost_by_all, KEY)) == [Fork("north", 3)]


def test_an_entry_that_follows_none_of_two_stories_is_a_break():
    elsewhere = chain(happened(practice="north"), 6, told_again(2, 3, "third")[-1].mac, KEY)
    with pytest.raises(ChainBroken, match="entry 6"):
        list(verify(in_order(LOG[:5], told_again(2, 3), [elsewhere]), KEY))
    with pytest.raises(ChainBroken, match="entry 3"):
        list(verify(in_order(LOG, [replace(told_again(2, 1)[0], at=5.0)]), KEY))


def test_another_key_proves_nothing():
    with pytest.raises(ChainBroken, match="entry 1"):
        list(verify(LOG, bytes(32)))
