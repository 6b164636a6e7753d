"""TURN credentials, taken by a real coturn from a real TURN client, as browsers would use them."""

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aioice import stun, turn
from pydantic import SecretStr

from rooms.policy import EdgePolicy
from server.turn import ice_servers
from tests.support.coturn import MEDIA_ADDRESS, PRIVATE_ADDRESS, coturn

POLICY = EdgePolicy()
SECRET = "a secret of this test"
SHARED = SecretStr(SECRET)
WRONG_CREDENTIALS, FORBIDDEN, QUOTA_REACHED = 401, 403, 486  # RFC 8656 section 18


@dataclass(frozen=True)
class TurnServer:
    turn_urls: tuple[str, ...] = ("turn:turn.example.org:3478",)
    turn_secret: SecretStr | None = SHARED


def credentials(seat="seat-1", now=None, secret=SECRET):
    settings = TurnServer(turn_secret=SecretStr(secret))
    [server] = ice_servers(settings, seat, time.time() if now is None else now, POLICY)
    return server["username"], server["credential"]


class Heard(asyncio.DatagramProtocol):
    """What came, and what went wrong."""

    def __init__(self):
        self.packets: asyncio.Queue[bytes] = asyncio.Queue()
        self.errors: asyncio.Queue[Exception] = asyncio.Queue()
        self.lost = asyncio.Event()

    def datagram_received(self, data, addr):
        self.packets.put_nowait(data)

    def error_received(self, error):
        self.errors.put_nowait(error)

    def connection_lost(self, error):
        self.lost.set()


class Echo(asyncio.DatagramProtocol):
    """Stands for the media port."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(b"echo of " + data, addr)


@asynccontextmanager
async def relay(server, username, password):
    """A relay allocated by a TURN client."""
    transport, heard = await turn.create_turn_endpoint(Heard, server, username, password)
    try:
        yield transport, heard
    finally:
        transport.close()
        await asyncio.wait_for(heard.lost.wait(), 5)


@asynccontextmanager
async def echo(address):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=(address, 0))
    try:
        yield transport.get_extra_info("sockname")
    finally:
        transport.close()


async def refusal(server, username, password):
    """The error code with which the server refuses a relay."""
    with pytest.raises(stun.TransactionFailed) as caught:
        async with relay(server, username, password):
            pass
    return caught.value.response.error_code


@pytest.fixture
async def server(tmp_path):
    async with coturn(SECRET, tmp_path) as address:
        yield address


async def test_good_credentials_reach_the_media_address_through_the_relay(server):
    async with echo(MEDIA_ADDRESS) as media, relay(server, *credentials()) as (transport, heard):
        transport.sendto(b"sound", media)
        assert await asyncio.wait_for(heard.packets.get(), 5) == b"echo of sound"


async def test_a_relay_reaches_nothing_else_in_a_private_network(server):
    async with (
        echo(PRIVATE_ADDRESS) as secret_place,
        relay(server, *credentials()) as (transport, heard),
    ):
        transport.sendto(b"let me in", secret_place)
        error = await asyncio.wait_for(heard.errors.get(), 5)
        assert error.response.error_code == FORBIDDEN
        assert heard.packets.empty()


async def test_expired_credentials_are_refused(server):
    long_ago = time.time() - POLICY.turn_life - 60
    assert await refusal(server, *credentials(now=long_ago)) == WRONG_CREDENTIALS


async def test_forged_credentials_are_refused(server):
    username, password = credentials()
    later = f"{int(username.split(':')[0]) + 86_400}:{username.split(':')[1]}"
    assert await refusal(server, *credentials(secret="guessed")) == WRONG_CREDENTIALS
    assert await refusal(server, later, password) == WRONG_CREDENTIALS
    assert await refusal(server, username, password[:-1]) == WRONG_CREDENTIALS
    assert await refusal(server, "somebody", "something") == WRONG_CREDENTIALS


async def test_the_quota_of_one_seat_is_not_another_seats(tmp_path):
    """coturn counts per user behind the colon, which is the same for a seat whenever it asks."""
    async with coturn(SECRET, tmp_path, "--user-quota=1") as server:
        now = time.time()
        async with relay(server, *credentials("seat-1", now)):
            again = credentials("seat-1", now + 5)
            assert await refusal(server, *again) == QUOTA_REACHED
            async with relay(server, *credentials("seat-2", now)):
                pass


def test_credentials_live_as_long_as_the_policy_says_and_an_hour_at_most():
    username, _ = credentials(now=1_000.7)
    assert int(username.split(":")[0]) == int(1_000.7 + POLICY.turn_life)
    assert POLICY.turn_life <= 60 * 60


def test_credentials_name_nobody():
    username, password = credentials(seat="seat-1")
    assert "seat-1" not in username + password
    assert credentials(seat="seat-2", now=0)[0] != credentials(seat="seat-1", now=0)[0]
    assert credentials(seat="seat-1", now=0) == credentials(seat="seat-1", now=0)


@pytest.mark.parametrize("settings", [TurnServer(turn_urls=()), TurnServer(turn_secret=None)])
def test_without_a_turn_server_there_are_no_credentials(settings):
    assert ice_servers(settings, "seat-1", 0, POLICY) == []


def test_the_page_gets_what_a_browser_takes():
    """RTCIceServer, W3C WebRTC section 4.2.4."""
    urls = ("turn:turn.example.org:3478", "turns:turn.example.org:5349?transport=tcp")
    [entry] = ice_servers(TurnServer(turn_urls=urls), "seat-1", 0, POLICY)
    assert entry["urls"] == list(urls)
    assert set(entry) == {"urls", "username", "credential"}
