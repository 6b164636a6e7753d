"""The real server on a free port in the test's own process, and practices that speak REST to it."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from rooms.model import Visit
from rooms.nodes_policy import NodesPolicy
from rooms.policy import (
    EdgePolicy,
    MediaPolicy,
    Policy,
    PracticeCarrierPolicy,
    SwitchboardPolicy,
)
from server import keys
from server.app import NODE, Policies, build
from server.config import Settings, load_settings
from server.keys import KeyRing
from server.links import hash_code, new_api_key
from server.logs import AccessLog
from server.node import Node
from server.slow_requests import create_runner
from server.store import ApiKey, LogEntry
from server.store import Practice as PracticeRecord
from server.telephony import PhonePolicies
from tests.support.clock import MovableClock

PHONE = "+1 555 010 0142"
PATIENT = {"role": "patient", "name": "Rosa Alvarez"}
PROVIDER = {"role": "provider", "name": "Amina Reyes"}
FAMILY = {"role": "family", "name": "Lucia Marquez", "relationship": "daughter"}
PLENTY = 10_000

# Everybody here comes from one address, and nobody waits for what the clock adds nothing to.
QUICK = EdgePolicy(
    desk_refresh=0.01,
    presence_retry=0.05,
    deadline_retry=0.05,
    store_busy=0.05,
    goodbye_within=0.2,
    connects_per_minute=PLENTY,
    open_per_address=PLENTY,
    sessions_per_minute=PLENTY,
    bad_links_per_minute=PLENTY,
    bad_links_burst=PLENTY,
)

# Telephones that lose no time, where the practice carrier has them.
HASTY = PracticeCarrierPolicy(
    rings_after=0.02,
    refuses_after=0.02,
    answers_after=0.05,
    declines_after=0.05,
    listens_for=0.05,
    voicemail_after=0.05,
    talks_for=0.1,
)
AT_ONCE = SwitchboardPolicy(calls_per_second=1_000.0, farewell_longest=0.05, farewell_settles=0.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        """The answer's JSON."""
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The code of a problem."""
        assert self.headers["Content-Type"].startswith("application/problem+json"), self
        problem = self.body
        assert problem["status"] == self.status
        assert problem["type"] == f"urn:bedside:problem:{problem['code']}"
        assert problem["title"]
        return str(problem["code"])


@dataclass(frozen=True, slots=True)
class Invited:
    """One seat, and the secret of its link."""

    seat: str
    role: str
    code: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A visit and its seats, by role."""

    id: str
    seats: tuple[Invited, ...]

    def __getattr__(self, role: str) -> Invited:
        return next(seat for seat in self.seats if seat.role == role)

    def path(self, role: str = "", rest: str = "") -> str:
        """The REST path of the visit or of one seat."""
        seat = f"/seats/{getattr(self, role).seat}" if role else ""
        return f"/v1/visits/{self.id}{seat}{rest}"


