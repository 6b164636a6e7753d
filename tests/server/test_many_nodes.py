"""Two whole nodes on one Redis: whichever is asked, one decides."""

import asyncio

import pytest
from structlog.testing import capture_logs

from rooms.codec import SchemaUnknown
from rooms.events import VisitWasCancelled
from rooms.model import Actor, ActorKind, Stage
from server.config import ConfigurationError
from server.store import NotOwner
from tests.support.page_clients import Refused
from tests.support.redis_server import redis_server
from tests.support.several_nodes import several_nodes, slower, until, until_stored

PRACTICE = Actor(ActorKind.PRACTICE, "key")


SOON = 10.0


@pytest.fixture
async def pair(tmp_path, shared_redis):
    async with several_nodes(tmp_path, shared_redis) as installation:
        yield installation


async def test_a_visit_made_at_one_node_is_read_at_the_other_and_nobody_owns_it(pair):
    visit = await pair.at("a").plans(begins_in=3600 * 24)
    found = await pair.at("b").get(visit.path())
    assert found["visit"] == visit.id
    assert pair.owner(visit) == ""


async def test_an_order_at_either_node_is_decided_at_the_one_that_owns_the_visit(pair):
    visit = await pair.at("a").plans()
    await pair.placed(visit, "a")
    added = await pair.at("b").post(visit.path(rest="/seats"), {"role": "family"})
    assert added.status == 201, added
    assert pair.owner(visit) == "a"
    assert len((await pair.at("a").get(visit.path()))["seats"]) == 4


async def test_a_refusal_at_the_owner_is_the_same_refusal_here(pair):
    visit = await pair.at("a").plans()
    await pair.placed(visit, "a")
    for name in ("a", "b"):
        refused = await pair.at(name).post(visit.path("patient", "/admit"))
        assert (refused.status, refused.code) == (409, "not_waiting")


async def test_visits_are_spread_over_the_nodes(pair):
    visits = [await pair.at("a").plans() for _ in range(8)]
    orders = (pair.at("a").post(v.path(rest="/seats"), {"role": "family"}) for v in visits)
    await asyncio.gather(*orders)
    assert {pair.owner(visit) for visit in visits} == {"a", "b"}


async def test_a_page_is_led_to_the_node_that_owns_its_visit(pair):
    visit = await pair.at("a").plans()
    await pair.placed(visit, "b")
    answer = await pair["a"].call("POST", "/v1/sessions", {"code": visit.patient.code})
    assert answer.body["signal_url"].endswith("/n/b")


async def test_a_page_at_a_node_that_does_not_own_its_visit_is_not_let_in(pair, guest):
    visit = await pair.at("a").plans()
    await pair.placed(visit, "b")
    browser = guest()
    browser.server = pair["a"]
    opened = await browser.post(visit.patient.code)
    with pytest.raises(Refused, match="not_owner"):
        await browser.page(opened.body["token"]).connect()


async def test_people_who_came_by_different_nodes_meet(pair, guest):
    visit = await pair.at("a").plans()
    clinician, person = await pair.meet(visit, guest(), guest())
    assert (await clinician.view())["people"]
    assert (await person.view())["me"]["admission"] == "present"


async def test_a_node_that_drains_gives_its_visits_away_and_people_come_back_inside(pair, guest):
    visit = await pair.at("a").plans()
    provider, patient = guest(), guest()
    clinician, person = await pair.meet(visit, provider, patient)
    former = pair.owner(visit)
    next_one = pair.other(former)

    await pair.part(former).draining.drain()

    assert pair.owner(visit) == next_one
    await asyncio.gather(clinician.gone.wait(), person.gone.wait())
    back = await pair.opens(patient, visit.patient.code, at=next_one)
    assert (await back.view())["me"]["inside"]
    entries = [entry.type for entry in await pair.practice.log(visit)]
    assert entries.count("SeatAdmitted") == 1


async def test_staff_ask_a_node_to_drain_and_it_goes_on_serving_none(pair, guest):
    visit = await pair.at("a").plans()
    await pair.placed(visit, "a")
    _, person = await pair.meet(visit, guest(), guest())
    owner = pair.part("a").ownership.owner
    await pair.part("b").directory.ask_to_drain(owner)
    await person.gone.wait()
    await until(lambda: pair.owner(visit) == "b")
    assert (await pair["a"].call("GET", "/healthz")).status == 200


async def test_a_node_that_drains_takes_no_new_visits(pair):
    await pair.part("a").draining.drain()
    await until(lambda: any(node.draining for node in pair.part("b").cluster.nodes))
    told = (await pair["a"].call("GET", "/metrics")).text
    assert "bedside_draining 1.0" in told
    assert "bedside_nodes_alive 2.0" in told
    for name in ("a", "b"):
        visit = await pair.at(name).plans()
        await pair.at(name).post(visit.path(rest="/seats"), {"role": "family"})
        assert pair.owner(visit) == "b"
    ready = await pair["a"].call("GET", "/readyz")
    assert ready.status == 503


