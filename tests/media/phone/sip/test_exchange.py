"""Transactions at work, over real sockets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

from media.phone.sip.counters import TrunkCounters
from media.phone.sip.exchange import Exchange
from media.phone.sip.messages import read
from media.phone.sip.transactions import Times
from media.phone.sip.transport import UdpTransport
from media.phone.sip.writing import Outgoing, reply
from rooms.policy import PhonePolicy
from tests.support.ports import free_port
from tests.support.sip_peer import SipPeer
from tests.support.trunks import config_for

POLICY = PhonePolicy()
QUICK = Times(t1=0.02, t2=0.08, t4=0.05)


class Answering:
    """A core that answers everything with 200."""

    def __init__(self):
        self.requests = []

    def asked(self, request, source):
        self.requests.append(request)
        self.exchange.answer(request, 200, reply(request, 200, source, to_tag="us"))

    def knows(self, request):
        return bool(request.to_tag)

    def acknowledged(self, request):
        self.requests.append(request)

    def unacknowledged(self, request):
        self.requests.append(request)


@asynccontextmanager
async def exchange_to(port, policy=POLICY):
    config = config_for(port, local_port=free_port())
    exchange = Exchange(UdpTransport(config), policy, TrunkCounters(), QUICK)
    core = exchange.core = Answering()
    core.exchange = exchange
    exchange.counters = exchange._counters
    await exchange.open(core)
    try:
        yield exchange
    finally:
        await exchange.close()


def options(exchange, port, branch="z9hG4bK1"):
    return Outgoing(
        method="OPTIONS", target=f"sip:127.0.0.1:{port}", sent_by=exchange.transport.sent_by,
        branch=branch, from_="<sip:a@b.example>;tag=1", to="<sip:c@d.example>", call_id="c", cseq=1,
    )  # fmt: skip


async def test_a_lost_request_is_sent_again_and_answered():
    async with SipPeer() as peer, exchange_to(peer.port) as exchange:
        asking = asyncio.create_task(exchange.ask(options(exchange, peer.port), 3.0))
        await peer.until("OPTIONS")
        again = await peer.until("OPTIONS")
        peer.reply(again, 100)
        peer.reply(again, 200)
        peer.reply(again, 200)
        assert (await asking).code == 200


async def test_silence_ends_with_nothing():
    async with SipPeer() as peer, exchange_to(peer.port) as exchange:
        assert await exchange.ask(options(exchange, peer.port), 0.1) is None
        assert await exchange.ask(options(exchange, peer.port, "z9hG4bK2"), 30.0) is None
        assert await exchange.ask(replace(options(exchange, 1), target="tel:+1"), 1.0) is None


async def test_a_repeated_request_is_given_on_once_and_answered_each_time():
    async with SipPeer() as peer, exchange_to(peer.port) as exchange:
        asking = asyncio.create_task(exchange.ask(options(exchange, peer.port), 3.0))
        await peer.until("OPTIONS")  # the peer knows now where we are
        for _ in range(3):
            peer.send(
                "FOO sip:x@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bKz;rport\n"
                "From: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: 5\nCSeq: 1 FOO"
            )
        await asyncio.sleep(0.1)
        assert len(exchange.core.requests) == 1
        assert len(peer.responses) == 3
        asking.cancel()


async def test_what_is_unreadable_or_unexpected_is_counted():
    async with exchange_to(5) as exchange:
        stranger = options(exchange, 5).encode()
        response = reply(read(stranger, POLICY), 200, ("127.0.0.1", 5), to_tag="x")
        for datagram in (b"noise", b"\r\n\r\n", b"\0", b"", response):
            exchange.receive(datagram, ("127.0.0.1", 5))
        assert (exchange.counters.unreadable, exchange.counters.unexpected) == (1, 1)


async def test_a_flood_is_dropped_and_forgotten():
    policy = replace(POLICY, sip_transactions=10)
    async with exchange_to(5, policy) as exchange:
        for number in range(50):
            flood = replace(options(exchange, 5), branch=f"z9hG4bK{number}").encode()
            exchange.receive(flood, ("127.0.0.1", 5))
        assert len(exchange.core.requests) == 10
        assert exchange.counters.overflowed == 40
        ours = options(exchange, 5)
        ours = replace(ours, branch="z9hG4bK-ours", to=f"{ours.to};tag=ours")
        exchange.receive(ours.encode(), ("127.0.0.1", 5))
        assert exchange.core.requests.pop().to_tag == "ours"
        await asyncio.sleep(QUICK.patience + 0.2)
        exchange.receive(options(exchange, 5).encode(), ("127.0.0.1", 5))
        assert len(exchange.core.requests) == 11
