"""What happens inside an answered call, with sipp or a scripted peer as the trunk."""

from __future__ import annotations

import asyncio
import random

import pytest

from media.phone.carrier import CallState, Ending
from media.phone.sip.transactions import Times
from rooms.model import CallFailure
from tests.support.sip_peer import SipPeer
from tests.support.sipp import sipp
from tests.support.trunks import trunk_to

SDP = "Content-Type: application/sdp"


async def answered(rig, peer, *headers, body=""):
    """A call that the peer has picked up: its id, and the INVITE."""
    call = await rig.dial()
    invite = await peer.until("INVITE")
    peer.answer(invite, *headers, body=body)
    await peer.until("ACK")
    return call, invite


async def test_every_request_inside_the_dialog_gets_its_answer():
    async with sipp("inside") as server, trunk_to(server.port) as rig:
        await rig.dial()
        over = await rig.over()
        await server.finished()
        assert over.ending is Ending.BY_PHONE
        assert rig.listening.keys == ["5"]


async def test_a_repeated_answer_is_acknowledged_again_but_not_for_ever():
    async with SipPeer() as peer, trunk_to(peer.port) as rig:
        _, invite = await answered(rig, peer)
        for _ in range(40):
            peer.answer(invite)
        await asyncio.sleep(0.3)
        acks = [request for request in peer.requests if request.method == "ACK"]
        assert len(acks) == 1 + 12
        assert rig.listening.states() == [CallState.ANSWERED]


async def test_a_second_telephone_that_answers_is_hung_up():
    async with SipPeer() as peer, trunk_to(peer.port) as rig:
        _, invite = await answered(rig, peer)
        peer.answer(invite, tag="peer-2")
        assert (await peer.until("ACK")).to_tag == "peer-2"
        bye = await peer.until("BYE")
        peer.reply(bye, 200)
        assert bye.to_tag == "peer-2"
        assert rig.listening.states() == [CallState.ANSWERED]
        assert rig.trunk.counters.hung_up_late == 1


async def test_an_answer_without_sound_we_can_use_is_hung_up():
    async with SipPeer() as peer, trunk_to(peer.port) as rig:
        await answered(rig, peer, body="v=0\r\n")
        peer.reply(await peer.until("BYE"), 200)
        over = await rig.over()
        assert (over.failure, over.ending) == (CallFailure.CARRIER_DOWN, None)
        assert CallState.ANSWERED not in rig.listening.states()


async def test_hold_is_mirrored_and_an_offer_without_sound_is_refused():
    async with SipPeer() as peer, trunk_to(peer.port) as rig:
        _, invite = await answered(rig, peer)
        peer.ask(invite, "INVITE", 2, SDP, body=peer.sdp("sendonly"))
        held = await peer.until_response(2)
        peer.ask(invite, "ACK", 2)
        assert held.code == 200
        assert b"a=recvonly" in held.body
        assert held.contact
        peer.ask(invite, "UPDATE", 3, SDP, body="v=0\r\n")
        assert (await peer.until_response(3)).code == 488
        peer.ask(invite, "UPDATE", 4, SDP, body=peer.sdp("sendrecv"))
        assert b"a=sendrecv" in (await peer.until_response(4)).body


async def test_an_offer_may_come_in_the_ack():
    async with SipPeer() as peer, trunk_to(peer.port) as rig:
        call, invite = await answered(rig, peer)
        peer.ask(invite, "INVITE", 2)
        offered = await peer.until_response(2)
        assert b"m=audio" in offered.body
        peer.ask(invite, "ACK", 2, SDP, body=peer.sdp("inactive"))
        await asyncio.sleep(0.1)
        assert not rig.line(call)._sound.listens


async def test_an_answer_of_ours_that_is_never_acknowledged_ends_the_call():
    quick = Times(t1=0.01, t2=0.04, t4=0.05)
    async with SipPeer() as peer, trunk_to(peer.port, times=quick) as rig:
        _, invite = await answered(rig, peer)
        peer.ask(invite, "INVITE", 2, SDP, body=peer.sdp())
        peer.reply(await peer.until("BYE"), 200)
        assert (await rig.over()).ending is Ending.BROKEN
        assert len([r for r in peer.responses if r.cseq == 2]) > 3


async def test_keys_go_by_info_when_the_answer_offers_no_events():
    async with SipPeer() as peer, trunk_to(peer.port) as rig:
        await rig.dial(digits="7#")
        peer.answer(await peer.until("INVITE"), body=peer.sdp(digits=False))
        bodies = []
        for _ in range(2):
            info = await peer.until("INFO")
            bodies.append(info.body.splitlines()[0])
            peer.reply(info, 200)
        assert bodies == [b"Signal=7", b"Signal=#"]


