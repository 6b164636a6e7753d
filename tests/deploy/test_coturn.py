"""What the shipped coturn configuration relays to, asked of a real coturn."""

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aioice import stun
from aioice.turn import TurnClientUdpProtocol
from pydantic import SecretStr

from rooms.policy import EdgePolicy
from server.turn import ice_servers
from tests.support.coturn import CONFIGURATION, LOG, MEDIA_ADDRESS, coturn

SECRET = "a secret of this test"
SHARED = SecretStr(SECRET)
FORBIDDEN, QUOTA_REACHED = 403, 486  # RFC 8656 section 19
PORT = 8081

NOT_FOR_RELAYS = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254",
    "127.0.0.2", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.254",
    "192.0.0.8", "192.168.0.1", "192.168.255.254", "198.18.0.1", "198.19.255.254", "203.0.113.7",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
]  # fmt: skip
FOR_RELAYS = ["8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
              "172.15.255.255", "172.32.0.0", "192.167.255.255", "223.255.255.255"]  # fmt: skip
NOT_FOR_RELAYS_6 = [
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.2", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::ffff:8.8.8.8", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "fc00::1", "fd00:ec2::254",
    "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "2001::1", "2001:1ff::1",
    "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "4000::1",
]  # fmt: skip
FOR_RELAYS_6 = ["2001:200::1", "2003::1", "2606:4700::1111", "2a00:1450::1"]


@dataclass(frozen=True)
class Settings:
    turn_urls: tuple[str, ...] = ("turn:turn.example.org:3478",)
    turn_secret: SecretStr = SHARED


@asynccontextmanager
async def _allocation(server):
    [about] = ice_servers(Settings(), "seat", time.time(), EdgePolicy())
    loop = asyncio.get_running_loop()
    client = TurnClientUdpProtocol(server, about["username"], about["credential"], 600, 500)
    transport, _ = await loop.create_datagram_endpoint(lambda: client, remote_addr=server)
    try:
        await client.connect()
        yield client
    finally:
        if client.refresh_task is not None:
            await client.delete()
        transport.close()


async def _refusal(client, address, method=stun.Method.CREATE_PERMISSION):
    """The status with which a relay to an address is refused; nothing if it is not."""
    request = stun.Message(message_method=method, message_class=stun.Class.REQUEST)
    if method is stun.Method.CHANNEL_BIND:
        request.attributes["CHANNEL-NUMBER"] = 0x4000
    request.attributes["XOR-PEER-ADDRESS"] = (address, PORT)
    try:
        await client.request_with_retry(request)
    except stun.TransactionFailed as refused:
        return refused.response.error_code
    return None


async def _refused(client, addresses):
    return [address for address in addresses if await _refusal(client, address) == FORBIDDEN]


async def test_nothing_private_is_relayed_to(tmp_path):
    async with coturn(SECRET, tmp_path) as server, _allocation(server) as client:
        assert await _refused(client, NOT_FOR_RELAYS) == NOT_FOR_RELAYS
        assert await _refused(client, [*FOR_RELAYS, MEDIA_ADDRESS]) == []
        assert await _refusal(client, "10.0.0.1", stun.Method.CHANNEL_BIND) == FORBIDDEN


async def test_nothing_private_is_relayed_to_over_ipv6_or_in_disguise(tmp_path):
    family = "--allocation-default-address-family=ipv6"
    async with (
        coturn(SECRET, tmp_path, family, host="::1") as server,
        _allocation(server) as client,
    ):
        assert await _refused(client, NOT_FOR_RELAYS_6) == NOT_FOR_RELAYS_6
        assert await _refused(client, FOR_RELAYS_6) == []


class Node(asyncio.DatagramProtocol):
    """Stands for a media port."""

    def __init__(self):
        self.heard = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.heard.put_nowait(data)


async def test_only_a_node_hears_what_is_relayed(tmp_path):
    """Two listeners side by side: what is sent to both arrives at the one that is allowed."""
    loop = asyncio.get_running_loop()
    node, other = Node(), Node()
    to_node, _ = await loop.create_datagram_endpoint(lambda: node, local_addr=(MEDIA_ADDRESS, 0))
    to_other, _ = await loop.create_datagram_endpoint(lambda: other, local_addr=("127.0.0.2", 0))
    async with coturn(SECRET, tmp_path) as server, _allocation(server) as client:
        await _refusal(client, "127.0.0.2")
        assert await _refusal(client, MEDIA_ADDRESS) is None
        for transport in (to_other, to_node):
            client.send_stun(_send(b"hello", transport.get_extra_info("sockname")), server)
        assert await asyncio.wait_for(node.heard.get(), 5) == b"hello"
        assert other.heard.empty()
    to_node.close()
    to_other.close()


def _send(data, peer):
    """A Send indication (RFC 8656 section 11): data for a peer, past any channel."""
    message = stun.Message(message_method=stun.Method.SEND, message_class=stun.Class.INDICATION)
    message.attributes["XOR-PEER-ADDRESS"] = peer
    message.attributes["DATA"] = data
    return message


async def test_one_seat_gets_so_many_relays_and_no_more(tmp_path):
    async with coturn(SECRET, tmp_path) as server:
        opened = [_allocation(server) for _ in range(13)]
        for one in opened[:12]:
            await one.__aenter__()
        with pytest.raises(stun.TransactionFailed) as refused:
            await opened[12].__aenter__()
        assert refused.value.response.error_code == QUOTA_REACHED
        for one in opened[:12]:
            await one.__aexit__(None, None, None)


async def test_coturn_understands_every_line(tmp_path):
    """It only warns of what it does not know, and goes on without."""
    async with coturn(SECRET, tmp_path):
        said = tmp_path.joinpath(LOG).read_text()
    assert "Relay ports initialization done" in said
    assert "configuration format" not in said


def test_no_secret_is_in_the_file():
    lines = CONFIGURATION.read_text().splitlines()
    assert not [line for line in lines if line.startswith(("static-auth-secret", "user="))]
