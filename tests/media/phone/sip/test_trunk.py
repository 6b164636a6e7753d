"""The trunk with a real telephone at its other end."""

from __future__ import annotations


from media.phone.carrier import CallState, Ending
from tests.support.softphone import Softphone
from tests.support.trunks import heard_purity, trunk_to


async def test_an_answered_call_carries_sound_both_ways():
    async with Softphone(tone=600.0) as phone, trunk_to(phone.port) as rig:
        call = await rig.dial()
        await phone.until("CALL_INCOMING")
        await rig.listening.until(CallState.RINGING)
        assert rig.trunk.line(call) is None
        await phone.answer()
        await rig.listening.until(CallState.ANSWERED)

        heard = await rig.talk(call, 1000.0, 2.0)

        assert heard_purity(heard, 600.0) > 0.99
        assert phone.heard_tone(1000.0) > 0.99
        await rig.trunk.end(call)
        over = await rig.over()
        assert over.ending is Ending.BY_US
        assert rig.trunk.line(call) is None
        await phone.until("CALL_CLOSED")
        await rig.ledger.forgotten.wait()
        assert not rig.ledger.kept
