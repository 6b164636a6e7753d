"""Signals parsed, performed and acknowledged; and nothing secret written down on the way."""

import io
import json
import logging
import re
import sqlite3

import pytest
import structlog

from media.phone.scripts import Script
from server.config import LogFormat, LogLevel
from server.gateway import VISIT
from server.logs import configure
from server.signals import SIGNALS
from tests.support.callers import NUMBER_OF, admitted, meeting_of, patient_on
from tests.support.page_clients import DeskPage, Refused, SeatPage

NAMES = ("Rosa Alvarez", "Amina Reyes", "Lucia Marquez", "Canary Wilhelmina", "555 010 0142")


@pytest.fixture
def written():
    """Everything that is logged, as the server would write it."""
    stream, root = io.StringIO(), logging.getLogger()
    former, handlers, level = structlog.get_config(), root.handlers[:], root.level
    configure(LogLevel.DEBUG, LogFormat.JSON, stream)
    yield stream
    structlog.configure(**former)
    root.handlers[:] = handlers
    root.setLevel(level)


UNFIT = [
    "text", 5, [], ["x"], True, {"seat": None}, {"seat": 5}, {"seat": ["x"]}, {"seat": {}},
    {"seat": "x" * 41}, {"seat": "a b"}, {"seat": "\u0430"}, {"device": "d"},
]  # fmt: skip


async def test_a_payload_that_does_not_fit_is_refused(practice, people):
    visit = await practice.plans()
    (provider,) = await people(visit, "provider")
    await (await provider.knocks()).enters()
    for payload in UNFIT:
        answer = await provider.ask("seat:admit", payload)
        assert answer["error"]["code"] == "payload_invalid", payload
        assert answer["error"].keys() == {"code", "title", "fields"}


async def test_signals_without_a_payload_take_none(practice, people):
    visit = await practice.plans()
    (patient,) = await people(visit, "patient")
    assert (await patient.ask("visit:check", None))["ok"]
    assert (await patient.ask("visit:check", {"more": "than asked"}))["ok"]


async def test_a_fault_of_ours_is_acknowledged_and_the_socket_lives(
    server, practice, people, monkeypatch
):
    visit = await practice.plans()
    (patient,) = await people(visit, "patient")

    async def broken(*_, **__):
        raise RuntimeError("Canary Wilhelmina")

    with monkeypatch.context() as broke:
        broke.setattr(server.node.keeper, "submit", broken)
        answer = await patient.ask("visit:knock")
    assert answer["error"] == {"code": "internal", "title": "Something went wrong."}
    assert (await patient.ask("visit:knock"))["ok"]


async def test_signals_are_counted_by_name_and_outcome(server, practice, people):
    visit = await practice.plans()
    (patient,) = await people(visit, "patient")
    await patient.knocks()
    await patient.refused("seat:admit", {"seat": visit.patient.seat})
    text = (await server.call("GET", "/metrics")).text
    assert 'bedside_signals_total{outcome="ok",signal="visit:knock"} 1.0' in text
    assert 'bedside_signals_total{outcome="not_admitted",signal="seat:admit"} 1.0' in text
    assert "bedside_seats_connected 1.0" in text


async def test_refused_sockets_are_counted(server, practice):
    for page in (SeatPage(server, "x"), DeskPage(server, "x")):
        with pytest.raises(Refused):
            await page.connect()
    text = (await server.call("GET", "/metrics")).text
    assert 'bedside_signals_total{outcome="token_invalid",signal="connect"} 2.0' in text


async def test_every_signal_of_the_table_is_answered_and_no_other(server):
    handlers = server.node.gateway._sio.handlers
    for namespace in {signal.namespace for signal in SIGNALS}:
        named = {signal.name for signal in SIGNALS if signal.namespace == namespace}
        assert handlers[namespace].keys() == named | {"connect", "disconnect"}
    assert handlers.keys() == {signal.namespace for signal in SIGNALS}
    assert VISIT in handlers


