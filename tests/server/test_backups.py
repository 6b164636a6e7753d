"""A backup is taken under way, and what is restored of it is whole and starts."""

import json
import stat

import aiohttp
import pytest

from server.config import load_settings
from server.redis_keys import RedisKeys
from server.redis_recordings import RedisRecordings, packed
from tests.support.ports import free_port
from tests.support.serving import environment, run, serving
from tests.support.sounds import tone
from tests.support.staff import SEALED, Staff, a_running_visit

RECORDED = packed(tone(440.0, 1.0))


def _recordings(found):
    return RedisRecordings(found.link, RedisKeys(found.settings.redis_prefix))


@pytest.fixture(params=["file", "redis"])
def staff(request, monkeypatch, capsys, tmp_path):
    staff = Staff(monkeypatch, capsys, tmp_path)
    many = request.getfixturevalue("shared_redis") if request.param == "redis" else None
    staff.uses(tmp_path / "data", many)
    staff.fills()
    if many:
        staff.inside(lambda found: _recordings(found).keep("north", "gate/en", RECORDED, 9))
    prompts = tmp_path / "data" / "prompts" / "north"
    prompts.mkdir(parents=True)
    (prompts / "gate.en.ogg").write_bytes(b"recording")
    return staff


def test_everything_comes_back_elsewhere(staff, tmp_path):
    backup, ring = tmp_path / "backup", (staff.data / "keys.json").read_text()
    status, out, err = staff.give("backup", backup)
    assert (status, err) == (0, "")
    assert "the log is whole" in out
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    files = [path for path in backup.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}

    before = staff.give("audit", "export", "--practice", "north")[1]
    staff.uses(tmp_path / "elsewhere", staff.redis)
    status, out, err = staff.give("restore", backup)
    assert (status, err) == (0, "")
    assert (staff.data / "keys.json").read_text() == ring
    assert (staff.data / "prompts/north/gate.en.ogg").read_bytes() == b"recording"
    assert staff.give("audit", "export", "--practice", "north")[1] == before

    async def look(found):
        stored = await found.store.load("visit-1")
        assert stored.visit.seats == a_running_visit().seats
        assert (await found.store.find_link("hash-1")).seat == "seat-1"
        assert (await found.store.find_reply("north", "k")).sealed == SEALED
        assert (await found.store.find_api_key("key-hash")).practice == "north"
        assert await found.store.unfinished() == ["visit-1"]
        assert await found.store.save(stored.visit, stored.version, []) == stored.version + 1
        if found.link is not None:
            assert await _recordings(found).sums("north") == {"gate/en": RECORDED.sum}
            assert await _recordings(found).text("north", "gate/en") == RECORDED.text

    staff.inside(look)


def test_nothing_is_overwritten(staff, tmp_path):
    backup = tmp_path / "backup"
    assert staff.give("backup", backup)[0] == 0
    status, _, err = staff.give("backup", backup)
    assert (status, err) == (1, f"bedside: {backup} is not empty.")
    status, _, err = staff.give("restore", backup)
    assert status == 1
    assert "nothing was restored" in err


def test_a_backup_that_was_changed_is_refused_before_anything_is_touched(staff, tmp_path):
    backup = tmp_path / "backup"
    staff.give("backup", backup)
    staff.uses(tmp_path / "elsewhere", staff.redis)
    (backup / "prompts/north/gate.en.ogg").write_bytes(b"another")
    assert "not those that were backed up" in staff.give("restore", backup)[2]
    (backup / "manifest.json").unlink()
    assert "no whole backup" in staff.give("restore", backup)[2]
    assert not (tmp_path / "elsewhere").exists()


