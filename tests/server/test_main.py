import asyncio
import json
import resource
import signal
import socket
import stat
import time
from pathlib import Path

import aiohttp
import jwt
import pytest
import socketio

from server import keys
from server.__main__ import FIRST_PRACTICE
from server.links import is_api_key, is_code
from server.sqlite_store import SqliteStore
from tests.support.ports import free_port
from tests.support.records import happened
from tests.support.serving import environment, run, serving, start
from tests.support.staff import Staff

pytestmark = pytest.mark.slow


async def test_the_first_start_makes_keys_and_a_practice_and_says_so(tmp_path):
    data, port = tmp_path / "data", free_port()
    data.mkdir()
    (data / FIRST_PRACTICE).write_text("of a store that was lost")
    async with serving(data, port, practice_name="Riverside") as (_, lines):
        kept = (data / FIRST_PRACTICE).read_text()
        api_key = kept.split("API key")[1].split()[0]
        desk = kept.split("desk link")[1].split()[0]
        assert "Riverside" in kept
        assert any(FIRST_PRACTICE in line for line in lines)
        assert api_key not in "".join(lines), "what a service prints ends up in a journal"
        assert is_api_key(api_key)
        assert desk.startswith(f"http://localhost:{port}/desk#")
        assert is_code(desk.split("#")[1])
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            bearer = {"Authorization": f"Bearer {api_key}"}
            assert (await http.get("/v1/visits", headers=bearer)).status == 200
    assert stat.S_IMODE((data / "keys.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "bedside.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / FIRST_PRACTICE).stat().st_mode) == 0o600
    written = (tmp_path / "stderr.txt").read_text()
    assert "made new keys" in written
    assert api_key not in written
    async with serving(data, port) as (_, lines):
        assert not any(FIRST_PRACTICE in line for line in lines), "told once only"


async def test_sigterm_stops_within_five_seconds_with_clients_connected(tmp_path):
    port = free_port()
    async with serving(tmp_path / "data", port) as (process, _):
        code = (tmp_path / "data" / FIRST_PRACTICE).read_text().split("/desk#")[1].split()[0]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            opened = await http.post("/v1/desk/sessions", json={"code": code})
            token = (await opened.json())["token"]
            clients = [socketio.AsyncClient(reconnection=False) for _ in range(4)]
            for client, transport in zip(clients, ["websocket", "polling"] * 2, strict=True):
                await client.connect(
                    f"http://127.0.0.1:{port}",
                    auth={"token": token},
                    namespaces=["/desk"],
                    transports=[transport],
                )
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 10) == 0
            assert time.monotonic() - begun < 5
            for client in clients:
                await client.disconnect()
    assert "error" not in (tmp_path / "stderr.txt").read_text().lower()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "PUBLIC_URL must be an https:// address in production"),
        ({"public_url": "http://visits.example.org"}, "PUBLIC_URL must be an https:// address"),
        ({"public_url": "https://visits.example.org"}, "bedside keys init"),
    ],
)
async def test_production_refuses_to_start_with_a_sentence(tmp_path, settings, words):
    ran = await run("serve", env=environment(tmp_path / "data", mode="production", **settings))
    assert ran.status == 1
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert not (tmp_path / "data" / "keys.json").exists()


async def test_as_many_connections_as_the_system_allows(tmp_path):
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, most))
    try:
        async with serving(tmp_path, free_port()) as (process, _):
            limits = Path(f"/proc/{process.pid}/limits").read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
    (files,) = (line for line in limits.splitlines() if line.startswith("Max open files"))
    assert int(files.split()[3]) == most


