"""API keys as staff make and withdraw them, in a file and in a real Redis."""

import json

import pytest

from server.links import hash_code, is_api_key
from server.store import Practice
from tests.support.staff import Staff


@pytest.fixture(params=["file", "redis"])
def either(request, monkeypatch, capsys, tmp_path):
    """Staff of one node, and of many."""
    staff = Staff(monkeypatch, capsys, tmp_path)
    many = request.getfixturevalue("shared_redis") if request.param == "redis" else None
    staff.uses(tmp_path / "data", many)
    staff.fills()
    return staff


def test_a_key_is_made_and_withdrawn_and_the_log_tells_of_it(either):
    def listed():
        rows = json.loads(either.give("api-keys", "list", "north", "--json")[1])
        return {row["key"]: bool(row["withdrawn_at"]) for row in rows}

    assert listed() == {"key-1": False}
    status, out, _ = either.give("api-keys", "make", "north")
    secret, new = out.split("\n")[0].split(": ")[1], next(iter(listed().keys() - {"key-1"}))
    assert status == 0
    assert is_api_key(secret)
    assert secret not in either.give("api-keys", "list", "north")[1]
    assert either.give("api-keys", "withdraw", "north", "key-1")[0] == 0
    assert listed() == {"key-1": True, new: False}

    async def look(found):
        assert (await found.store.find_api_key("key-hash")).revoked_at is not None
        assert (await found.store.find_api_key(hash_code(secret))).revoked_at is None

    either.inside(look)
    log = [
        json.loads(line)
        for line in either.give("audit", "export", "--practice", "north")[1].splitlines()
    ]
    told = [(entry["type"], entry["outcome"]) for entry in log[-2:]]
    assert told == [("ApiKeyMade", new), ("ApiKeyWithdrawn", "key-1")]


def test_a_key_that_is_not_this_practices_or_not_in_force_is_said(either):
    async def other(found):
        await found.store.put_practice(Practice("south", "South Clinic"))

    either.inside(other)
    for practice in ("south", "east"):
        status, out, err = either.give("api-keys", "withdraw", practice, "key-1")
        assert (status, out) == (1, "")
        assert err.startswith("bedside: The")
    assert either.give("api-keys", "make", "east")[2] == "bedside: There is no practice east."
    assert either.give("api-keys", "list", "east")[2] == "bedside: There is no practice east."
    assert either.give("api-keys", "withdraw", "north", "key-1")[0] == 0
    status, _, err = either.give("api-keys", "withdraw", "north", "key-1")
    assert status == 1
    assert "has no key key-1 in force" in err
