import asyncio
import socket
import sqlite3
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from server.app import build
from tests.support.page_clients import Refused
from tests.support.server_clients import QUICK, running_server


def open_sockets():
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists them is gone by now
            found.append(str(fd.readlink()))
    return {target for target in found if target.startswith("socket:")}


async def test_a_visit_from_link_to_end(practice, meeting):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    view = await patient.until(lambda view: view["people"])
    assert [person["name"] for person in view["people"]] == ["Amina Reyes"]
    await provider.does("visit:end")
    assert await patient.over() == "visit_ended"
    assert await provider.over() == "visit_ended"


async def test_nothing_survives_the_app(tmp_path, browser):
    tasks, sockets = asyncio.all_tasks(), open_sockets()
    async with running_server(tmp_path) as server:
        practice = await server.practice()
        visit = await practice.plans()
        one, other = browser(server), browser(server)
        for role in ("provider", "patient"):
            page = await one.opens(getattr(visit, role).code)
            await page.knocks()
        await other.page((await other.post(visit.family.code)).body["token"]).connect("polling")
        await other.opens_desk(await practice.desk_code())
        await practice.post(visit.path("patient", "/admit"))
        await page.is_inside()
    await one.close()
    await other.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() - tasks == set()
    assert open_sockets() - sockets == set()


async def test_what_was_begun_is_closed_when_the_start_fails(tmp_path):
    tasks, sockets, threads = asyncio.all_tasks(), open_sockets(), threading.active_count()
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="in use"):
            async with running_server(tmp_path, media_port=taken.getsockname()[1]):
                pass
    assert asyncio.all_tasks() - tasks == set()
    assert open_sockets() - sockets == set()
    assert threading.active_count() == threads


async def test_two_apps_share_nothing(tmp_path):
    async with (
        running_server(tmp_path / "one") as one,
        running_server(tmp_path / "two") as other,
    ):
        practice = await one.practice()
        assert (await practice.call("GET", "/v1/visits")).status == 200
        refused = await other.call(
            "GET", "/v1/visits", headers={"Authorization": f"Bearer {practice.key}"}
        )
        assert refused.status == 401


async def test_a_restart_goes_on_where_it_was(tmp_path, browser):
    async with running_server(tmp_path) as server:
        practice = await server.practice()
        visit = await practice.plans()
        one = browser(server)
        patient = await one.opens(visit.patient.code)
        await patient.knocks("Rosa")
        since = (await patient.until(lambda view: view["me"]["admission"] == "waiting"))["me"]
        cookies = one.cookies
        await one.close()
    async with running_server(tmp_path) as server:
        stored = (await server.node.store.load(visit.id)).visit
        assert not any(device.connected for seat in stored.seats for device in seat.devices)
        back = browser(server)
        back.cookies = cookies
        page = await back.opens(visit.patient.code)
        me = (await page.view())["me"]
        assert (me["admission"], me["waiting_since"]) == ("waiting", since["waiting_since"])


async def test_a_visit_that_cannot_be_read_does_not_stop_the_others(tmp_path):
    async with running_server(tmp_path) as server:
        practice = await server.practice()
        broken, whole = await practice.plans(), await practice.plans()
        path = server.settings.store_path
    with sqlite3.connect(path) as db:
        db.execute("UPDATE visits SET body = '{}' WHERE id = ?", (broken.id,))
    db.close()
    async with running_server(tmp_path) as server:
        assert {row.visit for row in server.node.board.rows(practice.id)} == {whole.id}


async def test_building_starts_nothing(tmp_path):
    async with running_server(tmp_path) as server:
        tasks = asyncio.all_tasks()
        build(server.settings, server.ring)
        assert asyncio.all_tasks() == tasks


async def test_a_whole_clinic_may_share_one_address(tmp_path, browser):
    edge = replace(QUICK, open_per_address=1)
    async with running_server(tmp_path, edge=edge, people_per_address=2) as server:
        practice = await server.practice()
        visit = await practice.plans()
        for role in ("provider", "patient"):
            await browser(server).opens(getattr(visit, role).code)
        with pytest.raises(Refused):
            await browser(server).opens(visit.family.code)
