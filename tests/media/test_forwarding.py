"""What arrives at a hearer: numbers of its own, and a gap only where something was lost."""

from dataclasses import replace
from itertools import pairwise

import pytest

from media import rtcp
from media.ports import LegState
from media.rtp import HEADER_LENGTH, SILENCE
from rooms.policy import MediaPolicy
from tests.support.light_peer import Outgoing, comes_true


def sequences(packets):
    return [packet.sequence for packet in packets]


def steps(packets):
    """How far each packet's number is from the one before."""
    numbers = sequences(packets)
    return [(b - a) & 0xFFFF for a, b in pairwise(numbers)]


async def hears(peer, seat, count):
    await peer.until(lambda: len(peer.sound(seat)) >= count)


async def sees(peer, seat, count):
    await peer.until(lambda: len(peer.picture(seat)) >= count)


async def taken_in(sfu, count):
    """Wait until the server has received so many packets in all."""
    await comes_true(lambda: sfu.counters.packets_in >= count)


def nack(peer, seat, kind, numbers):
    peer.receive.send_rtcp(rtcp.write_nack(peer.ssrc(seat, kind), numbers))


class TestMute:
    @pytest.fixture
    def policy(self):
        return MediaPolicy(packets_per_second=1_000_000)  # fourteen minutes of sound in seconds

    async def test_sound_after_40000_muted_packets_decrypts_at_once_without_a_gap(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        for _ in range(3):
            ann.send_audio(b"before")
        await hears(ben, "ann", 3)
        room.switch("ann", sound=False)
        already = sfu.counters.packets_in
        for sent in range(1, 40_001):
            ann.send_audio(b"muted")
            if sent % 50 == 0:
                await taken_in(sfu, already + sent)
        room.switch("ann", sound=True)
        for _ in range(3):
            ann.send_audio(b"after")
        await hears(ben, "ann", 6)
        heard = ben.sound("ann")
        assert [packet.payload for packet in heard] == [b"before"] * 3 + [b"after"] * 3
        assert steps(heard) == [1] * 5
        assert ben.receive.refused == 0

    async def test_timestamps_run_on_through_a_mute_as_through_silence(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_audio()
        await hears(ben, "ann", 1)
        room.switch("ann", sound=False)
        for _ in range(10):
            ann.send_audio()
        await taken_in(sfu, 11)
        room.switch("ann", sound=True)
        ann.send_audio()
        await hears(ben, "ann", 2)
        first, second = ben.sound("ann")
        assert (second.timestamp - first.timestamp) & 0xFFFFFFFF == 11 * 960

    async def test_nothing_kept_from_a_pause_can_be_asked_for(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_video(b"seen", key=True)
        await sees(ben, "ann", 1)
        room.switch("ann", picture=False)
        for _ in range(5):
            ann.send_video(b"hidden")
        await taken_in(sfu, 6)
        last = ben.picture("ann")[0].sequence
        nack(ben, "ann", "video", [(last + ahead) & 0xFFFF for ahead in range(-8, 9)])
        room.switch("ann", picture=True)
        ann.send_video(b"seen again", key=True)
        await ben.until(lambda: any(p.payload.endswith(b"again") for p in ben.picture("ann")))
        nack(ben, "ann", "video", [last - ahead & 0xFFFF for ahead in range(8)])
        ann.send_video(b"end")
        await ben.until(lambda: any(p.payload.endswith(b"end") for p in ben.picture("ann")))
        assert not [p for p in ben.picture("ann") if p.payload.endswith(b"hidden")]


class TestPictures:
    async def test_resume_at_a_key_frame_that_was_asked_for(self, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_video(b"1", key=True)
        await sees(ben, "ann", 1)
        room.switch("ann", picture=False)
        room.switch("ann", picture=True)
        ann.send_video(b"2")
        await ann.until(lambda: any(b.subtype == rtcp.PLI for b in ann.send.rtcp))
        ann.send_video(b"3")
        ann.send_video(b"4", key=True, packets=3)
        ann.send_video(b"5")
        await sees(ben, "ann", 5)
        assert [p.payload[-1:] for p in ben.picture("ann")] == [b"1", b"4", b"4", b"4", b"5"]
        assert steps(ben.picture("ann")) == [1] * 4

    async def test_somebody_new_starts_at_a_key_frame(self, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_video(b"1", key=True)
        await sees(ben, "ann", 1)
        eve = await room.enter("eve")
        await room.knows(eve, 2)
        ann.send_video(b"2")
        ann.send_video(b"3", key=True)
        await sees(eve, "ann", 1)
        await sees(ben, "ann", 3)
        assert [p.payload[-1:] for p in eve.picture("ann")] == [b"3"]

    async def test_pictures_of_two_senders_never_mix(self, room):
        ann, ben, eve = await room.meet("ann", "ben", "eve")
        ann.send_video(b"ann", key=True)
        ben.send_video(b"ben", key=True)
        await sees(eve, "ann", 1)
        await sees(eve, "ben", 1)
        assert eve.picture("ann")[0].payload.endswith(b"ann")
        assert eve.picture("ben")[0].payload.endswith(b"ben")
        assert ann.picture("ben") != eve.picture("ben")


class TestLoss:
    async def test_loss_on_the_way_in_is_a_gap_that_a_retransmission_fills(self, room):
        ann, ben = await room.meet("ann", "ben", answers_nacks=False)
        ann.send_video(b"0", key=True)
        lost = (ann.video.sequence + 1) & 0xFFFF
        ann.drop_outgoing = lambda sequence: sequence == lost
        ann.send_video(b"1")
        ann.send_video(b"2")
        await sees(ben, "ann", 2)
        assert steps(ben.picture("ann")) == [2]
        await ann.until(lambda: any(b.subtype == rtcp.NACK for b in ann.send.rtcp))
        ann.send.send_rtp(ann.video.kept[lost])
        await sees(ben, "ann", 3)
        by_number = sorted(ben.picture("ann"), key=lambda p: (p.sequence - 60_000) & 0xFFFF)
        assert {p.payload[-1:] for p in by_number} == {b"0", b"1", b"2"}
        first, last, late = sequences(ben.picture("ann"))
        assert (late - first) & 0xFFFF == 1
        assert (last - first) & 0xFFFF == 2

    async def test_lost_sound_is_not_asked_for_again(self, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_audio()
        lost = (ann.audio.sequence + 1) & 0xFFFF
        ann.drop_outgoing = lambda sequence: sequence == lost
        ann.send_audio()
        ann.send_audio()
        await hears(ben, "ann", 2)
        assert steps(ben.sound("ann")) == [2]
        assert not [b for b in ann.send.rtcp if b.subtype == rtcp.NACK]

    async def test_the_server_asks_again_until_it_comes(self, room):
        ann, _ben = await room.meet("ann", "ben", answers_nacks=False)
        ann.send_video(key=True)
        ann.drop_outgoing = lambda _sequence: True
        ann.send_video()
        ann.drop_outgoing = lambda _sequence: False
        ann.send_video()
        await ann.until(lambda: sum(b.subtype == rtcp.NACK for b in ann.send.rtcp) >= 3)

    async def test_what_comes_out_of_order_keeps_its_place(self, room):
        ann, ben = await room.meet("ann", "ben")
        packets = [ann.audio.next(bytes([number])) for number in range(5)]
        for position in (0, 2, 1, 4, 3):
            ann.send.send_rtp(packets[position])
        await hears(ben, "ann", 5)
        first = ben.sound("ann")[0].sequence
        places = [(p.sequence - first) & 0xFFFF for p in ben.sound("ann")]
        assert places == [0, 2, 1, 4, 3]
        assert [p.payload[0] for p in ben.sound("ann")] == places

    async def test_loss_on_the_way_out_is_sent_again_as_it_was(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_video(b"0", key=True)
        await sees(ben, "ann", 1)
        ben.receive.drop_incoming = lambda _packet: True
        ann.send_video(b"1")
        await ben.until(lambda: sfu.counters.packets_out == 2 and ben.receive.datagrams)
        await taken_in(sfu, 2)
        before = ben.receive.datagrams
        ann.send_video(b"2")
        await ben.until(lambda: ben.receive.datagrams > before)
        ben.receive.drop_incoming = lambda _packet: False
        ann.send_video(b"3")
        await sees(ben, "ann", 2)
        first, last = sequences(ben.picture("ann"))
        missing = [(first + 1) & 0xFFFF, (first + 2) & 0xFFFF]
        assert (last - first) & 0xFFFF == 3
        nack(ben, "ann", "video", missing)
        await sees(ben, "ann", 4)
        again = ben.picture("ann")[2:]
        assert sequences(again) == missing
        assert [p.payload[-1:] for p in again] == [b"1", b"2"]
        assert sfu.counters.resent == 2

    async def test_a_hole_too_wide_to_fill_is_a_new_beginning(self, policy, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_audio(b"before")
        await hears(ben, "ann", 1)
        ann.audio.sequence = (ann.audio.sequence + policy.max_gap + 1) & 0xFFFF
        ann.send_audio(b"after")
        await hears(ben, "ann", 2)
        assert steps(ben.sound("ann")) == [1]

    async def test_a_picture_with_too_much_missing_begins_anew_at_a_key_frame(self, policy, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_video(b"before", key=True)
        await sees(ben, "ann", 1)
        ann.video.sequence = (ann.video.sequence + policy.nack_limit + 1) & 0xFFFF
        ann.send_video(b"useless")
        await ann.until(lambda: any(b.subtype == rtcp.PLI for b in ann.send.rtcp))
        ann.send_video(b"after", key=True)
        await sees(ben, "ann", 2)
        assert ben.picture("ann")[1].payload.endswith(b"after")
        assert steps(ben.picture("ann")) == [1]

    async def test_whoever_moved_gets_a_fresh_picture_instead_of_all_that_was_missed(
        self, sfu, room
    ):
        ann, ben = await room.meet("ann", "ben")
        ann.send_video(b"before", key=True)
        ann.send_audio(b"before")
        await sees(ben, "ann", 1)
        await hears(ben, "ann", 1)
        await ben.receive.open_socket()
        for _ in range(20):
            ann.send_video(b"missed")
        await taken_in(sfu, 22)
        ben.receive.check()
        await ann.until(lambda: any(b.subtype == rtcp.PLI for b in ann.send.rtcp))
        ann.send_video(b"after", key=True)
        await sees(ben, "ann", 2)
        first, second = ben.picture("ann")
        assert second.payload.endswith(b"after")
        missed = [(first.sequence + n) & 0xFFFF for n in range(1, 21)]
        assert (second.sequence - first.sequence) & 0xFFFF == 21
        nack(ben, "ann", "video", missed)
        await comes_true(lambda: sfu.counters.nacks_in == 1)
        assert sfu.counters.resent == 0
        ann.send_audio(b"after")
        await hears(ben, "ann", 2)


class TestNewSource:
    async def test_a_new_leg_of_the_sender_continues_the_same_stream(self, room):
        ann, ben = await room.meet("ann", "ben")
        ann.send_audio(b"old")
        ann.send_video(b"old", key=True)
        await sees(ben, "ann", 1)
        await hears(ben, "ann", 1)
        offers = len(ben.offers)
        again = await room.enter("ann", leg="leg-2")
        again.send_video(b"no key")
        again.send_video(b"new", key=True)
        again.send_audio(b"new")
        await sees(ben, "ann", 2)
        await hears(ben, "ann", 2)
        for packets in (ben.sound("ann"), ben.picture("ann")):
            assert steps(packets) == [1]
            assert packets[1].payload.endswith(b"new")
            passed = (packets[1].timestamp - packets[0].timestamp) & 0xFFFFFFFF
            assert 0 < passed < 90_000 * 5
        assert len(ben.offers) == offers
        assert LegState.LOST not in ann.states

    async def test_a_sender_may_change_its_ssrc_but_not_back(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        former = ann.audio
        ann.send_audio(b"1")
        await hears(ben, "ann", 1)
        ann.audio = Outgoing(former.payload_type, former.ticks)
        ann.send_audio(b"2")
        await hears(ben, "ann", 2)
        ann.send.send_rtp(former.next(b"x"))
        ann.send_audio(b"3")
        await hears(ben, "ann", 3)
        assert [p.payload for p in ben.sound("ann")] == [b"1", b"2", b"3"]
        assert steps(ben.sound("ann")) == [1, 1]
        assert sfu.counters.packets_refused == 1


class TestLimits:
    @pytest.fixture
    def policy(self):
        return replace(MediaPolicy(), packets_per_second=20, max_ssrcs=3, tick=3600.0)

    async def test_what_comes_too_fast_is_dropped(self, sfu, room):
        ann, _ben = await room.meet("ann", "ben")
        for _ in range(30):
            ann.send_audio()
        await comes_true(lambda: sfu.counters.packets_refused == 10)
        assert sfu.counters.packets_in == 20

    async def test_one_peer_may_begin_only_so_many_streams(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        for _ in range(5):
            ann.audio = Outgoing(ann.audio.payload_type, ann.audio.ticks)
            ann.send_audio()
        await hears(ben, "ann", 3)
        await comes_true(lambda: sfu.counters.packets_refused == 2)
        assert len(ben.sound("ann")) == 3


class TestProbes:
    async def test_a_probe_has_the_rhythm_of_the_sound_and_nothing_of_it(self, room):
        ann, ben = await room.meet("ann", "ben")
        room.switch("ann", sound=False, probe=True)
        for _ in range(3):
            ann.send_audio(b"a secret")
        await ben.until(lambda: len(ben.sound("ann")) == 3)
        assert {packet.payload for packet in ben.sound("ann")} == {SILENCE[HEADER_LENGTH:]}

    async def test_switching_between_probe_and_sound_leaves_no_gap(self, room):
        ann, ben = await room.meet("ann", "ben")
        for number, probe in enumerate((False, True, False, True, True, False)):
            room.switch("ann", sound=not probe, probe=probe)
            ann.send_audio(b"sound")
            await ben.until(lambda n=number: len(ben.sound("ann")) == n + 1)
        packets = ben.sound("ann")
        assert [p.payload == b"sound" for p in packets] == [True, False, True, False, False, True]
        steps = {(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(packets)}
        assert steps == {1}
        assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets)} == {960}

    async def test_sound_comes_before_a_probe(self, room):
        ann, ben = await room.meet("ann", "ben")
        room.switch("ann", sound=True, probe=True)
        ann.send_audio(b"sound")
        await ben.until(lambda: ben.sound("ann"))
        assert ben.sound("ann")[0].payload == b"sound"
