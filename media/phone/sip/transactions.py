"""SIP transactions as tables, without input or output (RFC 3261 section 17, RFC 6026).

``ROWS`` says for each kind of transaction and each state what every event does; a pair that is in
no row is in ``IGNORED``, and a test proves that each pair is in exactly one of them. The timers of
the RFC (A to M) are three: ``REPEAT`` sends again (A, E, G), ``LIMIT`` gives up (B, F, H), and
``LINGER`` waits for stragglers (D, I, J, K, L, M). They are data: what a state sets stands in
``_timer_table``, and time comes in as an argument.

Two duties of the transaction's user are part of the tables, because they are timers too: repeating
a 2xx until its ACK (section 13.3.1.4), and forgetting an INVITE whose CANCEL brought no end
(section 9.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The timer values of RFC 3261 section 17.1.1.1, seconds."""

    t1: float = 0.5  # RFC 3261: round trip
    t2: float = 4.0  # RFC 3261: the longest wait between repeats
    t4: float = 5.0  # RFC 3261: how long a message stays in the network

    @property
    def patience(self) -> float:
        """How long nothing may be heard: timers B, F, H, J, L and M."""
        return 64 * self.t1


class Kind(StrEnum):
    """Who asks what."""

    INVITE_CLIENT = "invite_client"
    CLIENT = "client"
    INVITE_SERVER = "invite_server"
    SERVER = "server"


class State(StrEnum):
    """The states of all four machines; no machine has all of them."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    LEAVING = "leaving"  # an INVITE that was cancelled or given up
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Event(StrEnum):
    """What happens to a transaction. A server sends what a client hears."""

    PROVISIONAL = "provisional"  # 1xx
    SUCCESS = "success"  # 2xx
    REFUSAL = "refusal"  # 300 to 699
    REQUEST = "request"  # the same request again
    ACK = "ack"
    LEAVE = "leave"  # the user sent CANCEL, or does not care any more
    UNSENDABLE = "unsendable"  # the transport could not send
    REPEAT = "repeat"
    LIMIT = "limit"
    LINGER = "linger"


class Act(StrEnum):
    """What the transaction's owner must do, in order."""

    SEND = "send"  # the last message, again or for the first time
    ACK = "ack"  # acknowledge a refusal
    PASS = "pass"  # noqa: S105  hand the message to the user
    GIVE_UP = "give_up"  # tell the user that nothing came, or went


ALARMS = frozenset({Event.REPEAT, Event.LIMIT, Event.LINGER})


@dataclass(frozen=True, slots=True)
class Row:
    """What an event does."""

    target: State
    acts: tuple[Act, ...] = ()


Cell = tuple[State, Event]

_CALLING, _TRYING, _PROCEEDING = State.CALLING, State.TRYING, State.PROCEEDING
_LEAVING, _ACCEPTED, _COMPLETED = State.LEAVING, State.ACCEPTED, State.COMPLETED
_CONFIRMED, _TERMINATED = State.CONFIRMED, State.TERMINATED
_SEND, _ACK, _PASS, _GIVE_UP = (Act.SEND,), (Act.ACK,), (Act.PASS,), (Act.GIVE_UP,)

_INVITE_CLIENT: dict[Cell, Row] = {
    (_CALLING, Event.REPEAT): Row(_CALLING, _SEND),
    (_CALLING, Event.LIMIT): Row(_TERMINATED, _GIVE_UP),
    (_CALLING, Event.PROVISIONAL): Row(_PROCEEDING, _PASS),
    (_CALLING, Event.SUCCESS): Row(_ACCEPTED, _PASS),
    (_CALLING, Event.REFUSAL): Row(_COMPLETED, (Act.ACK, Act.PASS)),
    (_CALLING, Event.LEAVE): Row(_LEAVING),
    (_CALLING, Event.UNSENDABLE): Row(_TERMINATED, _GIVE_UP),
    (_PROCEEDING, Event.PROVISIONAL): Row(_PROCEEDING, _PASS),
    (_PROCEEDING, Event.SUCCESS): Row(_ACCEPTED, _PASS),
    (_PROCEEDING, Event.REFUSAL): Row(_COMPLETED, (Act.ACK, Act.PASS)),
    (_PROCEEDING, Event.LEAVE): Row(_LEAVING),
    (_PROCEEDING, Event.UNSENDABLE): Row(_TERMINATED, _GIVE_UP),
    (_LEAVING, Event.PROVISIONAL): Row(_LEAVING, _PASS),
    (_LEAVING, Event.SUCCESS): Row(_ACCEPTED, _PASS),
    (_LEAVING, Event.REFUSAL): Row(_COMPLETED, (Act.ACK, Act.PASS)),
    (_LEAVING, Event.LINGER): Row(_TERMINATED, _GIVE_UP),
    (_LEAVING, Event.UNSENDABLE): Row(_TERMINATED, _GIVE_UP),
    (_ACCEPTED, Event.SUCCESS): Row(_ACCEPTED, _PASS),
    (_ACCEPTED, Event.LINGER): Row(_TERMINATED),
    (_COMPLETED, Event.REFUSAL): Row(_COMPLETED, _ACK),
    (_COMPLETED, Event.LINGER): Row(_TERMINATED),
}

