"""The demo's certificate is one that a browser can be told to accept."""

import asyncio
import ssl
import stat

import pytest

from rooms.policy import EdgePolicy
from server.certificate import make

DAYS = EdgePolicy().demo_certificate_days


@pytest.fixture
def made(tmp_path):
    return make(tmp_path, ("localhost", "127.0.0.1", "::1"), DAYS)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
async def test_whoever_trusts_it_reaches_the_server_by_each_of_its_names(made, name):
    certificate, key = made
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(certificate, key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=ours)
    async with server:
        port = server.sockets[0].getsockname()[1]
        theirs = ssl.create_default_context(cafile=certificate)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=theirs, server_hostname=name
        )
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def test_nobody_trusts_it_unasked(made):
    certificate, key = made
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(certificate, key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=ours)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", port, ssl=ssl.create_default_context())


def test_only_its_owner_reads_the_key(made):
    assert stat.S_IMODE(made[1].stat().st_mode) == 0o600


def test_it_lives_no_longer_than_browsers_allow():
    assert DAYS <= 398, "Apple's platforms refuse a certificate of more than 398 days"
