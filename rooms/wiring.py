"""Who has media, who hears whom, and what each telephone hears: functions of the visit alone.

From the answer of a telephone on, the person's browser neither speaks nor plays sound: one room
must not hear itself. A weak connection rests the pictures first, except where the picture is the
conversation.
"""

from __future__ import annotations

from rooms.model import (
    INSIDE,
    ON_PHONE,
    RUNNING,
    CallPurpose,
    Fallback,
    Link,
    Need,
    PhoneEnd,
    Prompt,
    Role,
    Seat,
    SeatId,
    Sound,
    Visit,
)
from rooms.permissions import Action, may

ANSWERED = frozenset({Fallback.GATE, *ON_PHONE})


def inside(visit: Visit) -> frozenset[SeatId]:
    """The seats that may have media at all."""
    return frozenset(seat.id for seat in _people(visit))


def who_hears_whom(visit: Visit) -> frozenset[Link]:
    """Every direction in which media may flow to browsers now: only between seats that are inside.

    A link that carries nothing stays, paused, so that un-muting is heard at once; who may never
    speak nor show has none.
    """
    people = _people(visit)
    sources = [s for s in people if may(s.role, Action.SPEAK) or may(s.role, Action.SHOW)]
    return frozenset(
        _link(visit, source, hearer)
        for source in sources
        for hearer in people
        if source is not hearer and may(hearer.role, Action.HEAR)
    )


def phone_ends(visit: Visit) -> frozenset[PhoneEnd]:
    """Every answered telephone, what it hears and whether it is heard.

    A telephone that only tries a number belongs to nobody inside, and hears its announcement.
    """
    answered = [s for s in visit.seats if s.line.state in ANSWERED and s.line.call is not None]
    if visit.stage not in RUNNING:
        return frozenset()
    return frozenset(_phone_end(visit, seat) for seat in answered)


def _people(visit: Visit) -> list[Seat]:
    if visit.stage not in RUNNING:
        return []
    return [seat for seat in visit.seats if seat.admission in INSIDE]


# -- browsers --------------------


def _link(visit: Visit, source: Seat, hearer: Seat) -> Link:
    deaf = browser_is_silenced(hearer)
    private = _greets(visit, source) or _greets(visit, hearer)
    sound = _speaks(source) and not browser_is_silenced(source)
    return Link(
        source=source.id,
        hearer=hearer.id,
        sound=sound and not deaf and not private,
        picture=source.camera and may(source.role, Action.SHOW) and _shown(visit, source, hearer),
        voice=_voice(visit, source, hearer) and not deaf,
        probe=deaf,
    )


def _speaks(seat: Seat) -> bool:
    return seat.microphone and may(seat.role, Action.SPEAK)


def browser_is_silenced(seat: Seat) -> bool:
    """The telephone is there instead. Trying a number leaves the browser as it is."""
    line = seat.line
    trial = line.call is not None and line.call.purpose is CallPurpose.TRIAL
    return line.state in ANSWERED and not line.returning and not trial


def _voice(visit: Visit, source: Seat, hearer: Seat) -> bool:
    """Whether the hearer's browser plays the source's telephone."""
    if source.line.state is Fallback.GATE:
        return source.line.greeter == hearer.id
    return _phone_talks(source) and not _greets(visit, hearer)


def _phone_talks(seat: Seat) -> bool:
    """A telephone that was let in, after everybody was told, and that is not muted."""
    return seat.line.state in ON_PHONE and seat.line.joined and _speaks(seat)


def _greets(visit: Visit, seat: Seat) -> bool:
    """Speaks alone with a telephone at the gate: the others hear nothing of it, nor it of them."""
    return any(s.line.state is Fallback.GATE and s.line.greeter == seat.id for s in visit.seats)


# -- pictures --------------------

_RESTING = frozenset(Fallback) - {Fallback.GOOD, Fallback.RECOVERING}


def _rests(seat: Seat) -> bool:
    """This browser cannot carry pictures. One whose person asked for a call may be quite well."""
    line = seat.line
    failed = line.call is not None and line.call.purpose is CallPurpose.FALLBACK
    if line.state is Fallback.BRIDGED and failed:  # until it has been good for long enough
        return True
    return line.state in _RESTING and line.sound is not Sound.FINE


def _shown(visit: Visit, source: Seat, hearer: Seat) -> bool:
    """Where somebody signs, the picture is the conversation: the others' pictures rest first."""
    signed = _signs(visit, source)
    keeps_showing = signed or not _rests(source)
    keeps_seeing = (signed and _signs(visit, hearer)) or not _rests(hearer)
    return keeps_showing and keeps_seeing


def _signs(visit: Visit, seat: Seat) -> bool:
    """Signs, or interprets for somebody who does."""
    if Need.SIGNING in seat.needs:
        return True
    return seat.role is Role.INTERPRETER and any(Need.SIGNING in s.needs for s in visit.seats)


# -- telephones --------------------


def _phone_end(visit: Visit, seat: Seat) -> PhoneEnd:
    line = seat.line
    assert line.call is not None
    others = [s for s in _people(visit) if s is not seat]
    return PhoneEnd(
        seat=seat.id,
        call=line.call.id,
        language=seat.language,
        hears=tuple(s.id for s in others if _hears_browser(visit, seat, s)),
        hears_phones=tuple(s.id for s in others if _hears_phone(seat, s)),
        talks=_phone_talks(seat) or bool(_greeter(visit, seat)),
        prompt=_prompt(visit, seat),
        asked_again=line.asked_again,
        fading=line.returning,
        compares=line.state is Fallback.RECOVERING and not line.returning,
    )


def _greeter(visit: Visit, seat: Seat) -> Seat | None:
    """Who speaks with this telephone at the gate, while they are in the visit themselves."""
    greeter = visit.seat(seat.line.greeter) if seat.line.state is Fallback.GATE else None
    return greeter if greeter is not None and greeter.admission in INSIDE else None


def _hears_browser(visit: Visit, phone: Seat, source: Seat) -> bool:
    if not _speaks(source) or browser_is_silenced(source):
        return False
    if phone.line.state is Fallback.GATE:
        return source is _greeter(visit, phone)
    return phone.line.joined and not _greets(visit, source) and may(phone.role, Action.HEAR)


def _hears_phone(phone: Seat, source: Seat) -> bool:
    let_in = phone.line.state in ON_PHONE and phone.line.joined
    return let_in and _phone_talks(source) and may(phone.role, Action.HEAR)


def _prompt(visit: Visit, seat: Seat) -> Prompt | None:
    line = seat.line
    if line.state is Fallback.GATE:
        if line.call is not None and line.call.purpose is CallPurpose.TRIAL:
            return Prompt.TRIAL
        return None if _greeter(visit, seat) else Prompt.GATE
    if not line.joined:
        return Prompt.CONNECTING
    if any(s.line.state is Fallback.BRIDGED and not s.line.joined for s in visit.seats):
        return Prompt.JOINED
    if line.state is Fallback.RECOVERING:
        return None if line.returning or line.kept else Prompt.HAND_BACK
    return None if _clinician_is_here(visit) else Prompt.FIRST_IN_LINE


def _clinician_is_here(visit: Visit) -> bool:
    """Somebody whom telephones would wait for; one who reloads the page is here."""
    return any(may(s.role, Action.ADMIT) for s in _people(visit))
