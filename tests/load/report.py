"""Run a load and say how it went."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any, Protocol

from tests.load.crowd import Crowd
from tests.load.figures import Figures
from tests.load.plan import Plan
from tests.load.processes import Usage, usages
from tests.load.workers import RemoteCrowd


class AnyCrowd(Protocol):
    """A crowd here or in another process."""

    figures: Figures

    async def arrive(self) -> None: ...
    async def steady(self) -> None: ...
    async def leave(self) -> None: ...


async def run(plan: Plan) -> dict[str, Any]:
    """The load in so many processes as the plan says; its report."""
    async with AsyncExitStack() as closing:
        crowds = [RemoteCrowd(plan.share(worker)) for worker in range(plan.workers)]
        for crowd in crowds:
            await crowd.start()
            closing.push_async_callback(crowd.kill)
        return await measure(crowds, plan, [crowd.pid for crowd in crowds])


async def run_here(plan: Plan) -> dict[str, Any]:
    """The load in this process; its report."""
    return await measure([Crowd(plan)], plan, [os.getpid()])


async def measure(crowds: Sequence[AnyCrowd], plan: Plan, own: Sequence[int]) -> dict[str, Any]:
    """Let the crowds come, stay and leave, and look at the processes meanwhile."""
    begun, watched = perf_counter(), (*plan.pids, *own)
    empty = usages(watched)
    await asyncio.gather(*(crowd.arrive() for crowd in crowds))
    arrived, before = perf_counter() - begun, usages(watched)
    await asyncio.gather(*(crowd.steady() for crowd in crowds))
    stayed, after = perf_counter() - begun - arrived, usages(watched)
    await asyncio.gather(*(crowd.leave() for crowd in crowds))
    figures = Figures()
    for crowd in crowds:
        figures.add(crowd.figures.as_json())
    report = figures.summary()
    people = figures.counts["joined"] + figures.counts["waiting"]
    return {
        "joins_per_second": round(people / arrived, 1),
        "arrive_seconds": round(arrived, 1),
        "media_received_share": _share(figures),
        **report,
        "servers": {str(pid): _used(pid, empty, before, after, stayed) for pid in plan.pids},
        "load": {str(pid): _used(pid, empty, before, after, stayed) for pid in own},
    }


def _share(figures: Figures) -> float | None:
    expected = figures.counts["media_expected"]
    return round(figures.counts["media_received"] / expected, 4) if expected else None


def _used(
    pid: int,
    empty: dict[int, Usage],
    before: dict[int, Usage],
    after: dict[int, Usage],
    seconds: float,
) -> dict[str, float | str]:
    """CPU seconds of arriving and of the steady time, that as a share of one core, and KiB."""
    if pid not in empty or pid not in before or pid not in after:
        return {"state": "gone"}
    steady = after[pid].cpu - before[pid].cpu
    return {
        "cpu_s_arriving": round(before[pid].cpu - empty[pid].cpu, 2),
        "cpu_s_steady": round(steady, 2),
        "core_share_steady": round(steady / seconds, 4),
        "memory_kb_empty": empty[pid].memory,
        "memory_kb_full": after[pid].memory,
    }


def rows(report: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The report as lines of a table."""
    for key, value in report.items():
        if isinstance(value, dict):
            yield from rows(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
