"""How two sides notice that a session is dead although nobody said so (RFC 4028)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from media.phone.sip.messages import Fields, Message, Response

SHORTEST = 90  # RFC 4028 section 5: Min-SE
REQUIRED = ("Require", "timer")


@dataclass(frozen=True, slots=True)
class SessionTimer:
    """``interval`` seconds without a refresh end the session; 0: it never ends by itself."""

    interval: int
    ours: bool  # whether we refresh
    since: float  # the last refresh

    @classmethod
    def answered(cls, response: Response, now: float) -> SessionTimer:
        """What a 2xx to a request of ours says (section 7.2)."""
        if response.session_expires is None:
            return cls(0, ours=False, since=now)
        seconds, refresher = response.session_expires
        return cls(max(seconds, SHORTEST), ours=refresher != "uas", since=now)

    def asked(self, request: Message, now: float) -> SessionTimer:
        """The timer after a refresh by the other side (section 9)."""
        if request.session_expires is None:
            return replace(self, since=now)
        seconds, refresher = request.session_expires
        return SessionTimer(max(seconds, SHORTEST), ours=refresher == "uas", since=now)

    @property
    def answer(self) -> Fields:
        """What our 2xx to a refresh says."""
        if not self.interval:
            return ()
        who = "uas" if self.ours else "uac"
        said = ("Session-Expires", f"{self.interval};refresher={who}")
        return (said,) if self.ours else (said, REQUIRED)

    @property
    def question(self) -> Fields:
        """What a refresh of ours says."""
        return (("Session-Expires", f"{self.interval};refresher=uac"),)

    def due(self, now: float) -> bool:
        """Whether we must refresh: at half the interval (section 7.2)."""
        return bool(self.interval) and self.ours and now >= self.since + self.interval / 2

    def lapsed(self, now: float) -> bool:
        """Whether the other side has failed to refresh (section 10)."""
        slack = min(32, self.interval / 3)  # RFC 4028 section 10
        return bool(self.interval) and not self.ours and now >= self.since + self.interval - slack


def wanted(seconds: int) -> Fields:
    """What an INVITE says: the interval we would like; the other side decides who refreshes."""
    return (("Session-Expires", str(seconds)), ("Min-SE", str(SHORTEST)))


def shortest_of(response: Response) -> int:
    """The interval that a 422 asks for (section 6); 0 if it does not say."""
    said = response.all("Min-SE")
    text = said[0].partition(";")[0].strip() if said else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
