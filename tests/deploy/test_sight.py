"""What watches a node names only what a node says, and what it complains of is explained."""

import json
import re

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from media.phone.carrier import Ending
from rooms.model import CallFailure, Fallback, Stage
from server.node_metrics import Why
from tests.support.server_clients import running_server
from tests.support.source_tree import ROOT

DEPLOY = ROOT / "deploy"
BOARD = json.loads((DEPLOY / "grafana/bedside.json").read_text())
RULES = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"]
ALERTS = [rule for group in RULES for rule in group["rules"]]
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
EXPRESSIONS = QUERIES + [alert["expr"] for alert in ALERTS]

NAMES = {
    "BedsideNodeDown", "BedsideNoReadyNode", "BedsideStoreSlow", "BedsideStoreAway",
    "BedsideLoopLag", "BedsideWaitingLong", "BedsideCallsFail", "BedsideMediaLoss",
    "BedsideOwnershipChurn", "BedsideAuditBehind", "BedsideDiskFull", "BedsideNoReplica",
}  # fmt: skip
VALUES = {  # of labels, where a list of them is known
    "stage": {*Stage},
    "state": {*Fallback},
    "why": {*Why},
    ("bedside_calls_total", "outcome"): {*CallFailure, *Ending},
    ("bedside_store_seconds_bucket", "outcome"): {"ok"},
    ("bedside_store_seconds_count", "outcome"): {"ok", "store_unavailable"},
    ("bedside_signals_total", "outcome"): {"ok"},
}
OWN_LABELS = {"instance", "job"}  # Prometheus adds these itself
SELECTOR = re.compile(r"\b((?:bedside|process)_\w+|up\b)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(?:=~|!~|!=|=)"([^"]*)"')


def metrics_in(expression):
    """Every metric, with its matchers as (label, value) pairs."""
    return [(name, MATCHER.findall(labels or "")) for name, labels in SELECTOR.findall(expression)]


@pytest.fixture
async def told(tmp_path):
    """What a running node says: the names of its samples."""
    async with running_server(tmp_path) as server:
        text = (await server.call("GET", "/metrics")).text
    names = set()
    for family in text_string_to_metric_families(text):
        endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
        names |= {family.name + ending for ending in endings.get(family.type, [""])}
    return names


async def test_everything_that_is_watched_is_told_by_a_node(told):
    watched = {name for expression in EXPRESSIONS for name, _ in metrics_in(expression)}
    assert watched - told == {"up"}, "Prometheus's own"


async def test_what_a_node_tells_of_visits_and_itself_is_on_the_board(told):
    shown = {name.removesuffix("_bucket") for query in QUERIES for name, _ in metrics_in(query)}
    ours = {name.removesuffix("_bucket") for name in told if name.startswith("bedside_")}
    ours = {name for name in ours if not name.endswith(("_sum", "_count", "_created"))}
    left = {
        name for name in ours - shown if not name.startswith(("bedside_media_", "bedside_sip_"))
    }
    assert left == {"bedside_loop_late_seconds"}, "an alert is made of it"


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_labels_have_values_that_exist(expression):
    for name, matchers in metrics_in(expression):
        for label, value in matchers:
            known = VALUES.get((name, label)) or VALUES.get(label)
            if label not in OWN_LABELS:
                assert known is not None, f"which values {label} of {name} may have"
                assert set(value.split("|")) <= known, (name, label, value)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_are_closed(expression):
    depth = [expression.count(one) - expression.count(other) for one, other in ("()", "{}", "[]")]
    assert depth == [0, 0, 0]
    assert metrics_in(expression)


def test_the_board_can_be_imported():
    assert (BOARD["uid"], BOARD["title"]) == ("bedside", "Bedside")
    assert isinstance(BOARD["schemaVersion"], int)
    assert {each["name"] for each in BOARD["templating"]["list"]} == {"datasource", "node"}
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in PANELS:
        assert panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert [target["refId"] for target in panel["targets"]] == sorted(
            {target["refId"] for target in panel["targets"]}
        )
        assert panel["fieldConfig"]["defaults"]["unit"]


def test_no_panel_covers_another():
    taken = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_rows_are_those_that_were_asked_for():
    rows = [panel["title"] for panel in BOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Overview", "Waiting room", "Media", "Fallback and calls", "Nodes and store"]


def test_the_alerts_are_the_ones_that_the_runbook_knows():
    assert {alert["alert"] for alert in ALERTS} == NAMES


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_says_what_it_means_and_where_to_look(alert):
    name, notes = alert["alert"], alert["annotations"]
    assert alert["labels"]["severity"] in ("warning", "critical")
    assert re.fullmatch(r"\d+[sm]", alert["for"])
    assert notes["summary"].endswith(".")
    assert len(notes["description"].split()) >= 12, "plain words, not a formula"
    assert notes["runbook"] == f"RUNBOOK.md#{name.lower()}"
    runbook = DEPLOY / "RUNBOOK.md"
    if runbook.exists():
        assert re.search(rf"^#+ {name}$", runbook.read_text(), re.MULTILINE), "a section of its own"
