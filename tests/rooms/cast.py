"""The people of these tests, and a short way to tell what they do."""

from __future__ import annotations

from dataclasses import replace

from rooms.effects import Effect, EndSession
from rooms.events import (
    CheckStarted,
    Event,
    Knocked,
    LinkOpened,
    MediaSwitched,
    NoticeSent,
    SeatAdmitted,
    SeatEntered,
    SeatLeft,
    SeatLetBack,
    SeatObjected,
    SeatRevoked,
    SeatSentBack,
    SeatWasDenied,
    SeatWasRemoved,
    SessionClosed,
    SessionOpened,
    VisitRescheduled,
    VisitWasCancelled,
    VisitWasEnded,
)
from rooms.model import (
    OWN_NUMBER,
    Actor,
    ActorKind,
    Need,
    PhoneNumber,
    PhonePlan,
    Role,
    Seat,
    Visit,
)
from rooms.policy import Policy
from rooms.view import View, view_for
from rooms.visit import next_deadline, schedule, step

POLICY = Policy()
STARTS = 1_800_000_000.0
ENDS = STARTS + 30 * 60
MINUTE = 60.0

DESK = Actor(ActorKind.DESK, "desk-1")
PRACTICE = Actor(ActorKind.PRACTICE, "key-1")

ROLES = {
    "dora": Role.PROVIDER,
    "dean": Role.PROVIDER,
    "petra": Role.PATIENT,
    "fay": Role.FAMILY,
    "fred": Role.FAMILY,
    "ivan": Role.INTERPRETER,
    "cleo": Role.CONSULTANT,
    "nils": Role.PRESENTER,
    "olga": Role.OBSERVER,
}
EVERYBODY = tuple(ROLES)


def by(seat: str, device: str = "one") -> Actor:
    """The person at this seat, on this device."""
    return Actor(ActorKind.SEAT, seat, device_id(seat, device))


def device_id(seat: str, device: str) -> str:
    """Device ids are unique across seats, as the server makes them."""
    return f"{seat}-{device}" if device else ""


def seat_of(name: str) -> Seat:
    """A newly invited person about whom everything that can be known is known."""
    family = ROLES[name] is Role.FAMILY
    return Seat(
        id=name,
        role=ROLES[name],
        name=f"{name.title()} Invited",
        language="de",
        relationship=f"cousin-{name}" if family else "",
        external_ids=(("record", f"mrn-{name}"),),
        needs=frozenset({Need.SIGNING, Need.CAPTIONS}) if name == "petra" else frozenset(),
        phone=PhonePlan(numbers=(PhoneNumber(id=OWN_NUMBER, number=f"+49-{name}"),)),
    )


def visit_of(*names: str, policy: Policy = POLICY) -> Visit:
    """A scheduled visit to which these people are invited."""
    return schedule(
        Visit(
            id="visit-1",
            practice="practice-1",
            starts_at=STARTS,
            ends_at=ENDS,
            host="Dr. Dora",
            external_ids=(("appointment", "a-1"),),
            seats=tuple(seat_of(name) for name in names),
        ),
        policy,
    )


def seat_in(visit: Visit, name: str) -> Seat:
    """The seat of somebody who is known to be invited."""
    seat = visit.seat(name)
    assert seat is not None
    return seat


def catch_up(visit: Visit, now: float, policy: Policy) -> tuple[Visit, tuple[Effect, ...]]:
    """The visit after every deadline that has come by ``now``, as the keeper lets them pass."""
    effects: tuple[Effect, ...] = ()
    while (due := next_deadline(visit)) is not None and due.deadline.at <= now:
        visit, more = step(visit, due, due.deadline.at, policy)
        effects += more
    return visit, effects