def test_a_ring_that_is_there_already_stays_if_it_is_the_same_installations(staff, tmp_path):
    backup = tmp_path / "backup"
    staff.give("backup", backup)
    staff.give("keys", "rotate")
    ring = (staff.data / "keys.json").read_text()
    staff.monkeypatch.setenv("BEDSIDE_KEYS_FILE", str(tmp_path / "secret.json"))
    staff.uses(tmp_path / "elsewhere", staff.redis)
    staff.give("keys", "init")
    status, _, err = staff.give("restore", backup)
    assert status == 1
    assert "keys of another installation" in err
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "secret.json").write_text(ring)
    assert staff.give("restore", backup)[0] == 0
    assert (tmp_path / "secret.json").read_text() == ring
    assert staff.give("audit", "export", "--practice", "north")[0] == 0


def test_one_kind_of_store_is_not_restored_into_the_other(staff, tmp_path, shared_redis):
    backup = tmp_path / "backup"
    staff.give("backup", backup)
    staff.monkeypatch.delenv("BEDSIDE_REDIS_URL", raising=False)
    staff.monkeypatch.delenv("BEDSIDE_NODE", raising=False)
    staff.uses(tmp_path / "elsewhere", None if staff.redis else shared_redis)
    assert "BEDSIDE_REDIS_URL" in staff.give("restore", backup)[2]


def test_a_redis_that_holds_something_is_not_restored_into(
    monkeypatch, capsys, tmp_path, shared_redis
):
    staff = Staff(monkeypatch, capsys, tmp_path)
    staff.uses(tmp_path / "data", shared_redis)
    staff.fills()
    staff.give("backup", tmp_path / "backup")
    monkeypatch.setenv("BEDSIDE_DATA_DIR", str(tmp_path / "elsewhere"))
    assert "Redis holds keys" in staff.give("restore", tmp_path / "backup")[2]
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("at", [2, 3])
def test_a_log_in_redis_that_somebody_touched_is_not_backed_up_as_whole(
    monkeypatch, capsys, tmp_path, shared_redis, at
):
    staff = Staff(monkeypatch, capsys, tmp_path)
    staff.uses(tmp_path / "data", shared_redis)
    staff.fills()
    log = RedisKeys(load_settings().redis_prefix).log("north")
    staff.inside(lambda found: found.link.call("XTRIM", log, "MINID", f"{at}-0"))
    assert staff.give("backup", tmp_path / "expired")[0] == 0

    async def touched(found):
        ((_, words),) = await found.link.call("XRANGE", log, "4-0", "4-0")
        changed = [word.replace("Happened2", "Happened9") for word in words]
        await found.link.call("XTRIM", log, "MAXLEN", 0)
        await found.link.call("XADD", log, "5-0", *changed)

    staff.inside(touched)
    status, out, err = staff.give("backup", tmp_path / "touched")
    assert (status, out) == (1, "")
    assert "broken at entry 4" in err
    assert not (tmp_path / "touched" / "manifest.json").exists()


@pytest.mark.slow
async def test_a_running_server_is_backed_up_and_another_one_starts_from_it(tmp_path):
    data, port = tmp_path / "data", free_port()
    async with (
        serving(data, port),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
    ):
        key = (data / "first-practice.txt").read_text().split("API key")[1].split()[0]
        bearer = {"Authorization": f"Bearer {key}"}
        asked = {"starts_at": 2e9, "ends_at": 2e9 + 60, "host": "", "seats": []}
        asked["seats"] = [{"role": "provider", "name": "Amina Reyes"}]
        async with http.post("/v1/visits", json=asked, headers=bearer) as made:
            visit = (await made.json())["visit"]
        ran = await run("backup", str(tmp_path / "backup"), env=environment(data))
        assert ran.status == 0, ran.err
    elsewhere, port = tmp_path / "elsewhere", free_port()
    ran = await run("restore", str(tmp_path / "backup"), env=environment(elsewhere))
    assert ran.status == 0, ran.err
    async with (
        serving(elsewhere, port),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
        http.get(f"/v1/visits/{visit}", headers=bearer) as answer,
    ):
        assert answer.status == 200
        assert json.loads(await answer.text())["visit"] == visit
