"""The media plane as its users see it: wiring in, offers out, nothing left behind."""

import asyncio
import gc
import re

import pytest

from media import rtcp
from media.errors import SdpRefused
from media.ports import Connection, LegState, Wiring
from media.sfu import MediaConfig, Sfu
from rooms.model import Link
from rooms.policy import MediaPolicy
from tests.support.light_peer import comes_true

VISIT = "visit-1"


def msids(offer):
    return re.findall(r"^a=msid:(.*)\r$", offer.sdp, re.MULTILINE)


async def test_two_people_hear_and_see_each_other(room):
    ann, ben = await room.meet("ann", "ben")
    ann.send_audio(b"hello")
    ben.send_audio(b"good day")
    ann.send_video(b"a picture", key=True)
    ben.send_video(b"another", key=True)
    await ben.until(lambda: ben.sound("ann") and ben.picture("ann"))
    await ann.until(lambda: ann.sound("ben") and ann.picture("ben"))
    assert ben.sound("ann")[0].payload == b"hello"
    assert ann.sound("ben")[0].payload == b"good day"
    assert ben.picture("ann")[0].payload.endswith(b"a picture")
    assert ann.picture("ben")[0].payload.endswith(b"another")


async def test_eight_people_hear_and_see_one_another(room):
    seats = [f"seat-{number}" for number in range(8)]
    peers = await room.meet(*seats)
    for peer, seat in zip(peers, seats, strict=True):
        peer.send_audio(seat.encode())
        peer.send_video(seat.encode(), key=True)
    for peer, seat in zip(peers, seats, strict=True):
        others = [other for other in seats if other != seat]
        await peer.until(lambda p=peer, o=others: all(p.sound(s) and p.picture(s) for s in o))
        for other in others:
            assert peer.sound(other)[0].payload == other.encode()


