"""What a load consists of: the command line, and each worker's share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

Media = Literal["sound", "full", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``seconds`` counts from when everybody is there. Rates are of the whole load, per second."""

    url: str
    api_keys: tuple[str, ...]  # one practice each; visits are dealt among them
    visits: int = 1
    people_per_visit: int = 2
    waiting: int = 0
    churn: float = 0.0  # people who lose their socket, or reload, and return
    seconds: float = 30.0
    media: Media = "sound"
    workers: int = 1
    visit_lasts: float = 0.0  # then it ends and another begins; 0: until the load ends
    arrivals: float = 10.0  # visits that begin, and people who begin to wait, per second
    pids: tuple[int, ...] = ()
    seed: int = 7  # of who stumbles, and when

    def share(self, worker: int) -> Plan:
        """What this worker does of it."""
        return replace(
            self,
            visits=_share(self.visits, worker, self.workers),
            waiting=_share(self.waiting, worker, self.workers),
            churn=self.churn / self.workers,
            arrivals=self.arrivals / self.workers,
            api_keys=self.api_keys[worker % len(self.api_keys) :: self.workers]
            or self.api_keys[:1],
            seed=self.seed + worker,
            workers=1,
        )

    def as_json(self) -> dict[str, Any]:
        """The plan for another process."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Plan:
        """What ``as_json`` made."""
        return cls(**data | {"api_keys": tuple(data["api_keys"]), "pids": tuple(data["pids"])})


def _share(total: int, worker: int, workers: int) -> int:
    return total // workers + (worker < total % workers)


def parse(arguments: Sequence[str]) -> Plan:
    """The plan of a command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.load",
        description="People without browsers: they open links, wait, are let in, speak, drop, "
        "return and leave. All of them come from one address, so the server needs "
        "BEDSIDE_PEOPLE_PER_ADDRESS=100000. JSON on stdout, a table on stderr.",
    )
    add = parser.add_argument
    add("--url", required=True, help="where browsers reach the server or the load balancer")
    add("--api-key", required=True, help="of one practice, or of several, separated by commas")
    add("--visits", type=int, default=1)
    add("--people-per-visit", type=int, default=2)
    add("--waiting", type=int, default=0, help="people who wait and are not let in")
    add("--churn", type=float, default=0.0, help="people a second who drop and return")
    add("--seconds", type=float, default=30.0, help="counted from when everybody is there")
    add("--media", choices=get_args(Media), default="sound")
    add("--workers", type=int, default=1, help="processes of the load")
    add("--visit-lasts", type=float, default=0.0, help="seconds; then another begins")
    add("--arrivals", type=float, default=10.0, help="visits and waiting people a second")
    add("--pid", type=int, action="append", default=[], help="a server process to watch")
    given = vars(parser.parse_args(arguments))
    keys, pids = given.pop("api_key"), given.pop("pid")
    return Plan(api_keys=tuple(keys.split(",")), pids=tuple(pids), **given)
