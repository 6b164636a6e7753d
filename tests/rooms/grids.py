"""What must hold of any transition table, read as data."""

from __future__ import annotations

from collections.abc import Iterable
from types import FunctionType, ModuleType
from typing import Any

from rooms.machine import Machine, Refuse, Row, always


def decided(machine: Machine[Any, Any, Any], pair: tuple[Any, Any]) -> int:
    """How many of the three tables decide this pair."""
    return [pair in machine.rows, pair in machine.ignored, pair in machine.refused].count(True)


def last_row_always_applies(rows: tuple[Row[Any, Any] | Refuse[Any], ...]) -> bool:
    """Whether the cell has an answer to everything, and only its last row has no guard."""
    return [row.guard is always for row in rows] == [False] * (len(rows) - 1) + [True]


def used(machine: Machine[Any, Any, Any]) -> set[Any]:
    """Every guard and action that some row names."""
    rows: Iterable[Any] = (row for cell in machine.rows.values() for row in cell)
    return {part for row in rows for part in (row.guard, getattr(row, "action", None))} - {None}


def offered(module: ModuleType, *elsewhere: str) -> list[FunctionType]:
    """The guards and actions of ``module``: its public functions but for those named."""
    return [
        thing
        for name, thing in vars(module).items()
        if isinstance(thing, FunctionType)
        and thing.__module__ == module.__name__
        and not name.startswith("_")
        and name not in elsewhere
    ]