class Story:
    """One visit and what happens in it, told step by step the way the server feeds it."""

    def __init__(self, *names: str, policy: Policy = POLICY, now: float = STARTS) -> None:
        self.policy = policy
        self.now = now
        self.visit = visit_of(*(names or EVERYBODY), policy=policy)
        self.effects: tuple[Effect, ...] = ()
        self.pass_time(0)

    def tell(self, event: Event) -> Story:
        """Let ``event`` happen now; ``effects`` are those of this event."""
        self.visit, self.effects = step(self.visit, event, self.now, self.policy)
        return self

    def pass_time(self, seconds: float) -> Story:
        """Let time pass, and with it whatever deadline comes."""
        self.now += seconds
        self.visit, self.effects = catch_up(self.visit, self.now, self.policy)
        return self

    # -- what people do on their own page --------------------

    def opens(self, seat: str, device: str = "one") -> Story:
        """Open the link in a browser that has no credential yet, and connect."""
        there = device_id(seat, device)
        self.tell(
            LinkOpened(seat=seat, device=there, credential=f"sha256-{there}", by=by(seat, device))
        )
        return self.connects(seat, device)

    def connects(self, seat: str, device: str = "one") -> Story:
        return self.tell(SessionOpened(seat=seat, device=device_id(seat, device)))

    def drops(self, seat: str, device: str = "one") -> Story:
        return self.tell(SessionClosed(seat=seat, device=device_id(seat, device)))

    def checks(self, seat: str, device: str = "one") -> Story:
        return self.tell(
            CheckStarted(seat=seat, device=device_id(seat, device), by=by(seat, device))
        )

    def knocks(self, seat: str, device: str = "one", name: str = "", language: str = "") -> Story:
        return self.tell(
            Knocked(
                seat=seat,
                device=device_id(seat, device),
                said_name=name,
                language=language,
                by=by(seat, device),
            )
        )

    def enters(self, seat: str, device: str = "one") -> Story:
        return self.tell(
            SeatEntered(seat=seat, device=device_id(seat, device), by=by(seat, device))
        )

    def leaves(self, seat: str, device: str = "one") -> Story:
        return self.tell(SeatLeft(seat=seat, device=device_id(seat, device), by=by(seat, device)))

    def switches(
        self, seat: str, device: str = "one", *, microphone: bool = True, camera: bool = True
    ) -> Story:
        return self.tell(
            MediaSwitched(
                seat=seat,
                device=device_id(seat, device),
                microphone=microphone,
                camera=camera,
                by=by(seat, device),
            )
        )

    # -- what staff order --------------------

    def admits(self, who: Actor, seat: str, device: str = "") -> Story:
        return self.tell(SeatAdmitted(seat=seat, device=device_id(seat, device), by=who))

    def denies(self, who: Actor, seat: str, device: str = "") -> Story:
        return self.tell(SeatWasDenied(seat=seat, device=device_id(seat, device), by=who))

    def removes(self, who: Actor, seat: str) -> Story:
        return self.tell(SeatWasRemoved(seat=seat, by=who))

    def sends_back(self, who: Actor, seat: str) -> Story:
        return self.tell(SeatSentBack(seat=seat, by=who))

    def lets_back(self, who: Actor, seat: str) -> Story:
        return self.tell(SeatLetBack(seat=seat, by=who))

    def objects(self, who: Actor, seat: str) -> Story:
        return self.tell(SeatObjected(seat=seat, by=who))

    def writes(self, who: Actor, seat: str, text: str) -> Story:
        return self.tell(NoticeSent(seat=seat, text=text, by=who))

    def revokes(self, seat: str) -> Story:
        return self.tell(SeatRevoked(seat=seat, by=PRACTICE))

    def ends(self, who: Actor = PRACTICE) -> Story:
        return self.tell(VisitWasEnded(by=who))

    def cancels(self) -> Story:
        return self.tell(VisitWasCancelled(by=PRACTICE))

    def moves(self, seconds: float) -> Story:
        """The practice moves the visit by this much."""
        starts, ends = self.visit.starts_at + seconds, self.visit.ends_at + seconds
        return self.tell(VisitRescheduled(starts_at=starts, ends_at=ends, by=PRACTICE))

    # -- shortcuts --------------------

    def waits(self, *seats: str, device: str = "one") -> Story:
        """Open the link and ask to come in."""
        for seat in seats:
            self.opens(seat, device).knocks(seat, device)
        return self

    def comes_in(self, *seats: str) -> Story:
        """Open the link, be admitted by the desk where that is needed, and enter."""
        for seat in seats:
            self.waits(seat)
            if ROLES[seat] is not Role.PROVIDER:
                self.admits(DESK, seat)
            self.enters(seat)
        return self

    def seat(self, name: str) -> Seat:
        return seat_in(self.visit, name)

    def forget_the_name_of(self, seat: str) -> Story:
        """As if the practice had invited this person without a name."""
        seats = tuple(replace(s, name="") if s.id == seat else s for s in self.visit.seats)
        self.visit = replace(self.visit, seats=seats)
        return self

    def view(self, seat: str, device: str = "one") -> View:
        return view_for(self.visit, seat, device_id(seat, device), self.policy)

    def ended_sessions(self) -> set[tuple[str, str, str]]:
        """(seat, device, code) of the sessions that the last event ended."""
        return {(e.seat, e.device, e.code) for e in self.effects if isinstance(e, EndSession)}
