"""What browsers are told with every answer, and whose pages may change something."""

import shutil
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import async_playwright

from rooms.policy import EdgePolicy
from server.security_headers import origin_check, security_headers

POLICY = EdgePolicy()
PUBLIC = "https://visits.example.org"
OURS = [PUBLIC, "https://partner.example"]


async def page(request):
    return web.Response(text="<!doctype html>", content_type="text/html")


async def data(request):
    return web.json_response({})


async def missing(request):
    raise web.HTTPNotFound


async def failing(request):
    return web.Response(status=500)


async def socket(request):
    response = web.WebSocketResponse()
    await response.prepare(request)
    await response.close()
    return response


@pytest.fixture
def client_for(aiohttp_client):
    async def make(public_url=PUBLIC):
        app = web.Application(
            middlewares=[security_headers(POLICY, public_url), origin_check(OURS)]
        )
        app.router.add_get("/join", page)
        app.router.add_get("/assets/app-3f2a.js", data)
        app.router.add_get("/assets/gone.js", missing)
        app.router.add_get("/failing", failing)
        app.router.add_get("/socket", socket)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            app.router.add_route(method, "/v1/sessions", data)
        return await aiohttp_client(app)

    return make


@pytest.mark.parametrize(
    "path", ["/join", "/v1/sessions", "/assets/app-3f2a.js", "/assets/gone.js", "/nowhere",
             "/failing"],
)  # fmt: skip
async def test_every_answer_carries_the_headers(client_for, path):
    headers = (await (await client_for()).get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Strict-Transport-Security"] == f"max-age={POLICY.hsts_life}"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "base-uri 'none'" in headers["Content-Security-Policy"]
    for part in ("camera=(self)", "microphone=(self)", "display-capture=(self)", "usb=()"):
        assert part in headers["Permissions-Policy"]


async def test_hsts_lasts_a_year_at_least():
    assert POLICY.hsts_life >= 365 * 24 * 60 * 60


async def test_a_page_may_load_our_own_files_and_nothing_else(client_for):
    csp = (await (await client_for()).get("/join")).headers["Content-Security-Policy"]
    told = dict(part.strip().split(" ", 1) for part in csp.split(";"))
    assert told["default-src"] == told["object-src"] == told["base-uri"] == "'none'"
    assert told["script-src"] == told["style-src"] == "'self'"
    assert told["connect-src"] == "'self' wss://visits.example.org"
    assert "unsafe" not in csp
    assert "http:" not in csp
    assert "*" not in csp


async def test_data_may_load_nothing_at_all(client_for):
    csp = (await (await client_for()).get("/v1/sessions")).headers["Content-Security-Policy"]
    assert csp.startswith("default-src 'none';")
    assert "'self'" not in csp


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/join", False), ("/v1/sessions", False), ("/nowhere", False), ("/assets/gone.js", False),
     ("/assets/app-3f2a.js", True)],
)  # fmt: skip
async def test_only_hashed_files_are_stored(client_for, path, kept):
    answer = await (await client_for()).get(path)
    forever = f"public, max-age={POLICY.asset_life}, immutable"
    assert answer.headers["Cache-Control"] == (forever if kept else "no-store")


@pytest.mark.parametrize(
    "public_url", ["http://localhost:8080", "https://localhost:8443", "http://192.0.2.1"]
)
async def test_no_hsts_where_it_would_do_harm(client_for, public_url):
    answer = await (await client_for(public_url)).get("/join")
    assert "Strict-Transport-Security" not in answer.headers


async def test_a_web_socket_passes(client_for):
    async with (await client_for()).ws_connect("/socket") as opened:
        assert (await opened.receive()).type.name == "CLOSE"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("cookies", [{}, {"bedside-seat": "secret"}])
@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""},
     {"Origin": "http://visits.example.org"}, {"Origin": PUBLIC + ".evil.example"},
     {"Origin": f"{PUBLIC} https://evil.example"}, {"Sec-Fetch-Site": "cross-site"},
     {"Sec-Fetch-Site": "same-site"},
     {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}],
)  # fmt: skip
async def test_another_sites_page_changes_nothing(client_for, method, headers, cookies):
    client = await client_for()
    answer = await client.request(method, "/v1/sessions", headers=headers, cookies=cookies)
    assert answer.status == 403
    assert (await answer.json())["code"] == "origin_refused"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_one_good_origin_does_not_excuse_a_bad_one(client_for):
    client = await client_for()
    headers = [("Origin", PUBLIC), ("Origin", "https://evil.example")]
    answer = await client.post("/v1/sessions", headers=headers)
    assert answer.status in {400, 403}


@pytest.mark.parametrize(
    "headers",
    [{"Origin": PUBLIC}, {"Origin": "https://partner.example"}, {},
     {"Origin": PUBLIC, "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
)  # fmt: skip
async def test_our_own_pages_and_other_programs_do(client_for, headers):
    answer = await (await client_for()).post("/v1/sessions", headers=headers)
    assert answer.status == 200


async def test_reading_asks_for_no_origin(client_for):
    answer = await (await client_for()).get("/join", headers={"Origin": "https://evil.example"})
    assert answer.status == 200


LAUNCH: dict[str, dict[str, Any]] = {
    "chromium": {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]},
    "firefox": {"executable_path": shutil.which("firefox-esr"), "channel": "moz-firefox"},
}
INLINE = "<!doctype html><title>t</title><script>window.inline = true</script><p>page"
ASK = "fetch('/v1/sessions', {method: 'POST'}).then(answer => answer.status)"
OPEN_SOCKET = """new Promise(done => {
    const socket = new WebSocket(`ws://${location.host}/socket`)
    socket.onclose = () => done(true)
})"""


@pytest.mark.browser
@pytest.mark.parametrize("browser", LAUNCH)
async def test_a_real_page_names_its_origin_and_runs_no_inline_script(aiohttp_server, browser):
    """``no-referrer`` turns the Origin of a form into null; ours use fetch, which keeps it."""
    origins = []

    async def inline(request):
        return web.Response(text=INLINE, content_type="text/html")

    async def note(request):
        origins.append(request.headers.get("Origin"))
        return await (data if request.method == "POST" else socket)(request)

    app = web.Application(middlewares=[security_headers(POLICY, "http://localhost")])
    app.router.add_get("/join", inline)
    app.router.add_post("/v1/sessions", note)
    app.router.add_get("/socket", note)
    server = await aiohttp_server(app)
    here = f"http://localhost:{server.port}"
    async with async_playwright() as playwright:
        running = await getattr(playwright, browser).launch(**LAUNCH[browser])
        opened = await running.new_page()
        await opened.goto(f"{here}/join")
        assert await opened.evaluate(ASK) == 200
        assert await opened.evaluate(OPEN_SOCKET)
        assert await opened.evaluate("window.inline") is None
        await running.close()
    assert origins == [here, here]
