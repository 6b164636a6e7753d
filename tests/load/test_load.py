"""The load generator against a real server: people come, stay, stumble and leave."""

from __future__ import annotations

import aiohttp
import pytest

from rooms.policy import EdgePolicy
from server.app import Policies
from tests.load.plan import Plan, parse
from tests.load.report import run_here
from tests.load.workers import RemoteCrowd
from tests.support.returning_client import ReturningClient
from tests.support.visits import open_clinic

MANY = Policies(edge=EdgePolicy(connects_per_minute=1e6, open_per_address=10_000))
SOON = 1.0  # seconds
MIXED = "--visits 7 --waiting 5 --churn 3 --workers 3"


@pytest.fixture
async def clinic(tmp_path):
    async with open_clinic(tmp_path, MANY) as clinic:
        yield clinic


@pytest.fixture
async def http():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield http


def plan_at(clinic, **options):
    key = clinic._headers["Authorization"].split()[1]
    usual = {"arrivals": 30.0, "seconds": SOON}
    return Plan(url=clinic.origin, api_keys=(key,), **(usual | options))


async def test_a_small_load_has_no_errors_and_everybody_returns(clinic):
    plan = plan_at(clinic, visits=2, people_per_visit=3, waiting=3, churn=8.0, media="full")

    report = await run_here(plan)

    assert report["errors"] == {}
    counts = report["counts"]
    assert (counts["joined"], counts["waiting"], counts["visits_ended"]) == (6, 3, 2)
    assert {"join", "admit_to_told", "desk_notice", "drop_back", "reload_back"} <= set(report["ms"])
    assert counts["returned"] > 2
    assert counts["media_received"] > 300


async def test_visits_follow_one_another(clinic):
    report = await run_here(plan_at(clinic, visits=1, visit_lasts=0.1, media="none"))

    assert report["errors"] == {}
    assert report["counts"]["visits_ended"] > 1


async def test_a_crowd_in_another_process_hears_everything(clinic):
    crowd = RemoteCrowd(plan_at(clinic, visits=1, media="sound").share(0))
    await crowd.start()
    for stage in (crowd.arrive, crowd.steady, crowd.leave):
        await stage()

    counts = crowd.figures.counts
    assert crowd.figures.errors == {}
    assert counts["joined"] == 2
    assert counts["media_received"] > 0.95 * counts["media_expected"] > 50


async def test_what_is_refused_is_counted(clinic):
    plan = plan_at(clinic, visits=1, people_per_visit=40, seconds=0.0)  # more than a visit takes

    report = await run_here(plan)

    assert report["errors"] == {"payload_invalid": 1}


async def test_a_page_that_the_server_sends_away_opens_its_link_again(clinic, http):
    visit = await clinic.plans()
    async with ReturningClient(http, visit.provider.link) as page:
        await page.arrives()
        await page.until(lambda: page.view["me"]["admission"] == "present")
        device, session = page.view["me"]["device"], page.line.session["session"]

        for sid in _sockets(clinic, visit):
            await clinic.node.gateway._close(sid)
        await page.until(lambda: page.line.session["session"] != session and page.line.up)

        assert page.view["me"]["device"] == device
        assert page.inside


def _sockets(clinic, visit):
    return [session.sid for session in clinic.node.gateway.sessions.group(visit.id)]


def test_shares_add_up():
    plan = parse(f"--url http://x --api-key a,b {MIXED}".split())
    shares = [plan.share(worker) for worker in range(3)]

    assert sum(each.visits for each in shares) == 7
    assert sum(each.waiting for each in shares) == 5
    assert sum(each.churn for each in shares) == pytest.approx(3)
    assert all(each.api_keys for each in shares)
    assert Plan.from_json(plan.as_json()) == plan
