"""CPU time and memory of processes, as Linux counts them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """``cpu`` is user and system time in seconds since the start, ``memory`` is in KiB."""

    cpu: float
    memory: float


def usage(pid: int) -> Usage:
    """What a process has used so far. Raises ``OSError`` when it is gone."""
    proc = Path(f"/proc/{pid}")
    fields = (proc / "stat").read_text().rsplit(") ", 1)[1].split()
    lines = (proc / "status").read_text().splitlines()
    memory = next(float(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return Usage((int(fields[11]) + int(fields[12])) / _TICKS, memory)


def usages(pids: Iterable[int]) -> dict[int, Usage]:
    """Of those that are there."""
    found = {}
    for pid in pids:
        try:
            found[pid] = usage(pid)
        except (OSError, StopIteration):  # gone, or a zombie without memory
            continue
    return found
