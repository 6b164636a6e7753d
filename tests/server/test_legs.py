"""Media outlives its page's socket, and never its session or its device's hold on the seat."""

import asyncio
import time
from dataclasses import replace

import pytest

from server.legs import Legs
from server.replies import PracticeCard
from server.sessions import SeatSession
from tests.support.server_clients import QUICK, running_server


class Plane:
    """Notes what is attached and what is dropped."""

    def __init__(self):
        self.held, self.detached = {}, []

    def attach(self, visit, seat, leg, _listener):
        self.held[visit, seat] = leg

    def detach(self, _visit, _seat, leg):
        self.detached.append(leg)

    def drop(self, visit, seat, leg):
        if self.held.get((visit, seat)) == leg:
            del self.held[visit, seat]


def page(session, device="phone", seat="petra", life=60.0):
    return SeatSession(
        sid=f"sid-{session}", id=session, visit="v", seat=seat, device=device, epoch=1,
        card=PracticeCard(name="", phone=""), expires_at=time.time() + life,
    )  # fmt: skip


@pytest.fixture
async def stage():
    plane = Plane()
    legs = Legs(plane, time.time)
    yield plane, legs
    legs.close()


async def until(holds):
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - a fake has nothing to wait on
            await asyncio.sleep(0.005)


async def test_a_reconnect_finds_its_media(stage):
    plane, legs = stage
    first = page("one", life=0.05)
    legs.attach(first, None)
    legs.detach(first)
    assert plane.detached == ["one"]
    legs.attach(page("one"), None)
    await asyncio.sleep(0.1)
    assert plane.held == {("v", "petra"): "one"}, "the lost socket's time no longer runs"


async def test_media_of_a_lost_page_ends_with_its_token(stage):
    plane, legs = stage
    lost = page("one", life=0.05)
    legs.attach(lost, None)
    legs.detach(lost)
    await until(lambda: not plane.held)


async def test_media_ends_with_the_device_even_if_its_page_is_gone(stage):
    plane, legs = stage
    lost = page("one")
    legs.attach(lost, None)
    legs.detach(lost)
    legs.end("v", "petra", "laptop")
    legs.end("v", "fay", "")
    assert plane.held, "that was about others"
    legs.end("v", "petra", "phone")
    assert not plane.held


async def test_the_end_of_a_former_page_leaves_the_present_one_alone(stage):
    plane, legs = stage
    former, present = page("one"), page("two", "laptop")
    legs.attach(former, None)
    legs.attach(present, None)
    legs.drop(former)
    legs.detach(former)
    legs.end("v", "petra", "phone")
    assert plane.held == {("v", "petra"): "two"}
    legs.end("v", "petra", "")
    assert not plane.held


async def test_a_page_whose_socket_is_lost_has_no_media_after_its_token(tmp_path, browser):
    edge = replace(QUICK, token_life=3, token_leeway=0)
    async with running_server(tmp_path, edge=edge) as server:
        practice = await server.practice()
        visit = await practice.plans()
        patient = await (await browser(server).opens(visit.patient.code)).knocks()
        await practice.post(visit.path("patient", "/admit"))
        await patient.enters()
        legs = server.node.plane.counters
        assert legs.legs == 1
        await patient.vanish()
        await until(lambda: legs.legs == 0)
        stored = (await practice.stored(visit)).seat(visit.patient.seat)
        assert stored.admission == "away", "the seat is not touched"


async def test_a_replaced_device_has_no_media_though_its_socket_was_lost(
    server, practice, browser, meeting, monkeypatch
):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    second = await (await browser().opens(visit.patient.code)).knocks()
    device = (await second.view())["me"]["device"]
    await provider.until(lambda view: view["waiting"])
    await patient.vanish()
    await provider.until(lambda view: view["people"][0]["admission"] == "away")
    gateway, world = server.node.gateway, server.node.world
    (waiting,) = (one for one in gateway.sessions.all() if one.device == device)
    follow = world.visit_changed

    def and_is_gone_at_that_moment(*change):
        follow(*change)
        gateway.disconnect(waiting.sid)

    monkeypatch.setattr(world, "visit_changed", and_is_gone_at_that_moment)
    assert server.node.plane.counters.legs == 2
    await provider.does("seat:admit", {"seat": visit.patient.seat, "device": device})
    await world.settled()
    assert server.node.plane.counters.legs == 1, "the provider's"