class Practice:
    """A practice's own systems."""

    def __init__(self, server: RunningServer, record: PracticeRecord, key: str) -> None:
        self.id, self.name, self.phone = record.id, record.name, record.phone
        self.key = key
        self._server = server

    def at(self, server: RunningServer) -> Practice:
        """The same practice on a server that was started again."""
        return Practice(server, PracticeRecord(self.id, self.name, self.phone), self.key)

    async def call(
        self, method: str, path: str, body: object = None, *, key: str | None = None, **headers: str
    ) -> Answer:
        """One request, as this practice or as whoever holds ``key``."""
        bearer = self.key if key is None else key
        given = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._server.call(method, path, body, headers=given)

    async def get(self, path: str) -> Any:
        """What is there; it must be there."""
        answer = await self.call("GET", path)
        assert answer.status == 200, answer
        return answer.body

    async def post(self, path: str, body: object = None) -> Answer:
        """One order."""
        return await self.call("POST", path, {} if body is None else body)

    async def plans(
        self, *seats: dict[str, Any], begins_in: float = 0.0, lasts: float = 3600.0
    ) -> Planned:
        """A visit that is open now; by default of patient, provider and one of the family."""
        starts = self._server.clock() + begins_in
        asked = {
            "starts_at": starts,
            "ends_at": starts + lasts,
            "host": "the Tuesday clinic",
            "seats": list(seats or (PATIENT, PROVIDER, FAMILY)),
        }
        made = await self.post("/v1/visits", asked)
        assert made.status == 201, made
        return Planned(made.body["visit"], tuple(invited(seat) for seat in made.body["seats"]))

    async def desk_code(self) -> str:
        """The secret of a new desk link."""
        made = await self.post("/v1/desks")
        return str(made.body["link"]).split("#")[1]

    async def log(self, visit: Planned | None = None) -> list[LogEntry]:
        """Everything in the practice's log, or of one visit."""
        entries = await self._server.node.store.log_after(self.id, 0, 1_000)
        return [entry for entry in entries if visit is None or entry.visit == visit.id]

    async def stored(self, visit: Planned) -> Visit:
        """The visit as a restart would find it."""
        return (await self._server.node.store.load(visit.id)).visit


def invited(seat: Mapping[str, str]) -> Invited:
    """A seat as REST replies it."""
    return Invited(seat["seat"], seat.get("role", ""), seat["link"].split("#")[1])


@dataclass
class RunningServer:
    """One started app, with everything a test may want to look at."""

    app: web.Application
    settings: Settings
    ring: KeyRing
    clock: MovableClock
    url: str
    http: aiohttp.ClientSession
    practices: int = field(default=0)

    @property
    def node(self) -> Node:
        """The parts of the server."""
        return self.app[NODE]

    async def call(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] = {}
    ) -> Answer:
        """One request by nobody in particular; bytes go as they are, anything else as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        async with self.http.request(
            method, self.url + path, data=data, headers=headers, allow_redirects=False
        ) as answer:
            return Answer(answer.status, answer.headers.copy(), await answer.text(errors="replace"))

    async def practice(self) -> Practice:
        """One more practice, with a key of its own."""
        self.practices += 1
        name = f"Riverside Family Practice {self.practices}"
        record = PracticeRecord(f"practice-{self.practices}", name, PHONE)
        key = new_api_key()
        await self.node.store.put_practice(record)
        await self.node.store.add_api_key(
            ApiKey(hash=hash_code(key), practice=record.id, id=f"key-{record.id}", created_at=0)
        )
        return Practice(self, record, key)


@asynccontextmanager
async def running_server(
    data: Path,
    *,
    edge: EdgePolicy = QUICK,
    visit: Policy | None = None,
    phones: PhonePolicies | None = None,
    nodes: NodesPolicy | None = None,
    clock: MovableClock | None = None,
    public_url: str = "",
    **settings: Any,
) -> AsyncIterator[RunningServer]:
    """The whole server over the data in ``data``; it may be started there again."""
    sock = socket.socket()  # a port of our own before the links that name it
    sock.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    if settings.get("redis_url"):
        settings = {"node_url": url, **settings}
    chosen = load_settings(
        data_dir=data,
        public_url=public_url or url,
        **{"media_hosts": ("127.0.0.1",), "media_port": 0, "media_tcp": False, **settings},
    )
    ring = keys.load_or_create(chosen.keys_path, production=False)
    clock = clock or MovableClock()
    policies = Policies(
        visit=visit or Policy(),
        media=MediaPolicy(),
        edge=edge,
        phones=phones or PhonePolicies(practice=HASTY, switchboard=AT_ONCE),
        nodes=nodes or NodesPolicy(),
    )
    app = build(chosen, ring, policies, clock)
    runner = create_runner(app, edge, AccessLog)
    try:
        await runner.setup()
        await web.SockSite(runner, sock).start()
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield RunningServer(app, chosen, ring, clock, url, http)
    finally:
        await runner.cleanup()
        sock.close()
