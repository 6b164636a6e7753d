"""deploy/bedside.service, as systemd reads it."""

import re
import shutil
import subprocess
import sys

import pytest

from rooms.nodes_policy import NodesPolicy
from tests.support.source_tree import ROOT

UNIT = (ROOT / "deploy" / "bedside.service").read_text()
LARGEST_EXPOSURE = 1.5  # systemd's own measure, of 10; most of the rest is that it needs a network

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here"
)


def _analyze(folder, *command):
    """What systemd says of the unit, with a program in it that exists here."""
    unit = folder / "bedside.service"
    unit.write_text(UNIT.replace("/opt/bedside/bin/bedside", sys.executable))
    return subprocess.run(
        ["systemd-analyze", *command, str(unit)], check=False, capture_output=True, text=True
    )


@needs_systemd
def test_systemd_reads_every_line(tmp_path):
    done = _analyze(tmp_path, "verify")
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_it_is_confined(tmp_path):
    done = _analyze(tmp_path, "security", "--offline=true")
    [exposure] = re.findall(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert float(exposure) <= LARGEST_EXPOSURE


def test_there_is_time_to_drain():
    policy = NodesPolicy()
    [seconds] = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(seconds) > policy.drain_within + policy.farewell_grace + 10


def test_a_reload_is_what_makes_it_read_its_keys_again():
    assert "ExecReload=/bin/kill -HUP $MAINPID" in UNIT
