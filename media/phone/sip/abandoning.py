"""Ends calls of a former process: whatever has become of them since, nothing goes on ringing."""

from __future__ import annotations

import asyncio

from media.phone.sip.agent import UserAgent
from media.phone.sip.dialog import Dialog
from media.phone.sip.invitation import Invitation
from media.phone.sip.messages import Response
from media.phone.sip.record import Record


async def abandon(agent: UserAgent, text: str) -> None:
    """Send what ends the call that the ledger's ``text`` tells of.

    Raises ``OSError`` while there is no way to the trunk: the page is to be kept for another try.

    An answered call gets a BYE. Any other gets the CANCEL of its INVITE; if it was answered
    meanwhile, the answer is repeated until its ACK, which is followed by a BYE; and in case the
    ACK went out before the end of the former process, the dialog as it rang gets a BYE too.
    """
    record = Record.read(text)
    if record is None:
        agent.counters.unreadable += 1
        return
    if not await agent.way_open():
        raise ConnectionError
    if record.answered and record.dialog is not None:
        await agent.bye(record.dialog)
    else:
        await _cancel(agent, record)


async def _cancel(agent: UserAgent, record: Record) -> None:
    invitation = Invitation(agent, _keep_nothing, _nothing, _never_answered)
    await invitation.resume(record)
    try:
        async with asyncio.timeout(agent.policy.abandon_listens):
            await invitation.settled.wait()
    except TimeoutError:
        if record.dialog is not None:
            await agent.bye(record.dialog)


async def _keep_nothing(_record: Record) -> None:
    """The page of the ledger is its owner's."""


def _nothing() -> None:
    """Nobody is told that it rings."""


def _never_answered(_dialog: Dialog, _response: Response) -> None:
    raise AssertionError("an invitation that is resumed is stopped from the first")
