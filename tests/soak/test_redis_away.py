"""Redis is away for as long as a restart with a check of its files takes, in real time."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.support.cluster import cluster
from tests.support.light_people import Refused, begin, hear_each_other, light_people

pytestmark = [pytest.mark.soak, pytest.mark.timeout(400)]

AWAY = 120.0  # seconds
LOOKS_EVERY = 5.0
BACK_WITHIN = 2.0
LATE = 3.0  # seconds that a busy machine may add


@pytest.fixture
async def nodes(tmp_path):
    async with cluster(tmp_path) as nodes:
        yield nodes


@pytest.mark.parametrize("how", ["killed", "hung"])
async def test_visits_go_on_without_redis_for_two_minutes_and_nobody_is_admitted(nodes, how):
    async with light_people() as people:
        visit = await nodes.clinic.plans()
        provider = await people.arrives(visit.provider)
        patient = await people.arrives(visit.patient)
        await begin(provider, patient)
        family = await people.arrives(visit.family)

        nodes.redis.kills() if how == "killed" else nodes.redis.hangs()
        gone = time.monotonic()
        while time.monotonic() - gone < AWAY:
            await hear_each_other(provider, patient, within=LOOKS_EVERY)
            with pytest.raises(Refused, match=r"store_unavailable|no_answer|not_owner"):
                await provider.admits(family)
            assert family.admission == "waiting"
            await asyncio.sleep(LOOKS_EVERY)
        nodes.redis.starts() if how == "killed" else nodes.redis.wakes()

        back = time.monotonic()
        await family.is_admitted_by(provider)
        assert time.monotonic() - back < BACK_WITHIN + LATE
        await hear_each_other(provider, patient)
        for person in (patient, family):
            assert await nodes.clinic.admissions(person.seat) == 1
