"""Offers that others can read, and answers of which nothing is believed that need not be."""

import time

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from media.addresses import Candidate, reachable, usable
from media.errors import MediaError, SdpRefused
from media.rtp import Kind
from media.sdp import Agent, MediaLine, read_answer, write_offer
from rooms.policy import MediaPolicy

POLICY = MediaPolicy()
AGENT = Agent(
    ufrag="name",
    password="secret",
    fingerprint=("sha-256", "AA:BB"),
    candidates=(Candidate("udp", "192.0.2.1", 5000), Candidate("tcp", "2001:db8::1", 5000)),
)
LINES = (
    MediaLine(kind=Kind.AUDIO, direction="recvonly"),
    MediaLine(kind=Kind.VIDEO, direction="recvonly", kbps=1500),
)
FINGERPRINT = "a=fingerprint:sha-256 AA:BB"


def answer(*media, head=(), secured=(FINGERPRINT, "a=setup:active")):
    lines = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", *head]
    for kind, direction in media:
        lines += [f"m={kind} 9 UDP/TLS/RTP/SAVPF 111", f"a={direction}", *secured]
    return "\r\n".join(lines) + "\r\n"


BOTH = (("audio", "sendonly"), ("video", "sendonly"))


def refused(sdp, match):
    with pytest.raises(SdpRefused, match=match) as caught:
        read_answer(sdp, LINES, POLICY)
    assert isinstance(caught.value, MediaError)
    assert caught.value.code == "sdp_refused"


class TestOffer:
    def test_reads_back(self):
        offer = SessionDescription.parse(write_offer(1, 2, AGENT, LINES))
        assert [m.kind for m in offer.media] == ["audio", "video"]
        assert [m.rtp.muxId for m in offer.media] == ["0", "1"]
        assert [m.direction for m in offer.media] == ["recvonly", "recvonly"]
        assert all(m.ice and m.ice.iceLite and m.rtcp_mux for m in offer.media)
        assert [c.tcpType for c in offer.media[0].ice_candidates] == [None, "passive"]
        assert [(c.ip, c.port) for c in offer.media[0].ice_candidates] == [
            ("192.0.2.1", 5000),
            ("2001:db8::1", 5000),
        ]

    def test_asks_for_sound_that_never_stops_and_mends_itself(self):
        offer = write_offer(1, 2, AGENT, LINES)
        assert "useinbandfec=1;usedtx=0" in offer

    def test_bounds_the_picture(self):
        offer = write_offer(1, 2, AGENT, LINES)
        assert "b=AS:1500\r\nb=TIAS:1500000\r\n" in offer

    def test_names_whose_track_it_is(self):
        line = MediaLine(kind=Kind.VIDEO, direction="sendonly", stream="ann", ssrc=7)
        media = SessionDescription.parse(write_offer(1, 2, AGENT, [line])).media[0]
        assert media.msid == "ann ann-video"
        assert [(s.ssrc, s.cname) for s in media.ssrc] == [(7, "ann")]

    def test_an_empty_line_names_nobody(self):
        offer = write_offer(1, 2, AGENT, [MediaLine(kind=Kind.AUDIO, direction="inactive")])
        assert "msid:" not in offer
        assert "ssrc:" not in offer

    def test_congestion_feedback_is_for_senders_only(self):
        sending = MediaLine(kind=Kind.VIDEO, direction="sendonly", stream="ann", ssrc=7)
        assert "transport-cc" in write_offer(1, 2, AGENT, LINES)
        assert "transport-" not in write_offer(1, 2, AGENT, [sending])


class TestAnswer:
    def test_tells_role_keys_and_what_is_taken(self):
        read = read_answer(answer(("audio", "sendonly"), ("video", "inactive")), LINES, POLICY)
        assert read.role == "server"
        assert read.fingerprints == (("sha-256", "AA:BB"),)
        assert read.taken == (True, False)

    def test_of_a_browser_that_waits_makes_us_the_client(self):
        sdp = answer(*BOTH, secured=(FINGERPRINT, "a=setup:passive"))
        assert read_answer(sdp, LINES, POLICY).role == "client"

    def test_keys_may_stand_once_for_all(self):
        sdp = answer(*BOTH, head=(FINGERPRINT, "a=setup:active"), secured=())
        assert read_answer(sdp, LINES, POLICY).fingerprints == (("sha-256", "AA:BB"),)

    def test_too_large(self):
        refused(answer(*BOTH) + "a=x:" + "y" * POLICY.max_sdp, "too large")

    def test_too_many_lines(self):
        refused(answer(*[("audio", "sendonly")] * (POLICY.max_m_lines + 1)), "too many")

    @pytest.mark.parametrize("count", [0, 1, 3, 17])
    def test_other_lines_than_were_offered(self, count):
        refused(answer(*[("audio", "sendonly")] * count), "differ")

    def test_without_fingerprint(self):
        refused(answer(*BOTH, secured=("a=setup:active",)), "fingerprint")

    def test_with_only_a_digest_that_is_too_weak(self):
        refused(answer(*BOTH, secured=("a=fingerprint:sha-1 AA", "a=setup:active")), "fingerprint")

    @pytest.mark.parametrize("secured", [(FINGERPRINT,), (FINGERPRINT, "a=setup:actpass")])
    def test_without_a_role(self, secured):
        refused(answer(*BOTH, secured=secured), "role")

    @pytest.mark.parametrize("line", ["m=", "m=audio", "m=audio x y z", "m=audio 9 UDP 999"])
    def test_malformed(self, line):
        refused("v=0\r\n" + line + "\r\n", "malformed")

    @pytest.mark.parametrize("line", ["a=rtpmap:1 a/1", "a=ssrc:1 x:y", "a=candidate:x", "c=IN"])
    def test_what_is_not_needed_is_not_read(self, line):
        began = time.process_time()
        sdp = answer(*BOTH) + f"{line}\r\na=rtcp-fb:* n\r\n" * 900
        assert read_answer(sdp, LINES, POLICY).taken == (True, True)
        assert time.process_time() - began < 0.1

    @given(st.text(max_size=300))
    def test_noise_is_refused_and_nothing_else(self, noise):
        for sdp in (noise, answer(*BOTH).replace("9 UDP", noise), "m=audio 9 UDP 1\r\n" + noise):
            try:
                read_answer(sdp, LINES, POLICY)
            except SdpRefused:
                continue


class TestAddresses:
    def test_what_this_machine_has_is_bound(self):
        assert usable(("127.0.0.1", "::1")) == ("127.0.0.1", "::1")
        assert usable(("0.0.0.0", "::"))[0] == "0.0.0.0"

    def test_what_is_bound_is_told(self):
        assert reachable(("192.0.2.7", "2001:db8::7")) == ("192.0.2.7", "2001:db8::7")

    def test_a_wildcard_becomes_this_machine(self):
        addresses = reachable(("0.0.0.0", "::"))
        assert addresses[-1] == "::1"
        assert "127.0.0.1" in addresses
        assert "0.0.0.0" not in addresses

    def test_earlier_and_udp_is_preferred(self):
        candidates = [Candidate(p, "192.0.2.1", 1) for p in ("udp", "udp", "tcp", "tcp")]
        priorities = [int(c.attribute(i).split()[3]) for i, c in enumerate(candidates)]
        assert priorities == sorted(priorities, reverse=True)
        assert len(set(priorities)) == 4
