"""What is shipped: the wheel works where there is no Node and no source tree."""

import asyncio
import os
import re
import site
import subprocess
import sys
import tomllib
import venv
import zipfile

import aiohttp
import pytest

from tests.support.ports import free_port
from tests.support.source_tree import PACKAGES, ROOT

LOCKS = ("run", "build", "test")
NO_NODE = os.pathsep.join(["/usr/sbin", "/sbin"])


def _requirements(name):
    lines = ROOT.joinpath("requirements", name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", " "))]


def test_the_package_asks_for_what_is_locked():
    project = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text())["project"]
    assert project["dependencies"] == _requirements("run.in"), (
        "pyproject.toml and requirements/run.in differ: one is what pip resolves for others, the "
        "other what `make lock` pins for us, and they must be the same list."
    )


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_versions_and_hashes_and_no_addresses(name):
    text = ROOT.joinpath("requirements", f"{name}.txt").read_text()
    assert "://" not in text
    for pin in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[\w.-]+(\[[\w,]+\])?==\S+", pin), pin.splitlines()[0]
        assert "--hash=sha256:" in pin, pin.splitlines()[0]


@pytest.mark.parametrize("name", LOCKS)
def test_what_is_tested_is_what_runs(name):
    """The same version everywhere: the test set is resolved over all the others."""
    tested = set(_pins("test"))
    assert set(_pins(name)) <= tested


def _pins(name):
    return [line.rstrip(" \\") for line in _requirements(f"{name}.txt")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The ``bin`` of a fresh environment that holds the wheel; dependencies come from this one."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*command, "--no-deps", "--no-index", str(wheel)], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    packages.joinpath("dependencies.pth").write_text("\n".join(site.getsitepackages()))
    return home / "bin"


def test_the_wheel_holds_the_packages_and_the_browser_app(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert "media/phone/recordings/gate.en.ogg" in names
    assert "server/web/join.html" in names
    assert "server/web/desk.html" in names
    assert any(re.fullmatch(r"server/web/assets/.+\.js", name) for name in names)


def test_the_command_explains_itself(installed, tmp_path):
    done = subprocess.run(
        [installed / "bedside", "--help"],
        cwd=tmp_path,
        env={"PATH": NO_NODE},
        capture_output=True,
        text=True,
        check=True,
    )
    for word in ("serve", "demo", "keys"):
        assert word in done.stdout


async def test_an_installed_server_serves_the_app_without_node(installed, tmp_path):
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        installed / "bedside",
        "serve",
        cwd=tmp_path,
        env={
            "PATH": NO_NODE,
            "BEDSIDE_DATA_DIR": str(tmp_path / "data"),
            "BEDSIDE_PORT": str(port),
            "BEDSIDE_MEDIA_PORT": "0",
        },
    )
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            assert await _when_up(server, http, "/healthz") == 200
            async with http.get("/join") as reply:
                page = await reply.text()
            assert reply.status == 200
            for script in re.findall(r'src="(/assets/[^"]+\.js)"', page):
                async with http.get(script) as reply:
                    assert reply.status == 200
            assert "/assets/" in page
    finally:
        server.terminate()
        assert await server.wait() == 0


async def _when_up(server, http, path):
    """The status of ``path`` as soon as the port answers; a server that ended is a failure."""
    while server.returncode is None:
        try:
            async with http.get(path) as reply:
                return reply.status
        except aiohttp.ClientConnectorError:
            await asyncio.sleep(0.1)
    return pytest.fail(f"the server ended with status {server.returncode}")