async def test_a_node_that_is_gone_is_succeeded_and_people_come_back_inside(
    tmp_path, shared_redis, guest
):
    async with several_nodes(tmp_path, shared_redis, "a", "b", "c") as three:
        visit = await three.at("a").plans()
        provider, patient = guest(), guest()
        await three.meet(visit, provider, patient)
        lost = three.owner(visit)
        three.falls_silent(lost)
        left = [name for name in three.nodes if name != lost]
        await until(lambda: any(visit.id in three.part(name).ownership.claims for name in left))
        back = await three.opens(patient, visit.patient.code, at=left[0])
        assert (await back.view())["me"]["inside"]


async def test_a_node_that_was_only_stalled_steps_aside_when_it_wakes(pair, guest):
    visit = await pair.at("a").plans()
    _, person = await pair.meet(visit, guest(), guest())
    stalled = pair.owner(visit)
    pair.falls_silent(stalled)
    await until(lambda: visit.id in pair.part(pair.other(stalled)).ownership.claims)
    pair.beats_again(stalled)
    await until(lambda: visit.id not in pair.part(stalled).ownership.claims)
    await person.gone.wait()
    assert pair.owner(visit) == pair.other(stalled)


async def test_the_deadline_of_a_visit_that_nobody_owns_is_met(pair):
    visit = await pair.at("a").plans(begins_in=3600.0)
    assert (await pair.practice.stored(visit)).stage is Stage.SCHEDULED
    pair["a"].clock.advance(3600.0)
    await until_stored(pair.practice, visit, lambda stored: stored.stage is Stage.OPEN)


async def test_a_visit_that_needs_nobody_is_released(tmp_path, shared_redis, guest):
    async with several_nodes(tmp_path, shared_redis, policy=slower(idle_release=0.2)) as pair:
        visit, busy = await pair.at("a").plans(), await pair.at("a").plans()
        await pair.placed(visit, "a")
        await pair.opens(guest(), busy.patient.code, at="a")
        await until(lambda: pair.owner(visit) == "")
        assert pair.owner(busy) != ""


async def test_a_desk_sees_what_happens_at_another_node(pair, guest):
    visit = await pair.at("a").plans()
    await pair.placed(visit, "a")
    at_b = guest()
    at_b.server = pair["b"]
    desk = await at_b.opens_desk(await pair.practice.desk_code())
    await desk.until(lambda told: any(row["visit"] == visit.id for row in told["visits"]))
    patient = await pair.opens(guest(), visit.patient.code, at="a")
    await patient.knocks()
    await desk.until(lambda told: any(row["waiting"] for row in told["visits"]))
    await desk.does("desk:admit", {"visit": visit.id, "seat": visit.patient.seat})
    await patient.is_inside()
    assert pair.owner(visit) == "a"


async def test_a_node_with_other_keys_does_not_join(tmp_path, pair, shared_redis):
    other = several_nodes(tmp_path / "other", shared_redis, "c", redis_prefix=pair.prefix)
    with pytest.raises(ConfigurationError, match="BEDSIDE_KEYS_FILE"):
        await other.__aenter__()


async def test_a_node_that_starts_while_the_store_is_away_waits_for_it(tmp_path):
    async with redis_server() as redis:
        redis.kills()
        node = several_nodes(tmp_path, redis, "a", policy=slower(start_retry=0.05))
        starting = asyncio.create_task(node.__aenter__())
        with capture_logs() as said:
            await until(lambda: any(line["event"] == "waiting_for_store" for line in said))
        assert not starting.done()
        redis.starts()
        installation = await starting
        try:
            assert (await installation["a"].call("GET", "/readyz")).status == 200
        finally:
            await node.__aexit__(None, None, None)


async def test_a_page_is_not_let_in_while_its_visit_is_taken_up(pair, guest, monkeypatch):
    visit = await pair.at("a").plans(begins_in=600.0)
    browser = guest()
    browser.server = pair["b"]
    opened = await browser.post(visit.patient.code)
    home = pair.owner(visit)
    node, ownership = pair[home].node, pair.part(home).ownership
    await ownership.release(visit.id)
    resumes, resume = asyncio.Event(), node.local.resume

    async def slowly(visit_id):
        await resumes.wait()
        await resume(visit_id)

    monkeypatch.setattr(node.local, "resume", slowly)
    browser.server = pair[home]
    gaining = asyncio.create_task(
        ownership.gain(visit.id, await pair.part(home).directory.owner_of(visit.id))
    )
    await until(lambda: visit.id in ownership.claims)
    with pytest.raises(Refused, match="not_owner"):
        await browser.page(opened.body["token"]).connect()
    resumes.set()
    await gaining
    await (await browser.page(opened.body["token"]).connect()).view()


async def test_nobody_takes_a_visit_before_the_calls_of_its_lost_node_are_ended(pair, monkeypatch):
    visit = await pair.at("a").plans(begins_in=600.0)
    await pair.placed(visit, "a")
    heir = pair.part("b")
    asked, ended, kept = asyncio.Event(), asyncio.Event(), heir.store.kept_calls_of

    async def slowly(node):
        asked.set()
        await ended.wait()
        return await kept(node)

    monkeypatch.setattr(heir.store, "kept_calls_of", slowly)
    pair.falls_silent("a")
    await asked.wait()
    order = pair.at("b").post(visit.path(rest="/seats"), {"role": "family"})
    ordering = asyncio.create_task(order)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(ordering), 0.2)
    assert visit.id not in heir.ownership.claims
    ended.set()
    assert (await ordering).status == 201
    assert visit.id in heir.ownership.claims


