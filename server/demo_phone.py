"""The telephone of the practice carrier: it rings in a browser page, and sounds by WebRTC there.

Its sound is a small visit of its own in the media plane: the page has a leg in it, and
the telephone of the other seat is the far end of the call. Whoever answers hears the real visit's
bridge through that, exactly as a telephone would.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Protocol

from media.phone.carrier import Frame, PhoneLine
from media.phone.practice import PracticeCarrier
from media.phone.practice_line import PracticeLine
from media.phone.telephone import Telephony
from media.ports import LegState, MediaPlane, Offer, Wiring
from rooms.model import CallId, Link, PhoneEnd
from server.demo_messages import MediaChanged, MediaOffer, News, PhoneChanged, Taken

VISIT = "handset"  # no visit of a practice is called that: theirs are random
PAGE = "page"
LINE = "line"
_SEATS = frozenset({PAGE, LINE})
_LINKS = frozenset({Link(source=LINE, hearer=PAGE, sound=False, picture=False, voice=True)})


class Page(Protocol):
    """A page that shows the telephone. Neither method may block or raise."""

    def tell(self, news: News) -> None:
        """Send this to the page."""

    def close(self) -> None:
        """Send what was told, and no more."""


class PageSide:
    """A call as its telephone hears it: ``PhoneLine`` with the two directions exchanged."""

    def __init__(self, line: PracticeLine) -> None:
        self._line = line

    def pull(self) -> Frame | None:
        """The next 20 ms of what the visit says."""
        return self._line.to_page()

    def push(self, frame: Frame) -> None:
        """The next 20 ms of what the page says."""
        self._line.from_page(frame)


class _Reached:
    """How offers reach the page that has the telephone."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def offered(self, offer: Offer) -> None:
        """Send an offer."""
        self._page.tell(
            MediaOffer(
                peer=offer.peer, connection=offer.connection, number=offer.number, sdp=offer.sdp
            )
        )

    def media_changed(self, state: LegState) -> None:
        """Say what became of the connections."""
        self._page.tell(MediaChanged(state=state))


class DemoPhone:
    """One telephone, held by at most one page at a time. ``close`` it once or more."""

    def __init__(self, carrier: PracticeCarrier, plane: MediaPlane) -> None:
        self.voicemail = False
        self._carrier = carrier
        self._plane = plane
        self._number = ""
        self._page: Page | None = None
        self._call: CallId = ""
        self._caller = ""
        self._line: PageSide | None = None  # while talking
        self._leg = ""

    def beside(self, telephony: Telephony) -> Telephony:
        """The same telephony, which also finds this telephone's own end of a call."""
        return replace(telephony, lines=lambda call: self._own(call) or telephony.lines(call))

    def _own(self, call: CallId) -> PhoneLine | None:
        return self._line if call == self._far_end else None

    @property
    def _far_end(self) -> CallId:
        return f"{VISIT}/{self._call}"

    def plug_in(self, number: str = "") -> None:
        """Ring for every number that nobody else has; ``number`` is the one it shows as its own."""
        self._number = number or self._number
        self._carrier.connect(self)

    # What the carrier tells its handset

    def ring(self, call: CallId, caller: str) -> None:
        """Somebody calls."""
        self._call, self._caller = call, caller
        self._show()

    def stop(self, call: CallId) -> None:
        """The call is over, or voicemail has it."""
        if call == self._call:
            self._put_down()

    # What the page does; what does not fit the moment is ignored

    def take(self, page: Page) -> None:
        """This page has the telephone now, with the call that goes on; any other loses it."""
        former, self._page = self._page, page
        if former is not None:
            former.tell(Taken())
            former.close()
        else:
            self.plug_in()
        self._show()
        if self._line is not None:
            self._attach()

    def leave(self, page: Page) -> None:
        """The page is gone: a telephone without power. Somebody else's call is left alone."""
        if page is not self._page:
            return
        self._page = None
        if self._line is not None:
            self._carrier.disconnect(self)
            self._put_down()
            self.plug_in()

    def answer(self) -> None:
        """Pick up."""
        self._carrier.answer(self._call)
        line = self._carrier.page_line(self._call)
        if line is None or self._line is not None:
            return
        self._line = PageSide(line)
        end = PhoneEnd(LINE, self._far_end, hears=(PAGE,), talks=True)
        self._plane.wire(Wiring(VISIT, _SEATS, _LINKS, frozenset({end})))
        self._show()
        self._attach()

    def decline(self) -> None:
        """Say no to the call."""
        self._carrier.decline(self._call)

    def hang_up(self) -> None:
        """End the call."""
        self._carrier.hang_up(self._call)

    def press(self, key: str) -> None:
        """Press one of ``0123456789*#``."""
        self._carrier.press(self._call, key)

    def switch_voicemail(self, on: bool) -> None:
        """Whether voicemail picks up what nobody answers, from the next call on."""
        self.voicemail = on
        self._carrier.switch_voicemail(on)
        self._show()

    def media_answered(self, peer: str, number: int, sdp: str) -> None:
        """The browser's answer to an offer. Raises ``SdpRefused``."""
        self._plane.answer(VISIT, PAGE, self._leg, peer, number, sdp)

    def media_failed(self) -> None:
        """The page asks for its connections anew."""
        self._plane.restart(VISIT, PAGE, self._leg)

    def close(self) -> None:
        """Let the page go; idempotent. Calls are the carrier's to end."""
        if self._page is not None:
            self._page.close()

    def _attach(self) -> None:
        if self._page is not None:
            self._leg = secrets.token_hex(8)
            self._plane.attach(VISIT, PAGE, self._leg, _Reached(self._page))

    def _put_down(self) -> None:
        self._call = self._caller = ""
        self._line = None
        self._plane.wire(Wiring(VISIT, frozenset(), frozenset()))
        self._show()

    def _show(self) -> None:
        if self._page is not None:
            self._page.tell(
                PhoneChanged(
                    state="talking" if self._line else "ringing" if self._call else "idle",
                    caller=self._caller,
                    number=self._number,
                    voicemail=self.voicemail,
                )
            )
