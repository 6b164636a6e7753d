"""Nodes whose store is away, or away from one of them: nothing is decided, and sound goes on."""

import asyncio

import pytest

from rooms.model import Admission
from server.store import StoreUnavailable
from tests.support.redis_server import redis_server
from tests.support.several_nodes import road_to, several_nodes, slower, until, until_stored


@pytest.fixture
async def redis():
    async with redis_server(appendonly="yes", appendfsync="always") as server:
        yield server


@pytest.fixture
async def pair(tmp_path, redis):
    async with several_nodes(tmp_path, redis) as installation:
        yield installation


def is_wired(pair, name, visit):
    """Whether this node has media for the visit."""
    return visit.id in pair[name].node.plane.visits


async def is_back(pair):
    await until(lambda: all(pair.part(name).cluster.is_ready for name in pair.nodes))


@pytest.mark.parametrize("how", ["killed", "hung"])
async def test_while_the_store_is_away_a_visit_goes_on_and_nobody_is_admitted(
    pair, redis, guest, how
):
    visit = await pair.at("a").plans()
    clinician, person = await pair.meet(visit, guest(), guest())
    family = await pair.opens(guest(), visit.family.code, at="a")
    await family.knocks()
    home = pair.owner(visit)

    (redis.kills if how == "killed" else redis.hangs)()
    await until(lambda: not pair.part(home).cluster.is_ready)
    code = await clinician.refused("seat:admit", {"seat": visit.family.seat})
    assert code == "store_unavailable"
    assert is_wired(pair, home, visit)
    assert not clinician.gone.is_set()
    assert not person.gone.is_set()

    (redis.starts if how == "killed" else redis.wakes)()
    await is_back(pair)
    await clinician.does("seat:admit", {"seat": visit.family.seat})
    await family.is_inside()
    assert pair.owner(visit) == home


async def test_somebody_is_removed_at_once_without_the_store_and_stays_removed(pair, redis, guest):
    visit = await pair.at("a").plans()
    clinician, person = await pair.meet(visit, guest(), guest())

    redis.kills()
    await clinician.does("seat:remove", {"seat": visit.patient.seat})
    assert await person.over() == "seat_removed"

    redis.starts()
    await is_back(pair)
    await until_stored(
        pair.practice,
        visit,
        lambda stored: stored.seat(visit.patient.seat).admission is Admission.REMOVED,
    )
    types = [entry.type for entry in await pair.practice.log(visit)]
    assert types.count("SeatWasRemoved") == 1


async def test_without_its_store_for_too_long_a_node_stops_cleanly_and_people_come_back(
    tmp_path, redis, guest
):
    async with several_nodes(tmp_path, redis, policy=slower(media_hold=0.5)) as pair:
        visit = await pair.at("a").plans()
        provider, patient = guest(), guest()
        clinician, person = await pair.meet(visit, provider, patient)
        home = pair.owner(visit)
        redis.kills()
        await asyncio.gather(clinician.gone.wait(), person.gone.wait())
        await until(lambda: not is_wired(pair, home, visit))
        redis.starts()
        await is_back(pair)
        back = await pair.opens(patient, visit.patient.code, at="a")
        assert (await back.view())["me"]["inside"]
        assert [e.type for e in await pair.practice.log(visit)].count("SeatAdmitted") == 1


async def test_a_node_that_is_cut_off_hears_from_the_other_that_its_visit_has_moved(
    tmp_path, redis, guest
):
    async with (
        road_to(redis) as (road, address),
        several_nodes(tmp_path, redis, roads={"a": address}) as pair,
    ):
        visit = await pair.at("b").plans()
        await pair.placed(visit, "a")
        patient = guest()
        _, person = await pair.meet(visit, guest(), patient)

        road.is_cut()
        await until(lambda: visit.id in pair.part("b").ownership.claims)
        await person.gone.wait()
        assert visit.id not in pair.part("a").ownership.claims
        assert not is_wired(pair, "a", visit)
        back = await pair.opens(patient, visit.patient.code, at="b")
        assert (await back.view())["me"]["inside"]

        road.is_mended()  # what the former owner sent last arrives now, and changes nothing
        await is_back(pair)
        assert pair.owner(visit) == "b"


