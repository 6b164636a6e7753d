"""Where hosts are, and what cannot be sent."""

from __future__ import annotations

import pytest

from media.phone.sip.transport import UdpTransport, bracketed, own_host, read_target
from tests.support.trunks import config_for


@pytest.mark.parametrize("uri", ["", "tel:+1", "mailto:a@b", "sip:a@b:99999", "http://a"])
def test_what_is_nowhere_is_an_error(uri):
    with pytest.raises(OSError, match=r"^$"):
        read_target(uri)


async def test_hosts_are_found_with_their_ports():
    transport = UdpTransport(config_for(5070))
    assert await transport.locate("sip:a@127.0.0.2:99;transport=udp") == ("127.0.0.2", 99)
    assert await transport.locate("sip:a@127.0.0.2") == ("127.0.0.2", 5060)
    assert await transport.locate("sip:127.0.0.1") == ("127.0.0.1", 5070)
    assert not transport.connected
    assert not transport.send(b"x", ("127.0.0.1", 9))
    await transport.close()


async def test_we_know_how_the_trunk_sees_us():
    assert await own_host(config_for(5060, local_host="0.0.0.0")) == "127.0.0.1"
    assert await own_host(config_for(5060, local_host="127.0.0.3")) == "127.0.0.3"
    unknown = config_for(5060, local_host="0.0.0.0", server="nowhere.invalid")
    assert await own_host(unknown) not in {"0.0.0.0", ""}
    transport = UdpTransport(config_for(5060, advertised_host="2001:db8::1", local_port=0))
    await transport.open(lambda _message, _source: None)
    host, port = transport.own_address
    assert transport.sent_by == f"UDP [2001:db8::1]:{port}"
    assert (host, bracketed("192.0.2.1")) == ("2001:db8::1", "192.0.2.1")
    await transport.close()