async def test_production_refuses_a_weak_key_and_takes_a_good_one(tmp_path):
    data, port = tmp_path / "data", free_port()
    secure = {"mode": "production", "public_url": "https://visits.example.org"}
    env = environment(data, **secure)
    made = await run("keys", "init", env=env)
    assert (made.status, made.err) == (0, "")
    again = await run("keys", "init", env=env)
    assert again.status == 1
    assert "already" in again.err
    async with serving(data, port, **secure) as (_, lines):
        assert any("https://visits.example.org" in line for line in lines)
    ring = json.loads((data / "keys.json").read_text())
    weak = json.dumps(ring).replace(ring["tokens"][0]["secret"], "c2hvcnQ=")
    (data / "keys.json").write_text(weak)
    refused = await run("serve", env=env)
    assert refused.status == 1
    assert "not usable" in refused.err
    assert "c2hvcnQ" not in refused.err


async def test_rotated_keys_are_taken_at_the_next_start(tmp_path):
    env = environment(tmp_path)
    assert (await run("keys", "init", env=env)).status == 0
    before = json.loads((tmp_path / "keys.json").read_text())
    assert (await run("keys", "rotate", env=env)).status == 0
    after = json.loads((tmp_path / "keys.json").read_text())
    assert after["active"] != before["active"]
    assert before["active"] in [key["kid"] for key in after["tokens"]]


async def test_keys_are_rotated_under_way(tmp_path):
    data, port = tmp_path / "data", free_port()
    async with (
        serving(data, port) as (process, _),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
    ):
        code = (data / FIRST_PRACTICE).read_text().split("/desk#")[1].split()[0]

        async def kid():
            opened = await http.post("/v1/desk/sessions", json={"code": code})
            token = (await opened.json())["token"]
            return jwt.get_unverified_header(token)["kid"], token

        first, before = await kid()
        ran = await run("keys", "rotate", env=environment(data, port=port))
        assert "SIGHUP" in ran.out
        assert (await kid())[0] == first, "nobody has said so yet"
        process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(5):
            while (await kid())[0] == first:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
        assert (await kid())[0] == json.loads((data / "keys.json").read_text())["active"]
        client = socketio.AsyncClient(reconnection=False)
        url = f"http://127.0.0.1:{port}"
        await client.connect(url, auth={"token": before}, namespaces=["/desk"])
        await client.disconnect()
    assert "keys_reread" in (tmp_path / "stderr.txt").read_text()


async def test_a_reload_does_not_end_a_node_that_waits_for_its_store(tmp_path):
    keys.create(tmp_path / "keys.json")
    told = {"redis_url": "redis://127.0.0.1:1/0", "node": "a", "port": free_port()}
    env = environment(tmp_path, **told, node_url="http://127.0.0.1:1", log_format="json")
    process = await start("serve", env=env)

    async def hears(words):
        while words not in (said := await process.stderr.readline()):
            assert said, "it has ended"

    try:
        async with asyncio.timeout(20):
            await hears(b"waiting_for_store")
            keys.rotate(tmp_path / "keys.json")
            process.send_signal(signal.SIGHUP)
            await hears(b"keys_reread")
    finally:
        process.kill()
        await process.wait()


async def test_rotating_what_is_not_there_is_refused(tmp_path):
    ran = await run("keys", "rotate", env=environment(tmp_path / "none"))
    assert ran.status == 1
    assert "Traceback" not in ran.err


async def test_a_practice_is_added_beside_a_running_server(tmp_path):
    data, port = tmp_path / "data", free_port()
    async with serving(data, port):
        env = environment(data, port=port)
        ran = await run("practice", "Hillside Clinic", "--phone", "+1 555 010 0177", env=env)
        assert ran.status == 0
        api_key = ran.out.split("API key")[1].split()[0]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            bearer = {"Authorization": f"Bearer {api_key}"}
            assert (await http.get("/v1/visits", headers=bearer)).status == 200


