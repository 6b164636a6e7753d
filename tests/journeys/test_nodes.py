"""Nodes die, restart and lose their store, and the visits go on, on one node or the other."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.support.cluster import Cluster, cluster
from tests.support.light_people import (
    LightPeople,
    Refused,
    begin,
    hear_each_other,
    light_people,
)
from tests.support.people import Patient, Provider, converse
from tests.support.people import begin as begin_in_browsers
from tests.support.telephoning import comes_by_telephone
from tests.support.visits import CALLABLE, FAMILY, PATIENT, PROVIDER
from tests.support.voices import AMINA, ROSA, ROSA_BY_PHONE, voice

BACK_AFTER_REDIS = 2.0
SILENCE_OF_A_MOVE = 3.0  # seconds
LATE = 3.0  # seconds that a busy machine may add
DECISIONS = {"SeatWasDenied": "deny", "SeatLetBack": "let-back"}
SON = "Mateo Alvarez"
HOLD = 3.0  # seconds that a node without Redis holds its media here

CALLED_SOON = {
    "visit": {
        "fallback": {
            "call_after_silence": 0,
            "call_after_goodbye": 0,
            "call_after_restart": 1,
            "joins_after": 0.5,
        }
    },
    "quality": {"silent_after": 1, "fine_for": 1},
}


@pytest_asyncio.fixture(loop_scope="session")
async def opens_cluster(tmp_path):
    """Opens a cluster with other rules or settings than the usual ones."""
    async with AsyncExitStack() as stack:

        async def opens(**options) -> Cluster:
            return await stack.enter_async_context(cluster(tmp_path, **options))

        yield opens


@pytest_asyncio.fixture(loop_scope="session")
async def people():
    async with light_people() as people:
        yield people


async def test_patient_and_provider_land_on_different_nodes_and_meet_on_the_owner(
    opens_cluster, people: LightPeople
):
    nodes = await opens_cluster()
    for _ in range(2):
        visit = await nodes.clinic.plans(PATIENT, PROVIDER)
        patient = await people.arrives(nodes.landing_at("a", visit.patient))
        provider = await people.arrives(nodes.landing_at("b", visit.provider))
        assert patient.node == provider.node == await nodes.owner_of(visit)
        await begin(provider, patient)


async def test_owner_is_killed_and_everybody_is_back_in_their_browsers_still_admitted(
    opens_cluster, somebody, people: LightPeople
):
    nodes = await opens_cluster()
    visit = await nodes.clinic.plans()
    patient = await somebody(Patient, visit.patient)
    provider = await somebody(Provider, visit.provider)
    await begin_in_browsers(patient, provider)
    await patient.meets(provider)
    await provider.meets(patient)
    family = await people.arrives(visit.family)
    owner = await nodes.owner_of(visit)

    await nodes.node(owner).is_killed()

    await asyncio.gather(patient.meets(provider), provider.meets(patient))
    assert await nodes.owner_of(visit) == nodes.other(owner)
    assert await nodes.clinic.admissions(patient.seat) == 1
    assert await nodes.clinic.admissions(family.seat) == 0
    assert family.admission == "waiting"
    await provider.admits(family)
    await family.is_inside()


async def test_owner_is_killed_with_a_phone_bridged_and_the_phone_is_called_again(
    opens_cluster, phone, somebody
):
    nodes = await opens_cluster(phone=phone.port, rules=CALLED_SOON)
    visit = await nodes.clinic.plans({**PATIENT, **CALLABLE}, PROVIDER)
    patient = await somebody(Patient, visit.patient, scripts=[voice(ROSA)])
    provider = await somebody(Provider, visit.provider, scripts=[voice(AMINA)])
    await begin_in_browsers(patient, provider)
    await provider.hears_tone(patient.seat, ROSA)
    await patient.page.close()
    await comes_by_telephone(phone)
    await provider.hears_tone(patient.telephone, ROSA_BY_PHONE)
    owner = await nodes.owner_of(visit)

    await nodes.node(owner).is_killed()

    await comes_by_telephone(phone)
    await provider.hears_tone(patient.telephone, ROSA_BY_PHONE)
    await phone.until_heard(AMINA)
    assert await nodes.owner_of(visit) == nodes.other(owner)
    assert await nodes.clinic.admissions(patient.seat) == 1


async def test_node_is_restarted_at_noon_and_people_in_browsers_miss_a_word_or_two(
    opens_cluster, somebody
):
    nodes = await opens_cluster()
    visit = await nodes.clinic.plans(PATIENT, PROVIDER)
    patient = await somebody(Patient, visit.patient, scripts=[voice(ROSA)])
    provider = await somebody(Provider, visit.provider, scripts=[voice(AMINA)])
    await converse(patient, provider)
    owner = await nodes.owner_of(visit)
    await provider.begins_to_listen(patient.seat)

    await nodes.node(owner).stops()

    await provider.hears_tone(patient.seat, ROSA)
    await patient.hears_tone(provider.seat, AMINA)
    await provider.sees(patient)
    assert await provider.longest_silence() < SILENCE_OF_A_MOVE + LATE
    assert await nodes.owner_of(visit) == nodes.other(owner)
    assert await nodes.clinic.admissions(patient.seat) == 1


async def test_both_nodes_are_restarted_under_load_and_no_visit_or_decision_is_lost(
    opens_cluster, people: LightPeople
):
    nodes = await opens_cluster()
    visits = [await nodes.clinic.plans() for _ in range(4)]
    meetings = []
    for visit in visits:
        provider = await people.arrives(visit.provider)
        patient = await people.arrives(visit.patient)
        await begin(provider, patient)
        meetings.append((visit, provider, patient))
    stopped, decided = asyncio.Event(), []
    deciding = asyncio.ensure_future(decides_all_the_time(nodes, visits, stopped, decided))

    for name in ("a", "b"):
        await nodes.node(name).stops()
        await asyncio.gather(*(hear_each_other(*pair) for _, *pair in meetings))
        await nodes.node(name).starts()
        await nodes.is_ready(name)

    stopped.set()
    await deciding
    await asyncio.gather(*(hear_each_other(*pair) for _, *pair in meetings))
    assert len(decided) > len(visits)
    for visit, provider, patient in meetings:
        state = await nodes.clinic.call("GET", f"/v1/visits/{visit.id}")
        assert state["stage"] == "in_progress"
        assert (provider.line.ended, patient.line.ended) == ("", "")
        assert await nodes.clinic.admissions(patient.seat) == 1
    logged = Counter(
        (DECISIONS[entry["type"]], entry["seat"])
        for entry in await the_whole_log(nodes.clinic)
        if entry["type"] in DECISIONS and entry["outcome"] == "ok"
    )
    assert logged == Counter(decided)


async def the_whole_log(clinic):
    """The practice's log, page by page."""
    entries, after = [], 0
    while page := (told := await clinic.call("GET", f"/v1/events?after={after}"))["events"]:
        entries += page
        after = told["next"]
    return entries


