import json

from rooms.model import Admission, Device, Role, Seat, Stage, Standing
from rooms.policy import Policy
from rooms.view import view_for
from server.replies import DeskSnapshot, PracticeCard, Snapshot, desk_snapshot, snapshot
from tests.support.records import a_visit

CARD = PracticeCard(name="Riverside", phone="+1")
DEVICE = Device(id="d", credential="hash-of-a-secret", opened_at=1.0, standing=Standing.HOLDING)
PATIENT = Seat(id="a", role=Role.PATIENT, admission=Admission.WAITING, devices=(DEVICE,))


def test_a_snapshot_is_the_whole_view_and_plain_json():
    visit = a_visit(stage=Stage.OPEN, seats=(PATIENT,), revision=3)
    view = view_for(visit, "a", "d", Policy())
    wire = snapshot(view, "session-1", CARD, 5.0, calls_people=True)
    assert json.loads(json.dumps(wire)) == wire
    assert wire.keys() == set(Snapshot.__dataclass_fields__)
    assert wire["revision"] == 3
    assert wire["practice"] == {"name": "Riverside", "phone": "+1"}
    assert wire["now"] == 5.0
    assert wire["calls_people"] is True
    assert "session-1" in str(wire)
    assert "hash-of-a-secret" not in str(wire)


def test_a_desks_snapshot_is_plain_json():
    wire = desk_snapshot(CARD, 5.0, ())
    assert json.loads(json.dumps(wire)) == wire
    assert wire.keys() == set(DeskSnapshot.__dataclass_fields__)
