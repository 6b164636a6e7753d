"""The table of signals hangs together: each row is what PROTOCOL.md says of it."""

import pytest

from rooms.permissions import ACTION_OF, Action
from server.commands import BY_NAME
from server.desks import DESK
from server.gateway import VISIT
from server.signals import INSIDE, NOTICES, OWN, SIGNALS

EVERY = pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)


def test_names_are_said_once_each():
    rows = [(row.namespace, row.name) for row in (*SIGNALS, *NOTICES)]
    assert len(rows) == len(set(rows))


@EVERY
def test_a_row_is_whole(signal):
    assert signal.namespace in {VISIT, DESK}
    assert signal.name.count(":") == 1
    assert isinstance(signal.needs, Action) or signal.needs in {OWN, INSIDE, "own desk"}
    assert signal.meaning


@EVERY
def test_a_command_needs_what_its_event_needs(signal):
    command = BY_NAME.get(signal.name.split(":")[1])
    if command is not None:
        assert signal.needs is command.action
        assert command.action in ACTION_OF.values()


@EVERY
def test_no_payload_says_who_sends_it(signal):
    fields = set(signal.payload.model_fields)
    assert not fields & {"by", "actor", "sender", "session", "token"}
    assert ("visit" in fields) == (signal.namespace == DESK and signal.name != "desk:renew")
    if signal.needs in {OWN, INSIDE}:
        assert "seat" not in fields, "one's own seat is known from the token"
