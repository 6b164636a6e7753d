"""The table of failures, read as calls that failed."""

from __future__ import annotations

import pytest

from media.phone.sip.outcomes import CAUSES, PLAIN, VAGUE, failure_of
from rooms.model import CallFailure as Why
from tests.support.sip_responses import response


@pytest.mark.parametrize("code", range(300, 700))
def test_every_code_means_something(code):
    expected = PLAIN.get(code) or VAGUE.get(code) or Why.CARRIER_DOWN
    assert failure_of(response(code)) is expected


@pytest.mark.parametrize("cause", CAUSES)
def test_a_vague_code_gives_way_to_the_cause(cause):
    for code in (480, 500, 503):
        assert failure_of(response(code, f"Q.850 ;cause={cause};text=x")) is CAUSES[cause]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (response(486, "Q.850;cause=1"), Why.BUSY),
        (response(403, "Q.850;cause=17"), Why.CARRIER_DOWN),
        (response(480, "Q.850;cause=127"), Why.NO_ANSWER),
        (response(480, "SIP;cause=17"), Why.NO_ANSWER),
        (response(503, "nonsense"), Why.CARRIER_DOWN),
        (response(603, "Q.850;cause=21"), Why.DECLINED),
        (response(603, 'SIP;cause=608;text="Rejected"'), Why.BLOCKED),
        (response(603, phrase="Network Blocked"), Why.BLOCKED),
        (response(603, call_info="<https://b.example>;purpose=jcard"), Why.BLOCKED),
        (response(603), Why.DECLINED),
        (response(608), Why.BLOCKED),
    ],
)
def test_what_real_networks_say(given, why):
    assert failure_of(given) is why
