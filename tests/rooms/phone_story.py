"""A visit in which connections fail and telephones ring, told step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rooms.effects import EndCall, PlaceCall
from rooms.events import SessionClosed
from rooms.line_events import (
    CallAnswered,
    CallerLetIn,
    CallOrdered,
    CallOver,
    CallRang,
    GreetingBegun,
    KeyPressed,
    NodeRestarted,
    OwnLineEvent,
    PhoneAsked,
    PhonePlanSet,
    SoundChanged,
)
from rooms.model import (
    Actor,
    CallFailure,
    CallPurpose,
    Fallback,
    Line,
    Need,
    PhoneEnd,
    Sound,
)
from rooms.policy import Policy
from rooms.wiring import phone_ends, who_hears_whom
from tests.rooms.cast import POLICY, STARTS, Story, by, device_id
from tests.rooms.line_space import with_phone

NOTICED = 2.0  # a silence is said two seconds after it began (``QualityPolicy.silent_after``)


class PhoneStory(Story):
    """A story whose people have telephones."""

    def __init__(
        self, *names: str, policy: Policy = POLICY, now: float = STARTS, agreed: bool = True
    ) -> None:
        super().__init__(*(names or ("dora", "petra", "fay")), policy=policy, now=now)
        for name in names or ("dora", "petra", "fay"):
            self.equip(name, agreed=agreed).needs(name)

    def equip(self, name: str, *, agreed: bool = True, **plan: Any) -> PhoneStory:
        seats = (
            with_phone(s, agreed=agreed, **plan) if s.id == name else s for s in self.visit.seats
        )
        self.visit = replace(self.visit, seats=tuple(seats))
        return self

    def needs(self, name: str, *needs: Need) -> PhoneStory:
        seats = (
            replace(s, needs=frozenset(needs)) if s.id == name else s for s in self.visit.seats
        )
        self.visit = replace(self.visit, seats=tuple(seats))
        return self

    def meet(self, *names: str) -> PhoneStory:
        """Everybody is inside and well heard."""
        self.comes_in(*(names or [s.id for s in self.visit.seats]))
        for name in names or [s.id for s in self.visit.seats]:
            self.sounds(name, Sound.FINE)
        return self

    # -- the network --------------------

    def sounds(self, name: str, sound: Sound) -> PhoneStory:
        self.tell(SoundChanged(seat=name, sound=sound))
        return self

    def cut(self, name: str = "petra") -> PhoneStory:
        """Nothing arrives any more; the server says so two seconds later."""
        self.pass_time(NOTICED)
        return self.sounds(name, Sound.SILENT)

    def restart(self, *, pages_first: bool = True) -> PhoneStory:
        """The server is killed and comes up again: every page is gone for the moment."""
        pages = [(s.id, d.id) for s in self.visit.seats for d in s.devices if d.connected]
        gone = [SessionClosed(seat=seat, device=device) for seat, device in pages]
        lost = [NodeRestarted(seat=s.id) for s in self.visit.seats]
        for event in (*gone, *lost) if pages_first else (*lost, *gone):
            self.tell(event)
        return self

    # -- the telephone --------------------

    def call(self, name: str = "petra") -> str:
        call = self.line(name).call
        assert call is not None
        return call.id

    def rings(self, name: str = "petra") -> PhoneStory:
        self.tell(CallRang(seat=name, call=self.call(name)))
        return self

    def answers(self, name: str = "petra") -> PhoneStory:
        self.tell(CallAnswered(seat=name, call=self.call(name)))
        return self

    def presses(self, key: str, name: str = "petra") -> PhoneStory:
        self.tell(KeyPressed(seat=name, call=self.call(name), key=key))
        return self

    def over(self, why: CallFailure, name: str = "petra") -> PhoneStory:
        self.tell(CallOver(seat=name, call=self.call(name), why=why))
        return self

    def bridged(self, name: str = "petra") -> PhoneStory:
        """Cut, called, answered, let in, and heard."""
        self.cut(name).pass_time(5)
        self.rings(name).answers(name).presses("1", name)
        self.pass_time(3)
        return self

    # -- wishes and orders --------------------

    def page(self, kind: type[OwnLineEvent], name: str = "petra", **more: Any) -> PhoneStory:
        self.tell(kind(seat=name, device=device_id(name, "one"), by=by(name), **more))
        return self

    def asks(self, purpose: CallPurpose = CallPurpose.BY_HAND, name: str = "petra") -> PhoneStory:
        return self.page(PhoneAsked, name, purpose=purpose)

    def plans(self, number: str = "", name: str = "petra", **more: Any) -> PhoneStory:
        return self.page(PhonePlanSet, name, number=number, wording="v2", **more)

    def orders(self, who: Actor, number: str = "", name: str = "petra") -> PhoneStory:
        self.tell(CallOrdered(seat=name, number=number, by=who))
        return self

    def greets(self, who: Actor, name: str = "petra") -> PhoneStory:
        self.tell(GreetingBegun(seat=name, by=who))
        return self

    def lets_in(self, who: Actor, name: str = "petra") -> PhoneStory:
        self.tell(CallerLetIn(seat=name, by=who))
        return self

    # -- what became of it --------------------

    def line(self, name: str = "petra") -> Line:
        return self.seat(name).line

    def state(self, name: str = "petra") -> Fallback:
        return self.line(name).state

    def why(self, name: str = "petra") -> tuple[Fallback, str | None]:
        return self.state(name), self.line(name).stuck

    def placed(self) -> list[str]:
        """Who is called by order of the last event."""
        return [e.seat for e in self.effects if isinstance(e, PlaceCall)]

    def hung_up(self) -> list[tuple[str, str | None]]:
        """(seat, farewell) of the calls that the last event ended."""
        return [(e.seat, e.farewell) for e in self.effects if isinstance(e, EndCall)]

    def end(self, name: str = "petra") -> PhoneEnd:
        return next(end for end in phone_ends(self.visit) if end.seat == name)

    def hears(self, hearer: str, source: str) -> set[str]:
        """By which ways ``hearer``'s browser hears ``source``."""
        link = next(
            k for k in who_hears_whom(self.visit) if (k.source, k.hearer) == (source, hearer)
        )
        return {way for way in ("sound", "voice") if getattr(link, way)}

    def sees(self, hearer: str, source: str) -> bool:
        links = who_hears_whom(self.visit)
        return next(k.picture for k in links if (k.source, k.hearer) == (source, hearer))
