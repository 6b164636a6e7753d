"""Real Redis servers on loopback: alone, as a group that sentinels watch, or behind TLS and ACL.

Processes are started and hurt synchronously, in milliseconds, so that any test, and a fixture for
the whole session, can own one. What takes seconds (a failover) is awaited.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.certificates import self_signed
from tests.support.ports import free_port

HOST = "127.0.0.1"
GROUP = "bedside"  # what sentinels call their master
DOWN_AFTER = 1.0  # seconds until sentinels believe that a master is gone
STARTS_WITHIN = 10.0  # seconds; on an idle machine it takes 30 ms
FAILS_OVER_WITHIN = 30.0

USER, PASSWORD = "bedside-node", "a password of forty characters, or nearly"

# What a server needs to start quickly and to leave nothing behind.
QUICK = {
    "save": "",
    "appendonly": "no",
    "daemonize": "no",
    "repl-diskless-sync": "no",  # otherwise a replica follows at its next report, a second later
    "enable-debug-command": "yes",
}


class RedisServer:
    """One process. It keeps its port and its directory however often it is killed and started."""

    def __init__(self, folder: Path, *, tls: bool = False, **conf: Any) -> None:
        self.folder = folder
        self.port = free_port()
        self.tls = tls
        self.ca_file: Path | None = None
        self.user = ""
        self.password = ""
        self.requires = ""  # what a sentinel asks everybody for
        self._conf = QUICK | {name.replace("_", "-"): value for name, value in conf.items()}
        self._process: subprocess.Popen[bytes] | None = None
        if tls:
            self._has_certificates()

    @property
    def url(self) -> str:
        """As the setting wants it."""
        return f"{'rediss' if self.tls else 'redis'}://{HOST}:{self.port}/0"

    def starts(self) -> None:
        """Run, with whatever the data directory holds; returns when it answers."""
        assert self._process is None
        command = shutil.which("redis-server")
        assert command, "install Redis: apt-get install redis-server redis-sentinel"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [command, *self._arguments()], cwd=self.folder, stdout=log, stderr=log
            )
        _until(self._answers)

    def kills(self) -> None:
        """As a power cut would; idempotent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hangs(self) -> None:
        """Take connections and answer nothing, until it ``wakes``."""
        self._signal(signal.SIGSTOP)

    def wakes(self) -> None:
        """Go on where it was stopped."""
        self._signal(signal.SIGCONT)

    @contextmanager
    def hung(self) -> Iterator[None]:
        """It hangs in here."""
        self.hangs()
        try:
            yield
        finally:
            self.wakes()

    def command(self, *words: Any) -> Any:
        """The answer to one command, as text."""
        with contextlib.closing(self._client()) as client:
            return client.execute_command(*words)  # type: ignore[no-untyped-call]

    def is_read_only(self) -> None:
        """Become a replica of nobody who is there: reads are answered, writes refused."""
        self.command("REPLICAOF", HOST, free_port())

    def is_master(self) -> None:
        """Take writes again."""
        self.command("REPLICAOF", "NO", "ONE")

    def replica_of(self, other: RedisServer) -> None:
        """Copy ``other`` from now on; returns when it has everything."""
        self.command("REPLICAOF", HOST, other.port)
        _until(lambda: self.command("INFO", "replication")["master_link_status"] == "up")
        _until(lambda: self._is_copied_to(other))
        # It says so a second before it follows: one word that it must confirm.
        other.command("PUBLISH", "ready", "")
        _until(lambda: other.command("WAIT", 1, 1000))

    def _is_copied_to(self, other: RedisServer) -> bool:
        said = other.command("INFO", "replication")
        replicas = [found for name, found in said.items() if name.startswith("slave")]
        states = {found["port"]: found["state"] for found in replicas if isinstance(found, dict)}
        return states.get(self.port) == "online"

    def _signal(self, what: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(what)

    def _arguments(self) -> Iterator[str]:
        door = ("--port", "0", "--tls-port") if self.tls else ("--port",)
        yield from ("--bind", HOST, *door, str(self.port), "--dir", str(self.folder))
        for name, value in self._conf.items():
            yield f"--{name}"
            yield from ([value] if value == "" else str(value).split())

    def _has_certificates(self) -> None:
        self.ca_file, both = self_signed(self.folder, HOST)
        self._conf |= {
            "tls-cert-file": both,
            "tls-key-file": both,
            "tls-ca-cert-file": self.ca_file,
            "tls-auth-clients": "no",
            "tls-replication": "yes",
        }

    def _client(self) -> redis.Redis:
        return redis.Redis(
            host=HOST,
            port=self.port,
            password=self.requires or None,
            socket_timeout=2,
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),
            ssl=self.tls,
            ssl_ca_certs=str(self.ca_file) if self.ca_file else None,
        )

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
        try:
            return bool(self.command("PING"))
        except redis.AuthenticationError:
            return True
        except redis.RedisError:
            return False


