"""The whole grid of who may do what, every "no" included, and what no role overrides."""

from dataclasses import replace
from typing import Any

import pytest

from rooms.errors import NotAdmitted, NotPermitted, UnknownSeat
from rooms.events import (
    SEAT_EVENTS,
    VISIT_EVENTS,
    DeadlinePassed,
    Emptied,
    Event,
    Knocked,
    LinkOpened,
    MediaSwitched,
    Met,
    NoticeSent,
    Occupied,
    OwnSeatEvent,
    Parted,
    SeatAdded,
    SeatAdmitted,
    SeatDeadlinePassed,
    SeatLeft,
    SeatLetBack,
    SeatObjected,
    SeatRevoked,
    SeatSentBack,
    SeatWasDenied,
    SeatWasRemoved,
    SessionClosed,
    VisitRescheduled,
    VisitWasCancelled,
    VisitWasEnded,
)
from rooms.line_events import (
    LINE_EVENTS,
    CallerLetIn,
    CallEvent,
    CallOrdered,
    CallWasStopped,
    CoverBegan,
    CoverEnded,
    GreeterGone,
    GreetingBegun,
    LineDeadlinePassed,
    NodeRestarted,
    NumberRecorded,
    PageBack,
    PageGone,
    SeatKeptOnPhone,
    SoundChanged,
    VoiceConfirmed,
    WrongPersonFound,
)
from rooms.model import OWN_NUMBER, SYSTEM, Actor, ActorKind, PhoneNumber, Role
from rooms.permissions import ACTION_OF, MATRIX, Action, may, require
from tests.rooms.cast import DESK, EVERYBODY, PRACTICE, ROLES, Story, by, seat_of

# Columns: patient, provider, family, interpreter, consultant, presenter, observer, desk, practice,
# system.
COLUMNS = (*Role, ActorKind.DESK, ActorKind.PRACTICE, ActorKind.SYSTEM)
GRID = {
    "speak":              "yes yes yes yes yes yes no  no  no  no",
    "show":               "yes yes yes yes yes yes no  no  no  no",
    "hear":               "yes yes yes yes yes yes yes no  no  no",
    "enter_directly":     "no  yes no  no  no  no  no  no  no  no",
    "see_waiting":        "no  yes no  no  no  no  no  yes yes no",
    "see_family_waiting": "yes no  no  no  no  no  no  no  no  no",
    "admit":              "no  yes no  no  no  no  no  yes yes no",
    "deny":               "no  yes no  no  no  no  no  yes yes no",
    "remove":             "no  yes no  no  no  no  no  yes yes no",
    "send_back":          "no  yes no  no  no  no  no  yes yes no",
    "let_back":           "no  yes no  no  no  no  no  yes yes no",
    "message":            "no  yes no  no  no  no  no  yes yes no",
    "object":             "yes no  no  no  no  no  no  no  no  no",
    "invite":             "no  yes no  no  no  no  no  no  yes no",
    "end":                "no  yes no  no  no  no  no  no  yes no",
    "reschedule":         "no  no  no  no  no  no  no  no  yes no",
    "cancel":             "no  no  no  no  no  no  no  no  yes no",
    "revoke":             "no  no  no  no  no  no  no  no  yes no",
    "open":               "no  no  no  no  no  no  no  yes no  no",
    "see_lines":          "no  yes no  no  no  no  no  yes yes no",
    "call":               "no  yes no  no  no  no  no  yes yes no",
    "greet":              "no  yes no  no  no  no  no  no  no  no",
}  # fmt: skip

CELLS = [
    (action, who, answer == "yes")
    for action, row in GRID.items()
    for who, answer in zip(COLUMNS, row.split(), strict=True)
]


@pytest.mark.parametrize(("action", "who", "allowed"), CELLS)
def test_the_matrix_says_what_the_grid_says(action, who, allowed):
    assert may(who, Action(action)) is allowed


def test_the_grid_is_the_whole_matrix():
    assert {Action(name) for name in GRID} == set(Action)
    assert set(COLUMNS) == set(MATRIX)


# -- the events behind the actions, asked of everybody who is inside --------------------


def orders(by_whom: Actor) -> dict[str, Event]:
    """One event for each action that needs a permission, about somebody else."""
    about: Any = {"seat": "fred", "by": by_whom}
    return {
        "admit": SeatAdmitted(**about),
        "deny": SeatWasDenied(**about),
        "remove": SeatWasRemoved(**about),
        "send_back": SeatSentBack(**about),
        "let_back": SeatLetBack(**about),
        "message": NoticeSent(text="soon", **about),
        "object": SeatObjected(**about),
        "invite": SeatAdded(seat=seat_of("fred"), by=by_whom),
        "end": VisitWasEnded(by=by_whom),
        "reschedule": VisitRescheduled(starts_at=1, ends_at=2, by=by_whom),
        "cancel": VisitWasCancelled(by=by_whom),
        "revoke": SeatRevoked(**about),
    }


def phone_orders(by_whom: Actor) -> dict[str, list[Event]]:
    """The events behind the actions that concern telephones."""
    about: Any = {"seat": "fred", "by": by_whom}
    number = PhoneNumber(id=OWN_NUMBER, number="+49-fred")
    return {
        "call": [
            CallOrdered(**about),
            CallWasStopped(**about),
            SeatKeptOnPhone(**about),
            NumberRecorded(number=number, **about),
        ],
        "greet": [kind(**about) for kind in GREETING],
    }


GREETING = (GreetingBegun, CallerLetIn, VoiceConfirmed, WrongPersonFound)


