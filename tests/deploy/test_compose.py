"""deploy/compose.yaml: Compose's schema, whether it hangs together, and its shell scripts, run."""

import asyncio
import contextlib
import importlib.resources
import json
import os
import re
import subprocess
import time

import jsonschema  # type: ignore[import-untyped]
import pytest
import redis
import yaml  # type: ignore[import-untyped]
from redis.backoff import NoBackoff
from redis.retry import Retry

from rooms.nodes_policy import NodesPolicy
from server.config import PREFIX, Settings, is_secret, load_settings
from tests.support.ports import free_port
from tests.support.source_tree import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
NODES = ("a", "b")
EVERY_SERVICE = pytest.mark.parametrize("name", SERVICES)


def _schema():
    vendored = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    return json.loads((vendored / "compose-spec.json").read_text())


def test_it_is_what_compose_reads():
    jsonschema.validate(COMPOSE, _schema())


def test_what_is_wrong_would_be_noticed():
    wrong = {**COMPOSE, "services": {"a": {"imagee": "x"}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, _schema())


def test_every_setting_exists():
    known = {
        f"{PREFIX}{name.upper()}{'_FILE' if is_secret(field) else ''}"
        for name, field in Settings.model_fields.items()
    }
    for name in (*NODES, "staff"):
        assert {key for key in SERVICES[name]["environment"] if key.startswith(PREFIX)} <= known


@pytest.mark.parametrize("name", NODES)
def test_a_node_would_take_its_settings(name, tmp_path, monkeypatch):
    secret = tmp_path / "secret"
    secret.write_text("x" * 40)
    for key, value in SERVICES[name]["environment"].items():
        filled = re.sub(r"\$\{SITE[^}]*\}", "visits.example.org", value)
        filled = re.sub(r"\$\{MEDIA_ADDRESS[^}]*\}", "203.0.113.5", filled)
        monkeypatch.setenv(key, re.sub(r"^/run/secrets/.*", str(secret), filled))
    settings = load_settings()
    assert settings.production
    assert settings.node == name
    assert settings.peer_url == f"http://{name}:8080"


def test_nodes_share_the_machine_without_meeting():
    taken = []
    for name in NODES:
        environment, ports = SERVICES[name]["environment"], SERVICES[name]["ports"]
        media, sound = environment["BEDSIDE_MEDIA_PORT"], environment["BEDSIDE_SIP_RTP_PORTS"]
        # What is told to the outside is the port inside: they must be the same.
        assert ports == [f"{media}:{media}/udp", f"{media}:{media}/tcp", f"{sound}:{sound}/udp"]
        taken += ports
    assert len(set(taken)) == len(taken)


def test_only_the_proxy_is_believed_about_addresses():
    address = SERVICES["caddy"]["networks"]["inside"]["ipv4_address"]
    assert {SERVICES[name]["environment"]["BEDSIDE_TRUSTED_PROXIES"] for name in NODES} == {address}
    assert COMPOSE["networks"]["inside"]["internal"] is True


@EVERY_SERVICE
def test_nothing_has_more_rights_than_it_needs(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])
    assert not service.get("privileged")


@pytest.mark.parametrize("name", NODES)
def test_a_node_has_time_to_drain(name):
    policy = NodesPolicy()
    grace = int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
    assert grace > policy.drain_within + policy.farewell_grace + 10


@EVERY_SERVICE
def test_what_is_mounted_is_declared(name):
    service = SERVICES[name]
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    for mount in service.get("volumes", []):
        source = mount.partition(":")[0]
        if source.startswith("./"):
            assert (DEPLOY / source).is_file(), source
            assert mount.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


def test_only_staff_may_write_the_key_ring():
    mounts = {name: [m for m in SERVICES[name]["volumes"] if m.startswith("keys:")] for name in
              (*NODES, "staff")}  # fmt: skip
    assert mounts == {"a": ["keys:/keys:ro"], "b": ["keys:/keys:ro"], "staff": ["keys:/keys"]}


def _makes_secrets(folder):
    script = folder / "make_secrets"
    script.write_text((DEPLOY / "make_secrets").read_text())
    subprocess.run(["sh", str(script)], check=True)
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_secrets_are_made_once_and_for_nobody_else(tmp_path):
    made = _makes_secrets(tmp_path)
    assert set(made) == set(COMPOSE["secrets"])
    assert all(re.fullmatch(r"[0-9a-f]{64}", text) for text in made.values())
    assert len(set(made.values())) == len(made)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert _makes_secrets(tmp_path) == made
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "deploy/secrets/" in ignored


def _script(service, folder, **places):
    """The shell script of a service, with its paths inside a container led into ``folder``."""
    [text] = SERVICES[service]["command"]
    text = text.replace("$$", "$")
    for inside, outside in {"/tmp/": f"{folder}/", **places}.items():
        text = text.replace(inside, str(outside))
    return text


@pytest.fixture
def secrets(tmp_path):
    _makes_secrets(tmp_path)
    return tmp_path / "secrets"


def test_redis_starts_and_knows_the_nodes_password(tmp_path, secrets):
    port = free_port()
    script = _script("redis", tmp_path, **{
        "/run/secrets/": f"{secrets}/", "/etc/redis/redis.conf": _copy(tmp_path),
        "/etc/redis/": f"{DEPLOY}/redis/", "--dir /data": f"--dir {tmp_path} --port {port}",
        "--bind 0.0.0.0": "--bind 127.0.0.1",
    })  # fmt: skip
    password = (secrets / "redis_password").read_text()
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.DEVNULL) as running:
        try:
            node = _redis(port, username="bedside", password=password)
            stranger = _redis(port)
            assert _answers(node, running)
            assert node.set("bedside:x", "1")
            with pytest.raises(redis.AuthenticationError):
                stranger.get("bedside:x")
            # The health check asks as a stranger, and takes a refusal for a sign of life.
            check = SERVICES["redis"]["healthcheck"]["test"][1]
            check = check.replace("redis-cli", f"redis-cli -p {port}")
            assert subprocess.run(["sh", "-c", check], check=False).returncode == 0
            node.close()
            stranger.close()
        finally:
            running.kill()


def _copy(folder):
    path = folder / "redis.conf"
    path.write_text((DEPLOY / "redis" / "redis.conf").read_text())
    return path


def _redis(port, **who):
    return redis.Redis(host="127.0.0.1", port=port, retry=Retry(NoBackoff(), 0), **who)


def _answers(client, running):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        assert running.poll() is None
        with contextlib.suppress(redis.RedisError):
            return client.ping()
        time.sleep(0.02)
    return False


async def test_coturn_starts_with_the_secret_in_a_file_of_its_own(tmp_path, secrets):
    port = free_port()
    script = _script("coturn", tmp_path, **{
        "/run/secrets/": f"{secrets}/", "/etc/coturn/": f"{DEPLOY}/coturn/",
        "--no-tls": f"--listening-ip=127.0.0.1 --listening-port={port} --no-tls",
    })  # fmt: skip
    environment = {**os.environ, "SITE": "visits.example.org", "MEDIA_ADDRESS": "203.0.113.5"}
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", script),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(15):
            async for line in process.stdout:
                assert b"configuration format" not in line
                if b"Relay ports initialization done" in line:
                    break
            else:
                pytest.fail("coturn ended")
    finally:
        process.kill()
        await process.wait()
    written = tmp_path / "turnserver.conf"
    assert written.stat().st_mode & 0o077 == 0
    assert (secrets / "turn_secret").read_text() in written.read_text()
    assert "secret" not in script.partition("exec turnserver")[2]  # no `ps` shows it
