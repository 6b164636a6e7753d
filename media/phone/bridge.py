"""The telephones of one visit, mixed into it on one clock of 20 ms.

Every telephone hears the sum of exactly what its ``PhoneEnd`` names, and never itself; browsers
hear each telephone as a stream of its own. Nothing is decoded that no telephone hears, and a visit
without a telephone has no bridge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import structlog

from media.forwarding import Feed
from media.peer import Ground
from media.phone.carrier import FRAME_SECONDS, Frame
from media.phone.mixer import mix, scaled, silence
from media.phone.taps import Tap
from media.phone.telephone import Telephone, Telephony
from media.phone.voice import Voice
from media.ports import Wiring
from rooms.model import CallId, SeatId

log = structlog.get_logger(__name__)


class Bridge:
    """Runs until ``close``. ``feed_of`` gives the sound of a seat's browser."""

    def __init__(
        self, ground: Ground, telephony: Telephony, feed_of: Callable[[SeatId], Feed]
    ) -> None:
        self._ground = ground
        self._telephony = telephony
        self._feed_of = feed_of
        self._telephones: dict[CallId, Telephone] = {}
        self._by_seat: dict[SeatId, Telephone] = {}
        self._taps: dict[SeatId, Tap] = {}
        self._voices: dict[SeatId, Voice] = {}
        self._turn = 0
        self._task = ground.tasks.start(self._run())

    def voice(self, seat: SeatId) -> Feed | None:
        """The sound of the seat's telephone, once others could hear it.

        It stays while the telephone does, so that un-muting is heard at once.
        """
        voice = self._voices.get(seat)
        return voice.feed if voice is not None else None

    def wire(self, wiring: Wiring) -> None:
        """Make telephones, taps and voices equal to the wiring, at once."""
        ends = {end.call: end for end in wiring.phones}
        for call in self._telephones.keys() - ends.keys():
            del self._telephones[call]
        for call, end in ends.items():
            if call in self._telephones:
                self._telephones[call].become(end)
            else:
                self._telephones[call] = Telephone(wiring.visit, end, self._telephony)
        self._by_seat = {each.end.seat: each for each in self._telephones.values()}
        self._wire_voices(wiring.seats)
        self._wire_taps(wiring.seats)

    def _wire_voices(self, seats: frozenset[SeatId]) -> None:
        talking = {seat for seat, each in self._by_seat.items() if each.has_talked} & seats
        for seat in self._voices.keys() - talking:
            del self._voices[seat]
        ground = self._ground
        for seat in talking - self._voices.keys():
            self._voices[seat] = Voice(seat, ground.policy, self._telephony.policy, ground.counters)

    def _wire_taps(self, seats: frozenset[SeatId]) -> None:
        wanted: set[SeatId] = set()
        for each in self._telephones.values():
            wanted.update(each.end.hears)
            if each.end.compares:
                wanted.add(each.end.seat)
        feeds = {seat: self._feed_of(seat) for seat in wanted & seats}
        for seat, tap in list(self._taps.items()):
            if feeds.get(seat) is not tap.feed:
                self._taps.pop(seat).close()
        for seat in feeds.keys() - self._taps.keys():
            self._taps[seat] = Tap(feeds[seat], self._telephony.policy)
            self._taps[seat].open(self._ground.clock())

    async def _run(self) -> None:
        """One turn every 20 ms, by deadlines that do not drift."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += FRAME_SECONDS
            await asyncio.sleep(max(0.0, due - loop.time()))
            missed = int((loop.time() - due) / FRAME_SECONDS)
            if missed > self._telephony.policy.bridge_catches_up:
                self._turn += missed
                due += missed * FRAME_SECONDS
            self._turn += 1
            self._take_turn()

    def _take_turn(self) -> None:
        """An error in one turn must not stop the clock."""
        try:
            self._exchange(self._ground.clock())
        except Exception:
            log.exception("bridge turn failed")

    def _exchange(self, now: float) -> None:
        telephones = list(self._telephones.values())
        for each in telephones:
            each.take()
        browsers = {seat: tap.pull() for seat, tap in self._taps.items()}
        for seat, voice in self._voices.items():
            voice.speak(self._by_seat[seat].voice, self._turn, now)
        for each in telephones:
            each.give(mix(list(self._heard_by(each, browsers)), self._telephony.policy))
            if each.end.compares:
                browser = browsers.get(each.end.seat)
                each.compare(silence() if browser is None else browser)

    def _heard_by(
        self, telephone: Telephone, browsers: dict[SeatId, Frame | None]
    ) -> Iterator[Frame]:
        end = telephone.end
        for seat in end.hears:
            frame = browsers.get(seat)
            if frame is not None and seat != end.seat:
                yield self._beside_its_telephone(seat, frame)
        for seat in end.hears_phones:
            if seat in self._voices and seat != end.seat and self._by_seat[seat].end.talks:
                yield self._by_seat[seat].voice

    def _beside_its_telephone(self, seat: SeatId, frame: Frame) -> Frame:
        """A browser comes in as loud as its telephone has gone: together they are one person."""
        telephone = self._by_seat.get(seat)
        if telephone is None or not telephone.end.fading:
            return frame
        return scaled(frame, 1.0 - telephone.presence)

    def close(self) -> None:
        """Hear and say nothing more. Idempotent, immediate."""
        self._task.cancel()
        for tap in self._taps.values():
            tap.close()
        self._taps.clear()
        self._voices.clear()
        self._telephones.clear()
        self._by_seat.clear()