_CLIENT: dict[Cell, Row] = {
    (_TRYING, Event.REPEAT): Row(_TRYING, _SEND),
    (_TRYING, Event.LIMIT): Row(_TERMINATED, _GIVE_UP),
    (_TRYING, Event.PROVISIONAL): Row(_PROCEEDING, _PASS),
    (_TRYING, Event.SUCCESS): Row(_COMPLETED, _PASS),
    (_TRYING, Event.REFUSAL): Row(_COMPLETED, _PASS),
    (_TRYING, Event.LEAVE): Row(_TERMINATED),
    (_TRYING, Event.UNSENDABLE): Row(_TERMINATED, _GIVE_UP),
    (_PROCEEDING, Event.REPEAT): Row(_PROCEEDING, _SEND),
    (_PROCEEDING, Event.LIMIT): Row(_TERMINATED, _GIVE_UP),
    (_PROCEEDING, Event.PROVISIONAL): Row(_PROCEEDING, _PASS),
    (_PROCEEDING, Event.SUCCESS): Row(_COMPLETED, _PASS),
    (_PROCEEDING, Event.REFUSAL): Row(_COMPLETED, _PASS),
    (_PROCEEDING, Event.LEAVE): Row(_TERMINATED),
    (_PROCEEDING, Event.UNSENDABLE): Row(_TERMINATED, _GIVE_UP),
    (_COMPLETED, Event.LINGER): Row(_TERMINATED),
}

_INVITE_SERVER: dict[Cell, Row] = {
    (_PROCEEDING, Event.PROVISIONAL): Row(_PROCEEDING, _SEND),
    (_PROCEEDING, Event.SUCCESS): Row(_ACCEPTED, _SEND),
    (_PROCEEDING, Event.REFUSAL): Row(_COMPLETED, _SEND),
    (_PROCEEDING, Event.REQUEST): Row(_PROCEEDING, _SEND),
    (_PROCEEDING, Event.UNSENDABLE): Row(_TERMINATED, _GIVE_UP),
    (_ACCEPTED, Event.REQUEST): Row(_ACCEPTED, _SEND),
    (_ACCEPTED, Event.REPEAT): Row(_ACCEPTED, _SEND),
    (_ACCEPTED, Event.ACK): Row(_CONFIRMED, _PASS),
    (_ACCEPTED, Event.LINGER): Row(_TERMINATED, _GIVE_UP),
    (_ACCEPTED, Event.UNSENDABLE): Row(_TERMINATED, _GIVE_UP),
    (_COMPLETED, Event.REQUEST): Row(_COMPLETED, _SEND),
    (_COMPLETED, Event.REPEAT): Row(_COMPLETED, _SEND),
    (_COMPLETED, Event.ACK): Row(_CONFIRMED),
    (_COMPLETED, Event.LIMIT): Row(_TERMINATED),
    (_COMPLETED, Event.UNSENDABLE): Row(_TERMINATED),
    (_CONFIRMED, Event.LINGER): Row(_TERMINATED),
}

_SERVER: dict[Cell, Row] = {
    (_TRYING, Event.PROVISIONAL): Row(_PROCEEDING, _SEND),
    (_TRYING, Event.SUCCESS): Row(_COMPLETED, _SEND),
    (_TRYING, Event.REFUSAL): Row(_COMPLETED, _SEND),
    (_PROCEEDING, Event.PROVISIONAL): Row(_PROCEEDING, _SEND),
    (_PROCEEDING, Event.SUCCESS): Row(_COMPLETED, _SEND),
    (_PROCEEDING, Event.REFUSAL): Row(_COMPLETED, _SEND),
    (_PROCEEDING, Event.REQUEST): Row(_PROCEEDING, _SEND),
    (_PROCEEDING, Event.UNSENDABLE): Row(_TERMINATED),
    (_COMPLETED, Event.REQUEST): Row(_COMPLETED, _SEND),
    (_COMPLETED, Event.LINGER): Row(_TERMINATED),
    (_COMPLETED, Event.UNSENDABLE): Row(_TERMINATED),
}