class TestOffers:
    async def test_one_sends_first_and_both_name_their_direction(self, room):
        ann = await room.enter("ann")
        assert {offer.connection for offer in ann.offers} == set(Connection)
        send = next(o for o in ann.offers if o.connection is Connection.SEND)
        assert send.sdp.index("m=audio") < send.sdp.index("m=video")
        assert send.sdp.count("a=recvonly") == 2

    async def test_a_track_names_its_seat(self, room):
        _, ben = await room.meet("ann", "ben")
        newest = [o for o in ben.offers if o.connection is Connection.RECEIVE][-1]
        assert msids(newest) == ["ann ann-audio", "ann ann-video"]

    async def test_changes_close_together_are_one_offer(self, room):
        ann = await room.enter("ann")
        before = len(ann.offers)
        for name in ("b", "c", "d"):
            room.admit(name)
        await ann.until(lambda: len(ann.receive.streams) == 6)
        assert len(ann.offers) == before + 1

    async def test_one_offer_at_a_time(self, room):
        ann = await room.enter("ann")
        ann.paused_answers = True
        before = len(ann.offers)
        room.admit("b")
        await ann.until(lambda: len(ann.offers) == before + 1)
        room.admit("c")
        await asyncio.sleep(5 * MediaPolicy().offer_after)  # nothing to wait for: that is the point
        assert len(ann.offers) == before + 1
        offer = ann.offers[-1]
        ann._answer_to(offer.peer, offer.number, await ann.receive.take(offer.sdp))
        await ann.until(lambda: len(ann.receive.streams) == 4)

    async def test_late_and_unknown_answers_are_ignored(self, sfu, room):
        ann = await room.enter("ann")
        peer, number = ann.offers[-1].peer, ann.offers[-1].number
        for args in ((peer, number, "x"), (peer, number + 1, "x"), ("nobody", 1, "x")):
            sfu.answer(VISIT, "ann", "leg-1", *args)
        sfu.answer(VISIT, "ann", "leg-0", peer, number, "x")
        sfu.answer("visit-0", "ann", "leg-1", peer, number, "x")

    async def test_lines_of_those_who_left_are_used_again(self, room):
        ann, _, _ = await room.meet("ann", "ben", "eve")
        room.remove("ben")
        await room.knows(ann, 1)
        room.admit("dan")
        await room.knows(ann, 2)
        newest = ann.offers[-1]
        assert newest.sdp.count("m=") == 4
        assert msids(newest)[:2] == ["dan dan-audio", "dan dan-video"]
        dan = await room.enter("dan")
        dan.send_audio(b"in the place of ben")
        await ann.until(lambda: ann.sound("dan"))

    async def test_a_refused_answer_costs_only_that_session(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        ann.paused_answers = True
        room.admit("eve")
        await ann.until(lambda: "eve-audio" in ann.offers[-1].sdp)
        offer = ann.offers[-1]
        with pytest.raises(SdpRefused):
            sfu.answer(VISIT, "ann", "leg-1", offer.peer, offer.number, "v=0\r\n")
        ben.send_audio()
        await ann.until(lambda: ann.sound("ben"))

    async def test_other_keys_in_a_later_answer_are_refused(self, sfu, room):
        ann, _ = await room.meet("ann", "ben")
        ann.paused_answers = True
        room.admit("eve")
        await ann.until(lambda: "eve-audio" in ann.offers[-1].sdp)
        offer = ann.offers[-1]
        sdp = await ann.receive.take(offer.sdp)
        other = re.sub(r"sha-256 ..", "sha-256 00", sdp)
        with pytest.raises(SdpRefused, match="changed"):
            sfu.answer(VISIT, "ann", "leg-1", offer.peer, offer.number, other)

    async def test_a_line_the_browser_declines_gets_no_packets(self, sfu, room):
        room.admit("ann", "ben")
        ann, ben = await room.enter("ann"), room.peer("ben")
        ben._answer_to = lambda peer, number, sdp: sfu.answer(
            VISIT, "ben", "leg-1", peer, number, sdp.replace("a=recvonly", "a=inactive")
        )
        sfu.attach(VISIT, "ben", "leg-1", ben)
        await ben.until(lambda: LegState.CONNECTED in ben.states)
        ann.send_audio()
        await comes_true(lambda: sfu.counters.packets_in == 1)
        assert sfu.counters.packets_out == 0


class TestWiring:
    async def test_only_those_in_the_wiring_get_a_leg(self, sfu, room):
        room.admit("ann")
        stranger = room.peer("eve")
        sfu.attach(VISIT, "eve", "leg-1", stranger)
        sfu.attach("another visit", "eve", "leg-1", stranger)
        assert sfu.counters.legs == 0
        await room.enter("ann")
        assert stranger.offers == []

    async def test_a_link_is_one_direction(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        room.links = {Link("ann", "ben")}
        room.wire()
        await room.knows(ann, 0)
        ben.send_audio()
        ann.send_audio(b"hello")
        await ben.until(lambda: ben.sound("ann"))
        await comes_true(lambda: sfu.counters.packets_in == 2)
        assert sfu.counters.packets_out == 1

    async def test_a_link_to_a_seat_that_is_not_in_the_wiring_carries_nothing(self, sfu, room):
        room.admit("ann")
        ann = await room.enter("ann")
        links = frozenset({Link("eve", "ann"), Link("ann", "eve")})
        sfu.wire(Wiring(VISIT, frozenset({"ann"}), links))
        assert not ann.receive.streams

    async def test_removal_is_over_when_wire_returns(self, sfu, room):
        ann, ben, eve = await room.meet("ann", "ben", "eve")
        ann.send_audio()
        await eve.until(lambda: eve.sound("ann"))
        room.remove("eve")
        out = sfu.counters.packets_out
        heard = eve.receive.datagrams + 1  # the goodbye of DTLS may still be under way
        for _ in range(50):
            ann.send_audio()
            eve.send_audio()
        await ben.until(lambda: len(ben.sound("ann")) == 51)
        assert sfu.counters.packets_out == out + 50
        assert eve.receive.datagrams <= heard
        assert not ben.sound("eve")
        assert eve.states == [LegState.CONNECTED]

    async def test_ending_the_visit_closes_everything(self, sfu, room):
        ann, _ = await room.meet("ann", "ben")
        room.seats, room.links = [], set()
        room.wire()
        assert sfu.counters.legs == 0
        assert sfu._sockets._agents == {}
        assert sfu._sockets._paths == {}
        assert sfu._stages == {}
        sfu.restart(VISIT, "ann", "leg-1")
        assert len(ann.connections) == 2

    async def test_visits_do_not_mix(self, sfu, room, make_room):
        other = make_room(sfu)
        other.visit = "visit-2"
        ann, ben = await room.meet("ann", "ben")
        eve, dan = await other.meet("ann", "ben")
        ann.send_audio(b"here")
        eve.send_audio(b"there")
        await ben.until(lambda: ben.sound("ann"))
        await dan.until(lambda: dan.sound("ann"))
        assert [p.payload for p in ben.sound("ann")] == [b"here"]
        assert [p.payload for p in dan.sound("ann")] == [b"there"]
        await other.close()


class TestLegs:
    async def test_a_new_socket_of_the_same_session_keeps_its_peers(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        offers = len(ben.offers)
        sfu.detach(VISIT, "ben", "leg-1")
        ann.send_audio(b"meanwhile")
        await ben.until(lambda: ben.sound("ann"))
        sfu.attach(VISIT, "ben", "leg-1", ben)
        assert len(ben.offers) == offers
        assert ben.states == [LegState.CONNECTED, LegState.CONNECTED]
        assert sfu.counters.legs == 2

    async def test_what_was_offered_while_away_is_offered_again(self, sfu, room):
        ann = await room.enter("ann")
        sfu.detach(VISIT, "ann", "leg-1")
        offers = len(ann.offers)
        ben = await room.enter("ben")
        assert len(ann.offers) == offers
        sfu.attach(VISIT, "ann", "leg-1", ann)
        await room.knows(ann, 1)
        ben.send_audio()
        await ann.until(lambda: ann.sound("ben"))

    async def test_a_new_leg_replaces_the_former_one(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        again = await room.enter("ann", leg="leg-2")
        assert sfu.counters.legs == 2
        ann.send_audio(b"old")
        again.send_audio(b"new")
        await ben.until(lambda: ben.sound("ann"))
        assert [p.payload for p in ben.sound("ann")] == [b"new"]
        sfu.drop(VISIT, "ann", "leg-1")
        sfu.detach(VISIT, "ann", "leg-1")
        assert sfu.counters.legs == 2

    async def test_a_dropped_leg_is_gone(self, sfu, room):
        await room.meet("ann", "ben")
        sfu.drop(VISIT, "ann", "leg-1")
        sfu.drop(VISIT, "ann", "leg-1")
        assert sfu.counters.legs == 1

    async def test_a_browser_that_says_goodbye_is_lost_at_once(self, room):
        ann = await room.enter("ann")
        ann.send._dtls._task.cancel()
        await ann.send._dtls.stop()
        await ann.until(lambda: ann.states[-1] is LegState.LOST)

    async def test_a_restart_after_the_loss_makes_new_peers(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        await ann.send._dtls.stop()
        await ann.until(lambda: ann.states[-1] is LegState.LOST)
        former = set(ann.connections)
        sfu.restart(VISIT, "ann", "leg-1")
        await ann.until(lambda: ann.connected and ann.states[-1] is LegState.CONNECTED)
        assert not former & set(ann.connections)
        await room.knows(ann, 1)
        ben.send_audio()
        ann.send_audio()
        await ann.until(lambda: ann.sound("ben"))
        await ben.until(lambda: ben.sound("ann"))


class TestConsent:
    @pytest.fixture
    def policy(self):
        return MediaPolicy(consent_expires=0.3, tick=0.05)

    async def test_a_browser_that_stopped_checking_is_lost(self, sfu, room):
        ann, ben = await room.meet("ann", "ben", check_every=0.1)
        ann.silent = True
        await ann.until(lambda: ann.states[-1] is LegState.LOST)
        assert sfu.counters.legs_lost == 1
        assert ben.states == [LegState.CONNECTED]


class TestEnd:
    async def test_no_task_survives(self):
        before = asyncio.all_tasks()
        plane = Sfu(MediaConfig(bind=("127.0.0.1",)), MediaPolicy())
        await plane.start()
        assert len(asyncio.all_tasks()) > len(before)
        await plane.close()
        assert asyncio.all_tasks() == before

    async def test_no_task_survives_a_meeting(self, room, sfu):
        before = asyncio.all_tasks()
        peers = await room.meet("ann", "ben", "eve")
        unfinished = room.peer("ann")
        unfinished.paused_answers = True
        sfu.attach(VISIT, "ann", "leg-2", unfinished)
        await unfinished.until(lambda: len(unfinished.offers) == 2)
        await sfu.close()
        await sfu.close()
        await room.close()
        assert not asyncio.all_tasks() - before
        assert len(peers) == 3

    async def test_nothing_of_a_visit_is_kept(self, sfu, room):
        peers = await room.meet("ann", "ben")
        room.seats, room.links = [], set()
        room.wire()
        for peer in peers:
            await peer.close()
        room.peers.clear()
        await asyncio.sleep(0)
        gc.collect()
        kinds = {"Leg", "Publisher", "Subscriber", "Feed", "Forward", "DtlsSrtp", "IceAgent"}
        assert not [o for o in gc.get_objects() if type(o).__name__ in kinds]

    async def test_after_the_end_nothing_begins(self, sfu, room):
        await sfu.close()
        room.admit("ann")
        ann = room.peer("ann")
        sfu.attach(VISIT, "ann", "leg-1", ann)
        assert ann.offers == []

    async def test_an_error_in_one_visit_does_not_stop_the_clock_of_the_others(
        self, sfu, room, make_room
    ):
        other = make_room(sfu)
        other.visit = "visit-2"
        room.admit("ann")
        sfu._stages[VISIT]._legs["ann"] = None  # what must never happen, has happened
        eve = await other.enter("eve")
        eve.send_audio()
        await eve.until(lambda: any(b.kind == rtcp.RECEIVER_REPORT for b in eve.send.rtcp))
        del sfu._stages[VISIT]._legs["ann"]
        await other.close()

    async def test_a_plane_that_never_started_may_be_closed(self):
        await Sfu(MediaConfig(), MediaPolicy()).close()