async def decides_all_the_time(nodes, visits, stopped, decided):
    """Keep family out and let them back, one after the other, and note each yes."""
    while not stopped.is_set():
        for visit in visits:
            for order in ("deny", "let-back"):
                seat = visit.family.seat
                await insists(nodes.clinic, f"/v1/visits/{visit.id}/seats/{seat}/{order}")
                decided.append((order, seat))
        await asyncio.sleep(0.2)  # a decision for each visit, ten times a second in all


async def insists(clinic, path, within=10.0):
    """Order something until it is done, as the practice's own system would.

    An order whose answer was lost may have been carried out; then there is nothing to do.
    """
    async with asyncio.timeout(within):
        while True:
            try:
                return await clinic.call("POST", path, {})
            except AssertionError as refusal:
                if refusal.args[0]["code"] == "not_barred":
                    return None
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def test_clinician_whose_admission_cannot_be_kept_reads_so_and_admits_when_redis_is_back(
    opens_cluster, somebody
):
    nodes = await opens_cluster()
    visit = await nodes.clinic.plans(PATIENT, PROVIDER)
    patient = await somebody(Patient, visit.patient)
    provider = await somebody(Provider, visit.provider)
    await patient.comes()
    await patient.waits()
    await provider.comes()
    admit = provider.button_about(patient, "Admit")
    await expect(admit).to_be_visible()

    nodes.redis.kills()
    await admit.click()
    await expect(provider.page.get_by_text("That did not work. Please try again.")).to_be_visible()
    await patient.waits()
    nodes.redis.starts()
    await nodes.is_ready(await nodes.owner_of(visit))

    await admit.click()
    await patient.meets(provider)
    assert await nodes.clinic.admissions(patient.seat) == 1


