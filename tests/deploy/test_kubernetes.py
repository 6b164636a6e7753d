"""deploy/kubernetes: each object by Kubernetes' own schemas, and whether they fit together."""

import asyncio
import os
import re
import shutil
import struct
import subprocess

import aiohttp
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]
from aiohttp import web
from aiohttp.test_utils import TestServer

from rooms.nodes_policy import NodesPolicy
from server.config import PREFIX, Settings, is_secret
from server.routes import PAGES
from tests.support.kustomize import identity, render
from tests.support.ports import free_port
from tests.support.reverse_proxies import running_nginx
from tests.support.source_tree import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.31", "1.34", "1.37")
BASE = render(FOLDER / "base")
EXAMPLE = render(FOLDER / "example")
[SECRET] = yaml.safe_load_all((FOLDER / "base" / "secret.example.yaml").read_text())


def _only(kind, name, made=BASE):
    [found] = [each for each in made if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


NODES = _only("StatefulSet", "bedside")
POD = NODES["spec"]["template"]["spec"]
[NODE] = POD["containers"]
PODS = [each for each in BASE if "template" in each.get("spec", {})]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", [*BASE, *EXAMPLE, SECRET], ids=lambda m: "-".join(identity(m)))
def test_each_object_is_one_of_kubernetes(manifest, version):
    kubernetes_validate.validate(manifest, version, strict=True)


def test_a_wrong_object_would_be_noticed():
    wrong = {**NODES, "spec": {**NODES["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_the_overlay_changes_what_it_says_and_keeps_the_rest():
    nodes = _only("StatefulSet", "bedside", EXAMPLE)
    assert nodes["spec"]["replicas"] == 4
    assert nodes["spec"]["template"]["spec"]["containers"][0]["image"].startswith("registry.")
    settings = _only("ConfigMap", "bedside-settings", EXAMPLE)["data"]
    assert settings["BEDSIDE_PUBLIC_URL"] == "https://visits.clinic.example"
    assert settings["BEDSIDE_MODE"] == "production"


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl here")
def test_kubectl_merges_the_same(tmp_path):
    """Ours is a small merger; kubectl says whether it is right. No cluster is asked."""
    printed = subprocess.run(
        ["kubectl", "kustomize", str(FOLDER / "example")],
        check=True, capture_output=True, text=True,
        env={**os.environ, "KUBECONFIG": os.devnull, "HOME": str(tmp_path)},
    ).stdout  # fmt: skip
    theirs = {identity(each): each for each in yaml.safe_load_all(printed)}
    assert theirs == {identity(each): each for each in EXAMPLE}


def test_every_setting_exists():
    named = {entry["name"] for entry in NODE["env"]} | set(
        _only("ConfigMap", "bedside-settings", EXAMPLE)["data"]
    )
    known = {
        f"{PREFIX}{name.upper()}{'_FILE' if is_secret(field) else ''}"
        for name, field in Settings.model_fields.items()
    }
    assert {name for name in named if name.startswith(PREFIX)} <= known


def test_secrets_are_files_and_the_template_has_each_of_them():
    values = {entry["name"]: entry.get("value", "") for entry in NODE["env"]}
    files = {value.rpartition("/")[2] for value in values.values() if "/run/secrets/" in value}
    assert files == set(SECRET["stringData"])
    assert set(SECRET["stringData"].values()) == {""}
    assert "Secret" not in {each["kind"] for each in (*BASE, *EXAMPLE)}


def test_probes_ask_what_they_should():
    asked = {kind: NODE[f"{kind}Probe"]["httpGet"]["path"] for kind in
             ("startup", "liveness", "readiness")}  # fmt: skip
    assert asked == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    assert {"/healthz", "/readyz"} <= {page.path for page in PAGES}


def test_there_is_time_to_drain():
    policy = NodesPolicy()
    needed = policy.drain_within + policy.farewell_grace
    assert POD["terminationGracePeriodSeconds"] > needed + 10


@pytest.mark.parametrize("manifest", PODS, ids=lambda m: m["metadata"]["name"])
def test_nothing_runs_as_root_or_writes_where_it_should_not(manifest):
    pod = manifest["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    for container in pod["containers"]:
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        claims = manifest["spec"].get("volumeClaimTemplates", [])
        offered = {volume["name"] for volume in pod["volumes"]}
        assert mounted == offered | {claim["metadata"]["name"] for claim in claims}


def test_whoever_selects_pods_selects_some():
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in PODS]
    for manifest in BASE:
        spec = manifest.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector") or {}
        wanted = selector.get("matchLabels", selector)
        assert any(wanted.items() <= each.items() for each in labels), identity(manifest)


def test_one_disruption_at_a_time_and_never_two_nodes_on_a_machine():
    assert _only("PodDisruptionBudget", "bedside")["spec"]["maxUnavailable"] == 1
    [rule] = POD["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert rule["topologyKey"] == "kubernetes.io/hostname"
    assert POD["hostNetwork"] is True


def test_what_nodes_listen_on_is_open():
    rules = _only("NetworkPolicy", "nodes")["spec"]["ingress"]
    anywhere = [(p["protocol"], p["port"]) for rule in rules if "from" not in rule
                for p in rule["ports"]]  # fmt: skip
    fields = Settings.model_fields
    media, first = fields["media_port"].default, fields["sip_rtp_ports"].default[0]
    assert {("UDP", media), ("TCP", media), ("UDP", first)} <= set(anywhere)
    assert ("TCP", fields["port"].default) not in anywhere


# -- the proxy ------------------------------------------------------------------------------------

ADDRESSES = {"bedside-0.nodes": "127.0.0.11"} | dict.fromkeys(
    ("bedside-1.nodes", "ready"), "127.0.0.12"
)


class Resolver(asyncio.DatagramProtocol):
    """Answers as the cluster's DNS would (RFC 1035): an A record, or that there is none."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        question = data[12 : at + 5]
        address = ADDRESSES.get(".".join(labels).removesuffix(".visits.svc.cluster.local"))
        flags, found = (0x8180, 1) if address else (0x8183, 0)
        reply = data[:2] + struct.pack("!HHHHH", flags, 1, found, 0, 0) + question
        if address:
            octets = bytes(map(int, address.split(".")))
            reply += struct.pack("!HHHIH", 0xC00C, 1, 1, 1, 4) + octets
        self.transport.sendto(reply, addr)


@pytest.fixture
async def proxy(tmp_path):
    """nginx with the ConfigMap's template, a resolver, and two nodes on addresses of their own."""
    port, front = free_port(), free_port()
    loop = asyncio.get_running_loop()
    resolver, _ = await loop.create_datagram_endpoint(Resolver, local_addr=("127.0.0.1", 0))
    nodes = [TestServer(_node(name), host=ADDRESSES[f"{name}.nodes"], port=port) for name in
             ("bedside-0", "bedside-1")]  # fmt: skip
    for node in nodes:
        await node.start_server()
    text = _only("ConfigMap", "proxy")["data"]["default.conf.template"]
    filled = {
        "NGINX_LOCAL_RESOLVERS": "{}:{}".format(*resolver.get_extra_info("sockname")),
        "TRUSTED_BALANCERS": "127.0.0.1/32",
        "NAMESPACE": "visits",
        "CLUSTER_DOMAIN": "cluster.local",
    }
    for name, value in filled.items():
        text = text.replace(f"${{{name}}}", value)
    assert "${" not in text
    text = text.replace("listen 8080;", f"listen 127.0.0.1:{front};")
    async with (
        running_nginx(tmp_path, text.replace(":8080;", f":{port};"), front),
        aiohttp.ClientSession(f"http://127.0.0.1:{front}") as session,
    ):
        yield session
    for node in nodes:
        await node.close()
    resolver.close()


def _node(name):
    async def answer(request):
        return web.json_response({"node": name, "for": request.headers["X-Forwarded-For"]})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


async def test_the_proxy_looks_nodes_up_by_the_name_in_the_path(proxy):
    for name in ("bedside-0", "bedside-1"):
        async with proxy.get(f"/n/{name}/socket.io/?EIO=4") as response:
            assert (await response.json())["node"] == name
    async with proxy.get("/join") as response:
        assert (await response.json())["node"] == "bedside-1"  # whom the Service `ready` names


@pytest.mark.parametrize("path", ["/internal/owned", "/%69nternal/owned", "/metrics"])
async def test_the_proxy_keeps_what_is_inside(proxy, path):
    async with proxy.get(path) as response:
        assert response.status == 404


async def test_the_proxy_leads_to_nodes_and_to_nothing_else(proxy):
    async with proxy.get("/n/bedside-7/socket.io/") as response:
        assert response.status in {502, 503}  # there is no such pod
    async with proxy.get("/n/redis-0.redis/socket.io/") as response:
        assert (await response.json())["node"] == "bedside-1"  # where it is an unknown path


async def test_the_proxy_believes_the_balancer_before_it(proxy):
    async with proxy.get("/join", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}) as response:
        assert (await response.json())["for"] == "203.0.113.9"


def test_the_nodes_name_is_one_that_the_proxy_knows():
    text = _only("ConfigMap", "proxy")["data"]["default.conf.template"]
    [pattern] = re.findall(r"\(\?<node>(.*?)\)/", text)
    assert re.fullmatch(pattern, f"{NODES['metadata']['name']}-0")
