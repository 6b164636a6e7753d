"""A node that cannot reach Redis, nor the other node, while its own people still reach it."""

from __future__ import annotations

import time

import pytest
import pytest_asyncio

from tests.support.apart import cluster_with_b_apart, why_not
from tests.support.light_people import Refused, begin, hear_each_other, light_people

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

HOLD = 6.0  # seconds that a node without Redis holds its media here
TAKEN_WITHIN = 5.0
ANYWHERE = {"host": "0.0.0.0", "server_host": None}  # where the node says, not on loopback


@pytest_asyncio.fixture(loop_scope="session")
async def apart(tmp_path):
    async with cluster_with_b_apart(tmp_path, {"nodes": {"media_hold": HOLD}}) as apart:
        yield apart


@pytest_asyncio.fixture(loop_scope="session")
async def people():
    async with light_people() as people:
        yield people


async def a_visit_at(name, nodes, people):
    """A visit that this node decides about, in full swing, with family waiting."""
    while True:
        visit = await nodes.clinic.plans()
        provider = await people.arrives(visit.provider, **ANYWHERE)
        if provider.node == name:
            break
    patient = await people.arrives(visit.patient, **ANYWHERE)
    family = await people.arrives(visit.family, **ANYWHERE)
    await begin(provider, patient)
    return visit, provider, patient, family


async def test_node_that_is_cut_off_holds_its_media_and_decides_nothing_beside_the_other(
    apart, people
):
    nodes, wire = apart
    visit, provider, patient, family = await a_visit_at("b", nodes, people)

    wire.is_cut(wire.redis, wire.peer)
    cut = time.monotonic()
    await nodes.moves_to("a", visit, within=TAKEN_WITHIN)
    await nodes.clinic_at("a").call("POST", f"/v1/visits/{visit.id}/seats/{family.seat}/deny", {})
    await hear_each_other(provider, patient, within=2.0)
    assert provider.node == patient.node == "b"
    with pytest.raises(Refused, match=r"store_unavailable|not_owner|node_"):
        await provider.admits(family)
    assert not family.inside
    assert time.monotonic() - cut < HOLD, "too slow to have shown anything"

    await hear_each_other_at("a", provider, patient)
    await family.until(lambda: family.line.ended == "seat_denied")
    assert await nodes.clinic.admissions(family.seat) == 0
    assert await nodes.clinic.admissions(patient.seat) == 1

    wire.is_mended()
    await nodes.is_ready("b")
    await hear_each_other(provider, patient)
    assert await nodes.owner_of(visit) == "a"


async def test_node_that_only_redis_cannot_hear_steps_aside_as_soon_as_the_other_has_taken_over(
    apart, people
):
    nodes, wire = apart
    visit, provider, patient, _ = await a_visit_at("b", nodes, people)

    wire.is_cut(wire.redis)
    cut = time.monotonic()
    await hear_each_other_at("a", provider, patient)

    assert time.monotonic() - cut < HOLD
    assert await nodes.owner_of(visit) == "a"


async def hear_each_other_at(name, *people):
    """Everybody has been led to this node, and hears the others there."""
    for person in people:
        await person.until(lambda person=person: person.node == name and person.inside)
    await hear_each_other(*people)
