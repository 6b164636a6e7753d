import pytest

from rooms.nodes_policy import SightPolicy
from rooms.policy import EdgePolicy
from server import keys
from server.live_keys import LiveKeys
from server.tokens import DeskClaims, DeskTokens, TokenInvalid
from tests.support.records import Clock

CLAIMS = DeskClaims(desk="desk-1", practice="north")


@pytest.fixture
def path(tmp_path):
    keys.create(tmp_path / "keys.json")
    return tmp_path / "keys.json"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ring(path, clock):
    return LiveKeys(path, keys.load(path), SightPolicy(keys_apart=1.0), clock)


def desks(ring, clock):
    return DeskTokens(ring, "bedside", clock)


def test_a_token_of_a_newer_key_has_the_file_read_again(path, ring, clock):
    before = desks(ring, clock).mint(CLAIMS)
    rotated = keys.rotate(path)
    assert ring.active != rotated.active, "nobody has said so yet"
    assert desks(ring, clock).verify(desks(rotated, clock).mint(CLAIMS)).desk == "desk-1"
    assert ring.active == rotated.active, "and from now on it signs"
    assert desks(ring, clock).verify(before).desk == "desk-1"


def test_unknown_keys_read_the_file_once_a_second_at_most(path, ring, clock, monkeypatch):
    looks = []
    load = keys.load
    monkeypatch.setattr(keys, "load", lambda path: looks.append(path) or load(path))
    for _ in range(100):
        assert ring.token_key("unknown") is None
    assert len(looks) == 1
    clock.now += 1.0
    assert ring.token_key("unknown") is None
    assert len(looks) == 2
    assert ring.token_key(ring.active.kid) is ring.active
    assert len(looks) == 2


def test_a_file_that_is_not_sound_changes_nothing(path, ring, clock):
    token, active = desks(ring, clock).mint(CLAIMS), ring.active
    path.write_text("{}")
    assert not ring.reread()
    path.unlink()
    assert not ring.reread()
    keys.create(path)
    assert not ring.reread(), "another installation's ring"
    assert ring.active == active
    assert desks(ring, clock).verify(token).desk == "desk-1"


def test_keys_that_the_file_has_dropped_are_believed_no_longer(path, ring, clock):
    token = desks(ring, clock).mint(CLAIMS)
    keys.rotate(path, EdgePolicy(token_keys_kept=1))
    assert ring.reread()
    with pytest.raises(TokenInvalid):
        desks(ring, clock).verify(token)


def test_what_chains_and_seals_stays(path, ring):
    former = ring.audit, ring.sealing
    keys.rotate(path)
    assert ring.reread()
    assert (ring.audit, ring.sealing) == former