@pytest.fixture(scope="module")
def full_house():
    return Story().comes_in(*EVERYBODY).visit


ACTORS = [*(by(name) for name in EVERYBODY if name != "fred"), DESK, PRACTICE, SYSTEM]
IN_THE_GRID = {(action, who): allowed for action, who, allowed in CELLS}


@pytest.mark.parametrize("action", orders(SYSTEM))
@pytest.mark.parametrize("actor", ACTORS, ids=lambda a: f"{a.kind}-{a.id}")
def test_an_order_is_refused_unless_the_grid_allows_it(full_house, actor, action):
    who = ROLES[actor.id] if actor.kind is ActorKind.SEAT else actor.kind
    event = orders(actor)[action]
    if IN_THE_GRID[action, who]:
        require(full_house, event)
    else:
        with pytest.raises(NotPermitted):
            require(full_house, event)


@pytest.mark.parametrize("action", phone_orders(SYSTEM))
@pytest.mark.parametrize("actor", ACTORS, ids=lambda a: f"{a.kind}-{a.id}")
def test_an_order_about_telephones_is_refused_unless_the_grid_allows_it(full_house, actor, action):
    who = ROLES[actor.id] if actor.kind is ActorKind.SEAT else actor.kind
    for event in phone_orders(actor)[action]:
        if IN_THE_GRID[action, who]:
            require(full_house, event)
        else:
            with pytest.raises(NotPermitted):
                require(full_house, event)


@pytest.mark.parametrize("action", phone_orders(SYSTEM))
def test_nobody_decides_about_their_own_telephone_as_staff(full_house, action):
    for event in phone_orders(by("dora"))[action]:
        with pytest.raises(NotPermitted):
            require(full_house, replace(event, seat="dora"))


OF_THE_SYSTEM = (
    *(Met, Parted, Emptied, Occupied, DeadlinePassed, SeatDeadlinePassed),
    *(CoverBegan, CoverEnded, PageGone, PageBack, GreeterGone, NodeRestarted),
    *(SoundChanged, LineDeadlinePassed),
)


def test_every_event_is_an_order_the_persons_own_or_the_systems():
    for event in (*SEAT_EVENTS, *VISIT_EVENTS, *LINE_EVENTS, SeatAdded):
        system = event in OF_THE_SYSTEM or issubclass(event, CallEvent)
        kinds = event in ACTION_OF, issubclass(event, OwnSeatEvent), system
        assert kinds.count(True) == 1, event
    asked = {*orders(SYSTEM), *phone_orders(SYSTEM)}
    assert {action.value for action in ACTION_OF.values()} == asked


# -- what no role overrides --------------------

STAFF_ORDERS = [a for a in orders(SYSTEM) if IN_THE_GRID[a, Role.PROVIDER]]
SEAT_ORDERS = [a for a in STAFF_ORDERS if a not in ("invite", "end")]


def order(action, actor, **about):
    return replace(orders(actor)[action], **about)


@pytest.mark.parametrize("action", SEAT_ORDERS)
def test_nobody_decides_about_their_own_seat(full_house, action):
    with pytest.raises(NotPermitted):
        require(full_house, order(action, by("dora"), seat="dora"))


@pytest.mark.parametrize("action", STAFF_ORDERS)
def test_a_second_device_of_a_provider_orders_nothing(action):
    story = Story().comes_in("dora").opens("dora", "two").knocks("dora", "two")
    with pytest.raises(NotAdmitted):
        require(story.visit, order(action, by("dora", "two")))


@pytest.mark.parametrize("action", STAFF_ORDERS)
def test_a_provider_who_is_not_inside_orders_nothing(action):
    invited = Story()
    at_the_door = Story().opens("dora")
    left = Story().comes_in("dora").leaves("dora")
    removed = Story().comes_in("dora").removes(DESK, "dora")
    for story in (invited, at_the_door, left, removed):
        with pytest.raises(NotAdmitted):
            require(story.visit, order(action, by("dora")))


@pytest.mark.parametrize("action", STAFF_ORDERS)
def test_a_provider_whose_line_dropped_has_not_lost_the_office(action):
    story = Story().comes_in("dora", "petra").drops("dora")
    require(story.visit, order(action, by("dora")))


def test_somebody_who_is_not_invited_orders_nothing(full_house):
    with pytest.raises(UnknownSeat):
        require(full_house, VisitWasEnded(by=by("mallory")))


@pytest.mark.parametrize("name", [name for name in EVERYBODY if ROLES[name] is not Role.FAMILY])
def test_a_patient_objects_to_family_only(full_house, name):
    with pytest.raises(NotPermitted):
        require(full_house, SeatObjected(seat=name, by=by("petra")))


def test_a_patient_who_still_waits_cannot_object_yet():
    with pytest.raises(NotAdmitted):
        require(Story().waits("petra", "fay").visit, SeatObjected(seat="fay", by=by("petra")))


@pytest.mark.parametrize("kind", [Knocked, SeatLeft, MediaSwitched, LinkOpened, SessionClosed])
@pytest.mark.parametrize(
    "actor", [DESK, PRACTICE, by("dora"), by("petra", "two"), by("fay")], ids=lambda a: a.id
)
def test_nobody_acts_from_somebody_elses_page(full_house, kind, actor):
    extras: Any = {
        LinkOpened: {"credential": "c"},
        MediaSwitched: {"microphone": True, "camera": True},
    }
    event = kind(seat="petra", device="petra-one", by=actor, **extras.get(kind, {}))
    with pytest.raises(NotPermitted):
        require(full_house, event)
