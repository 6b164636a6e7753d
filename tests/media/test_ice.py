"""Addresses that change, credentials that are renewed, strangers that get no answer."""

import asyncio
import socket
import time
from dataclasses import replace

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from media.ice import local_ufrag
from media.ports import LegState
from media.sfu import MediaConfig, Sfu
from rooms.policy import MediaPolicy
from tests.support.light_peer import comes_true

HUNG_UP = (ConnectionError, asyncio.IncompleteReadError)


async def talk(speaker, hearer, seat):
    """Speak until something new is heard; how long that took, in seconds."""
    before, began = len(hearer.sound(seat)), time.monotonic()

    async def speak():
        while True:
            speaker.send_audio()
            await asyncio.sleep(0.02)  # sound is made in real time

    speaking = asyncio.ensure_future(speak())
    try:
        await hearer.until(lambda: len(hearer.sound(seat)) > before)
    finally:
        speaking.cancel()
    return time.monotonic() - began


async def move_unnoticed(peer):
    """Change the local ports; the next check comes when it would have come anyway."""
    for connection in peer.connections.values():
        await connection.open_socket()


class Stranger:
    """A bare UDP socket that speaks to the media port."""

    def __init__(self, port, host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect((host, port))

    async def ask(self, data, turns=200):
        """Send, let the server work, and return what came back, or None."""
        self.socket.send(data)
        for _ in range(turns):
            await asyncio.sleep(0)
            try:
                return self.socket.recv(2048)
            except BlockingIOError:
                continue
        return None


@pytest.fixture
def stranger(sfu):
    stranger = Stranger(sfu.port)
    yield stranger
    stranger.socket.close()


class TestMoving:
    async def test_a_nominating_check_from_a_new_address_is_honoured_at_once(self, room):
        ann, ben = await room.meet("ann", "ben")
        await talk(ann, ben, "ann")
        await ann.move()
        await ben.move()
        assert await talk(ann, ben, "ann") < 0.5
        assert await talk(ben, ann, "ben") < 0.5

    @pytest.mark.slow
    async def test_media_is_back_within_3_s_when_the_browser_nominates_as_chromium(self, room):
        ann, ben = await room.meet("ann", "ben", check_every=2.7)
        await talk(ann, ben, "ann")
        await asyncio.gather(move_unnoticed(ann), move_unnoticed(ben))
        both = await asyncio.gather(talk(ann, ben, "ann"), talk(ben, ann, "ben"))
        assert max(both) < 3

    @pytest.mark.slow
    async def test_media_is_back_within_6_s_when_the_browser_checks_as_firefox(self, room):
        ann, ben = await room.meet("ann", "ben", check_every=5.5)
        ann.nominate = ben.nominate = False
        await talk(ann, ben, "ann")
        await asyncio.gather(move_unnoticed(ann), move_unnoticed(ben))
        both = await asyncio.gather(talk(ann, ben, "ann"), talk(ben, ann, "ben"))
        assert max(both) < 6

    async def test_a_check_that_does_not_nominate_leaves_a_living_path_alone(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        other = Stranger(sfu.port)
        assert await other.ask(ben.receive.request(nominate=False))
        ann.send_audio()
        await ben.until(lambda: ben.sound("ann"))
        other.socket.close()

    async def test_packets_are_taken_from_every_validated_address(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        other = Stranger(sfu.port)
        assert await other.ask(ann.send.request(nominate=False))
        packet = ann.audio.next(b"from elsewhere")
        other.socket.send(ann.send._tx.protect(packet))
        await ben.until(lambda: ben.sound("ann"))
        other.socket.close()

    async def test_a_request_repeated_from_elsewhere_draws_nothing_there(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        request = ben.receive.request()
        ben.receive.send_raw(request)
        await comes_true(lambda: ben.receive.checks_answered >= 2)
        eavesdropper = Stranger(sfu.port)
        assert await eavesdropper.ask(request) is None
        ann.send_audio()
        await ben.until(lambda: ben.sound("ann"))
        eavesdropper.socket.close()

    async def test_addresses_of_one_peer_are_bounded(self, policy, sfu, room):
        ann = await room.enter("ann")
        strangers = [Stranger(sfu.port) for _ in range(policy.max_paths + 3)]
        for each in strangers:
            assert await each.ask(ann.send.request(nominate=False))
            each.socket.close()
        agents = [leg._send.ice for stage in sfu._stages.values() for leg in stage._legs.values()]
        assert [agent.paths for agent in agents] == [policy.max_paths]


class TestQuietPath:
    @pytest.fixture
    def policy(self):
        return MediaPolicy(path_silent=0.3, tick=0.05)

    async def test_a_path_checked_before_the_old_one_fell_silent_takes_over_then(self, room):
        ann, ben = await room.meet("ann", "ben", check_every=60)
        ben.nominate = False
        await ben.move()  # checks once, while the old path is not yet silent
        assert await talk(ann, ben, "ann") < 1


class TestSilence:
    """A page always sends sound; when it stops, its address may have changed."""

    @pytest.fixture
    def policy(self):
        return MediaPolicy(sound_silent=0.1, tick=0.02)

    async def test_a_page_that_falls_silent_is_offered_a_restart_once(self, room):
        ann, ben = await room.meet("ann", "ben")
        former, offers = ann.send.remote, len(ann.offers)
        await talk(ann, ben, "ann")
        await ann.until(lambda: len(ann.offers) == offers + 2)
        await ann.until(lambda: ann.send.remote.ufrag != former.ufrag)
        await asyncio.sleep(0.3)  # three times as long as it took
        assert len(ann.offers) == offers + 2
        await talk(ann, ben, "ann")
        await ann.until(lambda: len(ann.offers) == offers + 4)

    async def test_a_page_that_moved_unnoticed_is_heard_long_before_it_checks_by_itself(self, room):
        ann, ben = await room.meet("ann", "ben", check_every=60)
        await talk(ann, ben, "ann")
        await move_unnoticed(ann)
        assert await talk(ann, ben, "ann") < 2

    async def test_a_page_that_never_spoke_is_left_in_peace(self, room):
        ann, _ben = await room.meet("ann", "ben")
        offers = len(ann.offers)
        await asyncio.sleep(0.3)  # three times as long as a silence lasts here
        assert len(ann.offers) == offers


class TestRestart:
    async def test_new_credentials_take_over_and_the_old_ones_end(self, sfu, room, stranger):
        ann, ben = await room.meet("ann", "ben")
        former = ann.send.remote
        assert await stranger.ask(ann.send.request(remote=former, nominate=False))
        offers = len(ann.offers)
        sfu.restart("visit-1", "ann", "leg-1")
        await ann.until(lambda: len(ann.offers) == offers + 2)
        await ann.until(lambda: ann.send.remote != former)
        assert ann.send.remote.ufrag != former.ufrag
        assert ann.send.remote.password != former.password
        await comes_true(lambda: former.ufrag not in sfu._sockets._agents)
        assert await stranger.ask(ann.send.request(remote=former)) is None
        await talk(ann, ben, "ann")
        await talk(ben, ann, "ben")
        assert LegState.LOST not in ann.states

    async def test_old_credentials_work_until_the_new_ones_are_used(self, sfu, room, stranger):
        ann = await room.enter("ann")
        former = ann.send.remote
        ann.silent = True
        sfu.restart("visit-1", "ann", "leg-1")
        await ann.until(lambda: ann.send.remote != former)
        assert await stranger.ask(ann.send.request(remote=former, nominate=False))
        assert await stranger.ask(ann.send.request(nominate=False))
        assert await stranger.ask(ann.send.request(remote=former, nominate=False)) is None

    async def test_what_the_browser_uses_survives_restarts_that_it_never_saw(
        self, sfu, room, stranger
    ):
        ann = await room.enter("ann")
        used = ann.send.remote
        ann.silent = True
        sfu.detach("visit-1", "ann", "leg-1")
        for _ in range(5):
            sfu.restart("visit-1", "ann", "leg-1")
        assert await stranger.ask(ann.send.request(remote=used, nominate=False))
        sfu.attach("visit-1", "ann", "leg-1", ann)
        await ann.until(lambda: ann.send.remote != used)
        assert await stranger.ask(ann.send.request(nominate=False))
        assert await stranger.ask(ann.send.request(remote=used, nominate=False)) is None
        assert len(sfu._sockets._agents) == 1 + 3  # receiving: in use, the last two of five offered

    async def test_restart_from_a_new_address_brings_media_back_at_once(self, sfu, room):
        ann, ben = await room.meet("ann", "ben", check_every=60)
        ben.nominate = ann.nominate = False
        await move_unnoticed(ben)
        sfu.restart("visit-1", "ben", "leg-1")
        assert await talk(ann, ben, "ann") < 1


class TestStrangers:
    async def test_wrong_password_gets_no_answer(self, room, stranger):
        ann = await room.enter("ann")
        forged = replace(ann.send.remote, password="wrong")
        assert await stranger.ask(ann.send.request(remote=forged)) is None

    async def test_unknown_name_gets_no_answer(self, room, stranger):
        ann = await room.enter("ann")
        forged = replace(ann.send.remote, ufrag="nobody")
        assert await stranger.ask(ann.send.request(remote=forged)) is None

    async def test_a_request_without_integrity_gets_no_answer(self, room, stranger):
        ann = await room.enter("ann")
        name = f"{ann.send.remote.ufrag}:x"
        bare = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes={"USERNAME": name})
        assert await stranger.ask(bytes(bare)) is None

    async def test_nobody_answers_a_seat_that_was_removed(self, room, stranger):
        ann = await room.enter("ann")
        assert await stranger.ask(ann.send.request(nominate=False))
        room.remove("ann")
        assert await stranger.ask(ann.send.request(nominate=False)) is None

    @pytest.mark.parametrize("first", [0, 1, 3, 4, 19, 20, 63, 64, 127, 128, 191, 200, 255])
    async def test_noise_changes_nothing(self, first, room, stranger):
        ann, ben = await room.meet("ann", "ben")
        for size in (1, 2, 19, 20, 100, 1500):
            assert await stranger.ask(bytes([first]) * size, turns=3) is None
        ann.send_audio()
        await ben.until(lambda: ben.sound("ann"))

    async def test_client_hello_from_an_address_that_proved_nothing_is_ignored(
        self, sfu, room, stranger
    ):
        room.admit("ann")
        hello = bytes.fromhex("16feff0000000000000000") + bytes(100)
        assert await stranger.ask(hello) is None
        ann = await room.enter("ann")
        assert ann.connected

    async def test_candidates_in_an_answer_are_never_spoken_to(self, sfu, room):
        canary = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        canary.bind(("127.0.0.1", 0))
        canary.setblocking(False)
        ann = room.peer("ann")
        host, port = canary.getsockname()
        candidate = f"a=candidate:1 1 udp 2130706431 {host} {port} typ host\r\n"
        ann._answer_to = lambda peer, number, sdp: sfu.answer(
            "visit-1", "ann", "leg-1", peer, number, sdp + candidate
        )
        room.admit("ann")
        sfu.attach("visit-1", "ann", "leg-1", ann)
        await ann.until(lambda: LegState.CONNECTED in ann.states)
        with pytest.raises(BlockingIOError):
            canary.recv(1)
        canary.close()


class TestCheckFlood:
    @pytest.fixture
    def policy(self):
        return MediaPolicy(checks_per_second=5, tick=3600.0)

    async def test_one_peer_is_answered_only_so_often(self, room, stranger):
        ann = await room.enter("ann", check_every=60)
        answers = [await stranger.ask(ann.send.request(nominate=False), 20) for _ in range(8)]
        assert answers[-1] is None


class TestAddressFamilies:
    @pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
    @pytest.mark.parametrize("tcp", [False, True])
    async def test_media_flows(self, host, tcp, room):
        ann, ben = await room.meet("ann", "ben", host=host, tcp=tcp)
        await talk(ann, ben, "ann")
        ben.send_video(b"x" * 1000, key=True)
        await ann.until(lambda: ann.picture("ben"))

    async def test_udp_and_tcp_and_both_families_meet(self, room):
        room.admit("ann", "ben")
        ann = await room.enter("ann", host="::1", tcp=True)
        ben = await room.enter("ben", host="127.0.0.1")
        await room.knows(ann, 1)
        await room.knows(ben, 1)
        await talk(ann, ben, "ann")
        await talk(ben, ann, "ben")


class TestTcp:
    @pytest.fixture
    def policy(self):
        return MediaPolicy(tcp_hello=0.1, max_tcp_strangers=2, packets_per_second=1_000_000)

    async def test_a_broken_connection_gives_way_to_a_new_one(self, room):
        ann, ben = await room.meet("ann", "ben", tcp=True)
        await ben.move()
        await talk(ann, ben, "ann")

    async def test_connections_of_somebody_removed_are_closed(self, sfu, room):
        await room.meet("ann", "ben", tcp=True)
        assert len(sfu._sockets._connections) == 4
        room.remove("ann")
        await comes_true(lambda: len(sfu._sockets._connections) == 2)

    async def test_a_silent_stranger_is_hung_up_on(self, sfu):
        reader, writer = await asyncio.open_connection("127.0.0.1", sfu.port)
        with pytest.raises(HUNG_UP):
            await asyncio.wait_for(reader.readexactly(1), 5)
        writer.close()

    @pytest.mark.parametrize(
        "noise", [b"\0\0", b"\xff\xff", b"\0\x05hello", b"GET / HTTP/1.1\r\n\r\n"]
    )
    async def test_a_stranger_who_talks_nonsense_is_hung_up_on(self, sfu, noise):
        reader, writer = await asyncio.open_connection("127.0.0.1", sfu.port)
        writer.write(noise)
        with pytest.raises(HUNG_UP):
            await asyncio.wait_for(reader.readexactly(1), 5)
        writer.close()

    async def test_strangers_are_bounded(self, sfu):
        pairs = [await asyncio.open_connection("127.0.0.1", sfu.port) for _ in range(3)]
        await comes_true(lambda: len(sfu._sockets._connections) == 2)
        for _, writer in pairs:
            writer.close()

    async def test_strangers_keep_nobody_out(self, sfu, room):
        room.admit("ann", "ben")
        ann = await room.enter("ann")
        pairs = [await asyncio.open_connection("127.0.0.1", sfu.port) for _ in range(2)]
        ben = await room.enter("ben", tcp=True)
        await room.knows(ben, 1)
        await talk(ann, ben, "ann")
        for _, writer in pairs:
            writer.close()

    async def test_a_reader_that_stopped_reading_costs_only_its_own_packets(self, sfu, room):
        room.admit("ann", "ben", "eve")
        ann, ben = await room.enter("ann"), await room.enter("ben", tcp=True)
        eve = await room.enter("eve")
        await room.knows(ben, 2)
        await room.knows(eve, 2)
        ben.receive._socket.transport.pause_reading()
        ann.send_video(key=True)
        await eve.until(lambda: eve.picture("ann"))
        seen = eve.receive.counts
        while not sfu.counters.packets_dropped:
            sent = sum(seen.values()) + 50
            for _ in range(50):
                ann.send_video(b"x" * 1100)
            await eve.until(lambda sent=sent: sum(seen.values()) >= sent)
        assert sfu.counters.packets_dropped
        ben.receive._socket.transport.resume_reading()


async def test_one_port_number_for_every_address_and_protocol():
    plane = Sfu(MediaConfig(bind=("127.0.0.1", "::1"), tcp=True), MediaPolicy())
    await plane.start()
    assert {udp.getsockname()[1] for udp in plane._sockets._udp} == {plane.port}
    again = Sfu(MediaConfig(bind=("127.0.0.1",), port=plane.port), MediaPolicy())
    with pytest.raises(OSError, match="in use"):
        await again.start()
    await again.close()
    await plane.close()


@given(st.binary(max_size=200))
def test_reading_a_name_out_of_noise_never_fails(data):
    assert isinstance(local_ufrag(data), str)
