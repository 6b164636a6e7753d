"""What a killed process left behind is ended by the next."""

from __future__ import annotations

import asyncio

import pytest

from media.phone.carrier import CallState
from media.phone.sip.record import Record
from tests.support.ports import free_port
from tests.support.sip_peer import SipPeer
from tests.support.softphone import Softphone
from tests.support.trunks import trunk_to


async def test_a_telephone_that_rings_stops_ringing():
    async with Softphone() as phone, trunk_to(phone.port) as former:
        await former.dial()
        await phone.until("CALL_INCOMING")
        await former.listening.until(CallState.RINGING)
        call, state = former.ledger.history[-1]
        await former.kill()
        async with trunk_to(phone.port, local_port=former.config.local_port) as rig:
            await rig.trunk.abandon(call, state)
            await phone.until("CALL_CLOSED")
            assert not rig.listening.progress
            assert rig.trunk.counters.unexpected == 0


async def test_an_answered_call_is_hung_up():
    async with Softphone() as phone, trunk_to(phone.port) as former:
        call = await former.dial()
        await phone.until("CALL_INCOMING")
        await phone.answer()
        await former.listening.until(CallState.ANSWERED)
        state = former.ledger.kept[call]
        await former.kill()
        async with trunk_to(phone.port) as rig:
            await rig.trunk.abandon(call, state)
            await phone.until("CALL_CLOSED")


async def test_an_answer_that_nobody_was_left_to_hear_is_acknowledged_and_hung_up():
    async with SipPeer() as peer, trunk_to(peer.port) as former:
        await former.dial()
        invite = await peer.until("INVITE")
        peer.reply(invite, 180)
        await former.listening.until(CallState.RINGING)
        call, state = former.ledger.history[-1]
        await former.kill()
        async with trunk_to(peer.port, local_port=former.config.local_port) as rig:
            abandoning = asyncio.create_task(rig.trunk.abandon(call, state))
            cancel = await peer.until("CANCEL")
            assert (cancel.branch, cancel.cseq) == (invite.branch, invite.cseq)
            peer.reply(cancel, 481)
            peer.answer(invite)
            await peer.until("ACK")
            peer.reply(await peer.until("BYE"), 200)
            async with asyncio.timeout(3):
                await abandoning


async def test_an_answer_that_was_acknowledged_at_the_last_moment_is_hung_up():
    async with SipPeer() as peer, trunk_to(peer.port) as former:
        await former.dial()
        invite = await peer.until("INVITE")
        peer.reply(invite, 180)
        await former.listening.until(CallState.RINGING)
        call, state = former.ledger.history[-1]
        assert Record.read(state).remote_tag
        await former.kill()
        policy = {"abandon_listens": 0.3}
        async with trunk_to(peer.port, policy=policy) as rig:
            abandoning = asyncio.create_task(rig.trunk.abandon(call, state))
            peer.reply(await peer.until("CANCEL"), 481)
            peer.reply(await peer.until("BYE"), 200)
            await abandoning


async def test_what_is_no_record_is_counted_and_left():
    async with trunk_to(5) as rig:
        for state in ("", "{}", "[]", '{"version":1}', "null", "\udcff"):
            await rig.trunk.abandon("call", state)
        assert rig.trunk.counters.messages_out == 0
        assert rig.trunk.counters.unreadable == 6


async def test_without_a_way_to_the_trunk_the_page_is_kept_for_another_try():
    async with SipPeer() as peer, trunk_to(peer.port) as former:
        await former.dial()
        await peer.until("INVITE")
        call, state = former.ledger.history[-1]
        await former.kill()
    async with trunk_to(free_port(), transport="tcp", policy={"way_within": 0.1}) as rig:
        with pytest.raises(OSError, match=r"^$"):
            await rig.trunk.abandon(call, state)
