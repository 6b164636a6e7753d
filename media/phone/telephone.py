"""One answered telephone in a visit: what comes from it, and what is sent to it, turn by turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import structlog
from numpy.typing import NDArray

from media.phone.announcement import Announcement
from media.phone.carrier import Frame, PhoneLine
from media.phone.echo import EchoSuppressor
from media.phone.mixer import Ramp, mix, scaled, silence
from media.phone.same_speech import SameSpeech
from media.ports import PhoneListener
from rooms.model import REPEATED, CallId, PhoneEnd, SeatId, VisitId
from rooms.policy import PhonePolicy

log = structlog.get_logger(__name__)


class Unheard:
    """Nobody wants to know."""

    def same_speech(self, visit: VisitId, seat: SeatId, call: CallId) -> None:
        """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephony:
    """What a visit with telephones needs of the rest of the server.

    ``lines`` finds the sound of an answered call. ``announce`` gives what ``PhoneEnd.prompt``
    stands for: samples at 8 kHz, or None where there is nothing to say.
    """

    lines: Callable[[CallId], PhoneLine | None] = lambda _call: None
    announce: Callable[[VisitId, PhoneEnd], NDArray[np.int16] | None] = lambda _visit, _end: None
    listener: PhoneListener = field(default_factory=Unheard)
    policy: PhonePolicy = field(default_factory=PhonePolicy)


class Telephone:
    """Whatever its line does, the visit goes on: a missing or broken line is silence."""

    def __init__(self, visit: VisitId, end: PhoneEnd, telephony: Telephony) -> None:
        policy = telephony.policy
        self.end = PhoneEnd(end.seat, end.call)
        self.has_talked = (
            False  # was let in at some time: its voice stays, silent while it is muted
        )
        self.said = silence()  # in this turn, by whoever holds it, at full strength
        self.presence: NDArray[np.float32] | float = 1.0  # in this turn; 0 once it has given way
        self._visit = visit
        self._telephony = telephony
        self._broken = False
        self._echo = EchoSuppressor(policy)
        self._fade = Ramp(1.0, policy.fade_for)
        self._duck = Ramp(1.0, policy.duck_within)
        self._announcement: Announcement | None = None
        self._same: SameSpeech | None = None
        self.become(end)

    def become(self, end: PhoneEnd) -> None:
        """Be as the wiring says from now on."""
        former, self.end = self.end, end
        self.has_talked = self.has_talked or end.talks
        if _announced(former) != _announced(end):
            self._announcement = self._begin_announcement()
        if former.compares != end.compares:
            self._same = SameSpeech(self._telephony.policy) if end.compares else None

    def _begin_announcement(self) -> Announcement | None:
        if self.end.prompt is None:
            return None
        try:
            sound = self._telephony.announce(self._visit, self.end)
        except Exception:  # a wiring must come true, with an announcement or without
            log.exception("no announcement")
            return None
        if sound is None:
            return None
        return Announcement(sound, self.end.prompt in REPEATED, self._telephony.policy)

    def take(self) -> None:
        """Hear the next 20 ms from the telephone."""
        self.presence = self._fade.move(0.0 if self.end.fading else 1.0)
        frame = self._pulled()
        self.said = self._echo.clean(silence() if frame is None else frame)

    @property
    def voice(self) -> Frame:
        """What others hear of it in this turn."""
        return scaled(self.said, self.presence) if self.end.talks else silence()

    def give(self, heard: Frame) -> None:
        """Send the next 20 ms to the telephone: the others, and what is announced over them."""
        announced = self._announcement.next() if self._announcement is not None else None
        ducked = self._duck.move(1.0 if announced is None else self._telephony.policy.ducked)
        sound = scaled(scaled(heard, self.presence), ducked)
        if announced is not None:
            sound = mix((sound, announced), self._telephony.policy)
        self._echo.sent(sound)
        self._push(sound)

    def compare(self, browser: Frame) -> None:
        """Notice the same speech in the seat's browser, and tell of it once."""
        if self._same is not None and self._same.listen(browser, self.said):
            self._telephony.listener.same_speech(self._visit, self.end.seat, self.end.call)

    def _line(self) -> PhoneLine | None:
        return None if self._broken else self._telephony.lines(self.end.call)

    def _pulled(self) -> Frame | None:
        try:
            line = self._line()
            return line.pull() if line is not None else None
        except Exception:
            log.exception("telephone line failed")
            self._broken = True  # said once, not fifty times a second
            return None

    def _push(self, sound: Frame) -> None:
        try:
            line = self._line()
            if line is not None:
                line.push(sound)
        except Exception:
            log.exception("telephone line failed")
            self._broken = True


def _announced(end: PhoneEnd) -> tuple[object, ...]:
    return end.prompt, end.asked_again, end.language
