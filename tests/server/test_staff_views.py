import json

from server.staff_views import as_json, as_table, is_alive


def test_a_table_has_columns_for_people():
    rows = [{"node": "a", "alive": True, "visits": 12}, {"node": "", "alive": False, "visits": 3}]
    assert as_table(rows).splitlines() == [
        "node  alive  visits",
        "a     yes    12",
        "-     no     3",
    ]
    assert as_table([]) == "none"
    assert as_table([{"names": ["Ann", "Ben"]}]).splitlines()[1] == "Ann, Ben"


def test_machines_get_one_document():
    assert json.loads(as_json([{"name": "Zoë", "n": 1}])) == [{"name": "Zoë", "n": 1}]
    assert as_json([]) == "[]"


def test_a_node_lives_while_it_beats():
    assert is_alive(0.0)
    assert is_alive(2.0)
    assert not is_alive(10.0)
