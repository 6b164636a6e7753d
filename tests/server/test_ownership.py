"""A store that fails over and loses what it had confirmed: nobody gets back in by that."""

import pytest

from rooms.model import Admission
from tests.support.redis_server import redis_group
from tests.support.several_nodes import several_nodes, until, until_stored


@pytest.fixture
async def group():
    async with redis_group() as found:
        yield found


async def test_who_was_removed_stays_out_though_the_store_forgot(tmp_path, group, guest):
    async with several_nodes(tmp_path, group) as pair:
        visit = await pair.at("a").plans()
        patient = guest()
        clinician, person = await pair.meet(visit, guest(), patient)
        home = pair.owner(visit)

        async with group.loses_its_last_writes():
            await clinician.does("seat:remove", {"seat": visit.patient.seat})
            assert await person.over() == "seat_removed"
        await until(lambda: pair.part(home).cluster.is_ready)
        await until_stored(
            pair.practice,
            visit,
            lambda stored: stored.seat(visit.patient.seat).admission is Admission.REMOVED,
        )
        patient.server = pair["a"]
        refused = await patient.post(visit.patient.code)
        assert refused.code == "seat_removed"


async def test_who_was_removed_is_removed_by_the_next_owner_though_the_store_forgot(
    tmp_path, group, guest
):
    async with several_nodes(tmp_path, group) as pair:
        visit = await pair.at("a").plans()
        clinician, person = await pair.meet(visit, guest(), guest())
        home, other = pair.owner(visit), pair.other(pair.owner(visit))

        async with group.loses_its_last_writes():
            await clinician.does("seat:remove", {"seat": visit.patient.seat})
            await person.over()
            pair.falls_silent(home)
        await until(lambda: visit.id in pair.part(other).ownership.claims)
        pair.beats_again(home)

        def removed():
            found = pair.part(other).ownership.shown(visit.id)  # none until it is taken up
            seat = found and found.seat(visit.patient.seat)
            return seat and seat.admission is Admission.REMOVED

        await until(removed)
        await until(lambda: visit.id not in pair.part(home).ownership.claims)
        assert pair.owner(visit) == other


async def test_what_was_decided_elsewhere_later_is_not_undone_by_what_one_remembers(
    tmp_path, group, guest
):
    async with several_nodes(tmp_path, group) as pair:
        visit = await pair.at("a").plans()
        clinician, _ = await pair.meet(visit, guest(), guest())
        home, other = pair.owner(visit), pair.other(pair.owner(visit))
        await clinician.does("seat:remove", {"seat": visit.patient.seat})

        pair.falls_silent(home)
        await until(lambda: visit.id in pair.part(other).ownership.claims)
        let_back = await pair.at(other).post(visit.path("patient", "/let-back"))
        assert let_back.status == 200
        pair.beats_again(home)
        await until(lambda: visit.id not in pair.part(home).ownership.claims)
        await pair.part(home).ownership.handed_on()
        seat = (await pair.practice.stored(visit)).seat(visit.patient.seat)
        assert seat.admission is not Admission.REMOVED
