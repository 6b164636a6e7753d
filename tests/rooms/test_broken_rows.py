"""Break the tables, one row at a time, and see that the laws notice."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from rooms import admission, admission_rules, fallback, lifecycle, line_sound
from rooms.errors import RoomError
from rooms.events import (
    DeadlinePassed,
    Emptied,
    Met,
    NoticeSent,
    Occupied,
    Parted,
    SeatAdmitted,
    SeatDeadlinePassed,
    SeatLetBack,
)
from rooms.line_events import (
    CallAnswered,
    CallOver,
    CallRang,
    CoverBegan,
    GreeterGone,
    KeyPressed,
    LineDeadlinePassed,
    SameSpeechHeard,
)
from rooms.machine import STAY, Machine, Refuse, always
from rooms.model import Admission, Fallback, Stage
from tests.rooms.line_space import SPACES, spaces
from tests.rooms.space import Cell, check, take

TABLES = {
    "admission": (admission, "ADMISSION", Admission),
    "lifecycle": (lifecycle, "LIFECYCLE", Stage),
    "fallback": (fallback, "FALLBACK", Fallback),
}


@dataclass(frozen=True)
class Mutant:
    what: str
    machine: Machine


def nothing(thing, _event, _now, _policy):
    return thing, ()


def broken_row(row: Any, state: Any, states: Any) -> Iterator[tuple[str, Any]]:
    """Every way to get one row wrong, other than leaving it out."""
    if row.guard is not always:
        yield "guard dropped", replace(row, guard=always)
        yield "guard turned round", replace(row, guard=lambda *a: not row.guard(*a))
    if isinstance(row, Refuse):
        yield "another error", replace(row, error=RoomError)
        return
    if row.action not in (admission_rules.keep, lifecycle.keep, line_sound.keep):
        yield "action dropped", replace(row, action=nothing)
    lands = state if row.target is STAY else row.target
    for target in states:
        if target is not lands:
            yield f"to {target}", replace(row, target=target)


def broken_cell(rows: tuple, state: Any, states: Any) -> Iterator[tuple[str, tuple]]:
    for number, row in enumerate(rows):
        rest = rows[:number], rows[number + 1 :]
        if number + 1 < len(rows):
            yield f"row {number} left out", (*rest[0], *rest[1])
        for what, broken in broken_row(row, state, states):
            yield f"row {number} {what}", (*rest[0], broken, *rest[1])


def mutants(machine: Machine, cell: Cell, states: Any) -> Iterator[Mutant]:
    """Every way to decide this cell wrongly."""
    ignoring = replace(machine, ignored=machine.ignored | {cell})
    if cell in machine.ignored:
        refusing = {**machine.refused, cell: RoomError}
        yield Mutant(
            "refused", replace(machine, ignored=machine.ignored - {cell}, refused=refusing)
        )
        return
    yield Mutant("ignored", ignoring)
    if cell in machine.refused:
        other = {**machine.refused, cell: RoomError}
        yield Mutant("another error", replace(machine, refused=other))
        return
    for what, rows in broken_cell(machine.rows[cell], cell[0], states):
        yield Mutant(what, replace(machine, rows={**machine.rows, cell: rows}))


def is_noticed(cell: Cell) -> bool:
    """Whether any step through this cell now breaks a law (or the machine itself)."""
    first = "line" if isinstance(cell[0], Fallback) else ""  # where most of it happens
    for space in (SPACES[name]() for name in sorted(SPACES, key=lambda name: name != first)):
        for beat in space.cells.get(cell, ()):
            try:
                check(take(beat.before, beat.event, beat.now, beat.policy))
            except (AssertionError, LookupError):
                return True
    return False


def all_cells() -> list[tuple[str, Cell]]:
    return [
        (table, cell)
        for table, (module, name, _) in TABLES.items()
        for machine in [getattr(module, name)]
        for cell in (*machine.rows, *sorted(machine.ignored, key=str), *machine.refused)
    ]


def survivors(table: str, cell: Cell, monkeypatch) -> set[str]:
    module, name, states = TABLES[table]
    machine = getattr(module, name)
    alive = set()
    for mutant in mutants(machine, cell, states):
        monkeypatch.setattr(module, name, mutant.machine)
        if not is_noticed(cell):
            alive.add(mutant.what)
    monkeypatch.setattr(module, name, machine)
    return alive


@pytest.fixture(autouse=True, scope="module")
def everything_reachable():
    """Found while the tables are whole."""
    return spaces()


# Cells that no visit comes to, each decided all the same and each with its reason.
UNREACHED: dict[str, set[Cell]] = {
    "only a place in the queue and an appointment have a deadline; any other is stale": {
        (state, SeatDeadlinePassed)
        for state in Admission
        if state not in (Admission.WAITING, Admission.INVITED)
    },
    "nobody who is stuck waits for a time": {(Fallback.STUCK, LineDeadlinePassed)},
    "whoever comes in has a line at rest, or tries their number": {
        (state, CoverBegan)
        for state in (
            *(Fallback.DEGRADED, Fallback.STUCK),
            *(Fallback.BRIDGED, Fallback.RECOVERING),
        )
    },
    "only a telephone at the gate is greeted": {
        (state, GreeterGone) for state in Fallback if state is not Fallback.GATE
    },
    "without a call every echo of one is stale": {
        (state, event)
        for state in (Fallback.GOOD, Fallback.DEGRADED, Fallback.STUCK)
        for event in (CallRang, CallAnswered, CallOver, KeyPressed, SameSpeechHeard)
    },
    "a visit that is over waits for nothing": {
        (Stage.ENDED, DeadlinePassed),
        (Stage.CANCELLED, DeadlinePassed),
    },
    "people part before the last page is gone, and a page is there before they meet": {
        (Stage.IN_PROGRESS, Emptied),
        (Stage.IN_PROGRESS, Occupied),
    },
    "they meet while apart and part while together": {
        (Stage.OPEN, Parted),
        (Stage.INTERRUPTED, Parted),
        (Stage.IN_PROGRESS, Met),
    },
    "nobody enters a visit that is closed": {
        (stage, event)
        for stage in (Stage.SCHEDULED, Stage.RESCHEDULED, Stage.ENDED, Stage.CANCELLED)
        for event in (Met, Occupied)
    },
    "nobody has been inside a visit that never ran": {
        (Stage.SCHEDULED, Parted),
        (Stage.SCHEDULED, Emptied),
        (Stage.RESCHEDULED, Parted),
        (Stage.CANCELLED, Parted),
    },
}
NOT_REACHED = frozenset().union(*UNREACHED.values())

# What no step can show: the guard of the row never holds there.
UNNOTICED: dict[Cell, set[str]] = {
    # a revoked seat is removed, never denied
    (Admission.DENIED, SeatLetBack): {"row 0 another error", "row 0 left out"},
    # whoever has no browser and does not wait has no place to give up
    (Admission.CHECKING, SeatAdmitted): {"row 0 action dropped"},
    (Admission.LEFT, SeatAdmitted): {"row 0 action dropped"},
    # where the seat itself waits, somebody waits
    (Admission.WAITING, NoticeSent): {"row 0 another error", "row 0 left out"},
}


@pytest.mark.parametrize(("table", "cell"), all_cells(), ids=str)
def test_a_broken_row_is_noticed(table, cell, monkeypatch):
    if cell not in NOT_REACHED:
        assert survivors(table, cell, monkeypatch) == UNNOTICED.get(cell, set())


@pytest.mark.parametrize(("table", "cell"), all_cells(), ids=str)
def test_every_cell_comes_up_unless_it_is_said_why_not(table, cell):
    steps = sum(len(space.cells.get(cell, ())) for space in spaces())
    assert (steps == 0) == (cell in NOT_REACHED)
