"""What changes of a visit say in figures, by stories that the rules themselves wrote."""

from dataclasses import replace

import pytest

from rooms.model import Admission, Device, EndReason, Fallback, Line, Role, Seat, Stage, Standing
from server.measures import Measurement, Standings, What, observe, standings
from tests.support.records import a_visit

NOW = 1_500.0


def a_seat(seat="patient", **fields):
    given = {"role": Role.PATIENT, "name": "Rosa Alvarez", **fields}
    return Seat(id=seat, **given)


def a_device(device="one", standing=Standing.HOLDING, **fields):
    given = {"credential": "c", "opened_at": 1_000.0, "connected": True, **fields}
    return Device(id=device, standing=standing, **given)


def seen(before, after, stage=Stage.OPEN):
    """What is measured when a running visit's only seat goes from one to the other."""
    visit = a_visit(stage=stage)
    former, latter = replace(visit, seats=(before,)), replace(visit, seats=(after,))
    return list(observe(former, latter, NOW))


def test_whoever_waited_was_let_in_after_so_long():
    before = a_seat(admission=Admission.WAITING, waiting_since=1_440.0, devices=(a_device(),))
    after = replace(before, admission=Admission.ADMITTED, waiting_since=None)
    assert seen(before, after) == [
        Measurement(What.AT_THE_DOOR, "admitted", 60.0),
        Measurement(What.CAME_IN, "browser", seat="patient"),
    ]


def test_whoever_needs_no_leave_did_not_wait():
    before = a_seat(role=Role.PROVIDER)
    door, came = seen(before, replace(before, admission=Admission.ADMITTED))
    assert (door.outcome, door.seconds) == ("walked_in", None)
    assert came.what is What.CAME_IN


@pytest.mark.parametrize(
    ("was", "is_now", "outcome"),
    [
        (Admission.WAITING, Admission.DENIED, "denied"),
        (Admission.PRESENT, Admission.REMOVED, "removed"),
        (Admission.PRESENT, Admission.WAITING, "sent_back"),
        (Admission.WAITING, Admission.LEFT, "gave_up"),
        (Admission.WAITING, Admission.INVITED, "gave_up"),
    ],
)
def test_every_other_way_past_the_door_is_told_apart(was, is_now, outcome):
    before = a_seat(admission=was, devices=(a_device(),))
    told = seen(before, replace(before, admission=is_now))
    assert Measurement(What.AT_THE_DOOR, outcome) in told
    assert (Measurement(What.WENT_OUT, seat="patient") in told) is (was is Admission.PRESENT)


def test_a_second_device_is_let_in_or_turned_away():
    second = a_device("two", Standing.WAITING, waiting_since=1_490.0)
    before = a_seat(admission=Admission.PRESENT, devices=(a_device(), second))
    opened = replace(before.devices[0], standing=Standing.OPENED)
    holds = replace(second, standing=Standing.HOLDING, waiting_since=None)
    assert seen(before, replace(before, devices=(opened, holds))) == [
        Measurement(What.AT_THE_DOOR, "device_admitted", 10.0)
    ]
    refused = replace(second, standing=Standing.REFUSED, waiting_since=None)
    assert seen(before, replace(before, devices=(before.devices[0], refused))) == [
        Measurement(What.AT_THE_DOOR, "device_refused")
    ]


def line(state, since=None):
    return a_seat(admission=Admission.PRESENT, line=Line(state=state, since=since))


def test_a_fallback_is_measured_state_by_state():
    good, degraded = line(Fallback.GOOD), line(Fallback.DEGRADED, 1_490.0)
    assert seen(good, degraded) == [Measurement(What.TROUBLE, seat="patient")]
    assert seen(degraded, line(Fallback.DIALING, NOW)) == [
        Measurement(What.LINE_LEFT, "degraded", 10.0)
    ]
    bridged = line(Fallback.BRIDGED, NOW)
    assert seen(line(Fallback.GATE, 1_495.0), bridged) == [
        Measurement(What.LINE_LEFT, "gate", 5.0),
        Measurement(What.ON_PHONE, seat="patient"),
    ]
    assert seen(bridged, line(Fallback.RECOVERING, NOW)) == [
        Measurement(What.LINE_LEFT, "bridged", 0.0)
    ]


@pytest.mark.parametrize(
    ("was", "stage", "outcome"),
    [
        (Fallback.RECOVERING, Stage.IN_PROGRESS, "handed_back"),
        (Fallback.DEGRADED, Stage.IN_PROGRESS, "mended"),
        (Fallback.BRIDGED, Stage.ENDED, "ended_on_phone"),
        (Fallback.STUCK, Stage.ENDED, "ended_unmended"),
    ],
)
def test_trouble_ends_in_one_of_four_ways(was, stage, outcome):
    told = seen(line(was, 1_400.0), line(Fallback.GOOD, NOW), stage)
    assert told[-1] == Measurement(What.TROUBLE_OVER, outcome, seat="patient")


def test_a_visit_ends_once():
    running, over = a_visit(stage=Stage.OPEN), a_visit(stage=Stage.ENDED, ended_at=NOW)
    over = replace(over, end_reason=EndReason.TIME_UP)
    assert list(observe(running, over, NOW)) == [Measurement(What.VISIT_OVER, "time_up")]
    assert list(observe(over, over, NOW)) == []
    (cancelled,) = observe(running, a_visit(stage=Stage.CANCELLED), NOW)
    assert cancelled.outcome == "cancelled"


def test_a_visit_that_is_taken_up_says_nothing_of_before():
    assert list(observe(None, a_visit(stage=Stage.OPEN, seats=(a_seat(),)), NOW)) == []


def test_gauges_see_who_waits_and_how_people_are_connected():
    waits = a_seat(admission=Admission.WAITING, waiting_since=1_440.0, devices=(a_device(),))
    gone = replace(waits, id="gone", devices=(a_device(connected=False),))
    inside = replace(line(Fallback.BRIDGED), id="inside")
    visit = a_visit(stage=Stage.OPEN, seats=(waits, gone, inside))
    assert standings(visit) == Standings(Stage.OPEN, (1_440.0,), (Fallback.BRIDGED,))
    assert standings(replace(visit, stage=Stage.SCHEDULED)) == Standings(Stage.SCHEDULED)
