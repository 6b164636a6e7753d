"""The trunk with a real telephone at its other end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from media.phone.carrier import CallState, Ending
from media.phone.sip.messages import read
from rooms.model import CallFailure
from tests.support.certificates import self_signed
from tests.support.softphone import Softphone
from tests.support.trunks import POLICY, Rig, heard_purity, trunk_to


async def call_up(rig: Rig, phone: Softphone, **more: Any) -> str:
    """Place a call and let it be answered."""
    call = await rig.dial(**more)
    await phone.until("CALL_INCOMING")
    await phone.answer()
    await rig.listening.until(CallState.ANSWERED)
    return call


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
async def test_an_answered_call_carries_sound_both_ways(codec):
    async with Softphone(tone=600.0, codec=codec) as phone, trunk_to(phone.port) as rig:
        call = await rig.dial()
        await phone.until("CALL_INCOMING")
        await rig.listening.until(CallState.RINGING)
        assert rig.trunk.line(call) is None
        await phone.answer()
        await rig.listening.until(CallState.ANSWERED)

        heard = await rig.talk(call, 1000.0, 1.5)

        assert heard_purity(heard, 600.0) > 0.99
        assert phone.heard_tone(1000.0) > 0.99
        await rig.trunk.end(call)
        over = await rig.over()
        assert (over.failure, over.ending) == (None, Ending.BY_US)
        assert rig.trunk.line(call) is None
        await phone.until("CALL_CLOSED")
        await rig.ledger.forgotten.wait()
        assert not rig.ledger.kept


async def test_keys_are_told_once_each():
    async with Softphone() as phone, trunk_to(phone.port) as rig:
        await call_up(rig, phone)
        await phone.press("19#")
        await rig.listening.until_pressed("19#")
        assert rig.listening.keys == ["1", "9", "#"]


async def test_digits_are_dialled_after_the_answer():
    async with Softphone() as phone, trunk_to(phone.port) as rig:
        await call_up(rig, phone, digits="4,2#")
        pressed = [(await phone.until("CALL_DTMF_START"))["param"] for _ in range(3)]
        assert pressed == ["4", "2", "#"]


async def test_a_telephone_on_hold_hears_nothing_and_comes_back():
    async with Softphone(tone=600.0) as phone, trunk_to(phone.port) as rig:
        call = await call_up(rig, phone)
        await rig.talk(call, 1000.0, 0.4)
        await phone.hold()
        await asyncio.sleep(0.2)
        sent = phone.heard(60).size
        await rig.talk(call, 1000.0, 0.6)
        assert phone.heard(60).size - sent < 0.3 * 8_000

        await phone.resume()
        heard = await rig.talk(call, 1000.0, 1.5)
        assert heard_purity(heard, 600.0) > 0.9
        assert phone.heard_tone(1000.0, 0.5) > 0.9
        assert rig.listening.states()[-1] is CallState.ANSWERED


async def test_the_telephone_hangs_up():
    async with Softphone() as phone, trunk_to(phone.port) as rig:
        await call_up(rig, phone)
        await phone.hang_up()
        over = await rig.over()
        assert (over.failure, over.ending) == (None, Ending.BY_PHONE)
        await rig.ledger.forgotten.wait()


async def test_the_telephone_declines():
    async with Softphone() as phone, trunk_to(phone.port) as rig:
        await rig.dial()
        await phone.until("CALL_INCOMING")
        await phone.hang_up()
        assert (await rig.over()).failure is CallFailure.BUSY


async def test_a_cancelled_call_rings_no_more():
    async with Softphone() as phone, trunk_to(phone.port) as rig:
        call = await rig.dial()
        await phone.until("CALL_INCOMING")
        await rig.trunk.end(call)
        await phone.until("CALL_CLOSED")
        assert (await rig.over()).ending is Ending.BY_US


async def test_closing_hangs_up_and_cancels_everything():
    async with Softphone() as up, trunk_to(up.port) as rig:
        await call_up(rig, up)
        await rig.trunk.close()
        await up.until("CALL_CLOSED")
        assert rig.listening.states()[-1] is CallState.OVER
        assert not rig.ledger.kept


async def test_sound_is_encrypted_when_configured():
    async with Softphone(tone=600.0, srtp=True) as phone, trunk_to(phone.port, srtp=True) as rig:
        call = await call_up(rig, phone)
        heard = await rig.talk(call, 1000.0, 1.5)
        assert heard_purity(heard, 600.0) > 0.99
        assert phone.heard_tone(1000.0) > 0.99


async def test_a_trunk_over_tls_is_checked_and_works(tmp_path):
    authority, both = self_signed(tmp_path, "127.0.0.1")
    async with Softphone(tone=600.0, certificate=both) as phone:
        tls = {"transport": "tls", "ca_file": str(authority)}
        async with trunk_to(phone.tls_port, **tls) as rig:
            assert rig.trunk.healthy
            call = await call_up(rig, phone)
            heard = await rig.talk(call, 1000.0, 1.0)
            assert heard_purity(heard, 600.0) > 0.9
            await phone.hang_up()
            assert (await rig.over()).ending is Ending.BY_PHONE


async def test_a_certificate_for_somebody_else_is_refused(tmp_path):
    authority, both = self_signed(tmp_path, "192.0.2.9")
    async with Softphone(certificate=both) as phone:
        tls = {"transport": "tls", "ca_file": str(authority)}
        async with trunk_to(phone.tls_port, **tls) as rig:
            assert not rig.trunk.healthy
            await rig.dial()
            assert (await rig.over()).failure is CallFailure.CARRIER_DOWN


async def test_a_trunk_over_tcp_works():
    async with Softphone() as phone, trunk_to(phone.port, transport="tcp") as rig:
        call = await call_up(rig, phone)
        await rig.trunk.end(call)
        await phone.until("CALL_CLOSED")


async def test_a_number_that_is_none_is_not_dialled():
    async with trunk_to(5) as rig:
        await rig.dial("+1555\r\nX: y")
        assert (await rig.over()).failure is CallFailure.BAD_NUMBER
        assert rig.trunk.counters.messages_out == 0


async def test_a_call_is_placed_once():
    async with Softphone() as phone, trunk_to(phone.port) as rig:
        await rig.dial()
        await phone.until("CALL_INCOMING")
        (call,) = rig.ledger.kept
        await rig.trunk.dial(rig.request(call))
        await rig.trunk.end(call)
        await rig.over()
        assert rig.listening.states().count(CallState.OVER) == 1
        assert rig.trunk.counters.calls == 1


async def test_a_closed_trunk_is_down():
    async with trunk_to(5) as rig:
        await rig.trunk.close()
        await rig.dial()
        assert (await rig.over()).failure is CallFailure.CARRIER_DOWN
        assert not rig.trunk.healthy


@pytest.mark.parametrize(
    ("method", "inside", "code"),
    [
        ("INVITE", False, 480),
        ("OPTIONS", False, 200),
        ("BYE", False, 481),
        ("REGISTER", False, 405),
        ("FROBNICATE", False, 501),
        ("BYE", True, 481),
        ("INVITE", True, 481),
        ("CANCEL", False, 481),
    ],
)
async def test_whoever_calls_from_outside_gets_an_answer(method, inside, code):
    async with trunk_to(5) as rig:
        response = await ask_from_outside(rig, method, inside)
        assert response.code == code
        assert response.to_tag


@pytest.mark.parametrize(
    ("why", "code"),
    [
        (CallFailure.BUSY, 486),
        (CallFailure.DECLINED, 603),
        (CallFailure.CARRIER_DOWN, 480),
    ],
)
async def test_whoever_listens_says_why_a_call_is_not_put_through(why, code):
    async with trunk_to(5) as rig:
        rig.listening.refuses = why
        assert (await ask_from_outside(rig, "INVITE", inside=False)).code == code


async def ask_from_outside(rig: Rig, method: str, inside: bool):
    """Send one request from a socket of our own; its final answer."""
    loop = asyncio.get_running_loop()
    answer = loop.create_future()

    class Stranger(asyncio.DatagramProtocol):
        def datagram_received(self, data, addr):
            if not answer.done():
                answer.set_result(read(data, POLICY))

    transport, _ = await loop.create_datagram_endpoint(Stranger, local_addr=("127.0.0.1", 0))
    tag = ";tag=nobody" if inside else ""
    transport.sendto(
        f"{method} sip:us@127.0.0.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{method};rport\r\n"
        "From: <sip:a@b.example>;tag=1\r\n"
        f"To: <sip:us@127.0.0.1>{tag}\r\n"
        f"Call-ID: c\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n".encode(),
        rig.own_address,
    )
    try:
        async with asyncio.timeout(5):
            return await answer
    finally:
        transport.close()


class Way:
    """The way to a telephone over TCP, which can be broken."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._open += [writer, far_writer]
        back = asyncio.create_task(self._carry(far_reader, writer))
        self._tasks.append(back)
        await self._carry(reader, far_writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4_096):
            writer.write(data)

    def breaks(self) -> None:
        for writer in self._open:
            writer.close()
        self._open.clear()


@pytest.mark.parametrize("answered", [False, True])
async def test_a_call_is_ended_although_the_connection_breaks_just_then(answered):
    policy = {"trunk_reconnect": 0.3, "sip_reply_within": 1.0}
    async with Softphone() as phone:
        way = Way(phone.port)
        async with await asyncio.start_server(way.taken, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with trunk_to(port, transport="tcp", policy=policy) as rig:
                call = await rig.dial()
                await phone.until("CALL_INCOMING")
                await rig.listening.until(CallState.RINGING)
                if answered:
                    await phone.answer()
                    await rig.listening.until(CallState.ANSWERED)
                way.breaks()
                await asyncio.sleep(0)
                await rig.trunk.end(call)
                await phone.until("CALL_CLOSED", within=6)
            way.breaks()
