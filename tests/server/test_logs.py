import asyncio
import io
import json
import logging
import sqlite3

import pytest
import structlog
from aiohttp import ClientSession, web

from rooms.errors import NotAdmitted
from server.config import LogFormat, LogLevel
from server.links import new_code
from server.logs import AccessLog, configure
from server.traces import Traces

TRACES = Traces(bytes(range(32)))


@pytest.fixture
def stream():
    """A stream that logging writes to; everything is put back as it was afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, logging.getLogger("aiohttp.access").disabled)
    yield io.StringIO()
    root.handlers[:], root.level, logging.getLogger("aiohttp.access").disabled = before
    for name in ("rooms", "media", "server", "__main__"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


@pytest.fixture
def written(stream):
    configure(LogLevel.INFO, LogFormat.JSON, stream, TRACES)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def a_logger(name="server.keeper"):
    return structlog.get_logger(name)


def test_a_line_is_one_json_object(written):
    a_logger().info("visit opened", visit="visit-1", people=3)
    (line,) = written()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "visit opened",
        "level": "info",
        "logger": "server.keeper",
        "visit": TRACES.name("visit-1"),
        "people": 3,
    }


def test_people_can_read_it_too(stream):
    configure(LogLevel.INFO, LogFormat.CONSOLE, stream, TRACES)
    a_logger().info("visit opened", visit="visit-1", said_name="Ann\r\nroot: all well")
    (line,) = stream.getvalue().splitlines()
    assert "visit opened" in line
    assert f"visit={TRACES.name('visit-1')}" in line
    assert "Ann" not in line


def test_context_is_told_and_cleaned(written):
    with structlog.contextvars.bound_contextvars(visit="visit-1", token="t"):
        a_logger().bind(name="Ann").warning("slow")
    (line,) = written()
    assert (line["visit"], line["token"], line["name"]) == (
        TRACES.name("visit-1"), "[redacted]", "[redacted]",
    )  # fmt: skip


@pytest.mark.parametrize("key", ["visit", "seat", "by", "device", "call", "session", "desk"])
def test_an_id_never_stands_in_a_line(written, key):
    a_logger().info("slow", **{key: "id-of-somebody"})
    logging.getLogger("server.other").warning("slow", extra={key: "id-of-somebody"})
    first, second = written()
    assert first[key] == TRACES.name("id-of-somebody")
    assert "id-of-somebody" not in json.dumps([first, second])


def test_without_a_key_nobody_is_named(stream):
    configure(LogLevel.INFO, LogFormat.JSON, stream)
    a_logger().info("slow", visit="visit-1")
    assert json.loads(stream.getvalue())["visit"] == "[redacted]"


@pytest.mark.parametrize("form", LogFormat)
def test_no_secret_gets_out_in_any_form(stream, form):
    configure(LogLevel.DEBUG, form, stream)
    code = new_code()
    log = a_logger()
    log.info(f"message {code}")  # noqa: G004 - never done, and caught if it is
    log.info("field", visit=code, path=f"/join#{code}")
    log.info("key", **{code: 1})
    log.info("nested", request={"headers": [("Referer", f"https://a.example/join#{code}")]})
    logging.getLogger("aiohttp.server").error("bad request %r", f"GET /join?c={code} HTTP/1.1")
    try:
        raise ValueError(code)
    except ValueError:
        log.exception("failed")
        logging.getLogger("engineio.server").exception("failed too")
    assert len(stream.getvalue().splitlines()) == 7
    assert code not in stream.getvalue()


def test_an_exception_is_told_by_types_and_places(written):
    def inner():
        raise sqlite3.OperationalError("Ann")

    try:
        try:
            inner()
        except sqlite3.OperationalError as error:
            raise NotAdmitted("Ann is not here") from error
    except NotAdmitted:
        a_logger().exception("refused", visit="visit-1")
    (line,) = written()
    assert line["error"] == ["NotAdmitted: not_admitted", "OperationalError"]
    assert line["at"][0].startswith("tests/server/test_logs.py:")
    assert line["at"][0].endswith("test_an_exception_is_told_by_types_and_places")
    assert "Ann" not in json.dumps(line)


def test_constants_of_the_system_are_told(written):
    def fail(statement):
        db = sqlite3.connect(":memory:")
        try:
            db.execute(statement)
        finally:
            db.close()

    for attempt in (lambda: fail("SELECT Ann"), lambda: open("/nowhere/Ann")):  # noqa: PTH123, SIM115
        try:
            attempt()
        except Exception:
            a_logger().exception("failed")
    database, file = (line["error"] for line in written())
    assert database == ["OperationalError: SQLITE_ERROR"]
    assert file == ["FileNotFoundError: No such file or directory"]


def test_an_exception_can_be_handed_over(written):
    a_logger().error("failed", exc_info=KeyError("Ann"))
    (line,) = written()
    assert (line["error"], line["at"]) == (["KeyError"], [])


def test_levels_are_kept(stream):
    configure(LogLevel.WARNING, LogFormat.JSON, stream)
    a_logger().info("not this")
    logging.getLogger("server.other").info("nor this")
    a_logger().warning("but this")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["but this"]


def test_libraries_are_heard_from_warnings_up_whatever_our_level(stream):
    configure(LogLevel.DEBUG, LogFormat.JSON, stream)
    for name in ("aioice.ice", "aiortc", "engineio.server", "socketio.server", "asyncio"):
        logging.getLogger(name).info("frame with everything in it")
        logging.getLogger(name).debug("frame with everything in it")
    assert stream.getvalue() == ""
    logging.getLogger("aiortc").warning("something")
    assert json.loads(stream.getvalue())["logger"] == "aiortc"


async def test_a_forgotten_task_tells_nothing_of_its_error(written):
    async def fail():
        raise ValueError("Ann")

    told = "Task exception was never retrieved"
    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    asyncio.get_running_loop().call_exception_handler(
        {
            "message": told,
            "exception": task.exception(),
            "task": task,
        }
    )
    (line,) = written()
    assert line["event"] == told
    assert line["error"] == ["ValueError"]
    assert "Ann" not in json.dumps(line)


def test_a_line_that_cannot_be_written_is_not_shown_elsewhere(capsys):
    class Broken(io.StringIO):
        def write(self, text):
            raise OSError("full")

    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        configure(LogLevel.INFO, LogFormat.JSON, Broken())
        logging.getLogger("aiohttp.server").error("Ann %s", "Ann")
    finally:
        root.handlers[:], root.level = before
        structlog.reset_defaults()
    assert capsys.readouterr().err == ""


def test_setting_up_twice_writes_once(stream):
    for _ in range(2):
        configure(LogLevel.INFO, LogFormat.JSON, stream)
    a_logger().info("once")
    assert len(stream.getvalue().splitlines()) == 1


async def test_a_request_is_told_by_its_route_and_never_by_its_target(written):
    async def answer(_request):
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_get("/v1/visits/{visit}", answer)
    runner = web.AppRunner(app, access_log_class=AccessLog)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    code = new_code()
    async with ClientSession(f"http://127.0.0.1:{site.port}") as client:
        await client.get(f"/v1/visits/Ann?code={code}", headers={"Referer": f"http://a/#{code}"})
        await client.get(f"/join/{code}?code={code}")
    await runner.cleanup()
    first, second = (line for line in written() if line["event"] == "request served")
    assert (first["method"], first["route"], first["status"]) == ("GET", "/v1/visits/{visit}", 200)
    assert (second["route"], second["status"]) == ("none", 404)
    assert first["milliseconds"] >= 0
    told = json.dumps(written())
    assert code not in told
    assert "Ann" not in told


async def test_what_is_not_http_is_one_line_that_repeats_nothing_of_it(written):
    app = web.Application()
    runner = web.AppRunner(app, access_log_class=AccessLog)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    secret = new_code()
    for line in (f"GET /{secret}\0 HTTP/1.1", f"GET / HTTP/1.1\r\nCookie: {secret * 300}"):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(line.encode() + b"\r\nHost: x\r\n\r\n")
        assert b" 400 " in await reader.readline()
        writer.close()
    await runner.cleanup()
    assert [(line["event"], line["status"]) for line in written()] == [("request served", 400)] * 2
    assert secret not in json.dumps(written())


def test_the_librarys_own_access_log_is_silent(written):
    logging.getLogger("aiohttp.access").error("GET /join?code=x")
    assert written() == []
