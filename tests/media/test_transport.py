"""Keys: both roles, wrong fingerprints, forged packets, and the private names they stand on."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, cast

import pylibsrtp
import pytest
from aiortc import rtcdtlstransport
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport
from OpenSSL import SSL
from pylibsrtp import _binding

from media import transport
from media.counters import MediaCounters
from media.errors import HandshakeFailed
from media.ports import LegState
from media.tasks import Tasks
from media.transport import Certificate, DtlsSrtp
from rooms.policy import MediaPolicy
from tests.support.light_peer import comes_true


class _Nowhere:
    address: Any = None
    sendto: Callable[..., object] = print


class TestPrivateNames:
    """When one of these fails, an upgrade moved a name that media/transport.py uses."""

    @pytest.mark.parametrize(
        "name", ["_set_role", "_recv_next", "_write_ssl", "_setup_srtp", "start", "on"]
    )
    def test_of_the_dtls_transport(self, name):
        assert hasattr(RTCDtlsTransport, name)

    async def test_of_a_dtls_transport_before_it_started(self):
        dtls = RTCDtlsTransport(cast("Any", None), [RTCCertificate.generateCertificate()])
        before: list[object] = [dtls._ssl, dtls._task, dtls._rx_srtp, dtls._tx_srtp]
        assert before == [None] * 4
        assert dtls.state == "new"

    def test_of_what_it_asks_of_an_ice_transport(self):
        source = inspect.getsource(RTCDtlsTransport)
        used = {"self.transport._recv()", "self.transport._send("}
        assert all(call in source for call in used)

    def test_of_the_certificate(self):
        parameters = inspect.signature(RTCCertificate._create_ssl_context).parameters
        assert list(parameters) == ["self", "srtp_profiles"]
        certificate = Certificate.generateCertificate()
        profiles = rtcdtlstransport.SRTP_PROFILES
        context = certificate._create_ssl_context(profiles)
        assert certificate._create_ssl_context(profiles) is context
        assert context.get_session_cache_mode() == SSL.SESS_CACHE_OFF

    @pytest.mark.parametrize(
        "name", ["srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp"]
    )
    def test_of_libsrtp(self, name):
        assert hasattr(_binding.lib, name)

    def test_of_an_srtp_session(self):
        policy = pylibsrtp.Policy(key=bytes(30), ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        session = pylibsrtp.Session(policy)
        assert _binding.ffi.typeof(session._srtp[0]).kind == "pointer"

    def test_only_the_transport_touches_them(self):
        assert transport.__doc__ is not None
        assert "only file that touches private names" in transport.__doc__


@pytest.mark.parametrize("setup", ["active", "passive"])
async def test_either_side_may_begin_the_handshake(setup, room):
    ann, ben = await room.meet("ann", "ben", setup=setup)
    ann.send_audio(b"hello")
    await ben.until(lambda: ben.sound("ann"))


async def test_no_keys_for_another_fingerprint(sfu, room):
    room.admit("ann")
    ann = room.peer("ann")
    honest = ann._answer_to

    def lie(peer, number, sdp):
        lines = [
            "a=fingerprint:sha-256 " + "00:" * 31 + "00" if "fingerprint" in line else line
            for line in sdp.splitlines()
        ]
        honest(peer, number, "\r\n".join(lines) + "\r\n")

    ann._answer_to = lie
    sfu.attach("visit-1", "ann", "leg-1", ann)
    await ann.until(lambda: LegState.LOST in ann.states)
    assert sfu.counters.handshakes_failed == 1


class TestTimeout:
    @pytest.fixture
    def policy(self):
        return MediaPolicy(handshake_within=0.2)

    async def test_a_handshake_that_never_comes_ends_the_leg(self, sfu, room):
        room.admit("ann")
        ann = room.peer("ann")
        ann.silent = True
        sfu.attach("visit-1", "ann", "leg-1", ann)
        await ann.until(lambda: ann.states == [LegState.LOST])
        assert sfu.counters.handshakes_failed == 1


async def test_forged_and_replayed_packets_change_nothing(sfu, room):
    ann, ben, eve = await room.meet("ann", "ben", "eve")
    real = ann.send._tx.protect(ann.audio.next(b"once"))
    for _ in range(3):
        ann.send.send_raw(real)
    for size in (12, 13, 50, 1200):
        ann.send.send_raw(b"\x80\x6f" + bytes(size))
        ann.send.send_raw(b"\x80\xc8" + bytes(size))
        ann.send.send_raw(b"\xbf\x6f" + b"\xff" * size)
    await comes_true(lambda: sfu.counters.packets_refused >= 10)
    eve.send_audio(b"still here")
    await ben.until(lambda: ben.sound("eve") and ben.sound("ann"))
    assert [packet.payload for packet in ben.sound("ann")] == [b"once"]


async def test_a_flood_from_one_peer_leaves_the_others_alone(sfu, room):
    ann, ben, eve = await room.meet("ann", "ben", "eve")
    for round_ in range(20):
        for _ in range(200):
            eve.send.send_raw(b"\x80\x6f" + bytes(1000))
        ann.send_audio(bytes([round_]))
        await ben.until(lambda round_=round_: len(ben.sound("ann")) == round_ + 1)


async def test_closing_twice_and_before_the_start_is_harmless():
    certificate = Certificate.generateCertificate()
    keys = DtlsSrtp(certificate, _Nowhere(), MediaPolicy(), MediaCounters(), Tasks())
    keys.close()
    keys.close()
    keys.received(100)
    keys.send_rtcp(b"")


async def test_a_handshake_with_rubbish_fails(sfu, room):
    certificate = Certificate.generateCertificate()
    keys = DtlsSrtp(certificate, _Nowhere(), MediaPolicy(), MediaCounters(), Tasks())
    connecting = asyncio.ensure_future(keys.connect("server", [("sha-256", "00")]))
    await asyncio.sleep(0)
    keys.handshake(bytes.fromhex("16fefd000000000000000000100100000000000000000000") + bytes(20))
    for _ in range(1000):
        keys.handshake(b"\x16" + bytes(50))
    connecting.cancel()
    with pytest.raises((asyncio.CancelledError, HandshakeFailed)):
        await connecting
    keys.close()
