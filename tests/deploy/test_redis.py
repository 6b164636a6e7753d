"""The shipped Redis and sentinel files: who may do what, what survives, and who takes over."""

import asyncio
import contextlib
import hashlib
import re
import shutil
import subprocess
import time
import uuid

import pytest
import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError
from redis.retry import Retry

from rooms.nodes_policy import NodesPolicy
from server.config import load_settings
from server.redis_config import RedisConfig
from server.redis_keys import RedisKeys
from server.redis_link import READS, RedisLink
from tests.contracts.store_contract import StoreContract
from tests.support.ports import free_port
from tests.support.records import Clock
from tests.support.redis_server import RedisServer
from tests.support.redis_stores import Stores
from tests.support.source_tree import ROOT

FILES = ROOT / "deploy" / "redis"
HOST = "127.0.0.1"
USERS = {
    "bedside": "word-of-the-nodes",
    "replica": "word-of-replicas",
    "sentinel": "word-of-sentinels",
}
NOT_OURS = [
    "CONFIG GET *", "KEYS *", "FLUSHALL", "FLUSHDB", "SHUTDOWN", "ACL LIST",
    "REPLICAOF NO ONE", "SAVE", "BGREWRITEAOF", "CLIENT LIST", "MONITOR", "FUNCTION LIST",
    "SCRIPT FLUSH", "MODULE LIST", "INFO", "LATENCY DOCTOR", "MIGRATE h 1 k 0 1",
    "RENAME bedside:a bedside:b",
    "GET other:key", "SET other:key 1", "PUBLISH other:changed x", "SUBSCRIBE other:changed",
]  # fmt: skip


def _acl(folder):
    """users.acl with its passwords filled in, as redis.conf tells operators to."""
    text = (FILES / "users.acl").read_text()
    for user, password in USERS.items():
        digest = hashlib.sha256(password.encode()).hexdigest()
        text = text.replace(f"{user.upper()}_SHA256", digest)
    path = folder / "users.acl"
    path.write_text(text)
    return path


class Running:
    """Redis or a sentinel from a shipped file; what is said besides is what its head asks for."""

    def __init__(self, folder, *command):
        self.port = free_port()
        self._folder = folder
        self._command = [*command, "--port", str(self.port), "--bind", HOST, "--dir", str(folder)]

    def starts(self):
        with (self._folder / f"{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)
        _until(self.answers)

    def ends(self):
        """As a power cut would; idempotent."""
        self.process.kill()
        self.process.wait()

    @property
    def to_follow(self):
        """What a replica of this one is told."""
        return ("--replicaof", HOST, str(self.port))

    def __enter__(self):
        self.starts()
        return self

    def __exit__(self, *problem):
        self.ends()

    def answers(self):
        assert self.process.poll() is None, (self._folder / f"{self.port}.log").read_text()[-800:]
        with contextlib.closing(self.client()) as client:
            try:
                return client.ping()
            except redis.AuthenticationError:
                return True
            except redis.RedisError:
                return False

    def client(self, user=None):
        return redis.Redis(
            host=HOST,
            port=self.port,
            username=user,
            password=USERS.get(user),
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),
        )


def _redis(folder, *more):
    folder.mkdir()
    conf = shutil.copy(FILES / "redis.conf", folder)  # sentinels have it rewritten
    ours = ("--aclfile", str(_acl(folder)), "--masterauth", USERS["replica"])
    return Running(folder, shutil.which("redis-server"), conf, *ours, *more)


def _until(true, within=15.0):
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """One Redis without replicas, for which the file says what to change."""
    folder = tmp_path_factory.mktemp("redis") / "one"
    with _redis(folder, "--min-replicas-to-write", "0") as server:
        yield server


@pytest.fixture
def clock():
    return Clock()


def _commands_used():
    """Every command in our scripts and in what is asked from Python."""
    text = "\n".join(path.read_text() for path in (ROOT / "server").glob("redis_*.py"))
    asked = re.findall(r"""(?:redis\.p?call|\.call|\.ask|\.say)\(\s*['"]([A-Z]+)['"]""", text)
    tuples = re.findall(r"""=\s*\(\s*"([A-Z]{3,})",""", text)
    return {*asked, *tuples, *READS} - {"SENTINEL"}


def _granted(user):
    [line] = [each for each in _acl_lines() if each.startswith(f"user {user} ")]
    return {word[1:].upper() for word in line.split() if word.startswith("+")}


def _acl_lines():
    return (FILES / "users.acl").read_text().splitlines()