async def test_a_deadline_is_met_though_the_node_whose_turn_it_is_does_nothing(pair, monkeypatch):
    monkeypatch.setattr("server.succession.whose_turn", lambda *_: None)
    visit = await pair.at("a").plans(begins_in=3600.0)
    pair["a"].clock.advance(3600.0)
    await until_stored(pair.practice, visit, lambda stored: stored.stage is Stage.OPEN)


async def test_a_page_that_connects_while_its_visit_moves_is_not_kept_where_it_was(
    pair, guest, monkeypatch
):
    visit = await pair.at("a").plans()
    await pair.placed(visit, "a")
    browser = guest()
    browser.server = pair["a"]
    opened = await browser.post(visit.patient.code)
    practices = pair["a"].node.practices
    card = practices.card

    async def moves_meanwhile(practice):
        pair.part("a").ownership.give_up(visit.id, media_for=0.0)
        return await card(practice)

    monkeypatch.setattr(practices, "card", moves_meanwhile)
    with pytest.raises(Refused, match="not_owner"):
        await browser.page(opened.body["token"]).connect()
    assert not pair["a"].node.gateway.sessions.group(visit.id)


async def test_a_desk_that_is_withdrawn_at_one_node_closes_at_the_other(pair, guest):
    at_b, other = guest(), guest()
    at_b.server = other.server = pair["b"]
    code = await pair.practice.desk_code()
    desk = (await at_b.post(code, "/v1/desk/sessions")).body["desk"]
    page, stays = (
        await at_b.opens_desk(code),
        await other.opens_desk(await pair.practice.desk_code()),
    )
    assert (await pair.at("a").call("DELETE", f"/v1/desks/{desk}")).status == 204
    assert await page.over() == "link_unknown"
    await stays.does("desk:renew")


async def test_what_is_saved_while_a_visit_is_lost_is_followed_by_nobody_here(
    pair, guest, monkeypatch
):
    visit = await pair.at("a").plans()
    clinician, person = await pair.meet(visit, guest(), guest())
    home = pair.owner(visit)
    node, ownership = pair[home].node, pair.part(home).ownership
    save = node.store.save

    async def lost_meanwhile(*what, **how):
        version = await save(*what, **how)
        monkeypatch.setattr(node.store, "save", save)
        ownership.lost(visit.id)
        return version

    monkeypatch.setattr(node.store, "save", lost_meanwhile)
    wired = []
    wire = node.plane.wire
    monkeypatch.setattr(node.plane, "wire", lambda now: wired.append(now.seats) or wire(now))
    asking = asyncio.create_task(
        clinician.ask("media:switch", {"microphone": False, "camera": False})
    )
    await person.gone.wait()
    await until(lambda: wired)
    await node.world.settled()
    assert not any(wired)
    asking.cancel()


async def test_a_visit_that_somebody_comes_to_is_not_released(pair):
    visit = await pair.at("a").plans()
    await pair.placed(visit, "a")
    ownership = pair.part("a").ownership
    async with pair["a"].node.local.still(visit.id):
        leaving = asyncio.create_task(ownership.release(visit.id, lambda _: False))
        await asyncio.sleep(0)
        assert visit.id in ownership.claims
    await leaving
    assert pair.owner(visit) == "a"
    await ownership.release(visit.id, lambda _: True)
    assert pair.owner(visit) == ""


async def test_who_waits_for_a_turn_until_the_visit_is_released_decides_nothing(pair):
    visit = await pair.at("a").plans()
    await pair.placed(visit, "a")
    keeper, before = pair["a"].node.local, await pair.practice.stored(visit)
    async with keeper.still(visit.id):
        leaving = asyncio.create_task(pair.part("a").ownership.release(visit.id))
        await asyncio.sleep(0)
        late = asyncio.create_task(keeper.submit(visit.id, VisitWasCancelled(by=PRACTICE)))
        await asyncio.sleep(0)
    await leaving
    with pytest.raises(NotOwner):
        await late
    assert await pair.practice.stored(visit) == before


@pytest.mark.parametrize("trouble", [SchemaUnknown, KeyError])
async def test_a_visit_that_a_node_cannot_take_up_is_left_to_others(pair, monkeypatch, trouble):
    visit = await pair.at("a").plans(begins_in=3600 * 24)
    directory = pair.part("a").directory

    async def cannot(_visit):
        raise trouble

    monkeypatch.setattr(pair["a"].node.local, "resume", cannot)
    with pytest.raises(NotOwner):
        await pair.part("a").ownership.gain(visit.id, await directory.owner_of(visit.id))
    assert not (await directory.owner_of(visit.id)).owner
    await pair.placed(visit, "b")
    assert (await pair.at("a").get(visit.path()))["visit"] == visit.id
