"""The rows behind the desks."""

import asyncio
from dataclasses import replace

import pytest

from rooms.model import Role, Seat, Stage
from rooms.policy import EdgePolicy
from server.board import DeskBoard
from tests.support.records import Clock, a_visit

EDGE = EdgePolicy(desk_refresh=0.01, desk_window=100.0)


@pytest.fixture
def clock():
    return Clock(1_000.0)


@pytest.fixture
def board(clock):
    board = DeskBoard(clock, EDGE)
    yield board
    board.close()


async def told(board):
    heard = asyncio.get_running_loop().create_future()
    board.connect(lambda practices: heard.done() or heard.set_result(practices))
    return await asyncio.wait_for(heard, 2)


async def test_rows_come_by_their_start(board):
    for name, starts in (("b", 1_050.0), ("a", 1_020.0), ("c", 1_020.0)):
        board.follow(a_visit(name, starts_at=starts))
    assert [row.visit for row in board.rows("north")] == ["a", "c", "b"]
    assert board.rows("south") == ()


async def test_a_desk_sees_the_day_around_now(board, clock):
    board.follow(a_visit("later", starts_at=1_101.0))
    assert board.rows("north") == ()
    clock.now += 2
    assert [row.visit for row in board.rows("north")] == ["later"]
    over = a_visit("over", starts_at=1_000.0, ends_at=1_010.0, stage=Stage.ENDED)
    board.follow(over)
    assert "over" in {row.visit for row in board.rows("north")}
    clock.now = 1_111.0
    assert "over" not in {row.visit for row in board.rows("north")}


async def test_a_desk_is_shown_the_nearest_of_too_many_and_what_runs(clock):
    board = DeskBoard(clock, replace(EDGE, desk_rows=3))
    board.follow(a_visit("far, and under way", starts_at=1_090.0, stage=Stage.IN_PROGRESS))
    for name, starts in (("far", 1_080.0), ("near", 1_010.0), ("past", 995.0)):
        board.follow(a_visit(name, starts_at=starts))
    rows, more = board.shown("north")
    assert [row.visit for row in rows] == ["past", "near", "far, and under way"]
    assert more == 1
    board.close()


async def test_what_is_past_is_forgotten_where_no_desk_looks(board, clock):
    board.follow(a_visit("over", starts_at=1_000.0, ends_at=1_010.0, stage=Stage.ENDED))
    await told(board)
    clock.now = 2_000.0
    board.follow(a_visit("now", starts_at=2_000.0, ends_at=2_100.0))
    await told(board)
    assert board._rows["north"].keys() == {"now"}


async def test_a_running_visit_is_shown_however_long_it_takes(board, clock):
    board.follow(a_visit(stage=Stage.IN_PROGRESS, ends_at=1_010.0))
    clock.now = 9_999.0
    assert len(board.rows("north")) == 1


async def test_changes_are_told_together_with_the_practices_they_concern(board):
    heard = asyncio.create_task(told(board))
    await asyncio.sleep(0)
    board.follow(a_visit("a"))
    board.follow(a_visit("a", host="somebody"))
    board.follow(replace(a_visit("b"), practice="south"))
    assert await heard == {"north", "south"}


async def test_withdrawn_seats_and_the_queue_of_what_is_over_are_not_shown(board):
    seats = (Seat(id="a", role=Role.PATIENT), Seat(id="b", role=Role.FAMILY, revoked=True))
    board.follow(a_visit(seats=seats, stage=Stage.ENDED))
    (row,) = board.rows("north")
    assert [seat.seat for seat in row.seats] == ["a"]
    assert row.waiting == ()


async def test_nothing_is_told_after_the_end(board):
    told_of = []
    board.connect(told_of.append)
    board.follow(a_visit())
    board.close()
    board.close()
    await asyncio.sleep(0.03)
    assert told_of == []


async def test_the_first_change_is_told_at_once_and_the_next_ones_together(clock):
    board = DeskBoard(clock, replace(EDGE, desk_gather=0.0, desk_refresh=0.2))
    loop, heard = asyncio.get_running_loop(), asyncio.Queue()
    board.connect(lambda practices: heard.put_nowait((loop.time(), practices)))
    board.follow(a_visit("one"))
    first, _ = await asyncio.wait_for(heard.get(), 2)
    board.follow(a_visit("two", practice="south"))
    board.follow(a_visit("three"))
    second, practices = await asyncio.wait_for(heard.get(), 2)
    assert practices == {"north", "south"}
    assert second - first >= 0.2
    assert heard.empty()
    board.close()
