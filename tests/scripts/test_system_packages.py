"""Packages come from apt, and none of their services is left running or enabled."""

import os
import subprocess

import pytest

from tests.support.source_tree import ROOT

SCRIPT = ROOT / "scripts" / "system_packages"

APT = """#!/bin/sh
echo "$@" >> "$TOLD/orders"
[ "$2" = install ] || exit 0
"$POLICY_RC_D" redis-server start; echo $? > "$TOLD/answer"
touch "$TOLD/installed"
exit "${APT_ENDS:-0}"
"""
SYSTEMCTL = """#!/bin/sh
case "$1" in
list-unit-files) echo "cron.service enabled enabled"
                 [ ! -e "$TOLD/installed" ] || echo "redis-server.service enabled enabled" ;;
*) echo "$@" >> "$TOLD/disabled" ;;
esac
"""


@pytest.fixture
def machine(tmp_path):
    """A machine whose apt and systemd write down what they are told, and do nothing."""
    commands = {"apt-get": APT, "systemctl": SYSTEMCTL, "id": "#!/bin/sh\necho 0\n"}
    for name, text in commands.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def installs(machine, *pairs, **env):
    environment = {
        **os.environ,
        "PATH": f"{machine}:{os.environ['PATH']}",
        "TOLD": str(machine),
        "POLICY_RC_D": str(machine / "policy-rc.d"),
        **env,
    }
    return subprocess.run(
        [SCRIPT, *pairs], env=environment, capture_output=True, text=True, check=False
    ).returncode


def told(machine, whom):
    path = machine / whom
    return path.read_text().strip() if path.exists() else ""


def test_nothing_is_installed_that_is_there(machine):
    assert installs(machine, "sh:dash", "cat:coreutils") == 0
    assert told(machine, "orders") == ""


def test_only_what_is_missing_is_installed_and_nothing_is_started(machine):
    assert installs(machine, "sh:dash", "no-such-server:redis-server") == 0
    assert told(machine, "orders").splitlines()[1].endswith("--yes redis-server")
    assert told(machine, "answer") == "101"  # invoke-rc.d: action forbidden by policy
    assert not (machine / "policy-rc.d").exists()


def test_what_became_enabled_is_disabled_and_nothing_else(machine):
    assert installs(machine, ":redis-server") == 0
    assert told(machine, "disabled") == "--quiet disable redis-server.service"


def test_no_rule_is_left_behind_by_an_installation_that_fails(machine):
    assert installs(machine, ":redis-server", APT_ENDS="100") == 100
    assert not (machine / "policy-rc.d").exists()


def test_a_rule_of_the_machines_own_is_left_alone(machine):
    own = machine / "policy-rc.d"
    own.write_text("#!/bin/sh\nexit 104\n")
    own.chmod(0o755)
    assert installs(machine, ":redis-server") == 0
    assert told(machine, "answer") == "104"
    assert own.exists()