class RedisGroup:
    """A master, its replica, and sentinels who choose the next master."""

    def __init__(self, master: RedisServer, replica: RedisServer) -> None:
        self.master = master
        self.replica = replica
        self.sentinels: list[RedisServer] = []

    @property
    def url(self) -> str:
        """As the setting wants it."""
        where = ",".join(f"{HOST}:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{where}/{GROUP}/0"

    async def fails_over(self) -> None:
        """The master is killed; returns when the sentinels have named the other one."""
        self.master.kills()
        await self._is_replaced()

    async def switches(self) -> None:
        """The same on purpose: the master lives on as a replica."""
        await asyncio.to_thread(_until, self._takes_the_order)
        await self._is_replaced()

    @asynccontextmanager
    async def loses_its_last_writes(self) -> AsyncIterator[None]:
        """What is written in here is acknowledged, and gone afterwards."""
        self.replica.hangs()
        self.master.command("CLIENT", "KILL", "TYPE", "replica")
        try:
            yield
        finally:
            self.master.kills()
            self.replica.wakes()
        await self._is_replaced()

    def watched(self) -> bool:
        """Whether every sentinel knows the replica and its colleagues."""
        return all(self._knows_all(sentinel) for sentinel in self.sentinels)

    def _takes_the_order(self) -> bool:
        """Refused until the sentinel has measured the replica."""
        try:
            return bool(self.sentinels[0].command("SENTINEL", "FAILOVER", GROUP))
        except redis.ResponseError:
            return False

    def _knows_all(self, sentinel: RedisServer) -> bool:
        said = sentinel.command("SENTINEL", "MASTER", GROUP)
        found = said if isinstance(said, dict) else dict(zip(said[::2], said[1::2], strict=True))
        others = len(self.sentinels) - 1
        return int(found["num-slaves"]) == 1 and int(found["num-other-sentinels"]) == others

    async def _is_replaced(self) -> None:
        await asyncio.to_thread(_until, self._replaced, FAILS_OVER_WITHIN)
        self.master, self.replica = self.replica, self.master

    def _replaced(self) -> bool:
        try:
            role = self.replica.command("ROLE")[0]
            named = [
                int(each.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", GROUP)[1])
                for each in self.sentinels
            ]
        except redis.RedisError:
            return False
        return role == "master" and set(named) == {self.replica.port}


@contextmanager
def one_redis(*, tls: bool = False, **conf: Any) -> Iterator[RedisServer]:
    """A server with these lines of configuration (``appendonly="yes"``), for any fixture."""
    with tempfile.TemporaryDirectory(prefix="bedside-redis-") as folder:
        server = RedisServer(Path(folder), tls=tls, **conf)
        server.starts()
        try:
            yield server
        finally:
            server.kills()


@asynccontextmanager
async def redis_server(*, tls: bool = False, **conf: Any) -> AsyncIterator[RedisServer]:
    """The same for one test."""
    with one_redis(tls=tls, **conf) as server:
        yield server


@contextmanager
def guarded_redis(*rights: str) -> Iterator[RedisServer]:
    """A server behind TLS that knows one user, with these rights, and nobody else."""
    user = f"{USER} on >{PASSWORD.replace(' ', '_')} {' '.join(rights)}"
    with one_redis(tls=True, user=user, requirepass="of-the-default-user") as server:
        server.user, server.password = USER, PASSWORD.replace(" ", "_")
        yield server


@asynccontextmanager
async def redis_group(
    *, sentinels: int = 1, sentinel_password: str = ""
) -> AsyncIterator[RedisGroup]:
    """A master and its replica, watched by 1 to 3 sentinels, who agree within seconds."""
    quorum = sentinels // 2 + 1
    with contextlib.ExitStack() as stack:
        master = stack.enter_context(one_redis())
        replica = stack.enter_context(one_redis())
        await asyncio.to_thread(replica.replica_of, master)
        group = RedisGroup(master, replica)
        for _ in range(sentinels):
            watching = _sentinel(master, quorum, sentinel_password)
            group.sentinels.append(stack.enter_context(watching))
        await asyncio.to_thread(_until, group.watched)
        yield group


@contextmanager
def _sentinel(master: RedisServer, quorum: int, password: str) -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="bedside-sentinel-") as folder:
        sentinel = _Sentinel(Path(folder), master, quorum, password)
        sentinel.starts()
        try:
            yield sentinel
        finally:
            sentinel.kills()


class _Sentinel(RedisServer):
    """A sentinel keeps its memory in its configuration file."""

    def __init__(self, folder: Path, master: RedisServer, quorum: int, password: str) -> None:
        super().__init__(folder)
        self.requires = password
        lines = [
            f"port {self.port}",
            f"bind {HOST}",
            f"dir {folder}",
            f"sentinel monitor {GROUP} {HOST} {master.port} {quorum}",
            f"sentinel down-after-milliseconds {GROUP} {DOWN_AFTER * 1000:.0f}",
            f"sentinel failover-timeout {GROUP} 4000",
            *([f'requirepass "{password}"'] if password else []),
        ]
        (folder / "sentinel.conf").write_text("\n".join(lines) + "\n")

    def _arguments(self) -> Iterator[str]:
        yield from (str(self.folder / "sentinel.conf"), "--sentinel")


def _until(true: Callable[[], Any], within: float = STARTS_WITHIN) -> None:
    """Ask every few milliseconds; a process that starts tells nobody."""
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "Redis did not get there"
        time.sleep(0.005)
