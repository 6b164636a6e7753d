"""A practice's name, number and recordings for telephones; and what of that is refused."""

import asyncio
import re
from dataclasses import replace

import numpy as np
import pytest

from media.phone.sound_files import read_sound
from media.phone.wording import SPOKEN, Announcer
from rooms.model import Prompt
from rooms.policy import PromptPolicy
from server.routes import ANNOUNCEMENTS
from server.telephony import PhonePolicies
from tests.support.server_clients import AT_ONCE, HASTY, QUICK, running_server
from tests.support.sounds import purity, sound_file, tone

GATE = f"{ANNOUNCEMENTS}/gate/pt-BR"
RECORDING = sound_file(tone(440.0, 2.0, rate=48_000), "wav", "pcm_s16le")
NAMED = {"spoken_name": "Riverside", "call_back": "+1 202 555 0142"}


def heard(server, practice, language="pt-BR"):
    announcer = Announcer(practice=practice.id)
    return server.node.phones.prompts.frames(Prompt.GATE, language, announcer)


async def test_a_practice_chooses_name_and_number(server, practice, people):
    before = await practice.get(ANNOUNCEMENTS)
    spoken = before.pop("spoken")
    assert before == {"spoken_name": "", "call_back": practice.phone, "recordings": []}
    assert {(each["prompt"], each["language"]) for each in spoken} == {
        (prompt, language) for prompt in Prompt for language in SPOKEN
    }
    visit = await practice.plans()
    answer = await practice.call("PUT", ANNOUNCEMENTS, NAMED)
    assert answer.status == 200
    assert answer.body.items() >= {**NAMED, "recordings": []}.items()
    assert answer.body["spoken"][0]["text"].startswith("This is Riverside, phone number plus 1")
    assert await practice.get(ANNOUNCEMENTS) == answer.body
    announcer = await server.node.practices.announcer(practice.id)
    assert (announcer.who, announcer.call_back) == ("Riverside", "+1 202 555 0142")
    (page,) = await people(visit, "patient")
    card = (await page.view())["practice"]
    assert card == {"name": practice.name, "phone": "+1 202 555 0142"}


@pytest.mark.parametrize("name", ["Lakeside Clinic", "Dr. Reyes", "Riverside Oncology"])
async def test_a_name_that_tells_of_health_is_refused(practice, name):
    asked = {"spoken_name": name, "call_back": ""}
    answer = await practice.call("PUT", ANNOUNCEMENTS, asked)
    assert (answer.status, answer.code) == (422, "name_tells_of_health")
    assert (await practice.get(ANNOUNCEMENTS))["spoken_name"] == ""


@pytest.mark.parametrize(
    "body",
    [{}, {"spoken_name": "x"}, {**NAMED, "spoken_name": "x" * 129}, {**NAMED, "call_back": 1}],
)
async def test_what_does_not_fit_is_refused(practice, body):
    assert (await practice.call("PUT", ANNOUNCEMENTS, body)).code == "payload_invalid"


async def test_a_new_name_is_spoken_from_then_on(server, practice, monkeypatch):
    spoken = asyncio.Event()

    async def prepare(announcer):
        assert announcer.who == "Riverside"
        spoken.set()

    monkeypatch.setattr(server.node.phones.prompts, "prepare", prepare)
    await practice.call("PUT", ANNOUNCEMENTS, NAMED)
    await asyncio.wait_for(spoken.wait(), 5)


async def test_a_practice_speaks_for_itself(server, practice):
    other = await server.practice()
    assert purity(heard(server, practice), 440.0) < 0.5
    assert (await practice.call("PUT", GATE, RECORDING)).status == 204
    assert purity(heard(server, practice), 440.0) > 0.9
    assert purity(heard(server, other), 440.0) < 0.5
    listed = (await practice.get(ANNOUNCEMENTS))["recordings"]
    assert listed == [{"prompt": "gate", "language": "pt-br"}]
    assert (await other.get(ANNOUNCEMENTS))["recordings"] == []
    for _ in range(2):
        assert (await practice.call("DELETE", GATE)).status == 204
    assert purity(heard(server, practice), 440.0) < 0.5
    types = [entry.type for entry in await practice.log()]
    assert types == ["AnnouncementRecorded", "AnnouncementForgotten", "AnnouncementForgotten"]


