"""Caddy and nginx with the files of deploy/, in front of two servers on loopback."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.certificates import self_signed
from tests.support.ports import free_port
from tests.support.source_tree import ROOT

DEPLOY = ROOT / "deploy"
_HERE = "127.0.0.1"
_LISTENS_WITHIN = 10.0


@dataclass(frozen=True)
class Front:
    """A running proxy: its origin, what its certificate is trusted by."""

    origin: str
    tls: ssl.SSLContext | None = None
    looks: bool = False  # at the readiness of nodes


@asynccontextmanager
async def caddy(folder: Path, node_a: str, node_b: str) -> AsyncIterator[Front]:
    """Caddy with deploy/Caddyfile; nodes are ``host:port``."""
    port = free_port()
    origin = f"http://{_HERE}:{port}"
    environment = caddy_environment(folder, SITE=origin, NODE_A=node_a, NODE_B=node_b)
    file = str(DEPLOY / "Caddyfile")
    command = [found("caddy"), "run", "--adapter", "caddyfile", "--config", file]
    async with _running(command, port, environment):
        yield Front(origin, looks=True)


def caddy_environment(folder: Path, **placeholders: str) -> dict[str, str]:
    """What deploy/Caddyfile takes from the environment, and nothing kept outside ``folder``."""
    home = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "CADDY_ADMIN": "off"}
    return {**os.environ, **home, **placeholders}


@asynccontextmanager
async def nginx(folder: Path, node_a: str, node_b: str) -> AsyncIterator[Front]:
    """nginx with deploy/nginx.conf; nodes are ``host:port``."""
    port = free_port()
    trusted, main = nginx_files(folder, port, node_a, node_b)
    command = [found("nginx"), "-p", str(folder), "-c", str(main), "-e", "stderr"]
    async with _running(command, port, os.environ):
        yield Front(f"https://{_HERE}:{port}", ssl.create_default_context(cafile=str(trusted)))


def nginx_files(folder: Path, port: int, node_a: str, node_b: str) -> tuple[Path, Path]:
    """The certificate to trust, and a main file around deploy/nginx.conf as it is filled in.

    Only ports and the certificate's place differ from what is shipped.
    """
    trusted, both = self_signed(folder, _HERE)
    text = (DEPLOY / "nginx.conf").read_text()
    text = re.sub(r"listen (\[::\]:)?80;", f"listen {_HERE}:{free_port()};", text, count=1)
    text = re.sub(r"listen 443 ssl http2;", f"listen {_HERE}:{port} ssl http2;", text, count=1)
    text = re.sub(r"\n *listen \[::\]:.*", "", text)
    text = re.sub(r"/etc/letsencrypt/live/\S+\.pem", str(both), text)
    for name, value in {"SITE": _HERE, "NODE_A": node_a, "NODE_B": node_b}.items():
        text = text.replace(f"${{{name}}}", value)
    site, main = folder / "bedside.conf", folder / "nginx.conf"
    site.write_text(text)
    write_main(main, site)
    return trusted, main


def write_main(main: Path, site: Path) -> None:
    """nginx's main file around one site, with nothing kept outside its directory."""
    folder = main.parent
    user = "user root;" if os.getuid() == 0 else ""
    main.write_text(
        f"{user} daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ {_temporary(folder)} include {site}; }}\n"
    )


@asynccontextmanager
async def running_nginx(folder: Path, site: str, port: int) -> AsyncIterator[None]:
    """nginx with this site, which listens on that port."""
    main, file = folder / "nginx.conf", folder / "site.conf"
    file.write_text(site)
    write_main(main, file)
    command = [found("nginx"), "-p", str(folder), "-c", str(main), "-e", "stderr"]
    async with _running(command, port, os.environ):
        yield


def _temporary(folder: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


def found(program: str) -> str:
    """Where a program is. Fails with what to install."""
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert path, f"{program} is missing: make test installs what tests need"
    return path


@asynccontextmanager
async def _running(
    command: list[str], port: int, environment: Mapping[str, str]
) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=dict(environment),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    words = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(_LISTENS_WITHIN):
            while not await _listens(port):
                assert process.returncode is None, (await words).decode()
                await asyncio.sleep(0.02)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await words


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(_HERE, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
