"""Connections that dribble are cut, and everybody else's requests go on."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web

from rooms.policy import EdgePolicy
from server.slow_requests import bodies_in_time, create_runner

POLICY = EdgePolicy(headers_within=0.4, body_within=0.4, stop_within=0.4)
HEAD = b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\n"


async def echo(request):
    return web.Response(body=await request.read())


@asynccontextmanager
async def server():
    app = web.Application(middlewares=[bodies_in_time(POLICY)], client_max_size=100)
    app.router.add_post("/v1/sessions", echo)
    app.router.add_get("/", echo)
    runner = create_runner(app, POLICY)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def answer_to(port, data, dribble=b""):
    """Everything the server says until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)

    async def dribbling():
        while dribble:
            await asyncio.sleep(0.1)
            writer.write(dribble)

    task = asyncio.create_task(dribbling())
    answer = b""
    try:
        async with asyncio.timeout(3):
            while data := await reader.read(4_096):
                answer += data
    except ConnectionResetError:  # cut while we were still sending
        pass
    finally:
        task.cancel()
        writer.close()
    return answer


@pytest.mark.parametrize(
    ("data", "dribble"),
    [
        (b"", b""),
        (b"GET / HT", b""),
        (HEAD, b""),
        (HEAD, b"a: b\r\n"),
        (b"", b"\r\n"),
    ],
    ids=["silence", "half a line", "half the headers", "endless headers", "empty lines"],
)
async def test_headers_that_do_not_come_in_time_end_the_connection(data, dribble):
    async with server() as port:
        assert b" 200 " not in await answer_to(port, data, dribble)


async def test_an_idle_connection_ends_after_its_answer():
    async with server() as port:
        answer = await answer_to(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("data", "dribble"),
    [
        (HEAD + b"Content-Length: 10\r\n\r\nabc", b""),
        (HEAD + b"Content-Length: 90\r\n\r\n", b"a"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b""),
    ],
    ids=["half a body", "a dribbling body", "an endless body"],
)
async def test_a_body_that_does_not_come_in_time_is_a_problem_and_the_end(data, dribble):
    async with server() as port:
        answer = await answer_to(port, data, dribble)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"too_slow"' in answer


async def test_a_body_in_time_is_there_and_bounded():
    async with server() as port, ClientSession() as http:
        url = f"http://127.0.0.1:{port}/v1/sessions"
        async with http.post(url, data=b"x" * 100) as answer:
            assert await answer.read() == b"x" * 100
        async with http.post(url, data=b"x" * 1_000) as answer:
            assert answer.status == 413


async def test_a_crowd_of_slow_connections_delays_nobody():
    async with server() as port, ClientSession() as http:
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
        for _, writer in crowd:
            writer.write(HEAD)
        async with asyncio.timeout(1), http.get(f"http://127.0.0.1:{port}/") as answer:
            assert answer.status == 200
        for reader, writer in crowd:
            assert await asyncio.wait_for(reader.read(), 3) == b""
            writer.close()
