"""Calls that end before, or without, an answer; sipp plays the trunk."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import socket

import pytest

from media.phone.carrier import CallState, Ending
from media.phone.sip.transactions import Times
from rooms.model import CallFailure
from tests.support.ports import free_port
from tests.support.sip_peer import SipPeer
from tests.support.sipp import sipp
from tests.support.trunks import trunk_to

QUICK = Times(t1=0.02, t2=0.16, t4=0.1)


@pytest.mark.parametrize(
    ("status", "extra", "failure"),
    [
        ("486 Busy Here", 'Reason: Q.850;cause=17;text="User busy"', CallFailure.BUSY),
        ("480 Temporarily Unavailable", "X-None: 0", CallFailure.NO_ANSWER),
        ("404 Not Found", "X-None: 0", CallFailure.BAD_NUMBER),
        ("603 Decline", "X-None: 0", CallFailure.DECLINED),
        ("603 Decline", 'Reason: Q.850;cause=21;text="v=analytics1"', CallFailure.BLOCKED),
        ("607 Unwanted", "X-None: 0", CallFailure.BLOCKED),
        ("608 Rejected", "Call-Info: <https://b>", CallFailure.BLOCKED),
        ("503 Service Unavailable", "Reason: Q.850;cause=34", CallFailure.CARRIER_DOWN),
        ("302 Moved Temporarily", "Contact: <sip:+19005550100@e.vil>", CallFailure.CARRIER_DOWN),
        ("403 Forbidden", "X-None: 0", CallFailure.CARRIER_DOWN),
    ],
)
async def test_a_refusal_says_why(status, extra, failure):
    scenario = sipp("final", status=status, extra=extra)
    async with scenario as server, trunk_to(server.port) as rig:
        await rig.dial()
        over = await rig.over()
        await server.finished()

        assert over.failure is failure
        assert over.ending is None
        assert rig.listening.states() == [CallState.OVER]
        await rig.ledger.forgotten.wait()


async def test_progress_is_ringing_and_is_told_once():
    async with sipp("progress") as server, trunk_to(server.port) as rig:
        await rig.dial()
        over = await rig.over()
        await server.finished()

        assert rig.listening.states() == [CallState.RINGING, CallState.OVER]
        assert over.failure is CallFailure.BUSY


async def test_a_password_is_proved():
    known = {"user": "clinic", "password": "s3cret"}
    async with sipp("auth") as server, trunk_to(server.port, **known) as rig:
        await rig.dial()
        over = await rig.over()
        await server.finished()

        assert over.failure is CallFailure.BUSY  # the scenario's word for "it was right"


async def test_a_wrong_password_is_the_carriers_trouble():
    known = {"user": "clinic", "password": "wrong"}
    async with sipp("auth") as server, trunk_to(server.port, **known) as rig:
        await rig.dial()
        over = await rig.over()
        await server.finished()

        assert over.failure is CallFailure.CARRIER_DOWN


async def test_ending_a_ringing_call_cancels_it():
    async with sipp("cancel") as server, trunk_to(server.port) as rig:
        call = await rig.dial()
        await rig.listening.until(CallState.RINGING)
        await rig.trunk.end(call)
        await rig.trunk.end(call)
        over = await rig.over()
        await server.finished()

        assert (over.failure, over.ending) == (None, Ending.BY_US)
        await rig.ledger.forgotten.wait()


async def test_a_call_that_rings_too_long_is_cancelled():
    async with sipp("cancel") as server, trunk_to(server.port) as rig:
        await rig.dial(ring_for=0.5)
        over = await rig.over()
        await server.finished()

        assert over.failure is CallFailure.NO_ANSWER


async def test_an_answer_that_crosses_the_cancel_is_hung_up():
    async with sipp("crossing") as server, trunk_to(server.port) as rig:
        call = await rig.dial()
        await rig.listening.until(CallState.RINGING)
        await rig.trunk.end(call)
        over = await rig.over()
        await server.finished()

        assert over.ending is Ending.BY_US
        assert CallState.ANSWERED not in rig.listening.states()
        assert rig.trunk.line(call) is None
        assert rig.trunk.counters.hung_up_late == 1
        await rig.ledger.forgotten.wait()


async def test_an_answer_after_all_hope_was_given_up_is_hung_up_and_kept_until_then():
    scenario = sipp("late_answer", wait="900")
    policy = {"setup_within": 0.3}
    async with scenario as server, trunk_to(server.port, policy=policy) as rig:
        await rig.dial()
        over = await rig.over()
        assert over.failure is CallFailure.CARRIER_DOWN
        assert rig.ledger.kept
        await server.finished()

        assert rig.trunk.counters.hung_up_late == 1
        await rig.ledger.forgotten.wait()


async def test_ringing_may_outlast_every_timer_of_the_invite():
    scenario = sipp("long_ring", wait="1700")  # timer B is at 1.28 s
    async with scenario as server, trunk_to(server.port, times=QUICK) as rig:
        call = await rig.dial()
        await rig.listening.until(CallState.ANSWERED)
        await rig.trunk.end(call)
        await server.finished()


async def test_a_trunk_that_says_nothing_is_down():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        policy = {"setup_within": 0.5}
        async with trunk_to(silent.getsockname()[1], policy=policy, times=QUICK) as rig:
            await rig.dial()
            over = await rig.over()
            assert over.failure is CallFailure.CARRIER_DOWN
            async with asyncio.timeout(5):
                await rig.ledger.forgotten.wait()


async def test_nothing_is_sent_that_the_ledger_did_not_take():
    async with trunk_to(free_port()) as rig:
        rig.ledger.broken = True
        sent = rig.trunk.counters.messages_out
        await rig.dial()
        over = await rig.over()

        assert over.failure is CallFailure.CARRIER_DOWN
        assert rig.trunk.counters.messages_out - sent <= 1  # OPTIONS may be among them


async def test_requests_inside_a_dialog_follow_its_route():
    async with sipp("route") as server, trunk_to(server.port) as rig:
        call = await rig.dial()
        await rig.listening.until(CallState.ANSWERED)
        await rig.trunk.end(call)
        await rig.over()
        await server.finished()


async def test_a_proxy_is_given_its_proof_and_the_ledger_knows_each_attempt_before():
    known = {"user": "clinic", "password": "s3cret"}
    async with SipPeer() as peer, trunk_to(peer.port, **known) as rig:
        await rig.dial()
        first = await peer.until("INVITE")
        peer.reply(first, 407, 'Proxy-Authenticate: Digest realm="r", nonce="n"')
        second = await peer.until("INVITE")
        assert (second.cseq, second.call_id, second.from_tag) == (2, first.call_id, first.from_tag)
        assert second.branch != first.branch
        kept = [json.loads(state) for _, state in rig.ledger.history]
        assert [page["branch"] for page in kept[:2]] == [first.branch, second.branch]
        (proof,) = second.all("Proxy-Authorization")
        given = dict(re.findall(r'(\w+)="?([^",]+)', proof))
        assert given["response"] == _expected(given["uri"])
        peer.answer(second)
        ack = await peer.until("ACK")
        while ack.cseq == 1 or ack.branch == first.branch:
            ack = await peer.until("ACK")
        assert ack.all("Proxy-Authorization") == (proof,)


def _expected(uri):
    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    return md5(f"{md5('clinic:r:s3cret')}:n:{md5(f'INVITE:{uri}')}")


async def test_a_session_that_is_too_short_is_asked_for_longer():
    async with SipPeer() as peer, trunk_to(peer.port) as rig:
        await rig.dial()
        peer.reply(await peer.until("INVITE"), 422, "Min-SE: 3600")
        again = await peer.until("INVITE")
        assert again.session_expires == (3600, "")
        peer.reply(again, 486)
        assert (await rig.over()).failure is CallFailure.BUSY