def test_nodes_are_granted_each_command_that_they_use():
    used = _commands_used()
    assert {"EVALSHA", "HSET", "XADD", "WAIT", "PUBLISH"} <= used
    assert used - _granted("bedside") == set()


def test_no_class_of_commands_is_granted():
    assert not [word for line in _acl_lines() for word in line.split() if word.startswith("+@")]


class TestStoreWithTheRightsOfANode(StoreContract):
    """The contract of every store, by a user who may do nothing else."""

    @pytest.fixture
    async def open_store(self, alone, clock, tmp_path):
        seen = RedisServer(tmp_path)
        seen.port, seen.user, seen.password = alone.port, "bedside", USERS["bedside"]
        stores = Stores(seen, clock)
        stores.keys = RedisKeys(f"bedside:{uuid.uuid4().hex}")
        yield stores.open
        await stores.close()


@pytest.mark.parametrize("command", NOT_OURS)
def test_a_node_may_do_nothing_else(alone, command):
    with contextlib.closing(alone.client("bedside")) as client, pytest.raises(NoPermissionError):
        client.execute_command(*command.split())


def test_a_stranger_may_do_nothing(alone):
    with contextlib.closing(alone.client()) as client:
        for command in ("PING", "GET bedside:x", "INFO", "EVAL return 0"):
            with pytest.raises(redis.AuthenticationError):
                client.execute_command(*command.split())


def test_what_was_acknowledged_survives_a_kill(alone):
    with contextlib.closing(alone.client("bedside")) as client:
        client.set("bedside:kept", "yes")
    alone.ends()
    alone.starts()
    with contextlib.closing(alone.client("bedside")) as client:
        assert client.get("bedside:kept") == "yes"


@pytest.fixture
def three(tmp_path):
    """Three Redis and three sentinels, as redis.conf and sentinel.conf describe them."""
    with contextlib.ExitStack() as stack:
        first = _redis(tmp_path / "redis-0")
        stack.enter_context(first)
        others = [_redis(tmp_path / f"redis-{n}", *first.to_follow) for n in (1, 2)]
        sentinels = [_sentinel(tmp_path / f"sentinel-{n}", first.port) for n in range(3)]
        for program in (*others, *sentinels):
            stack.enter_context(program)
        yield [first, *others], sentinels


def _sentinel(folder, master):
    folder.mkdir()
    conf = folder / "sentinel.conf"
    text = (FILES / "sentinel.conf").read_text().replace("10.0.0.11 6379", f"{HOST} {master}")
    # Three seconds are what the file is for, and what this test need not wait for.
    text = text.replace("bedside 3000", "bedside 400")
    conf.write_text(f"{text}\nsentinel auth-pass bedside {USERS['sentinel']}\n")
    return Running(folder, shutil.which("redis-server"), str(conf), "--sentinel")


async def test_another_redis_takes_over_and_takes_decisions(three):
    servers, sentinels = three
    where = ",".join(f"{HOST}:{sentinel.port}" for sentinel in sentinels)
    settings = load_settings(
        redis_url=f"redis+sentinel://{where}/bedside/0",
        redis_user="bedside",
        redis_password=USERS["bedside"],
    )
    await asyncio.to_thread(_until, lambda: all(map(_knows_everybody, sentinels)))
    link = RedisLink(RedisConfig.of(settings), NodesPolicy(), probe="bedside:probe")
    await link.open()
    await asyncio.to_thread(_until, lambda: _copies(servers[0]) == 2)
    assert await link.call("SET", "bedside:before", "1") == "OK"
    servers[0].ends()
    async with asyncio.timeout(30):
        while not await link.healthy():  # noqa: ASYNC110 - it is what is waited for
            await asyncio.sleep(0.05)
    assert await link.call("GET", "bedside:before") == "1"
    await link.close()


def _knows_everybody(sentinel):
    with contextlib.closing(sentinel.client()) as client:
        about = client.sentinel_master("bedside")
    return (int(about["num-slaves"]), int(about["num-other-sentinels"])) == (2, 2)


def _copies(server):
    with contextlib.closing(server.client("bedside")) as client:
        return len(client.execute_command("ROLE")[2])


def test_a_master_that_lost_both_others_takes_no_decision(three):
    servers, sentinels = three
    for program in (*sentinels, *servers[1:]):
        program.ends()
    with contextlib.closing(servers[0].client("bedside")) as client:
        _until(lambda: _refused(client))


def _refused(client):
    try:
        client.set("bedside:lost", "1")
    except redis.ResponseError as error:
        return "NOREPLICAS" in str(error)
    return False
