"""TABLE of the programs of an installation: what each is started with, and when it is ready."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from deploy.local.ports import free_port
from deploy.local.program import NotStarted, Program, says

HERE = "127.0.0.1"
GROUP = "bedside"  # what the sentinel calls the master and its replica
SERVE = (sys.executable, "-m", "server", "serve")

_TURN_SCHEMA = Path("/usr/share/coturn/schema.sql")  # of the Debian package
_DEPLOY = Path(__file__).parents[1]
_DRAINS_WITHIN = 10.0  # seconds; nobody's visit is to be saved when everything stops
_MASTER_DOWN_AFTER = 3_000  # milliseconds


@dataclass(frozen=True, slots=True)
class NodePlan:
    """Where a node listens, and which command runs it."""

    name: str
    port: int
    media_port: int
    command: Sequence[str] = SERVE
    host: str = HERE

    @property
    def address(self) -> str:
        """Where the proxy reaches it."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Where the other nodes reach it, unless its settings name another place."""
        return f"http://{self.address}"


def plan_node(name: str, command: Sequence[str] = SERVE) -> NodePlan:
    """A node on ports that are free."""
    return NodePlan(name, free_port(), free_port(), command)


def redis_server(folder: Path, name: str, port: int, *, copies: int = 0) -> Program:
    """A Redis that keeps what it is told; with ``copies`` a replica of the one at that port."""
    data = folder / name
    data.mkdir()
    command = [
        _found("redis-server"),
        *("--bind", HERE, "--port", str(port), "--dir", str(data)),
        *("--save", "", "--appendonly", "yes", "--repl-diskless-sync-delay", "0"),
        *(("--replicaof", HERE, str(copies)) if copies else ()),
    ]
    return Program(name, command, folder, says("MASTER <-> REPLICA sync: Finished") if copies
                   else says("Ready to accept connections"))  # fmt: skip


def redis_sentinel(folder: Path, port: int, master: int) -> Program:
    """Whoever names the next master. One is enough to show it; an installation has three."""
    conf = folder / "sentinel.conf"  # sentinels write into it
    conf.write_text(
        f"bind {HERE}\nport {port}\ndir {folder}\n"
        f"sentinel monitor {GROUP} {HERE} {master} 1\n"
        f"sentinel down-after-milliseconds {GROUP} {_MASTER_DOWN_AFTER}\n"
    )
    command = (_found("redis-server"), str(conf), "--sentinel")
    return Program("sentinel", command, folder, says("+slave slave"))


def turn_server(folder: Path, port: int, secret: Path, peers: Sequence[str]) -> Program:
    """A relay for networks that block media; it relays to ``peers`` and to nothing private."""
    command = [
        _found("turnserver"),
        *("-c", str(_turn_conf(folder, secret))),
        f"--listening-ip={HERE}",
        f"--listening-port={port}",
        f"--relay-ip={HERE}",
        "--no-tls",
        "--no-dtls",
        "--allow-loopback-peers",
        f"--userdb={turn_database(folder)}",
        f"--pidfile={folder / 'turn.pid'}",
        *(f"--allowed-peer-ip={peer}" for peer in peers),
    ]
    return Program("turnserver", command, folder, accepts(port))


def turn_database(folder: Path) -> Path:
    """Coturn's database, empty. Left to itself, each of its threads makes the tables when somebody
    first comes, and on a busy machine one finds the file locked and knows nobody's password.
    """
    path = folder / "turn.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(_TURN_SCHEMA.read_text())
    return path


def _turn_conf(folder: Path, secret: Path) -> Path:
    """The file that is shipped, with the secret: on a command line everybody could read it."""
    shipped = (_DEPLOY / "coturn" / "turnserver.conf").read_text()
    conf = folder / "turnserver.conf"
    conf.touch(mode=0o600)
    conf.write_text(
        f"{shipped}\nstatic-auth-secret={secret.read_text().strip()}\nrealm=localhost\n"
    )
    return conf


def reverse_proxy(folder: Path, site: str, nodes: Sequence[NodePlan]) -> Program:
    """Caddy with the file that is shipped, in front of two nodes."""
    environment = {
        "SITE": site,
        **{f"NODE_{node.name.upper()}": node.address for node in nodes},
        "CADDY_ADMIN": "off",
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
    }
    file = ("--adapter", "caddyfile", "--config", str(_DEPLOY / "Caddyfile"))
    command = (_found("caddy"), "run", *file)
    port = int(site.rpartition(":")[2])
    return Program("caddy", command, folder, accepts(port), environment)


def bedside_node(folder: Path, plan: NodePlan, settings: Mapping[str, str]) -> Program:
    """One node; ``settings`` as ``BEDSIDE_*`` names them, in small letters."""
    own = {
        "data_dir": str(folder / plan.name),
        "host": plan.host,
        "port": str(plan.port),
        "media_port": str(plan.media_port),
        "node": plan.name,
        "node_url": plan.url,
    }
    environment = {f"BEDSIDE_{name.upper()}": value for name, value in {**own, **settings}.items()}
    return Program(
        f"node-{plan.name}",
        plan.command,
        folder,
        says("Bedside listens on "),
        environment,
        stops_within=_DRAINS_WITHIN,
    )


def accepts(port: int) -> Callable[[Program], bool]:
    """Ready once it takes connections."""

    def ready(_program: Program) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HERE, port)) == 0

    return ready


def _found(command: str) -> str:
    path = shutil.which(command, path="/usr/bin:/usr/sbin:/bin:/sbin:/usr/local/bin")
    if path is None:
        raise NotStarted(f"{command} is missing; `make cluster` installs it from Debian's packages")
    return path
