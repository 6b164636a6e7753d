from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from media.ports import LegState
from rooms.model import Admission, Fallback, Line, Role, Seat, Stage
from rooms.nodes_policy import SightPolicy
from server.sight import Sight
from server.visit_metrics import VisitMetrics
from tests.support.records import Clock, a_visit

PATIENT = Seat(id="patient", role=Role.PATIENT, name="Rosa Alvarez")
VISIT = a_visit(stage=Stage.IN_PROGRESS, seats=(PATIENT,))


class Rig:
    def __init__(self):
        self.clock = Clock(1_000.0)
        self.registry = CollectorRegistry()
        self.sight = Sight(VisitMetrics(self.registry, SightPolicy()), self.clock)
        self.visit = VISIT

    def value(self, name, **labels):
        return self.registry.get_sample_value(f"bedside_{name}", labels) or 0.0

    def becomes(self, after=0.0, **changes):
        """The visit's only seat changes, so many seconds later."""
        self.clock.now += after
        former = self.visit
        self.visit = replace(former, seats=(replace(former.seats[0], **changes),))
        self.sight.saved(former, self.visit, self.clock.now)

    def line(self, state, after=0.0):
        self.becomes(after, line=Line(state=state, since=self.clock.now + after))


@pytest.fixture
def rig():
    rig = Rig()
    rig.sight.saved(None, VISIT, rig.clock.now)
    return rig


def test_every_visit_stands_in_one_stage(rig):
    assert rig.value("visits", stage="in_progress") == 1
    for stage in (Stage.INTERRUPTED, Stage.IN_PROGRESS, Stage.INTERRUPTED):
        rig.sight.saved(rig.visit, replace(rig.visit, stage=stage), 1_000.0)
    assert rig.value("visits", stage="in_progress") == 0
    assert rig.value("visits", stage="interrupted") == 1
    rig.sight.forget(VISIT.id)
    rig.sight.forget(VISIT.id)
    assert rig.value("visits", stage="interrupted") == 0


def test_a_visit_that_is_over_is_counted_and_let_go(rig):
    rig.sight.saved(rig.visit, replace(rig.visit, stage=Stage.CANCELLED), 1_000.0)
    assert rig.value("visits_over_total", how="cancelled") == 1
    assert sum(rig.value("visits", stage=stage) for stage in Stage) == 0


def test_the_join_lasts_until_media_is_up(rig):
    rig.becomes(admission=Admission.ADMITTED)
    rig.sight.media_changed(VISIT.id, "patient", LegState.LOST)
    rig.clock.now += 1.5
    rig.sight.media_changed(VISIT.id, "patient", LegState.CONNECTED)
    rig.sight.media_changed(VISIT.id, "patient", LegState.CONNECTED)
    assert rig.value("joins_total", outcome="browser") == 1
    assert rig.value("join_seconds_sum") == 1.5


def test_a_join_that_never_came_about_is_counted(rig):
    rig.becomes(admission=Admission.ADMITTED)
    rig.becomes(admission=Admission.LEFT)
    rig.sight.media_changed(VISIT.id, "patient", LegState.CONNECTED)
    assert rig.value("joins_total", outcome="never") == 1
    assert rig.value("join_seconds_count") == 0


def test_from_failing_to_heard_by_telephone_and_back(rig):
    rig.becomes(admission=Admission.PRESENT)
    rig.line(Fallback.DEGRADED)
    rig.line(Fallback.DIALING, after=5)
    assert rig.value("lines", state="dialing") == 1
    rig.line(Fallback.BRIDGED, after=12)
    assert rig.value("fallback_seconds_sum", by="phone") == 17
    assert rig.value("joins_total", outcome="phone") == 1
    rig.line(Fallback.GOOD, after=60)
    assert rig.value("fallbacks_total", outcome="handed_back") == 1
    assert rig.value("line_seconds_sum", state="bridged") == 60
    assert rig.value("lines", state="good") == 1
    assert rig.value("fallback_seconds_count", by="browser") == 0, "it was counted already"


def test_a_connection_that_mends_itself(rig):
    rig.becomes(admission=Admission.PRESENT)
    rig.line(Fallback.DEGRADED)
    rig.line(Fallback.GOOD, after=4)
    assert rig.value("fallback_seconds_sum", by="browser") == 4
    assert rig.value("fallbacks_total", outcome="mended") == 1


def test_nothing_is_kept_of_a_visit_that_went(rig):
    rig.becomes(admission=Admission.ADMITTED)
    rig.line(Fallback.DEGRADED)
    rig.sight.forget(VISIT.id)
    assert not any((rig.sight._here, rig.sight._joining, rig.sight._troubled))
