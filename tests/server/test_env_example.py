"""deploy/env.example says what the settings are, all of them, and nothing else."""

import re

import pytest

from server import env_example
from server.config import PREFIX, Settings, is_secret, load_settings

ASSIGNMENT = re.compile(r"^#(BEDSIDE_[A-Z_]+)=(.*)$", re.MULTILINE)


def _assignments():
    return dict(ASSIGNMENT.findall(env_example.text()))


def _name(field):
    return f"{PREFIX}{field.upper()}"


def test_the_copy_in_deploy_is_fresh():
    env_example.main(["--check"])


def test_a_stale_copy_is_noticed(tmp_path, monkeypatch):
    stale = tmp_path / "env.example"
    stale.write_text("BEDSIDE_PORT=1\n")
    monkeypatch.setattr(env_example, "FILE", stale)
    with pytest.raises(SystemExit, match="make protocol"):
        env_example.main(["--check"])
    env_example.main([])
    env_example.main(["--check"])


def test_every_setting_is_there_and_secrets_as_files():
    expected = {
        _name(name) + ("_FILE" if is_secret(field) else "")
        for name, field in Settings.model_fields.items()
    }
    assert set(_assignments()) == expected


def test_what_it_shows_are_the_defaults(monkeypatch):
    """Whoever takes every `#` away, secrets aside, runs the server as it would run without."""
    untouched = load_settings()
    for variable, value in _assignments().items():
        if not variable.removesuffix("_FILE").endswith(("_SECRET", "_PASSWORD", "_TOKEN")):
            monkeypatch.setenv(variable, value)
    assert load_settings() == untouched


def test_as_it_is_it_sets_nothing():
    lines = env_example.text().splitlines()
    assert all(not line or line.startswith("#") for line in lines)
    assert max(map(len, lines)) <= 100


def test_each_part_begins_with_a_setting_that_exists():
    assert set(env_example.PARTS) <= set(Settings.model_fields)
    order = [name for name in Settings.model_fields if name in env_example.PARTS]
    assert order == list(env_example.PARTS)
