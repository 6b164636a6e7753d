"""Every way in which one person can be connected, found breadth first with every event.

Small worlds: a provider, a patient whose line it is, and nobody whom the question does not need.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace

from rooms.events import (
    CheckStarted,
    Event,
    Knocked,
    LinkOpened,
    SeatAdded,
    SeatAdmitted,
    SeatDeadlinePassed,
    SeatEntered,
    SeatLeft,
    SeatLetBack,
    SeatSentBack,
    SeatWasDenied,
    SessionClosed,
    SessionOpened,
    VisitWasEnded,
)
from rooms.lifecycle import appointed
from rooms.line_events import (
    CallAnswered,
    CallerLetIn,
    CallOrdered,
    CallOver,
    CallRang,
    CallStopped,
    CallWasStopped,
    ConnectAsked,
    GreetingBegun,
    HandBackAsked,
    KeyPressed,
    LineDeadlinePassed,
    NodeRestarted,
    NumberRecorded,
    PageHid,
    PageLeft,
    PageShown,
    PhoneAsked,
    PhoneKept,
    PhonePlanSet,
    PhonePlanWithdrawn,
    SameSpeechHeard,
    SeatKeptOnPhone,
    SoundChanged,
    VoiceConfirmed,
    WrongPersonFound,
)
from rooms.model import (
    OVER,
    SYSTEM,
    CallFailure,
    CallPurpose,
    Consent,
    Deadline,
    PhoneNumber,
    Seat,
    Sound,
    Visit,
)
from rooms.policy import FallbackPolicy, Policy
from tests.rooms import line_oracle as oracle
from tests.rooms.cast import DESK, PRACTICE, STARTS, Story, by, seat_in, seat_of
from tests.rooms.space import STALE, Space, crowded_space, explore, seat_space, visit_space

STRICT = Policy(
    fallback=FallbackPolicy(max_calls=2, max_calls_by_hand=2, wrong_keys=1, steady_longest=30.0)
)
AGREED = Consent(at=1.0, wording="v1", by=PRACTICE)
CONTACT = PhoneNumber(id="son", number="+4917012345", contact=True, consent=AGREED)
WHYS = (CallFailure.BUSY, CallFailure.HUNG_UP, CallFailure.DECLINED)


def with_phone(seat: Seat, *, agreed: bool = True, **plan: object) -> Seat:
    """The seat with a number of its own, and one of somebody else's."""
    own = PhoneNumber(id="own", number="+491701234571", consent=AGREED if agreed else None)
    return replace(seat, phone=replace(seat.phone, numbers=(own, CONTACT), **plan))  # type: ignore[arg-type]


def equipped(story: Story, name: str = "petra", *, agreed: bool = True, **plan: object) -> Story:
    """The story in which this person has a telephone."""
    seats = (with_phone(s, agreed=agreed, **plan) if s.id == name else s for s in story.visit.seats)
    story.visit = replace(story.visit, seats=tuple(seats))
    return story


@functools.cache
def line_space() -> Space:
    """Somebody who is reached by browser, with a telephone at hand."""
    story = equipped(Story("dora", "dean", "petra", policy=STRICT))
    story.comes_in("dora", "dean").waits("petra")
    return explore(story.visit, STARTS, line_key, _events, STRICT)


@functools.cache
def phone_only_space() -> Space:
    """Somebody who has no browser."""
    story = equipped(Story("dora", "petra", policy=STRICT), only=True).comes_in("dora")
    return explore(
        story.visit,
        STARTS,
        _phone_only_key,
        _events_without_page,
        STRICT,
    )


def _phone_only_key(visit: Visit) -> Hashable:
    seat = seat_in(visit, "petra")
    return line_key(visit), seat.admission, bool(seat.devices)


@functools.cache
def appointment_space() -> Space:
    """Somebody who is called when the visit begins, and somebody who turns out to have a page."""
    story = Story("dora", "petra", "fay", policy=STRICT, now=STARTS - 60).comes_in("dora")
    equipped(story, only=True, at_start=True)
    equipped(story, "fay", at_start=True)
    start = appointed(story.visit)
    return explore(start, STARTS - 60, _appointment_key, _appointment_events, STRICT)


def _appointment_key(visit: Visit) -> Hashable:
    return line_key(visit), [(s.admission, s.deadline is None) for s in visit.seats].__repr__()


def _appointment_events(visit: Visit, now: float) -> Iterator[Event]:
    for name in ("petra", "fay"):
        deadline = seat_in(visit, name).deadline
        if deadline is not None:
            yield SeatDeadlinePassed(seat=name, deadline=deadline)
    yield SeatAdmitted(seat="petra", by=DESK)
    yield SeatWasDenied(seat="petra", by=DESK)
    yield SeatLetBack(seat="petra", by=DESK)
    yield SeatAdded(seat=seat_of("olga"), by=PRACTICE)
    yield VisitWasEnded(by=PRACTICE)


SPACES: dict[str, Callable[[], Space]] = {
    "family": lambda: seat_space("fay"),
    "provider": lambda: seat_space("dean"),
    "crowd": crowded_space,
    "visit": visit_space,
    "line": line_space,
    "phone_only": phone_only_space,
    "appointment": appointment_space,
}


def spaces() -> list[Space]:
    """Every space there is."""
    return [space() for space in SPACES.values()]