async def test_what_a_cut_off_node_removed_is_removed_by_whoever_took_over(tmp_path, redis, guest):
    async with (
        road_to(redis) as (road, address),
        several_nodes(
            tmp_path, redis, roads={"a": address}, policy=slower(stale_after=2.5)
        ) as pair,
    ):
        visit = await pair.at("b").plans()
        await pair.placed(visit, "a")
        clinician, person = await pair.meet(visit, guest(), guest())

        road.is_cut()
        await clinician.does("seat:remove", {"seat": visit.patient.seat})
        assert await person.over() == "seat_removed"

        await until(lambda: visit.id in pair.part("b").ownership.claims)

        def removed():
            found = pair.part("b").ownership.shown(visit.id)  # none until it is taken up
            seat = found and found.seat(visit.patient.seat)
            return seat and seat.admission is Admission.REMOVED

        await until(removed)


async def test_a_visit_that_ends_without_the_store_is_over_for_everybody(pair, redis, guest):
    visit = await pair.at("a").plans()
    clinician, person = await pair.meet(visit, guest(), guest())
    redis.kills()
    await clinician.does("visit:end")
    assert await person.over() == "visit_ended"
    redis.starts()
    await is_back(pair)
    answer = await pair.at("a").post(visit.path("patient", "/admit"))
    assert answer.code == "visit_ended"


async def test_what_a_cut_off_node_removed_stays_removed_though_it_drains(tmp_path, redis, guest):
    async with (
        road_to(redis) as (road, address),
        several_nodes(
            tmp_path, redis, roads={"a": address}, policy=slower(stale_after=30.0, peers_every=30.0)
        ) as pair,
    ):
        visit = await pair.at("b").plans()
        await pair.placed(visit, "a")
        clinician, person = await pair.meet(visit, guest(), guest())

        road.is_cut()
        await clinician.does("seat:remove", {"seat": visit.patient.seat})
        assert await person.over() == "seat_removed"
        await pair.part("a").draining.drain()

        assert pair.owner(visit) == "b"
        seat = pair.part("b").ownership.shown(visit.id).seat(visit.patient.seat)
        assert seat.admission is Admission.REMOVED


async def test_who_was_removed_is_not_let_back_in_by_a_save_that_nobody_heard_of(
    pair, guest, monkeypatch
):
    visit = await pair.at("a").plans()
    clinician, person = await pair.meet(visit, guest(), guest())
    node = pair[pair.owner(visit)].node
    load, save = node.store.load, node.store.save
    away = {"load", "answer"}

    async def loads(visit_id):
        if "load" in away and "answer" not in away:
            raise StoreUnavailable
        return await load(visit_id)

    async def saves(*what, **how):
        if "answer" in away:
            await save(*what, **how)
            away.discard("answer")
        elif not away:
            return await save(*what, **how)
        away.discard("back")
        raise StoreUnavailable

    monkeypatch.setattr(node.store, "load", loads)
    monkeypatch.setattr(node.store, "save", saves)
    dark = {"microphone": False, "camera": False}
    assert await clinician.refused("media:switch", dark) == "store_unavailable"
    await clinician.does("seat:remove", {"seat": visit.patient.seat})
    assert await person.over() == "seat_removed"

    wired = []
    wire = node.plane.wire
    monkeypatch.setattr(node.plane, "wire", lambda now: wired.append(now.seats) or wire(now))
    away |= {"back"}
    away.discard("load")  # and yet nothing can be saved the first time
    await until_stored(
        pair.practice,
        visit,
        lambda stored: stored.seat(visit.patient.seat).admission is Admission.REMOVED,
    )
    await until(lambda: wired)
    assert not any(visit.patient.seat in seats for seats in wired)


async def test_a_store_that_comes_back_for_a_moment_does_not_lengthen_the_hold_for_ever(
    tmp_path, redis, guest, monkeypatch
):
    async with several_nodes(tmp_path, redis, policy=slower(media_hold=0.3)) as pair:
        visit = await pair.at("a").plans()
        _, person = await pair.meet(visit, guest(), guest())
        home = pair.part(pair.owner(visit))

        async def away(_owner):
            raise StoreUnavailable

        redis.kills()
        await person.gone.wait()
        monkeypatch.setattr(home.directory, "owned_by", away)
        redis.starts()
        await until(lambda: visit.id in home.ownership.claims)
        redis.kills()
        await until(lambda: visit.id not in home.ownership.claims)
