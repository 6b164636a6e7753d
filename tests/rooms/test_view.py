"""What each seat may see, and above all what it may not."""

import json
from dataclasses import replace

import pytest
from hypothesis import given

from rooms.codec import plain
from rooms.errors import UnknownDevice, UnknownSeat
from rooms.model import (
    INSIDE,
    RUNNING,
    SYSTEM,
    Consent,
    Device,
    Need,
    Notice,
    PhoneNumber,
    PhonePlan,
    Role,
    Seat,
    Standing,
    Visit,
)
from rooms.permissions import MATRIX
from rooms.view import View, guest_list, is_inside, view_for, waiting_list
from tests.rooms.cast import DESK, EVERYBODY, MINUTE, POLICY, Story, by, seat_in
from tests.rooms.walks import visits

DORA = by("dora")


def with_canaries(visit: Visit) -> Visit:
    """The same visit, with a word in every field of a person that gives them away when it leaks."""

    def device(name: str, one: Device) -> Device:
        return replace(one, credential=f"canary-{name}-credential")

    def canary(seat: Seat) -> Seat:
        return replace(
            seat,
            name=f"canary-{seat.id}-name",
            said_name=f"canary-{seat.id}-said",
            language=f"canary-{seat.id}-language",
            relationship=f"canary-{seat.id}-relationship",
            external_ids=(("record", f"canary-{seat.id}-record"),),
            needs=frozenset({Need.RELAY}),
            phone=PhonePlan(
                numbers=(
                    PhoneNumber(
                        id="own",
                        number=f"canary-{seat.id}-phone71",
                        consent=Consent(at=1.0, wording=f"canary-{seat.id}-wording", by=SYSTEM),
                    ),
                )
            ),
            address=f"canary-{seat.id}-address",
            notices=tuple(replace(n, text=f"canary-{seat.id}-notice") for n in seat.notices),
            devices=tuple(device(seat.id, one) for one in seat.devices),
        )

    return replace(
        visit, external_ids=(("a", "canary-visit"),), seats=tuple(map(canary, visit.seats))
    )


def views(visit: Visit) -> list[tuple[Seat, Device, View]]:
    return [
        (seat, device, view_for(visit, seat.id, device.id, POLICY))
        for seat in visit.seats
        for device in seat.devices
    ]


def text_of(view: View) -> str:
    return json.dumps(plain(view))


@given(visits())
def test_whoever_is_not_inside_learns_of_nobody(visit):
    for seat, device, view in views(with_canaries(visit)):
        if is_inside(visit, seat, device):
            continue
        assert (view.people, view.waiting, view.seats) == ((), (), ())
        assert view.me.video_kbps == POLICY.video_kbps_for(1)
        for other in visit.seats:
            assert other.id == seat.id or f"canary-{other.id}-" not in text_of(view)


@given(visits())
def test_inside_is_the_one_device_that_was_let_in(visit):
    for seat, device, view in views(visit):
        let_in = seat.admission in INSIDE and device.standing is Standing.HOLDING
        assert view.me.inside == (let_in and visit.stage in RUNNING)


@given(visits())
def test_nobody_sees_secrets_records_or_telephones(visit):
    for _, _, view in views(with_canaries(visit)):
        for secret in ("-credential", "-record", "-phone", "-wording", "-address", "canary-visit"):
            assert secret not in text_of(view)


@given(visits())
def test_only_those_who_may_see_who_waits(visit):
    for seat, device, view in views(visit):
        if not is_inside(visit, seat, device):
            continue
        everybody = waiting_list(visit)
        family = tuple(entry for entry in everybody if entry.role is Role.FAMILY)
        expected = {Role.PROVIDER: everybody, Role.PATIENT: family}
        assert view.waiting == expected.get(seat.role, ())


@given(visits())
def test_people_are_everybody_else_inside_and_nobody_more(visit):
    for seat, device, view in views(visit):
        inside = {s.id for s in visit.seats if s.admission in INSIDE and s.id != seat.id}
        shown = {person.seat for person in view.people}
        assert shown == (inside if is_inside(visit, seat, device) else set())
        if view.me.inside:
            assert view.me.video_kbps == POLICY.video_kbps_for(len(inside) + 1)


@given(visits())
def test_an_observer_is_seen_to_have_neither_microphone_nor_camera(visit):
    for _, _, view in views(visit):
        for person in view.people:
            seat = seat_in(visit, person.seat)
            observer = person.role is Role.OBSERVER
            assert person.microphone == (seat.microphone and not observer)
            assert person.camera == (seat.camera and not observer)


@given(visits())
def test_the_guest_list_is_for_those_who_invite(visit):
    for seat, device, view in views(visit):
        shows = is_inside(visit, seat, device) and seat.role is Role.PROVIDER
        others = {s.id for s in visit.seats if not s.revoked and s.id != seat.id}
        assert {entry.seat for entry in view.seats} == (others if shows else set())