def line_key(visit: Visit) -> Hashable:
    seat = seat_in(visit, "petra")
    line, call = seat.line, seat.line.call
    door = "door" if seat.deadline is None else "kept place"
    somewhere = "inside" if oracle.is_inside(seat) else door if seat.waiting_since else "outside"
    loud = line.sound not in (Sound.FINE, Sound.SILENT)
    return (
        visit.stage in OVER,
        (somewhere, oracle.page_is_open(seat)),
        (line.state, loud or line.sound, line.stuck, line.deadline and line.deadline.name),
        call and (call.purpose, oracle.rings_somebody_else(seat)),
        (line.joined, line.returning, line.kept, line.greeter, line.asked_again),
        call is None and line.calls_by_hand >= STRICT.fallback.max_calls_by_hand,
        (oracle.callable_(seat, STRICT), seat.phone.refused),
    )


def _events(visit: Visit, _now: float) -> Iterator[Event]:
    seat = seat_in(visit, "petra")
    yield from _comings_and_goings(seat)
    yield from own_line_events("petra")
    yield from line_events(seat)


def _events_without_page(visit: Visit, _now: float) -> Iterator[Event]:
    seat = seat_in(visit, "petra")
    yield SeatAdmitted(seat="petra", by=DESK)
    yield SeatWasDenied(seat="petra", by=DESK)
    yield SeatLetBack(seat="petra", by=DESK)
    yield SeatSentBack(seat="petra", by=DESK)
    yield VisitWasEnded(by=PRACTICE)
    if seat.deadline is not None:
        yield SeatDeadlinePassed(seat="petra", deadline=seat.deadline)
    if seat.line.call is None:  # they find the link after all, and look at it
        here = {"seat": "petra", "device": "petra-one", "by": by("petra")}
        yield LinkOpened(credential="c", **here)  # type: ignore[arg-type]
        yield CheckStarted(**here)  # type: ignore[arg-type]
        yield SeatLeft(**here)  # type: ignore[arg-type]
    yield from line_events(seat)


def _comings_and_goings(seat: Seat) -> Iterator[Event]:
    yield SessionOpened(seat="petra", device="petra-one")
    yield SessionClosed(seat="petra", device="petra-one")
    yield Knocked(seat="petra", device="petra-one", by=by("petra"))
    yield SeatEntered(seat="petra", device="petra-one", by=by("petra"))
    yield SeatLeft(seat="petra", device="petra-one", by=by("petra"))
    yield SeatAdmitted(seat="petra", by=DESK)
    yield SeatSentBack(seat="petra", by=DESK)
    yield SeatWasDenied(seat="petra", by=DESK)
    yield SeatLetBack(seat="petra", by=DESK)
    if seat.line.greeter == "dora":
        yield SeatLeft(seat="dora", device="dora-one", by=by("dora"))
    yield Knocked(seat="dora", device="dora-one", by=by("dora"))
    yield VisitWasEnded(by=PRACTICE)
    if seat.deadline is not None:
        yield SeatDeadlinePassed(seat="petra", deadline=seat.deadline)


def own_line_events(name: str) -> Iterator[Event]:
    """Everything that somebody can do about their line on their own page."""
    here = {"seat": name, "device": f"{name}-one", "by": by(name)}
    for kind in (PageHid, PageShown, PageLeft, PhonePlanWithdrawn):
        yield kind(**here)  # type: ignore[arg-type]
    for other in (CallStopped, ConnectAsked, HandBackAsked, PhoneKept):
        yield other(**here)  # type: ignore[arg-type]
    yield PhonePlanSet(number="+491709999999", same_device=True, wording="v2", **here)  # type: ignore[arg-type]
    yield PhonePlanSet(wording="v3", language="es", **here)  # type: ignore[arg-type]
    for purpose in (CallPurpose.BY_HAND, CallPurpose.TRIAL):
        yield PhoneAsked(purpose=purpose, **here)  # type: ignore[arg-type]


def line_events(seat: Seat) -> Iterator[Event]:
    """Everything else that can happen to this line, late echoes included."""
    name = seat.id
    for sound in Sound:
        yield SoundChanged(seat=name, sound=sound)
    yield NodeRestarted(seat=name)
    yield LineDeadlinePassed(seat=name, deadline=Deadline("call", STALE))
    if seat.line.deadline is not None:
        yield LineDeadlinePassed(seat=name, deadline=seat.line.deadline)
    yield from _orders(name)
    yield CallOver(seat=name, call=f"{name}-0", why=CallFailure.BUSY)
    if seat.line.call is not None:
        yield from call_events(name, seat.line.call.id)


def _orders(name: str) -> Iterator[Event]:
    dora = by("dora")
    own = PhoneNumber(id="own", number="+491708888888")
    yield NumberRecorded(seat=name, number=own, wording="spoken", by=DESK)
    yield NumberRecorded(seat=name, number=own, by=DESK)
    yield NumberRecorded(seat=name, number=CONTACT, wording="spoken", by=DESK)
    for number in ("", "son", "unknown"):
        yield CallOrdered(seat=name, number=number, by=DESK)
    for kind in (CallWasStopped, SeatKeptOnPhone, GreetingBegun, CallerLetIn):
        yield kind(seat=name, by=dora)
    yield GreetingBegun(seat=name, by=by("dean"))
    yield VoiceConfirmed(seat=name, by=dora)
    yield WrongPersonFound(seat=name, by=dora)


def call_events(name: str, call: str) -> Iterator[Event]:
    """Everything that can become of a call."""
    yield CallRang(seat=name, call=call, by=SYSTEM)
    yield CallAnswered(seat=name, call=call)
    yield SameSpeechHeard(seat=name, call=call)
    for key in ("1", "2", "5", "9"):
        yield KeyPressed(seat=name, call=call, key=key)
    for why in WHYS:
        yield CallOver(seat=name, call=call, why=why)
