"""Desk pages: who may connect, what they are shown, when they close."""

import asyncio
from dataclasses import replace

import pytest

from tests.support.page_clients import DeskPage, Refused
from tests.support.server_clients import QUICK, running_server
from tests.support.store_trouble import locked_store


def waiting(view):
    return [entry for visit in view["visits"] for entry in visit["waiting"]]


async def test_a_desk_sees_who_waits_since_when_and_what_runs(practice, people, browser):
    visit = await practice.plans()
    desk = await browser().opens_desk(await practice.desk_code())
    (patient,) = await people(visit, "patient")
    await patient.knocks("Rosie")
    view = await desk.until(waiting)
    assert view["practice"] == {"name": practice.name, "phone": practice.phone}
    (row,) = view["visits"]
    assert (row["visit"], row["host"], row["stage"]) == (visit.id, "the Tuesday clinic", "open")
    assert {(seat["role"], seat["admission"]) for seat in row["seats"]} == {
        ("patient", "waiting"), ("provider", "invited"), ("family", "invited"),
    }  # fmt: skip
    (entry,) = row["waiting"]
    assert (entry["name"], entry["said_name"]) == ("Rosa Alvarez", "Rosie")
    assert view["now"] - 5 < entry["waiting_since"] <= view["now"]
    assert entry["connected"]
    assert not entry["another_device"]
    await patient.vanish()
    await desk.until(lambda view: not waiting(view)[0]["connected"])


async def test_a_desk_sees_its_practice_only(server, practice, browser):
    other = await server.practice()
    theirs, ours = await other.plans(), await practice.plans()
    desk = await browser().opens_desk(await practice.desk_code())
    view = await desk.until(lambda view: view["visits"])
    assert [row["visit"] for row in view["visits"]] == [ours.id]
    await other.post(theirs.path(rest="/end"))
    await practice.post(ours.path(rest="/end"))
    await desk.until(lambda view: view["visits"][0]["stage"] == "ended")
    assert theirs.id not in str(desk.received)


async def test_a_withdrawn_desk_closes_at_every_door(practice, browser, server):
    code = await practice.desk_code()
    one = browser()
    opened = await one.post(code, "/v1/desk/sessions")
    desk, token = opened.body["desk"], opened.body["token"]
    page, other = await one.opens_desk(code), await browser().opens_desk(await practice.desk_code())
    assert (await practice.call("DELETE", f"/v1/desks/{desk}")).status == 204
    assert await page.over() == "link_unknown"
    with pytest.raises(Refused, match="token_invalid"):
        await DeskPage(server, token).connect()
    visit = await practice.plans()
    answer = await practice.call("POST", visit.path("patient", "/deny"), {}, key=token)
    assert (answer.status, answer.code) == (401, "unauthorized")
    await other.does("desk:renew")


async def test_only_a_desks_token_opens_a_desk(server, practice, browser):
    visit = await practice.plans()
    seat = (await browser().post(visit.provider.code)).body["token"]
    for token in (seat, practice.key, "", "x"):
        with pytest.raises(Refused, match="token_invalid"):
            await DeskPage(server, token).connect()


async def test_a_desk_whose_token_expires_is_told_so(tmp_path, browser):
    async with running_server(tmp_path, edge=replace(QUICK, token_life=2)) as server:
        practice = await server.practice()
        one = browser(server)
        page = await one.opens_desk(await practice.desk_code())
        assert await page.over() == "token_expired"
        await one.close()


async def test_a_desk_is_told_of_changes_together(tmp_path, browser):
    edge = replace(QUICK, desk_refresh=0.3)
    async with running_server(tmp_path, edge=edge) as server:
        practice = await server.practice()
        desk = await browser(server).opens_desk(await practice.desk_code())
        visits = await asyncio.gather(*(practice.plans() for _ in range(10)))
        await desk.until(lambda view: len(view["visits"]) == len(visits))
        assert len(desk.views) < len(visits)


async def test_a_desk_that_connects_while_the_store_is_locked_sees_the_day(
    server, practice, browser
):
    one = browser()
    token = (await one.post(await practice.desk_code(), "/v1/desk/sessions")).body["token"]
    visit = await practice.plans()
    async with locked_store(server), DeskPage(server, token) as desk:
        await desk.connect()
        await desk.until(lambda view: [row["visit"] for row in view["visits"]] == [visit.id])