async def test_redis_is_gone_during_a_visit_and_during_an_admission_and_returns(
    opens_cluster, people: LightPeople
):
    nodes = await opens_cluster()
    visit = await nodes.clinic.plans()
    provider = await people.arrives(visit.provider)
    patient = await people.arrives(visit.patient)
    await begin(provider, patient)
    family = await people.arrives(visit.family)
    owner = await nodes.owner_of(visit)

    nodes.redis.kills()
    with pytest.raises(Refused, match="store_unavailable"):
        await provider.admits(family)
    await hear_each_other(provider, patient)
    assert family.admission == "waiting"
    assert await is_alive(nodes, owner)

    nodes.redis.starts()
    back = time.monotonic()
    await family.is_admitted_by(provider)
    assert time.monotonic() - back < BACK_AFTER_REDIS + LATE
    await hear_each_other(provider, patient)
    assert "no_answer" not in provider.trouble + patient.trouble
    assert await nodes.owner_of(visit) == owner
    assert await nodes.clinic.admissions(family.seat) == 1
    assert await nodes.clinic.admissions(patient.seat) == 1


async def is_alive(nodes, name):
    """Whether a node says that its process works; a restart would not mend a lost Redis."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{nodes.running.plans[name].url}/healthz") as answer,
    ):
        return answer.status == 200


async def test_failover_loses_the_last_writes_and_the_removed_person_stays_out(
    opens_cluster, people: LightPeople
):
    nodes = await opens_cluster(group=True)
    visit = await nodes.clinic.plans(PATIENT, PROVIDER, FAMILY, {**FAMILY, "name": SON})
    provider = await people.arrives(visit.provider)
    patient = await people.arrives(visit.patient)
    family = await people.arrives(visit.family)
    await begin(provider, patient, family)

    async with nodes.redis.loses_its_last_writes():
        await provider.removes(family)
        await family.until(lambda: family.line.ended)
    await nodes.is_ready("a")
    await nodes.is_ready("b")

    await hear_each_other(provider, patient)
    await insists(nodes.clinic, f"/v1/visits/{visit.id}/seats/{visit.of(SON).seat}/deny")
    for name in ("a", "b"):
        again = people.somebody(nodes.landing_at(name, visit.family))
        with pytest.raises(Refused, match="seat_removed"):
            await again.open()
    state = await nodes.clinic.call("GET", f"/v1/visits/{visit.id}")
    assert admission_in(state, visit.family.seat) == "removed"
    assert admission_in(state, visit.patient.seat) == "present"


def admission_in(state, seat):
    return next(each["admission"] for each in state["seats"] if each["seat"] == seat)


async def test_redis_is_away_for_longer_than_media_is_held_and_everything_works_afterwards(
    opens_cluster, people: LightPeople
):
    nodes = await opens_cluster(rules={"nodes": {"media_hold": HOLD}})
    visit = await nodes.clinic.plans(PATIENT, PROVIDER)
    provider = await people.arrives(visit.provider)
    patient = await people.arrives(visit.patient)
    await begin(provider, patient)

    nodes.redis.kills()
    gone = time.monotonic()
    await patient.hears_nothing(within=HOLD + 5 + LATE)
    assert time.monotonic() - gone > HOLD
    nodes.redis.starts()

    await hear_each_other(provider, patient)
    state = await nodes.clinic.call("GET", f"/v1/visits/{visit.id}")
    assert state["stage"] == "in_progress"
    assert await nodes.clinic.admissions(patient.seat) == 1
