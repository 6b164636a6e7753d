import re

from prometheus_client.parser import text_string_to_metric_families

from media.counters import MediaCounters
from media.phone.sip.counters import TrunkCounters
from server.metrics import Metrics

LABELS = {"outcome", "signal", "route", "status", "le"}


def families(metrics):
    text = metrics.text().decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_the_text_is_prometheus_own():
    metrics = Metrics()
    metrics.signals.labels(signal="visit:knock", outcome="ok").inc()
    (sample,) = families(metrics)["bedside_signals"].samples
    assert (sample.labels, sample.value) == ({"signal": "visit:knock", "outcome": "ok"}, 1.0)


def test_media_counters_are_read_when_somebody_asks():
    counters, metrics = MediaCounters(), Metrics()
    metrics.watch_media(counters)
    name = next(iter(MediaCounters.__dataclass_fields__))
    setattr(counters, name, 41)
    assert families(metrics)[f"bedside_media_{name}"].samples[0].value == 41


def test_each_trunk_counts_for_itself():
    metrics, first, second = Metrics(), TrunkCounters(unreadable=3), TrunkCounters()
    metrics.watch_trunks({"a.example": first, "b.example:5070": second})
    second.calls += 2
    found = families(metrics)
    values = {s.labels["trunk"]: s.value for s in found["bedside_sip_unreadable"].samples}
    assert values == {"a.example": 3.0, "b.example:5070": 0.0}
    assert [s.value for s in found["bedside_sip_calls"].samples] == [0.0, 2.0]


def test_two_nodes_in_one_process_count_for_themselves():
    one, other = Metrics(), Metrics()
    one.sessions_opened.labels(outcome="ok").inc()
    assert 'outcome="ok"' not in other.text().decode()


async def test_no_label_could_hold_a_person(server, practice, meeting):
    await meeting(await practice.plans())
    text = (await server.call("GET", "/metrics")).text
    assert set(re.findall(r'[{,](\w+)="', text)) <= LABELS
    assert 'bedside_sessions_opened_total{outcome="ok"} 2.0' in text