async def test_staff_hear_what_telephones_hear(server, practice):
    async def played(path):
        headers = {"Authorization": f"Bearer {practice.key}"}
        async with server.http.get(server.url + path, headers=headers) as answer:
            assert (answer.status, answer.content_type) == (200, "audio/wav")
            return read_sound(await answer.read(), PromptPolicy())

    assert np.array_equal(await played(GATE), heard(server, practice))
    assert (await practice.call("PUT", GATE, RECORDING)).status == 204
    assert purity(await played(GATE), 440.0) > 0.9
    assert purity(await played(f"{ANNOUNCEMENTS}/gate/en"), 440.0) < 0.5
    assert (await practice.call("GET", f"{ANNOUNCEMENTS}/song/en")).code == "not_found"


async def test_a_desk_may_record_and_not_rename(practice, browser):
    opened = await browser().post(await practice.desk_code(), "/v1/desk/sessions")
    token = opened.body["token"]
    assert (await practice.call("PUT", GATE, RECORDING, key=token)).status == 204
    assert (await practice.call("PUT", ANNOUNCEMENTS, NAMED, key=token)).status == 401


@pytest.mark.parametrize(
    ("path", "audio", "status", "code"),
    [
        (GATE, b"", 422, "prompt_unreadable"),
        (GATE, b"not a sound" * 100, 422, "prompt_unreadable"),
        (f"{ANNOUNCEMENTS}/gate/{'x' * 50}", RECORDING, 422, "prompt_language_invalid"),
        (f"{ANNOUNCEMENTS}/gate/..%2Fen", RECORDING, 422, "prompt_language_invalid"),
        (f"{ANNOUNCEMENTS}/song/en", RECORDING, 404, "not_found"),
    ],
)
async def test_a_recording_that_will_not_do_changes_nothing(practice, path, audio, status, code):
    answer = await practice.call("PUT", path, audio)
    assert (answer.status, answer.code) == (status, code)
    assert await practice.log() == []
    assert (await practice.get(ANNOUNCEMENTS))["recordings"] == []


async def test_recordings_may_be_larger_than_requests_and_not_endless(tmp_path):
    prompts = PromptPolicy(largest=300_000)
    phones = PhonePolicies(prompts=prompts, practice=HASTY, switchboard=AT_ONCE)
    async with running_server(tmp_path, phones=phones) as server:
        practice = await server.practice()
        assert len(RECORDING) > 2 * QUICK.request_body
        assert (await practice.call("PUT", GATE, RECORDING)).status == 204
        answer = await practice.call("PUT", GATE, bytes(300_001))
        assert answer.status == 413
        stranger = await practice.call("PUT", GATE, bytes(300_001), key="nobody")
        assert stranger.status == 401, "before a byte of it was read"


async def test_a_recording_that_does_not_come_is_not_waited_for(tmp_path):
    edge = replace(QUICK, upload_within=0.2)
    async with running_server(tmp_path, edge=edge) as server:
        practice = await server.practice()
        host, port = server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = (
            f"PUT {GATE} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {practice.key}\r\n"
            "Content-Length: 1000\r\n\r\nRIFF"
        )
        writer.write(head.encode())
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
        assert re.match(rb"HTTP/1.1 408 ", answer)
        writer.close()


async def test_too_many_recordings_are_refused(tmp_path):
    prompts = PromptPolicy(most_recordings=1)
    phones = PhonePolicies(prompts=prompts, practice=HASTY, switchboard=AT_ONCE)
    async with running_server(tmp_path, phones=phones) as server:
        practice = await server.practice()
        assert (await practice.call("PUT", GATE, RECORDING)).status == 204
        answer = await practice.call("PUT", f"{ANNOUNCEMENTS}/gate/fr", RECORDING)
        assert (answer.status, answer.code) == (409, "too_many_prompts")


async def test_a_disk_that_takes_no_recording_is_said_so(server, practice, monkeypatch):
    def full(*_):
        raise OSError

    files = server.node.phones.prompts._files
    monkeypatch.setattr(files, "keep_recorded", full)
    monkeypatch.setattr(files, "drop_recorded", full)
    for method, body in (("PUT", RECORDING), ("DELETE", None)):
        answer = await practice.call(method, GATE, body)
        assert (answer.status, answer.code) == (503, "store_unavailable")
