"""What senders are asked and told: key frames, clocks, losses, arrival times."""

import struct
import time

import pytest

from media import rtcp
from media.feedback import Arrivals, KeyFrameRequests
from rooms.policy import MediaPolicy
from tests.support.light_peer import comes_true

NTP = 0xE8D4_A510_1234_5678


def blocks(connection, kind, subtype=None):
    return [b for b in connection.rtcp if b.kind == kind and subtype in (None, b.subtype)]


def forward_of(sfu, hearer, ssrc):
    stage = sfu._stages["visit-1"]
    return stage._legs[hearer]._receive._forwards[ssrc]


class TestKeyFrames:
    async def test_requests_of_many_are_one(self, room):
        ann, ben, eve = await room.meet("ann", "ben", "eve")
        ann.send_video(key=True)
        await ben.until(lambda: ben.picture("ann"))
        await eve.until(lambda: eve.picture("ann"))
        asked, began = len(blocks(ann.send, rtcp.PAYLOAD_FEEDBACK, rtcp.PLI)), time.monotonic()
        for _ in range(10):
            for peer in (ben, eve):
                peer.receive.send_rtcp(rtcp.write_pli(peer.ssrc("ann", "video")))
        await ann.until(lambda: len(blocks(ann.send, rtcp.PAYLOAD_FEEDBACK, rtcp.PLI)) >= asked + 2)
        assert time.monotonic() - began > 0.4  # two, half a second apart, for twenty requests

    async def test_a_pli_names_the_senders_own_stream(self, room):
        ann, _ben = await room.meet("ann", "ben")
        ann.send_video()
        await ann.until(lambda: blocks(ann.send, rtcp.PAYLOAD_FEEDBACK, rtcp.PLI))
        block = blocks(ann.send, rtcp.PAYLOAD_FEEDBACK, rtcp.PLI)[0]
        assert rtcp.media_ssrc(block) == ann.video.ssrc

    async def test_full_intra_requests_count_as_well(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_video(key=True)
        await ben.until(lambda: ben.picture("ann"))
        body = struct.pack("!LLLL", 1, 0, ben.ssrc("ann", "video"), 1 << 24)
        ben.receive.send_rtcp(struct.pack("!BBH", 0x84, 206, 4) + body)
        await comes_true(lambda: sfu.counters.plis_in == 1)
        await ann.until(lambda: blocks(ann.send, rtcp.PAYLOAD_FEEDBACK, rtcp.PLI))

    def test_the_last_of_a_burst_is_not_forgotten(self):
        requests = KeyFrameRequests(0.5)
        assert not requests.due(0.0)
        requests.wanted = True
        assert requests.due(0.0)
        requests.wanted = True
        assert not requests.due(0.4)
        assert requests.due(0.5)
        assert not requests.due(1.5)


class TestReports:
    async def test_a_sender_report_keeps_the_time_and_maps_the_timestamp(self, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_audio()
        ann.send_video(key=True)
        await ben.until(lambda: ben.sound("ann") and ben.picture("ann"))
        ann.send.send_rtcp(ann.audio.report(NTP))
        ann.send.send_rtcp(ann.video.report(NTP + (1 << 31)))
        await ben.until(lambda: len(blocks(ben.receive, rtcp.SENDER_REPORT)) == 2)
        reports = {
            report.ssrc: report
            for block in blocks(ben.receive, rtcp.SENDER_REPORT)
            if (report := rtcp.sender_report(block))
        }
        sound, picture = reports[ben.ssrc("ann", "audio")], reports[ben.ssrc("ann", "video")]
        assert (sound.ntp, picture.ntp) == (NTP, NTP + (1 << 31))
        assert sound.timestamp == ben.sound("ann")[-1].timestamp
        assert picture.timestamp == ben.picture("ann")[-1].timestamp
        names = {block.body[4:] for block in blocks(ben.receive, rtcp.SDES)}
        assert len(names) == 1  # one CNAME for both, so that lips stay in step

    async def test_counts_are_those_of_the_forward(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        for _ in range(3):
            ann.send_audio(b"four")
        await ben.until(lambda: len(ben.sound("ann")) == 3)
        room.switch("ann", sound=False)
        for _ in range(5):
            ann.send_audio(b"muted")
        await comes_true(lambda: sfu.counters.packets_in == 8)
        room.switch("ann", sound=True)
        ann.send_audio(b"four")
        await ben.until(lambda: len(ben.sound("ann")) == 4)
        ann.send.send_rtcp(ann.audio.report(NTP))
        await ben.until(lambda: blocks(ben.receive, rtcp.SENDER_REPORT))
        body = blocks(ben.receive, rtcp.SENDER_REPORT)[-1].body
        assert struct.unpack_from("!LL", body, 16) == (4, 4 * (8 + 4))  # extension and payload

    async def test_whoever_comes_later_is_told_the_clocks_at_once(self, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_audio()
        ann.send.send_rtcp(ann.audio.report(NTP))
        await ben.until(lambda: blocks(ben.receive, rtcp.SENDER_REPORT))
        eve = await room.enter("eve")
        await room.knows(eve, 2)
        ann.send_audio()
        await eve.until(lambda: blocks(eve.receive, rtcp.SENDER_REPORT))

    async def test_the_round_trip_counts_from_when_the_report_was_sent_on(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_audio()
        await ben.until(lambda: ben.sound("ann"))
        ann.send.send_rtcp(ann.audio.report(NTP))
        await ben.until(lambda: blocks(ben.receive, rtcp.SENDER_REPORT))
        ssrc, middle = ben.ssrc("ann", "audio"), NTP >> 16 & 0xFFFFFFFF
        forward = forward_of(sfu, "ben", ssrc)
        report = rtcp.ReportBlock(ssrc, 64, 1, 0, 0, middle, 0)
        ben.receive.send_rtcp(rtcp.write_receiver_report([report]))
        await comes_true(lambda: forward.reports.round_trip is not None)
        assert 0 <= forward.reports.round_trip < 1

    async def test_senders_are_told_how_they_arrive(self, room):
        ann = await room.enter("ann")
        lost = {(ann.audio.sequence + n) & 0xFFFF for n in (3, 5)}
        ann.drop_outgoing = lambda sequence: sequence in lost
        for _ in range(8):
            ann.send_audio()
        ann.send.send_rtcp(ann.audio.report(NTP))
        await ann.until(lambda: blocks(ann.send, rtcp.RECEIVER_REPORT))
        report = next(rtcp.report_blocks(blocks(ann.send, rtcp.RECEIVER_REPORT)[0]))
        assert report.ssrc == ann.audio.ssrc
        assert (report.lost, report.fraction_lost) == (2, 64)
        assert report.highest & 0xFFFF == ann.audio.sequence
        assert report.last_report == NTP >> 16 & 0xFFFFFFFF
        assert report.delay < 2 * rtcp.TICKS_PER_SECOND

    async def test_the_receivers_estimate_is_kept(self, sfu, room):
        _ann, ben = await room.meet("ann", "ben")
        body = struct.pack("!LL4sBBHL", 1, 0, b"REMB", 1, 3 << 2 | 1, 0x86A0, 7)
        ben.receive.send_rtcp(struct.pack("!BBH", 0x8F, 206, 5) + body)
        subscriber = sfu._stages["visit-1"]._legs["ben"]._receive
        await comes_true(lambda: subscriber.remb is not None)
        assert subscriber.remb == 0x186A0 << 3

    @pytest.mark.parametrize("noise", [b"\x80\xc9\x00\x00", b"\x81\xcd\xff\xff" + bytes(60)])
    async def test_malformed_feedback_changes_nothing(self, noise, room):
        ann, ben = await room.meet("ann", "ben")
        ben.receive.send_rtcp(noise + bytes(8))
        ann.send.send_rtcp(noise + bytes(8))
        ann.send_audio()
        await ben.until(lambda: ben.sound("ann"))


class TestResendLimit:
    @pytest.fixture
    def policy(self):
        return MediaPolicy(resends_per_second=10, tick=3600.0)

    async def test_one_hearer_cannot_multiply_packets_without_bound(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_video(key=True)
        await ben.until(lambda: ben.picture("ann"))
        ssrc, number = ben.ssrc("ann", "video"), ben.picture("ann")[0].sequence
        for _ in range(100):
            ben.receive.send_rtcp(rtcp.write_nack(ssrc, [number]))
        await comes_true(lambda: sfu.counters.nacks_in == 100)
        assert sfu.counters.resent == 10


def decode_transport_feedback(data):
    """Base sequence number, and arrival in microseconds or None for each packet."""
    (block,) = rtcp.blocks(data)
    assert (block.kind, block.subtype) == (rtcp.TRANSPORT_FEEDBACK, rtcp.TRANSPORT_CC)
    base, count, times = struct.unpack_from("!HHL", block.body, 8)
    position = 16
    symbols: list[int] = []
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", block.body, position)
        if chunk >> 15:
            assert chunk >> 14 == 0b11
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> 13] * (chunk & 0x1FFF)
        position += 2
    at, arrivals = (times >> 8) * 64_000, []
    for symbol in symbols[:count]:
        if symbol:
            form, size = ("!B", 1) if symbol == 1 else ("!h", 2)
            at += struct.unpack_from(form, block.body, position)[0] * 250
            position += size
        arrivals.append(at if symbol else None)
    return base, arrivals


class TestArrivalTimes:
    async def test_a_browser_is_told_when_each_packet_came(self, room):
        ann = await room.enter("ann")
        lost = (ann.audio.sequence + 3) & 0xFFFF
        ann.drop_outgoing = lambda sequence: sequence == lost
        for _ in range(5):
            ann.send_audio()
        await ann.until(lambda: blocks(ann.send, rtcp.TRANSPORT_FEEDBACK, rtcp.TRANSPORT_CC))
        block = blocks(ann.send, rtcp.TRANSPORT_FEEDBACK, rtcp.TRANSPORT_CC)[0]
        header = struct.pack("!BBH", 0x8F, 205, len(block.body) // 4)
        base, arrivals = decode_transport_feedback(header + block.body)
        assert base == 1
        assert [at is not None for at in arrivals] == [True, True, False, True, True]

    @pytest.mark.parametrize("start", [0, 1, 0x7FFF, 0xFFFE, 0xFFFF])
    def test_numbers_may_wrap_and_come_out_of_order(self, start):
        arrivals = Arrivals(MediaPolicy())
        order = [0, 1, 3, 2, 6, 40]
        for position, offset in enumerate(order):
            arrivals.note((100 + position * 0.01, stamped(start + offset)))
        (message,) = arrivals.messages(7)
        base, times = decode_transport_feedback(message)
        assert base == start
        assert [n for n, at in enumerate(times) if at is not None] == sorted(order)
        assert abs(times[2] - times[3] - 10_000) <= 250
        assert arrivals.messages(7) == []

    def test_packets_that_all_came_take_two_bytes_and_one_each(self):
        arrivals = Arrivals(MediaPolicy())
        for number in range(100):
            arrivals.note((number / 1000, stamped(number)))
        (message,) = arrivals.messages(7)
        assert len(message) == 20 + 2 + 100 + 2
        _, times = decode_transport_feedback(message)
        assert times == [number * 1000 for number in range(100)]

    def test_a_long_interval_is_several_messages_that_fit_a_datagram(self):
        arrivals = Arrivals(MediaPolicy())
        for number in range(0, 1000, 3):
            arrivals.note((number / 1000, stamped(number)))
        messages = arrivals.messages(7)
        assert len(messages) == 3
        assert max(map(len, messages)) < 1200
        decoded = [decode_transport_feedback(message) for message in messages]
        seen = [b + n for b, times in decoded for n, at in enumerate(times) if at is not None]
        assert seen == list(range(0, 1000, 3))

    def test_forged_numbers_cannot_make_it_write_without_end(self):
        arrivals = Arrivals(MediaPolicy())
        for number in (1, 30_000, 60_000, 24_000, 54_000):
            arrivals.note((1.0, stamped(number)))
        assert sum(map(len, arrivals.messages(7))) < 2_000


def stamped(number):
    head = struct.pack("!BBHLLHHBHx", 0x90, 111, 1, 2, 3, 0xBEDE, 1, 0x51, number & 0xFFFF)
    return head + b"payload"
