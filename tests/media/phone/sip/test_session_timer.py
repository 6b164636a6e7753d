"""Who refreshes a session, and when it is dead (RFC 4028)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media.phone.sip.session_timer import SessionTimer, shortest_of, wanted
from tests.support.sip_responses import response


def answered(expires):
    return SessionTimer.answered(replace(response(200), session_expires=expires), 100.0)


def test_without_a_word_a_session_lasts():
    timer = answered(None)
    assert not timer.due(1e9)
    assert not timer.lapsed(1e9)
    assert timer.answer == ()


def test_we_refresh_at_half():
    timer = answered((600, "uac"))
    assert (timer.due(399.9), timer.due(400.0), timer.lapsed(1e9)) == (False, True, False)
    assert timer.question == (("Session-Expires", "600;refresher=uac"),)


@pytest.mark.parametrize(("seconds", "lapses"), [(600, 668.0), (90, 160.0), (5, 160.0)])
def test_they_refresh_in_time_or_the_session_is_dead(seconds, lapses):
    timer = answered((seconds, "uas"))
    assert not timer.due(1e9)
    assert (timer.lapsed(lapses - 0.1), timer.lapsed(lapses)) == (False, True)


def test_a_refresh_of_theirs_begins_anew_and_is_echoed():
    timer = answered((600, "uas")).asked(replace(response(200), session_expires=(300, "uac")), 50.0)
    assert (timer.interval, timer.ours, timer.since) == (300, False, 50.0)
    assert timer.answer == (("Session-Expires", "300;refresher=uac"), ("Require", "timer"))
    ours = timer.asked(replace(response(200), session_expires=(300, "uas")), 60.0)
    assert ours.answer == (("Session-Expires", "300;refresher=uas"),)
    assert timer.asked(response(200), 70.0).since == 70.0


def test_what_a_server_finds_too_short():
    assert shortest_of(response(422, min_se="3600;x=y")) == 3600
    assert shortest_of(response(422, min_se="many")) == 0
    assert shortest_of(response(422)) == 0
    assert wanted(1_800)[0] == ("Session-Expires", "1800")
