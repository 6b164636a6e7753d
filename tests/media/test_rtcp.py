"""What is written reads back, also through somebody else's parser; what is read never raises."""

import pytest
from aiortc import rtp as aiortc
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp

SEQUENCES = st.integers(0, 0xFFFF)
WORDS = st.integers(0, 0xFFFFFFFF)


def only(data):
    (packet,) = aiortc.RtcpPacket.parse(data)
    return packet


def test_a_pli_is_one():
    packet = only(rtcp.write_pli(77))
    assert isinstance(packet, aiortc.RtcpPsfbPacket)
    assert (packet.fmt, packet.media_ssrc) == (aiortc.RTCP_PSFB_PLI, 77)


@given(st.lists(SEQUENCES, min_size=1, max_size=64, unique=True))
def test_a_nack_names_exactly_what_is_missing(numbers):
    data = rtcp.write_nack(77, sorted(numbers))
    packet = only(data)
    assert isinstance(packet, aiortc.RtcpRtpfbPacket)
    assert (packet.fmt, packet.media_ssrc) == (aiortc.RTCP_RTPFB_NACK, 77)
    assert sorted(packet.lost) == sorted(numbers)
    (block,) = rtcp.blocks(data)
    ssrc, read = rtcp.nacked(block)
    assert (ssrc, sorted(read)) == (77, sorted(numbers))


def test_a_nack_across_the_wrap_is_one_entry():
    data = rtcp.write_nack(77, [0xFFFE, 0xFFFF, 0, 14])
    assert len(data) == 16
    assert rtcp.nacked(next(rtcp.blocks(data))) == (77, [0xFFFE, 0xFFFF, 0, 14])


@given(WORDS, WORDS, WORDS, WORDS)
def test_a_receiver_report_is_one(ssrc, highest, last_report, delay):
    report = rtcp.ReportBlock(ssrc, 12, 345, highest, 6, last_report, delay)
    data = rtcp.write_receiver_report([report, report])
    packet = only(data)
    assert isinstance(packet, aiortc.RtcpRrPacket)
    theirs = packet.reports[0]
    assert (theirs.ssrc, theirs.fraction_lost, theirs.packets_lost) == (ssrc, 12, 345)
    assert (theirs.highest_sequence, theirs.lsr, theirs.dlsr) == (highest, last_report, delay)
    assert list(rtcp.report_blocks(next(rtcp.blocks(data)))) == [report, report]


@given(st.integers(0, 2**64 - 1), WORDS)
def test_a_sender_report_is_one_and_names_its_owner(ntp, timestamp):
    data = rtcp.write_sender_report(rtcp.SenderReport(5, ntp, timestamp), 6, 7, "ann")
    report, description = aiortc.RtcpPacket.parse(data)
    assert isinstance(report, aiortc.RtcpSrPacket)
    info = report.sender_info
    assert (report.ssrc, info.ntp_timestamp, info.rtp_timestamp) == (5, ntp, timestamp)
    assert (info.packet_count, info.octet_count) == (6, 7)
    assert isinstance(description, aiortc.RtcpSdesPacket)
    assert description.chunks[0].items == [(1, b"ann")]
    ours = rtcp.sender_report(next(rtcp.blocks(data)))
    assert ours is not None
    assert ours.middle == ntp >> 16 & 0xFFFFFFFF


@pytest.mark.parametrize("length", range(8))
def test_a_description_is_padded_whatever_the_name(length):
    data = rtcp.write_sender_report(rtcp.SenderReport(5, 0, 0), 0, 0, "n" * length)
    assert len(data) % 4 == 0
    description = aiortc.RtcpPacket.parse(data)[1]
    assert isinstance(description, aiortc.RtcpSdesPacket)
    assert description.chunks[0].items == [(1, b"n" * length)]


@given(st.integers(1, 2**40))
def test_an_estimate_is_read_as_it_was_meant(bitrate):
    fci = aiortc.pack_remb_fci(bitrate, [7])
    packet = aiortc.RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=fci)
    estimate = rtcp.remb(next(rtcp.blocks(bytes(packet))))
    assert estimate is not None
    assert abs(estimate - bitrate) <= bitrate / 2**17


@given(st.binary(max_size=200))
def test_reading_noise_never_fails(data):
    for block in rtcp.blocks(b"\x81" + data):
        rtcp.sender_report(block)
        list(rtcp.report_blocks(block))
        rtcp.nacked(block)
        rtcp.media_ssrc(block)
        rtcp.remb(block)
