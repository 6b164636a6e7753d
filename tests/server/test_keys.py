import base64
import json
import multiprocessing
import os
import stat

import pytest

from rooms.policy import EdgePolicy
from server import keys
from server.config import ConfigurationError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "keys.json"


def edited(path, change):
    """The ring's file after ``change``, which gets its parsed content."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def encoded(secret):
    return base64.urlsafe_b64encode(secret).decode()


def test_the_first_start_in_development_makes_a_private_file(path):
    ring = keys.load_or_create(path, production=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert keys.load_or_create(path, production=False) == ring
    assert keys.load_or_create(path, production=True) == ring


def test_the_first_start_in_production_is_refused_with_what_to_do(path):
    with pytest.raises(ConfigurationError, match="bedside keys init"):
        keys.load_or_create(path, production=True)
    assert not path.exists()


def test_every_secret_is_its_own_and_none_is_shown(path):
    ring = keys.create(path)
    secrets = [ring.active.secret, ring.audit, ring.sealing]
    assert {len(secret) for secret in secrets} == {32}
    assert len(set(secrets)) == 3
    shown = repr(ring)
    assert not any(repr(secret)[2:-1] in shown or encoded(secret) in shown for secret in secrets)


def test_creating_never_overwrites(path):
    ring = keys.create(path)
    with pytest.raises(FileExistsError):
        keys.create(path)
    assert keys.load(path) == ring
    assert list(path.parent.iterdir()) == [path]


def first_start(path):
    return keys.load_or_create(path, production=False).active.kid


def test_processes_that_start_together_agree_on_one_ring(path):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(first_start, [path] * 4))) == 1
    assert list(path.parent.iterdir()) == [path]


def test_rotation_signs_with_a_new_key_and_believes_the_latest_older_ones(path):
    ring = first = keys.create(path)
    seen = [first.active]
    for _ in range(4):
        ring = keys.rotate(path, EdgePolicy(token_keys_kept=3))
        seen.insert(0, ring.active)
        assert ring.tokens == tuple(seen[:3])
    assert keys.load(path) == ring
    assert (ring.audit, ring.sealing) == (first.audit, first.sealing)
    assert len({key.kid for key in seen}) == 5
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_rotated_keys_belong_to_whom_they_did(path):
    keys.create(path)
    path.chmod(0o640)
    if os.getuid() == 0:
        os.chown(path, 4_321, 4_322)
    before = path.stat()
    keys.rotate(path)
    after = path.stat()
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert stat.S_IMODE(after.st_mode) == 0o640
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_key_is_found_by_its_exact_kid(path):
    ring = keys.create(path)
    assert ring.token_key(ring.active.kid) is ring.active
    assert ring.token_key("") is None
    assert ring.token_key(ring.active.kid.upper() + "x") is None


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o660, 0o777])
@pytest.mark.parametrize("production", [True, False])
def test_keys_that_others_can_read_or_change_are_refused(path, mode, production):
    keys.create(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        keys.load_or_create(path, production)


def test_a_mounted_secret_may_be_readable_by_its_group(path):
    ring = keys.create(path)
    path.chmod(0o440)
    assert keys.load_or_create(path, production=True) == ring


def weak(field):
    def change(content):
        content[field] = encoded(bytes(range(31)))

    return change


def change_token(**fields):
    return lambda content: content["tokens"][0].update(fields)


def twin(content):
    content["tokens"].append({**content["tokens"][0], "secret": encoded(bytes(range(32)))})


def shared(content):
    content["audit"] = content["tokens"][0]["secret"]


def nothing_active(content):
    content["active"] = "none"
    content["tokens"] = []


BAD = {
    "weak audit key": (weak("audit"), "shorter than 32 bytes"),
    "weak sealing key": (weak("sealing"), "shorter than 32 bytes"),
    "weak token key": (change_token(secret=encoded(bytes(range(16)))), "shorter than 32 bytes"),
    "constant key": (change_token(secret=encoded(b"a" * 32)), "not random"),
    "repeated phrase": (change_token(secret=encoded(b"changeme" * 8)), "not random"),
    "two keys with one kid": (twin, "same kid"),
    "one secret for two purposes": (shared, "two purposes"),
    "another algorithm": (change_token(alg="none"), "HS256"),
    "an empty kid": (change_token(kid=""), "JSON"),
    "a kid that is no text": (change_token(kid=7), "JSON"),
    "a secret that is no base64url": (change_token(secret="!" * 44), "JSON"),
    "a secret that is no text": (change_token(secret=None), "JSON"),
    "no tokens": (lambda content: content.pop("tokens"), "layout"),
    "a newer layout": (lambda content: content.update(schema=2), "layout"),
    "more than we wrote": (lambda content: content.update(extra=1), "layout"),
    "an unknown active key": (lambda content: content.update(active="none"), "active"),
    "no key at all": (nothing_active, "active"),
}


@pytest.mark.parametrize(("change", "said"), BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("production", [True, False])
def test_a_ring_that_is_not_sound_is_refused_with_a_reason(path, change, said, production):
    keys.create(path)
    edited(path, change)
    with pytest.raises(ConfigurationError, match=said) as refusal:
        keys.load_or_create(path, production)
    assert "bedside keys init" in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"schema": 1, "schema": 1}', "[" * 100_000, '{"schema": NaN}'],
    ids=["empty", "cut", "list", "null", "repeated", "deep", "nan"],
)
def test_a_file_that_is_no_ring_is_refused(path, text):
    keys.create(path)
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="bedside keys init"):
        keys.load(path)


def test_a_refusal_repeats_no_secret(path):
    ring = keys.create(path)
    edited(path, lambda content: content["tokens"].append(content["tokens"][0]))
    with pytest.raises(ConfigurationError) as refusal:
        keys.load(path)
    assert encoded(ring.active.secret) not in str(refusal.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", None], ids=["bytes", "directory"])
def test_what_cannot_be_read_is_said_plainly(path, content):
    path.parent.mkdir()
    path.write_bytes(content) if content else path.mkdir()
    path.chmod(0o700)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        keys.load(path)


def test_a_secret_finds_its_folder_made(tmp_path):
    path = tmp_path / "node" / "a" / "secret.txt"
    keys.write_private(path, "told once")
    assert path.read_text() == "told once\n"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
