import re

from prometheus_client.parser import text_string_to_metric_families

from media.counters import MediaCounters
from media.phone.sip.counters import TrunkCounters
from media.ports import LegState
from server.metrics import Metrics

LABELS = {
    "outcome",
    "signal",
    "route",
    "status",
    "le",
    "stage",
    "state",
    "operation",
    "why",
    "how",
    "by",
}


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


def test_what_grows_is_a_counter_and_what_is_now_is_a_gauge():
    metrics = Metrics()
    metrics.watch_media(MediaCounters())
    kinds = {name: family.type for name, family in families(metrics).items()}
    assert kinds["bedside_media_packets_in"] == "counter"
    assert kinds["bedside_media_legs"] == kinds["bedside_media_pictures_paused"] == "gauge"


def test_the_process_shows_what_it_uses():
    found = families(Metrics())
    for name in ("process_cpu_seconds", "process_resident_memory_bytes", "process_open_fds"):
        assert found[name].samples[0].value > 0


async def test_a_visit_is_seen_from_the_knock_to_its_end(server, practice, meeting):
    visit = await practice.plans()
    provider, _ = await meeting(visit)
    text = (await server.call("GET", "/metrics")).text
    assert 'bedside_admissions_total{outcome="admitted"} 1.0' in text
    assert 'bedside_admissions_total{outcome="walked_in"} 1.0' in text
    assert "bedside_waiting_seconds_count 1.0" in text
    assert 'bedside_visits{stage="in_progress"} 1.0' in text
    assert 'bedside_lines{state="good"} 2.0' in text
    assert 'bedside_store_seconds_count{operation="save",outcome="ok"}' in text
    assert "bedside_ready 1.0" in text
    await provider.does("visit:end")
    text = (await server.call("GET", "/metrics")).text
    assert 'bedside_visits{stage="in_progress"} 0.0' in text
    assert 'bedside_visits_over_total{how="by_provider"} 1.0' in text


async def test_the_time_to_join_ends_with_both_connections(server, practice, meeting):
    visit = await practice.plans()
    await meeting(visit)
    node = server.node
    node.gateway.media_seen(visit.id, visit.patient.seat, LegState.CONNECTED)
    node.gateway.media_seen(visit.id, visit.patient.seat, LegState.CONNECTED)
    found = families(node.metrics)
    (joined,) = [s for s in found["bedside_join_seconds"].samples if s.name.endswith("_count")]
    assert joined.value == 1, "the first time only"
