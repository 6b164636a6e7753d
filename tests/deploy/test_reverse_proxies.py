"""The proxies' files as they are shipped, in Caddy and nginx, before two small servers."""

import asyncio
import io
import ssl
import subprocess
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from server.peering import NodeUnreachable
from tests.support.ports import free_port
from tests.support.reverse_proxies import (
    DEPLOY,
    caddy,
    caddy_environment,
    found,
    nginx,
    nginx_files,
)

INSIDE = [
    "/internal", "/internal/visits/v/submit", "/INTERNAL/owned", "//internal/owned",
    "/%69nternal/owned", "/x/../internal/owned", "/n/a/socket.io/../../../internal/owned",
    "/internal%2fowned", "/metrics", "/metrics/", "/./metrics", "/Metrics",
]  # fmt: skip

LOOKERS = 3  # each `import any_ready` of the Caddyfile looks for itself


class SmallNode:
    """Says its name and what it was asked; echoes on WebSockets; ready as long as it is told to."""

    def __init__(self, name):
        self.name = name
        self.asked = []
        self.largest = 0
        self.ready = True
        self.looked_at = asyncio.Condition()
        app = web.Application(client_max_size=0)
        app.router.add_get("/readyz", self._readiness)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._server = TestServer(app, host="127.0.0.1")

    async def starts(self):
        await self._server.start_server()
        self.address = f"127.0.0.1:{self._server.port}"

    async def dies(self):
        await self._server.close()

    async def turns(self, *, ready):
        """Return once everybody who looks has looked twice, so that the first look was acted on."""
        self.ready = ready
        async with self.looked_at:
            for _ in range(2 * LOOKERS):
                await self.looked_at.wait()

    async def _readiness(self, _request):
        async with self.looked_at:
            self.looked_at.notify_all()
        return web.Response(status=200 if self.ready else 503)

    async def _answer(self, request):
        self.asked.append(request.path)
        if request.headers.get("Upgrade") == "websocket":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            async for message in socket:
                await socket.send_str(f"{self.name} heard {message.data}")
            return socket
        heads = {name: request.headers.getall(name, []) for name in
                 ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded")}  # fmt: skip
        body = await request.text()
        self.largest = max(self.largest, len(body))
        told = {"node": self.name, "body": body, "heads": heads}
        return web.json_response({**told, "host": request.host})


@pytest.fixture
async def nodes():
    pair = SmallNode("a"), SmallNode("b")
    for node in pair:
        await node.starts()
    yield pair
    for node in pair:
        await node.dies()


@pytest.fixture(params=[caddy, nginx], ids=["caddy", "nginx"])
async def site(request, nodes, tmp_path):
    async with _site(request.param, nodes, tmp_path) as running:
        yield running


@pytest.fixture
async def caddy_site(nodes, tmp_path):
    async with _site(caddy, nodes, tmp_path) as running:
        yield running


@dataclass
class Site:
    """What browsers see of an installation."""

    origin: URL
    http: aiohttp.ClientSession
    tls: ssl.SSLContext | None
    looks: bool  # at the readiness of nodes

    def get(self, path, **options):
        return self.http.get(self._url(path), **options)

    def post(self, path, **options):
        return self.http.post(self._url(path), **options)

    def socket(self, path):
        return self.http.ws_connect(self._url(path))

    async def breaks_off(self, path):
        """Announce a body, send a part of it, and go away."""
        tls = {"ssl": self.tls} if self.tls else {}
        reader, writer = await asyncio.open_connection(self.origin.host, self.origin.port, **tls)
        head = f"POST {path} HTTP/1.1\r\nHost: {self.origin.authority}\r\nContent-Length: 100"
        writer.write(f"{head}\r\n\r\nhalf".encode())
        await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await reader.read()

    def _url(self, path):
        """Spelt as it is: what proxies make of odd paths is what is tested."""
        return URL(f"{self.origin}{path}", encoded=True)


@asynccontextmanager
async def _site(proxy, nodes, folder):
    async with proxy(folder, *(node.address for node in nodes)) as front:
        connector = aiohttp.TCPConnector(ssl=front.tls if front.tls is not None else True)
        async with aiohttp.ClientSession(connector=connector) as http:
            yield Site(URL(front.origin).origin(), http, front.tls, front.looks)


async def _said(answer):
    async with answer as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def test_the_path_of_a_node_leads_to_it(site):
    for name in "abba":
        said = await _said(site.get(f"/n/{name}/socket.io/?EIO=4&transport=polling"))
        assert said["node"] == name


async def test_a_web_socket_passes(site):
    async with site.socket("/n/b/socket.io/?EIO=4&transport=websocket") as socket:
        await socket.send_str("hello")
        assert await socket.receive_str() == "b heard hello"


async def test_a_node_that_is_dead_is_skipped(site, nodes):
    a, b = nodes
    await a.dies()
    for _ in range(12):
        assert (await _said(site.get("/join")))["node"] == b.name
    async with site.get("/n/a/socket.io/") as response:
        assert response.status in {502, 503, 504}


async def test_what_people_send_arrives_whole_once_a_node_is_dead(site, nodes):
    a, b = nodes
    await a.dies()
    if site.looks:
        await b.turns(ready=True)  # by then the proxy has looked at the other one, too
    for number in range(12):
        said = await _said(site.post("/v1/sessions", data=f"body {number}"))
        assert (said["node"], said["body"]) == (b.name, f"body {number}")


async def test_requests_that_break_cost_nobody_else_a_node(site):
    """Of strangers who send less than they announce, the nodes are not to blame."""
    for _ in range(4):
        await site.breaks_off("/v1/sessions")
    for _ in range(4):
        await _said(site.get("/join"))
        await _said(site.post("/v1/sessions", data="whole"))


async def test_polls_of_one_browser_meet_one_node(site):
    met = [(await _said(site.get("/socket.io/?transport=polling")))["node"] for _ in range(8)]
    assert len(set(met)) == 1


async def test_nobody_outside_reaches_what_is_for_nodes(site, nodes):
    for path in INSIDE:
        async with site.get(path) as response:
            assert response.status == 404, path
    assert not [path for node in nodes for path in node.asked]


async def test_only_the_proxy_says_where_a_request_comes_from(site):
    lies = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    said = await _said(site.get("/join", headers={**lies, "X-Forwarded-Proto": "gopher"}))
    assert said["heads"]["X-Forwarded-For"] == ["127.0.0.1"]
    assert said["heads"]["X-Forwarded-Proto"] == [site.origin.scheme]
    assert said["heads"]["Forwarded"] in ([], [""])


async def test_what_is_larger_than_anything_we_take_is_refused(site, nodes):
    try:
        async with site.post("/v1/announcements", data=io.BytesIO(bytes(8_000_000))) as response:
            assert response.status in {413, 502}
    except aiohttp.ClientConnectionError:
        pass  # it closed in the middle of the body, which is as good
    assert max(node.largest for node in nodes) < 8_000_000
    for _ in range(4):
        await _said(site.get("/join"))


async def test_a_node_that_is_not_ready_keeps_its_visits_and_gets_no_others(caddy_site, nodes):
    a, _ = nodes
    await a.turns(ready=False)
    for _ in range(6):
        assert (await _said(caddy_site.post("/v1/sessions", data="x")))["node"] == "b"
    assert (await _said(caddy_site.get("/n/a/socket.io/")))["node"] == "a"


async def test_when_no_node_is_ready_pages_are_still_served(caddy_site, nodes):
    await asyncio.gather(*(node.turns(ready=False) for node in nodes))
    assert (await _said(caddy_site.get("/join")))["node"] in {"a", "b"}
    async with caddy_site.post("/v1/sessions", data="x") as response:
        assert response.status == 503
        assert response.headers["Retry-After"] == "1"
        assert (await response.json(content_type="application/problem+json"))["code"] == (
            NodeUnreachable.code
        )
    assert (await _said(caddy_site.get("/join")))["node"] in {"a", "b"}


def test_as_many_look_as_these_tests_wait_for():
    assert (DEPLOY / "Caddyfile").read_text().count("import any_ready") == LOOKERS


@pytest.mark.parametrize("address", ["visits.example.org", "http://localhost:8080"])
def test_caddy_takes_its_file(tmp_path, address):
    command = [found("caddy"), "validate", "--adapter", "caddyfile", "--config"]
    environment = caddy_environment(tmp_path, SITE=address)
    done = subprocess.run(
        [*command, DEPLOY / "Caddyfile"],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_nginx_takes_its_file(tmp_path):
    _, main = nginx_files(tmp_path, free_port(), "127.0.0.1:1", "127.0.0.1:2")
    command = [found("nginx"), "-t", "-p", tmp_path, "-c", main, "-e", "stderr"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_nginx_leaves_no_placeholder_unsaid(tmp_path):
    nginx_files(tmp_path, free_port(), "127.0.0.1:1", "127.0.0.1:2")
    assert "${" not in (tmp_path / "bedside.conf").read_text()