ROWS: Mapping[Kind, Mapping[Cell, Row]] = MappingProxyType(
    {
        Kind.INVITE_CLIENT: _INVITE_CLIENT,
        Kind.CLIENT: _CLIENT,
        Kind.INVITE_SERVER: _INVITE_SERVER,
        Kind.SERVER: _SERVER,
    }
)


def _all_of(state: State, *events: Event) -> frozenset[Cell]:
    return frozenset((state, event) for event in events)


_SERVER_ONLY = (Event.REQUEST, Event.ACK)
_CLIENT_ONLY = (Event.LEAVE,)
_EVERYTHING = tuple(Event)

# Nothing to do: late echoes, timers that the state does not run, and what the other side of a
# transaction never meets.
IGNORED: Mapping[Kind, frozenset[Cell]] = MappingProxyType(
    {
        Kind.INVITE_CLIENT: _all_of(_CALLING, *_SERVER_ONLY, Event.LINGER)
        | _all_of(_PROCEEDING, *_SERVER_ONLY, *ALARMS)
        | _all_of(_LEAVING, *_SERVER_ONLY, Event.LEAVE, Event.REPEAT, Event.LIMIT)
        | _all_of(_ACCEPTED, *_SERVER_ONLY, Event.PROVISIONAL, Event.REFUSAL, Event.LEAVE)
        | _all_of(_ACCEPTED, Event.UNSENDABLE, Event.REPEAT, Event.LIMIT)
        | _all_of(_COMPLETED, *_SERVER_ONLY, Event.PROVISIONAL, Event.SUCCESS, Event.LEAVE)
        | _all_of(_COMPLETED, Event.UNSENDABLE, Event.REPEAT, Event.LIMIT)
        | _all_of(_TERMINATED, *_EVERYTHING),
        Kind.CLIENT: _all_of(_TRYING, *_SERVER_ONLY, Event.LINGER)
        | _all_of(_PROCEEDING, *_SERVER_ONLY, Event.LINGER)
        | _all_of(_COMPLETED, *_SERVER_ONLY, Event.PROVISIONAL, Event.SUCCESS, Event.REFUSAL)
        | _all_of(_COMPLETED, Event.LEAVE, Event.UNSENDABLE, Event.REPEAT, Event.LIMIT)
        | _all_of(_TERMINATED, *_EVERYTHING),
        Kind.INVITE_SERVER: _all_of(_PROCEEDING, *_CLIENT_ONLY, *ALARMS, Event.ACK)
        | _all_of(_ACCEPTED, *_CLIENT_ONLY, Event.PROVISIONAL, Event.SUCCESS, Event.REFUSAL)
        | _all_of(_ACCEPTED, Event.LIMIT)
        | _all_of(_COMPLETED, *_CLIENT_ONLY, Event.PROVISIONAL, Event.SUCCESS, Event.REFUSAL)
        | _all_of(_COMPLETED, Event.LINGER)
        | _all_of(_CONFIRMED, *_CLIENT_ONLY, Event.PROVISIONAL, Event.SUCCESS, Event.REFUSAL)
        | _all_of(_CONFIRMED, *_SERVER_ONLY, Event.UNSENDABLE, Event.REPEAT, Event.LIMIT)
        | _all_of(_TERMINATED, *_EVERYTHING),
        Kind.SERVER: _all_of(_TRYING, *_CLIENT_ONLY, *_SERVER_ONLY, *ALARMS, Event.UNSENDABLE)
        | _all_of(_PROCEEDING, *_CLIENT_ONLY, *ALARMS, Event.ACK)
        | _all_of(_COMPLETED, *_CLIENT_ONLY, Event.PROVISIONAL, Event.SUCCESS, Event.REFUSAL)
        | _all_of(_COMPLETED, Event.ACK, Event.REPEAT, Event.LIMIT)
        | _all_of(_TERMINATED, *_EVERYTHING),
    }
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a timer rings after its state was entered; repeats double up to ``most``."""

    first: float
    most: float = 0.0


def timers_of(kind: Kind, state: State, times: Times, reliable: bool) -> Mapping[Event, Schedule]:
    """What a state sets when it is entered. Reliable transports neither repeat nor wait."""
    timers = _timer_table(times).get((kind, state), {})
    if not reliable:
        return timers
    if (kind, state) == (Kind.INVITE_SERVER, _ACCEPTED):
        return timers  # a 2xx is repeated end to end (section 13.3.1.4)
    kept: dict[Event, Schedule] = {
        event: when for event, when in timers.items() if event is not Event.REPEAT
    }
    if Event.LINGER in kept and state in {_COMPLETED, _CONFIRMED}:
        kept[Event.LINGER] = Schedule(0.0)
    return kept


def _timer_table(times: Times) -> Mapping[tuple[Kind, State], Mapping[Event, Schedule]]:
    growing = Schedule(times.t1, times.patience)
    capped = Schedule(times.t1, times.t2)
    patience = Schedule(times.patience)
    return {
        (Kind.INVITE_CLIENT, _CALLING): {Event.REPEAT: growing, Event.LIMIT: patience},
        (Kind.INVITE_CLIENT, _LEAVING): {Event.LINGER: patience},
        (Kind.INVITE_CLIENT, _ACCEPTED): {Event.LINGER: patience},
        (Kind.INVITE_CLIENT, _COMPLETED): {Event.LINGER: patience},
        (Kind.CLIENT, _TRYING): {Event.REPEAT: capped, Event.LIMIT: patience},
        (Kind.CLIENT, _PROCEEDING): {
            Event.REPEAT: Schedule(times.t2, times.t2),
            Event.LIMIT: patience,
        },
        (Kind.CLIENT, _COMPLETED): {Event.LINGER: Schedule(times.t4)},
        (Kind.INVITE_SERVER, _ACCEPTED): {Event.REPEAT: capped, Event.LINGER: patience},
        (Kind.INVITE_SERVER, _COMPLETED): {Event.REPEAT: capped, Event.LIMIT: patience},
        (Kind.INVITE_SERVER, _CONFIRMED): {Event.LINGER: Schedule(times.t4)},
        (Kind.SERVER, _COMPLETED): {Event.LINGER: patience},
    }


@dataclass(frozen=True, slots=True)
class Alarm:
    """A timer that runs."""

    at: float
    pause: float
    most: float


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction: its kind, its state and the timers that run."""

    kind: Kind
    state: State
    reliable: bool
    alarms: Mapping[Event, Alarm]

    @property
    def next_alarm(self) -> tuple[Event, float] | None:
        """The timer that rings first, and when."""
        if not self.alarms:
            return None
        event = min(self.alarms, key=lambda alarm: self.alarms[alarm].at)
        return event, self.alarms[event].at


_FIRST = {
    Kind.INVITE_CLIENT: _CALLING,
    Kind.CLIENT: _TRYING,
    Kind.INVITE_SERVER: _PROCEEDING,
    Kind.SERVER: _TRYING,
}


def begin(kind: Kind, now: float, times: Times, reliable: bool) -> Transaction:
    """A transaction whose request was just sent, or has just come in."""
    state = _FIRST[kind]
    return Transaction(kind, state, reliable, _set(kind, state, now, times, reliable))


def step(
    transaction: Transaction, event: Event, now: float, times: Times
) -> tuple[Transaction, tuple[Act, ...]]:
    """The transaction after ``event`` at ``now``, and what its owner must do."""
    kind, state = transaction.kind, transaction.state
    if (state, event) in IGNORED[kind]:
        return _rang(transaction, event), ()
    row = ROWS[kind][state, event]
    if row.target is state:
        return _rang(transaction, event), row.acts
    alarms = dict(_set(kind, row.target, now, times, transaction.reliable))
    if Event.LIMIT in alarms and Event.LIMIT in transaction.alarms:
        alarms[Event.LIMIT] = transaction.alarms[Event.LIMIT]  # F runs from the first to the last
    return Transaction(kind, row.target, transaction.reliable, alarms), row.acts


def _rang(transaction: Transaction, event: Event) -> Transaction:
    """The same state, with the timer that rang set again."""
    alarm = transaction.alarms.get(event)
    if alarm is None:
        return transaction
    pause = min(2 * alarm.pause, alarm.most)
    again = {**transaction.alarms, event: Alarm(alarm.at + pause, pause, alarm.most)}
    return Transaction(transaction.kind, transaction.state, transaction.reliable, again)


def _set(
    kind: Kind, state: State, now: float, times: Times, reliable: bool
) -> Mapping[Event, Alarm]:
    schedules = timers_of(kind, state, times, reliable)
    return {
        event: Alarm(now + when.first, when.first, when.most) for event, when in schedules.items()
    }