async def test_the_demo_prints_one_line_of_json_for_scripts(tmp_path):
    port = free_port()
    process = await start("demo", "--port", str(port), "--json", env=environment(tmp_path))
    assert process.stdout is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    assert ready["base_url"] == f"http://localhost:{port}"
    assert set(ready["links"]) == {"patient", "provider", "family", "desk", "phone"}
    async with aiohttp.ClientSession() as http:
        for url in (ready["links"]["phone"], ready["control"]):
            assert (await http.get(url)).status == 200
        code = ready["links"]["patient"].split("#")[1]
        answer = await http.post(ready["base_url"] + "/v1/sessions", json={"code": code})
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    rest, _ = await asyncio.wait_for(process.communicate(), 10)
    assert (rest, process.returncode) == (b"", 0)


@pytest.mark.parametrize(("kind", "name"), [("tcp", "PORT"), ("udp", "MEDIA_PORT")])
async def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path, kind, name):
    taken = socket.socket(type=socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    with taken:
        taken.bind(("127.0.0.1", 0))
        if kind == "tcp":
            taken.listen()
        port = taken.getsockname()[1]
        settings = {"port": free_port(), name.lower(): port}
        ran = await run("serve", env=environment(tmp_path, **settings))
    assert ran.status == 1
    assert f"Cannot listen on port {port}" in ran.err
    assert f"BEDSIDE_{name}" in ran.err
    assert "Traceback" not in ran.err


async def test_a_store_that_cannot_be_opened_is_said_in_a_sentence(tmp_path):
    (tmp_path / "bedside.db").write_bytes(b"this is no database" * 1000)
    ran = await run("serve", env=environment(tmp_path))
    assert ran.status == 1
    assert ran.err.splitlines()[-1].startswith("bedside: ")
    assert "Traceback" not in ran.err


async def test_a_misspelt_setting_is_pointed_out(tmp_path):
    env = environment(tmp_path, porrt=1, mode="production")
    ran = await run("serve", env=env)
    assert ran.status == 1
    env = environment(tmp_path, porrt=1, port=free_port())
    process = await start("serve", env=env)
    assert process.stderr is not None
    line = await asyncio.wait_for(process.stderr.readline(), 20)
    assert b"BEDSIDE_PORRT is not a setting" in line
    process.terminate()
    await process.communicate()


async def test_the_demo_speaks_https_for_a_phone_in_the_same_network(tmp_path):
    port = free_port()
    env = environment(tmp_path)
    process = await start("demo", "--https", "--port", str(port), "--json", env=env)
    assert process.stdout is not None
    ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    assert ready["base_url"].startswith("https://")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as http:
        code = ready["links"]["patient"].split("#")[1]
        url = f"https://localhost:{port}/v1/sessions"
        async with http.post(url, json={"code": code}) as answer:
            assert answer.status == 200
            assert answer.headers["Set-Cookie"].startswith("__Host-bedside-")
    process.terminate()
    await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0


async def test_whoever_has_read_enough_of_a_log_is_not_told_of_python(tmp_path):
    ring = keys.create(tmp_path / "data" / "keys.json")
    store = SqliteStore(tmp_path / "data" / "bedside.db", ring.audit)
    await store.open()
    await store.record([happened(visit="") for _ in range(500)])  # more than a pipe holds
    await store.close()
    env = environment(tmp_path / "data")
    process = await start("audit", "export", "--practice", "", env=env)
    await process.stdout.readline()
    process.stdout._transport.close()
    assert await process.wait() == 128 + signal.SIGPIPE
    assert await process.stderr.read() == b""


def test_what_cannot_be_written_is_said_in_a_sentence(monkeypatch, capsys, tmp_path):
    staff = Staff(monkeypatch, capsys, tmp_path)
    staff.uses(tmp_path / "data")
    staff.fills()
    backup = tmp_path / "backup"
    assert staff.give("backup", backup)[0] == 0
    staff.uses(Path("/proc/nowhere"))
    for command in (("keys", "init"), ("practice", "X"), ("restore", backup)):
        told = "bedside: /proc/nowhere cannot be used (No such file or directory)."
        assert staff.give(*command) == (1, "", told)
