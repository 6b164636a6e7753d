"""What staff commands tell of an installation: rows of plain values, for tables and for JSON.

Nobody's name is in a row unless it was asked for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from rooms.admission_rules import waiting_devices
from rooms.model import INSIDE, ON_PHONE, Visit, VisitId
from rooms.nodes_policy import NodesPolicy
from server.claims import NodeRecord
from server.config import ConfigurationError
from server.staff_store import Installation
from server.traces import Traces

Row: TypeAlias = Mapping[str, Any]


async def visits(found: Installation, practice: str = "", *, names: bool = False) -> list[Row]:
    """Every visit that runs, of one practice or of all, by start."""
    practices = [each.id for each in await found.store.practices()]
    if practice and practice not in practices:
        raise ConfigurationError(f"There is no practice {practice}.")
    traces, owners = Traces(found.ring.sealing), await _owners(found)
    now = time.time()
    rows = []
    for each in [practice] if practice else practices:
        for visit in await found.store.visits_between(each, now, now):
            row = _visit(visit, traces) | {"node": await _node_of(found, visit.id, owners)}
            if names:
                row["names"] = [seat.shown_name for seat in visit.seats if seat.shown_name]
            rows.append(row)
    return sorted(rows, key=lambda row: str(row["starts_at"]))


def _visit(visit: Visit, traces: Traces) -> dict[str, Any]:
    inside = [seat for seat in visit.seats if seat.admission in INSIDE]
    return {
        "visit": visit.id,
        "trace": traces.name(visit.id),
        "practice": visit.practice,
        "stage": visit.stage.value,
        "starts_at": _time(visit.starts_at),
        "inside": len(inside),
        "waiting": sum(len(waiting_devices(seat)) for seat in visit.seats),
        "on_phone": sum(seat.line.state in ON_PHONE for seat in inside),
    }


async def _owners(found: Installation) -> dict[str, str]:
    if found.directory is None:
        return {}
    return {record.owner: record.name for record in await found.directory.roll()}


async def _node_of(found: Installation, visit: VisitId, owners: Mapping[str, str]) -> str:
    if found.directory is None:
        return ""
    owner = (await found.directory.owner_of(visit)).owner
    return owners.get(owner, owner)


async def nodes(found: Installation) -> list[Row]:
    """Every node that is listed, by name; the newest start of a name first."""
    roll = await found.nodes.roll()
    rows = sorted(roll.items(), key=lambda each: (each[0].name, -each[0].started_at))
    return [_node(record, silent) for record, silent in rows]


def _node(record: NodeRecord, silent: float) -> Row:
    return {
        "node": record.name,
        "alive": is_alive(silent),
        "draining": record.draining,
        "visits": record.load.visits,
        "pages": record.load.pages,
        "packets": round(record.load.packets),
        "lag_ms": round(record.load.lag * 1000),
        "memory_mb": round(record.load.memory / 1e6),
        "beat": record.beat,
        "silent_s": round(silent),
        "version": record.version,
        "started_at": _time(record.started_at),
        "url": record.url,
    }


async def api_keys(found: Installation, practice: str) -> list[Row]:
    """The keys of the practice's own systems, by their ids; the oldest first.

    Raises ``ConfigurationError`` for a practice that is not there.
    """
    if await found.store.practice(practice) is None:
        raise ConfigurationError(f"There is no practice {practice}.")
    return [
        {
            "key": key.id,
            "made_at": _time(key.created_at),
            "withdrawn_at": _time_or_none(key.revoked_at),
        }
        for key in await found.store.api_keys(practice)
    ]


def is_alive(silent: float) -> bool:
    """Whether a node beats; Redis tells whole seconds, so one more is nobody's fault."""
    return silent <= NodesPolicy().stale_after + 1


def as_table(rows: Sequence[Row]) -> str:
    """The rows under their names, in columns."""
    if not rows:
        return "none"
    cells = [[str(name) for name in rows[0]]]
    cells += [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(len(line[n]) for line in cells) for n in range(len(cells[0]))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def as_json(rows: Sequence[Row]) -> str:
    """The rows as one JSON document."""
    return json.dumps(list(rows), ensure_ascii=False)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value) if value != "" else "-"


def _time_or_none(at: float | None) -> str:
    return "" if at is None else _time(at)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