async def test_no_secret_and_no_person_is_written_anywhere(
    written, server, practice, meeting, browser, people
):
    visit = await practice.plans()
    provider, patient = await meeting(visit)
    (family,) = await people(visit, "family")
    await family.knocks("Canary Wilhelmina")
    await provider.does("seat:message", {"seat": visit.family.seat, "text": "Canary message"})
    await family.refused("seat:admit", {"seat": "Canary-seat"})
    (offer, *_) = await patient.hears("media:offer")
    answer = {"peer": offer["peer"], "number": offer["number"], "sdp": "v=0 canary-sdp"}
    await patient.ask("media:answer", answer)
    made = await provider.does("seat:invite", {"role": "family", "name": "Canary Wilhelmina"})
    await provider.does("seat:remove", {"seat": visit.patient.seat})
    await patient.over()
    refused = await browser().post(visit.patient.code)
    await server.call("GET", f"/join?code={visit.provider.code}&name=Canary")
    await server.call("GET", "/nowhere/Canary", headers={"Referer": "http://x/#Canary"})
    with pytest.raises(Refused):
        await SeatPage(server, patient.token + "x").connect()
    desk = await practice.desk_code()
    page = await browser().opens_desk(desk)
    await page.does("desk:deny", {"visit": visit.id, "seat": visit.family.seat})
    assert refused.code == "seat_removed"

    secrets = [seat.code for seat in visit.seats] + [practice.key, desk, made["link"][-43:]]
    secrets += [patient.token, provider.token, family.token, page.token]
    secrets += [token.split(".")[2] for token in (patient.token, provider.token)]
    secrets += [*re.findall(r"a=ice-pwd:(\S+)", offer["sdp"]), "canary-sdp"]
    with sqlite3.connect(server.settings.store_path) as db:
        log = [str(row) for row in db.execute("SELECT * FROM log")]
    db.close()
    metrics = (await server.call("GET", "/metrics")).text
    lines = written.getvalue()
    assert lines
    assert len(log) > 10
    for place in (lines, "\n".join(log), metrics):
        for secret in (*secrets, *NAMES, "Canary", "Canary message"):
            assert secret not in place
    assert all(json.loads(line)["event"] for line in lines.splitlines())
    assert visit.id not in metrics


async def test_no_telephone_number_is_written_anywhere(written, rehearsed, opened):
    """Only the visit itself, and whoever rings, know it."""
    own = NUMBER_OF[Script.PRESSES_1]
    typed = "(202) 555-0104"
    meeting = await meeting_of(rehearsed, opened(rehearsed), patient_on(Script.PRESSES_1))
    page = await admitted(meeting, opened(rehearsed))
    work = {"seat": meeting.patient, "id": "work", "number": typed, "wording": "spoken-1"}
    await meeting.provider.does("seat:record_number", work)
    await meeting.provider.refused("seat:record_number", {**work, "number": "900 555 0199"})
    await page.refused("phone:plan", {"number": "+44 20 7946 0958", "wording": "v1"})
    await meeting.provider.does("seat:call", {"seat": meeting.patient})
    await meeting.until(state="bridged", joined=True)
    await meeting.provider.does("visit:end")
    await rehearsed.node.world.settled()
    await rehearsed.node.phones.reports.settled()
    with sqlite3.connect(rehearsed.settings.store_path) as db:
        log = [str(row) for row in db.execute("SELECT * FROM log")]
        assert db.execute("SELECT count(*) FROM calls").fetchone() == (0,)
    db.close()
    metrics = (await rehearsed.call("GET", "/metrics")).text
    assert any("CallAnswered" in row for row in log)
    for place in (written.getvalue(), "\n".join(log), metrics, str(meeting.provider.received)):
        for number in (own, own[2:], typed, "2025550104", "9005550199", "79460958", "7946 0958"):
            assert number not in place
