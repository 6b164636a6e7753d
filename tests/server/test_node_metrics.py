from prometheus_client import CollectorRegistry

from rooms.nodes_policy import SightPolicy
from server.node_metrics import NodeMetrics, Why


def test_everything_is_there_before_anything_happened(tmp_path):
    registry = CollectorRegistry()
    metrics = NodeMetrics(registry, SightPolicy())
    metrics.watch_disk(tmp_path)
    for why in Why:
        assert registry.get_sample_value("bedside_ownership_changes_total", {"why": why}) == 0
    assert registry.get_sample_value("bedside_lasting_writes_unconfirmed_total") == 0
    assert registry.get_sample_value("bedside_audit_backlog") == 0
    assert registry.get_sample_value("bedside_nodes_alive") == 1
    free = registry.get_sample_value("bedside_data_free_bytes")
    assert 0 < free < registry.get_sample_value("bedside_data_disk_bytes")


def test_figures_of_others_are_read_when_somebody_asks(tmp_path):
    registry = CollectorRegistry()
    metrics = NodeMetrics(registry, SightPolicy())
    metrics.watch_disk(tmp_path / "gone")
    metrics.watch_unconfirmed(lambda: 3)
    metrics.watch_audit(lambda: 4)
    metrics.watch_nodes(lambda: 5, lambda: True)
    assert registry.get_sample_value("bedside_lasting_writes_unconfirmed_total") == 3
    assert registry.get_sample_value("bedside_audit_backlog") == 4
    assert registry.get_sample_value("bedside_nodes_alive") == 5
    assert registry.get_sample_value("bedside_draining") == 1
    assert registry.get_sample_value("bedside_data_free_bytes") == 0