@given(visits())
def test_notices_are_read_by_the_one_they_were_written_to_while_they_wait(visit):
    for seat, device, view in views(with_canaries(visit)):
        waits = seat.admission == "waiting" and device.standing is Standing.HOLDING
        asks = device.standing is Standing.WAITING
        assert waits or asks or view.me.notices == ()
        assert {n.text for n in view.me.notices} <= {f"canary-{seat.id}-notice"}


@given(visits())
def test_a_page_is_told_of_itself_what_is_so(visit):
    for seat, device, view in views(visit):
        me = view.me
        assert (me.seat, me.device, me.role) == (seat.id, device.id, seat.role)
        assert (me.admission, me.standing) == (seat.admission, device.standing)
        others = [other for other in seat.devices if other is not device]
        assert me.another_device == any(d.standing is Standing.HOLDING for d in others)
        assert (me.microphone, me.camera) == (seat.microphone, seat.camera)
        assert set(me.may) == MATRIX[seat.role]
        assert (view.stage, view.revision, view.visit) == (visit.stage, visit.revision, visit.id)
        assert (view.starts_at, view.ends_at, view.host) == (
            visit.starts_at,
            visit.ends_at,
            visit.host,
        )
        assert view.end_reason is visit.end_reason


# -- what staff see --------------------


@given(visits())
def test_the_queue_is_in_the_order_of_waiting_and_empty_when_the_door_is_closed(visit):
    queue = waiting_list(visit)
    since = [entry.waiting_since or 0.0 for entry in queue]
    assert all(since)
    assert since == sorted(since)
    assert visit.stage in RUNNING or not queue
    assert all(entry.connected for entry in queue if entry.another_device)


def test_the_guest_list_leaves_out_whoever_was_withdrawn():
    story = Story().waits("fay").revokes("fay").denies(DESK, "fred").opens("ivan").drops("ivan")
    entries = {entry.seat: entry for entry in guest_list(story.visit)}
    assert set(entries) == set(EVERYBODY) - {"fay"}
    assert entries["fred"].admission == "denied"
    assert not entries["ivan"].connected


def test_staff_see_who_waits_and_how_to_speak_with_them():
    story = Story().opens("petra").knocks("petra", name="Petra on the phone", language="tr")
    (entry,) = waiting_list(story.visit)
    assert (entry.name, entry.said_name) == ("Petra Invited", "Petra on the phone")
    assert (entry.language, entry.needs) == ("tr", (Need.CAPTIONS, Need.SIGNING))
    assert (entry.waiting_since, entry.connected) == (story.now, True)
    assert not waiting_list(story.drops("petra").visit)[0].connected


def test_people_who_wait_never_learn_of_one_another():
    story = Story().comes_in("dora").waits("petra", "fay", "fred", "ivan")
    for name in ("petra", "fay", "fred", "ivan"):
        view = story.view(name)
        assert (view.people, view.waiting, view.seats) == ((), (), ())
        assert view.me.waiting_since == story.now


def test_people_who_wait_are_not_even_told_that_somebody_else_has_come():
    story = Story().comes_in("dora").waits("petra")
    before = story.view("petra")
    after = story.pass_time(1).waits("fay").writes(DORA, "fay", "soon").view("petra")
    assert after.revision > before.revision
    assert after == before
    assert story.writes(DORA, "petra", "soon").view("petra") != before


def test_patient_sees_family_who_ask_and_nobody_else_who_waits():
    story = Story().comes_in("petra").waits("fay", "ivan", "olga", "cleo")
    assert [entry.seat for entry in story.view("petra").waiting] == ["fay"]


@pytest.mark.parametrize("name", ["fay", "ivan", "cleo", "nils", "olga"])
def test_everybody_else_inside_sees_nobody_who_waits(name):
    others = [other for other in ("fay", "ivan") if other != name]
    view = Story().comes_in(name).waits(*others).view(name)
    assert (view.waiting, view.seats) == ((), ())


def test_name_the_practice_gave_comes_before_the_persons_own():
    story = Story().forget_the_name_of("fay").comes_in("dora")
    story.opens("fay").knocks("fay", name="Aunt Fay").admits(DORA, "fay")
    assert [person.name for person in story.view("dora").people] == ["Aunt Fay"]
    assert story.view("fay").me.name == "Aunt Fay"


def test_page_that_asks_again_keeps_its_place_on_either_device():
    story = Story().comes_in("dora").waits("petra").waits("petra", device="two")
    first = story.now
    story.pass_time(MINUTE).knocks("petra").knocks("petra", "two")
    assert [entry.waiting_since for entry in story.view("dora").waiting] == [first, first]
    assert story.view("petra", "two").me.waiting_since == first


def test_notices_beyond_what_is_kept_are_forgotten_oldest_first():
    story = Story().waits("petra")
    for number in range(POLICY.notices_kept + 3):
        story.writes(DESK, "petra", f"notice {number}")
    notices = story.view("petra").me.notices
    assert len(notices) == POLICY.notices_kept
    assert notices[-1] == Notice(id=POLICY.notices_kept + 3, text="notice 12", at=story.now)


def test_strangers_have_no_view():
    story = Story().opens("petra")
    with pytest.raises(UnknownSeat):
        story.view("mallory")
    with pytest.raises(UnknownDevice):
        story.view("petra", "two")
