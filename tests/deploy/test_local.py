"""``make cluster``: everything starts, a visit works, and nothing is left behind."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import aiohttp
import pytest

from deploy.local.program import NotStarted, Program, folder_for_now, says
from tests.support.ports import free_port
from tests.support.returning_client import ReturningClient

STARTS_WITHIN = 45.0
ENDS_WITHIN = 20.0
PARTS = ["redis-master", "redis-replica", "sentinel", "turnserver", "node-a", "node-b", "caddy"]


async def run(*arguments):
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.local", *arguments), stdout=PIPE, stderr=PIPE
    )


@pytest.fixture
async def started():
    process = await run("--port", str(free_port()), "--json")
    line = await asyncio.wait_for(process.stdout.readline(), STARTS_WITHIN)
    assert line, (await process.stderr.read()).decode()
    yield process, json.loads(line)
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def until_nothing_is_left(told):
    pids = [part["pid"] for part in told["parts"].values()]
    folders = {Path(part["log"]).parent for part in told["parts"].values()}
    assert len(folders) == 1
    async with asyncio.timeout(ENDS_WITHIN):
        while any(map(_lives, pids)) or any(map(Path.exists, folders)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _lives(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


async def test_a_visit_works_and_ctrl_c_leaves_nothing(started):
    process, told = started
    assert list(told["parts"]) == PARTS
    assert told["links"].keys() == {"patient", "provider", "family", "desk"}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        patient = ReturningClient(http, told["links"]["patient"])
        provider = ReturningClient(http, told["links"]["provider"])
        for each in (patient, provider):
            await each.open()
            await each.arrives()
        await provider.signals("seat:admit", {"seat": patient.seat})
        await patient.until(lambda: patient.inside)
        for each in (patient, provider):
            await each.speaks()
        await patient.gets_sound_and_picture(provider.seat)
        await provider.gets_sound_and_picture(patient.seat)
        for each in (patient, provider):
            await each.close()

    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), ENDS_WITHIN) == 0
    await until_nothing_is_left(told)
    assert (await process.stderr.read()).decode() == ""


async def test_whoever_is_killed_takes_everything_along(started):
    process, told = started
    process.kill()
    await until_nothing_is_left(told)


async def test_a_port_that_is_taken_is_said_in_a_sentence_and_leaves_nothing():
    async def nobody(_reader, writer):
        writer.close()

    server = await asyncio.start_server(nobody, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        process = await run("--port", str(port))
        _, errors = await asyncio.wait_for(process.communicate(), STARTS_WITHIN)
    assert process.returncode == 1
    assert errors.decode().startswith(f"make cluster: port {port} is taken")
    assert "Traceback" not in errors.decode()


async def test_a_program_that_ends_at_once_says_its_last_words(tmp_path):
    program = Program("clock", ["sh", "-c", "echo it is late; exit 3"], tmp_path, says("ready"))
    with pytest.raises(NotStarted, match="clock ended at once: it is late"):
        await program.starts()


async def test_a_program_can_be_hung_and_woken_and_started_again(tmp_path):
    program = Program("clock", ["sh", "-c", "echo ready; exec sleep 60"], tmp_path, says("ready"))
    await program.starts()
    program.hangs()
    await program.stops()  # a process that hangs cannot stop: it is woken for that
    assert not program.runs
    await program.starts()
    assert program.runs
    assert program.said() == "ready\n"
    await program.is_killed()


async def test_a_folder_for_now_is_gone_afterwards():
    async with folder_for_now("bedside-test-") as folder:
        (folder / "file").write_text("something")
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
