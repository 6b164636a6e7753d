"""The runner of tables, on a table of its own."""

from dataclasses import dataclass, replace
from enum import StrEnum

import pytest

from rooms.effects import EndSession
from rooms.errors import NotAdmitted, NotWaiting
from rooms.events import Emptied, Met, Occupied, Parted, VisitWasEnded
from rooms.machine import STAY, Machine, Refuse, Row, always
from rooms.policy import Policy

TOLD = EndSession(seat="s", code="c")


class Light(StrEnum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True)
class Crossing:
    light: Light = Light.RED
    waiting: int = 0


def anybody_waits(crossing, _event, _policy):
    return crossing.waiting > 0


def crowded(crossing, _event, policy):
    return crossing.waiting >= policy.max_seats


def count(crossing, _event, _now, _policy):
    return replace(crossing, waiting=crossing.waiting + 1), ()


def clear(crossing, _event, now, _policy):
    return replace(crossing, waiting=0), (TOLD,)


MACHINE: Machine = Machine(
    rows={
        (Light.RED, Met): (Refuse(crowded, NotAdmitted), Row(always, STAY, count)),
        (Light.RED, Occupied): (
            Row(anybody_waits, Light.GREEN, clear),
            Refuse(always, NotWaiting),
        ),
        (Light.GREEN, Emptied): (Row(crowded, Light.RED, count),),
    },
    ignored=frozenset({(Light.RED, Parted)}),
    refused={(Light.GREEN, Met): NotAdmitted},
    read=lambda crossing: crossing.light,
    write=lambda crossing, light: replace(crossing, light=light),
)


def step(crossing, event, policy=None):
    return MACHINE.step(crossing, event, 0.0, policy or Policy(max_seats=2))


def test_a_row_without_a_target_stays():
    assert step(Crossing(), Met()) == (Crossing(waiting=1), ())


def test_a_row_moves_after_its_action_and_orders_its_effects():
    assert step(Crossing(waiting=1), Occupied()) == (Crossing(Light.GREEN), (TOLD,))


def test_rows_are_tried_in_order():
    with pytest.raises(NotAdmitted):
        step(Crossing(waiting=2), Met())
    with pytest.raises(NotWaiting):
        step(Crossing(), Occupied())


def test_what_is_ignored_changes_nothing():
    crossing = Crossing()
    assert step(crossing, Parted())[0] is crossing


def test_what_is_refused_says_why():
    with pytest.raises(NotAdmitted):
        step(Crossing(Light.GREEN), Met())


def test_a_cell_without_an_answer_is_a_mistake_in_the_table():
    with pytest.raises(AssertionError, match="the last row of every cell applies"):
        step(Crossing(Light.GREEN), Emptied())


def test_a_pair_in_no_table_is_a_mistake_in_the_table():
    with pytest.raises(KeyError):
        step(Crossing(Light.GREEN), VisitWasEnded())