@pytest.mark.parametrize(("allow", "method"), [("UPDATE", "UPDATE"), ("BYE", "INVITE")])
async def test_we_refresh_the_session_when_the_answer_says_so(monkeypatch, allow, method):
    monkeypatch.setattr("media.phone.sip.session_timer.SHORTEST", 1)
    async with SipPeer() as peer, trunk_to(peer.port, policy={"line_check": 0.05}) as rig:
        extra = ("Session-Expires: 1;refresher=uac", "Require: timer", f"Allow: INVITE, {allow}")
        await answered(rig, peer, *extra)
        for _ in range(2):
            refresh = await peer.until(method, 2.0)
            assert refresh.session_expires == (1, "uac")
            peer.answer(refresh, *extra)
        await peer.until(method, 2.0)
        assert rig.listening.states() == [CallState.ANSWERED]


@pytest.mark.parametrize("code", [0, 481, 500])
async def test_a_refresh_that_is_refused_or_not_answered_breaks_the_call(monkeypatch, code):
    monkeypatch.setattr("media.phone.sip.session_timer.SHORTEST", 1)
    policy = {"line_check": 0.05, "sip_reply_within": 0.3}
    async with SipPeer() as peer, trunk_to(peer.port, policy=policy) as rig:
        await answered(rig, peer, "Session-Expires: 1;refresher=uac", "Allow: UPDATE")
        refresh = await peer.until("UPDATE", 2.0)
        if code:
            peer.reply(refresh, code)
        peer.reply(await peer.until("BYE"), 200)
        assert (await rig.over()).ending is Ending.BROKEN


async def test_a_refresh_of_theirs_that_does_not_come_breaks_the_call(monkeypatch):
    monkeypatch.setattr("media.phone.sip.session_timer.SHORTEST", 1)
    async with SipPeer() as peer, trunk_to(peer.port, policy={"line_check": 0.05}) as rig:
        await answered(rig, peer, "Session-Expires: 1;refresher=uas", "Require: timer")
        peer.reply(await peer.until("BYE", 2.0), 200)
        assert (await rig.over()).ending is Ending.BROKEN


async def test_quiet_alone_never_ends_a_call():
    policy = {"line_check": 0.05, "line_quiet": 0.2, "sip_reply_within": 0.4}
    async with SipPeer() as peer, trunk_to(peer.port, policy=policy) as rig:
        await answered(rig, peer)
        for _ in range(3):
            peer.reply(await peer.until("OPTIONS", 2.0), 200)
        assert rig.listening.states() == [CallState.ANSWERED]

        peer.reply(await peer.until("BYE", 3.0), 200)  # now nobody answers the question
        assert (await rig.over()).ending is Ending.BROKEN


async def test_a_dialog_that_the_other_side_has_forgotten_is_broken():
    policy = {"line_check": 0.05, "line_quiet": 0.2}
    async with SipPeer() as peer, trunk_to(peer.port, policy=policy) as rig:
        await answered(rig, peer)
        peer.reply(await peer.until("OPTIONS", 2.0), 481)
        assert (await rig.over()).ending is Ending.BROKEN


async def test_requests_of_another_dialog_are_not_ours():
    async with SipPeer() as peer, trunk_to(peer.port) as rig:
        _, invite = await answered(rig, peer)
        peer.ask(invite, "BYE", 2, tag="somebody-else")
        assert (await peer.until_response(2)).code == 481
        assert rig.listening.states() == [CallState.ANSWERED]


async def test_no_mutated_message_does_more_than_be_dropped_or_answered():
    chance = random.Random(3)
    async with SipPeer() as peer, trunk_to(peer.port) as rig:
        received = []
        exchange = rig.trunk._agent.exchange
        receive = exchange.receive

        def remember(datagram, source):
            received.append((datagram, source))
            receive(datagram, source)

        exchange.transport._received = remember
        _, invite = await answered(rig, peer)
        for number, method in enumerate(("UPDATE", "INVITE", "INFO", "OPTIONS", "BYE"), 20):
            body = peer.sdp("sendonly") if method in {"UPDATE", "INVITE"} else "Signal=1"
            peer.ask(invite, method, number, SDP, "Session-Expires: 90", body=body, tag="other")
        await peer.until_response(24)
        for _ in range(2_000):
            datagram, source = chance.choice(received)
            datagram = datagram.replace(b"tag=other", b"tag=peer-1").replace(b"BYE", b"NOTIFY")
            receive(mutated(datagram, chance), source)
        await asyncio.sleep(0.1)
        assert rig.trunk.counters.unreadable > 100
        assert rig.listening.states() == [CallState.ANSWERED]


def mutated(datagram, chance):
    data = bytearray(datagram)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        data[at : at + chance.randint(0, 4)] = chance.choice(
            [
                b"",
                b"\r\n",
                b";",
                b",",
                b"<",
                b'"',
                b"9" * 12,
                b"\xff",
                bytes([chance.randrange(256)]),
            ]
        )
    return bytes(data)
