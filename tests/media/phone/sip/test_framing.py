"""Messages come out of a stream whole, however it was cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.phone.sip.framing import Framing, StreamBroken

ONE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"
TWO = b"BYE sip:a SIP/2.0\r\nl:0\r\n\r\n"


@given(st.lists(st.integers(1, 30), max_size=40))
def test_any_cuts_give_the_same_messages(cuts):
    stream = b"\r\n\r\n" + ONE + TWO + b"\r\n" + ONE
    framing, found = Framing(1_000), []
    for cut in [*cuts, 1_000]:
        found += framing.feed(stream[:cut])
        stream = stream[cut:]
    assert found == [ONE, TWO, ONE]


@pytest.mark.parametrize(
    "stream",
    [
        b"BYE sip:a SIP/2.0\r\nX: y\r\n\r\n",
        b"BYE sip:a SIP/2.0\r\nContent-Length: -4\r\n\r\n",
        b"BYE sip:a SIP/2.0\r\nContent-Length: 999\r\n\r\n",
        b"x" * 101,
    ],
)
def test_a_stream_that_cannot_be_followed_is_broken(stream):
    with pytest.raises(StreamBroken):
        Framing(100).feed(stream)
