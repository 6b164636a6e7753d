"""A trunk that does not answer is noticed, and so is its return."""

from __future__ import annotations

import asyncio

from tests.support.sip_peer import SipPeer
from tests.support.trunks import trunk_to

POLICY = {
    "options_first": 0.0, "options_every": 0.05, "options_again": 0.05, "options_within": 0.1,
}  # fmt: skip


async def until(fulfilled):
    async with asyncio.timeout(5):
        while not fulfilled():  # noqa: ASYNC110  there is no event of health
            await asyncio.sleep(0.01)


async def test_two_missed_questions_are_down_and_one_answer_is_up():
    async with SipPeer() as peer, trunk_to(peer.port, policy=POLICY) as rig:
        assert rig.trunk.healthy
        peer.reply(await peer.until("OPTIONS"), 200)
        asked = len(peer.requests)
        await until(lambda: not rig.trunk.healthy)
        assert len(peer.requests) >= asked + 2
        while not rig.trunk.healthy:
            peer.reply(await peer.until("OPTIONS"), 404)
            await asyncio.sleep(0.01)


async def test_a_trunk_out_of_service_is_down():
    async with SipPeer() as peer, trunk_to(peer.port, policy=POLICY) as rig:
        while rig.trunk.healthy:
            peer.reply(await peer.until("OPTIONS"), 503)
            await asyncio.sleep(0.01)
