"""Two clinicians decide about the same person at two nodes at once, and one outcome it is."""

from __future__ import annotations

import asyncio
import secrets
from itertools import groupby

import pytest_asyncio

from rooms.events import Knocked, LinkOpened
from rooms.model import Admission
from rooms.nodes_policy import NodesPolicy
from tests.support.redis_server import redis_server
from tests.support.several_nodes import several_nodes

VISITS, ROUNDS = 20, 50  # a thousand races
ADMITTED, DENIED, KNOCKED = "SeatAdmitted", "SeatWasDenied", "Knocked"


@pytest_asyncio.fixture(loop_scope="session")
async def pair(tmp_path):
    async with (
        redis_server() as redis,
        several_nodes(tmp_path, redis, policy=NodesPolicy()) as pair,
    ):
        yield pair


async def test_admit_and_deny_are_raced_from_two_nodes_a_thousand_times_and_the_log_says_which(
    pair,
):
    visits = [await pair.at("a").plans() for _ in range(VISITS)]
    for number, visit in enumerate(visits):
        await pair.placed(visit, "ab"[number % 2])
    told = await asyncio.gather(*(races(pair, visit) for visit in visits))

    log = await the_whole_log(pair)
    for visit, admissions in zip(visits, told, strict=True):
        decided = [
            entry.type
            for entry in log
            if entry.visit == visit.id and entry.outcome == "ok" and entry.seat
        ]
        sequences = [tuple(group) for knocks, group in by_knock(decided) if not knocks]
        assert sequences == [expected(admitted) for admitted in admissions]
    everybody = [admitted for admissions in told for admitted in admissions]
    assert len(everybody) == VISITS * ROUNDS
    assert {True, False} == set(everybody), "one of the two always won: nothing was raced"
    assert {pair.owner(visit) for visit in visits} == {"a", "b"}


async def races(pair, visit):
    """One race after the other about this visit's patient: whether each admission was granted."""
    device = secrets.token_hex(8)
    seat = visit.patient.seat
    keeper = pair["a"].node.keeper
    await keeper.submit(visit.id, LinkOpened(seat=seat, device=device, credential="0" * 64))
    admissions = []
    for number in range(ROUNDS):
        await keeper.submit(visit.id, Knocked(seat=seat, device=device))
        admissions.append(await race(pair, visit, *("ab" if number % 2 else "ba")))
        let_back = await pair.at("a").post(visit.path("patient", "/let-back"))
        assert let_back.status == 200, let_back
    return admissions


async def race(pair, visit, one, other):
    """Admit at one node and deny at the other; whether the admission came first."""
    admitted, denied = await asyncio.gather(
        pair.at(one).post(visit.path("patient", "/admit")),
        pair.at(other).post(visit.path("patient", "/deny")),
    )
    assert denied.status == 200, denied
    assert admitted.status == 200 or admitted.code == "seat_denied", admitted
    stored = await pair.practice.stored(visit)
    assert stored.seat(visit.patient.seat).admission is Admission.DENIED
    return admitted.status == 200


def expected(admitted):
    """What the log holds between two knocks: a denial is the last word in any case."""
    return (ADMITTED, DENIED) if admitted else (DENIED,)


def by_knock(types):
    """Runs of decisions, with the knocks between them."""
    decisions = [each for each in types if each in (ADMITTED, DENIED, KNOCKED)]
    return groupby(decisions, key=lambda each: each == KNOCKED)


async def the_whole_log(pair):
    """Every entry of the practice's log, in order."""
    store, entries = pair["b"].node.store, []
    while page := await store.log_after(
        pair.practice.id, entries[-1].cursor if entries else 0, 1_000
    ):
        entries += page
    return entries
