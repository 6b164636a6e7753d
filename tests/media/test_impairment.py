"""Networks broken on purpose: what gets through, in what order, and that levels follow."""

import asyncio
import random
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from media.impairment import Damage, Lane, Obstacle, impairment
from media.ports import Impairment, LegState, Trouble, Wiring
from media.sfu import MediaConfig, Sfu
from rooms.model import Sound
from rooms.policy import ImpairmentPolicy, MediaPolicy, QualityPolicy
from tests.support.light_peer import comes_true

VISIT = "visit-1"
BACKLOG = 100
QUICK = QualityPolicy(window=0.3, returned=0.2, silent_after=0.5, patience=0.1)
CUT = Impairment(up=Trouble(cut=True), down=Trouble(cut=True))


def lane(seed=1, **trouble):
    return Lane(Trouble(**trouble), BACKLOG, random.Random(seed).random)


class TestLane:
    def test_loses_the_share_it_should(self):
        one = lane(loss=0.35)
        through = sum(one.lets_through() for _ in range(10_000))
        assert through == pytest.approx(6_500, abs=150)

    def test_is_the_same_for_the_same_random(self):
        first, second = lane(loss=0.5), lane(loss=0.5)
        assert [first.lets_through() for _ in range(50)] == [
            second.lets_through() for _ in range(50)
        ]

    def test_a_cut_lets_nothing_through(self):
        assert not any(lane(cut=True).lets_through() for _ in range(100))

    async def test_keeps_the_order_whatever_the_jitter(self):
        one, came, done = lane(delay=0.01, jitter=0.05), [], asyncio.Event()
        for number in range(50):
            one.hold(lambda n=number: came.append(n))
        one.hold(done.set)
        async with asyncio.timeout(5):
            await done.wait()
        assert came == list(range(50))

    async def test_delays(self):
        one, done = lane(delay=0.1), asyncio.Event()
        started = asyncio.get_running_loop().time()
        one.hold(done.set)
        async with asyncio.timeout(5):
            await done.wait()
        assert asyncio.get_running_loop().time() - started >= 0.1

    async def test_holds_only_so_much_back(self):
        one, came = lane(delay=0.01), []
        for number in range(BACKLOG + 50):
            one.hold(lambda n=number: came.append(n))
        done = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, done.set)
        await done.wait()
        assert came == list(range(BACKLOG))

    async def test_a_socket_that_is_gone_breaks_nothing(self):
        one, done = lane(delay=0.01), asyncio.Event()

        def gone():
            raise OSError

        one.hold(gone)
        one.hold(done.set)
        async with asyncio.timeout(5):
            await done.wait()

    async def test_delivers_nothing_after_the_end(self):
        one, came = lane(delay=0.01), []
        one.hold(lambda: came.append(1))
        one.close()
        one.close()
        done = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, done.set)
        await done.wait()
        assert came == []


def test_a_word_for_each_kind_of_damage():
    policy = ImpairmentPolicy()
    made = {damage: impairment(damage, policy) for damage in Damage}
    assert all(each.up == each.down for each in made.values())
    assert made[Damage.LIGHT].up.loss < made[Damage.HEAVY].up.loss < 1
    assert made[Damage.CUT].up.cut


def test_an_obstacle_is_random_by_itself():
    obstacle = Obstacle(Impairment(up=Trouble(loss=0.5)), MediaPolicy())
    agent = SimpleNamespace(check=None, send_through=lambda wrap: None)
    passed = []
    transport = SimpleNamespace(received=passed.append, handshake=None)
    obstacle.obstruct(agent, transport)
    for size in range(200):
        agent.on_media(size)
    assert 50 < len(passed) < 150


class Levels:
    """A SoundListener that keeps what it is told."""

    def __init__(self):
        self.told = []
        self._changed = asyncio.Event()

    def sound_changed(self, visit, seat, sound):
        self.told.append((visit, seat, sound))
        self._changed.set()

    async def until(self, seat, sound, timeout=10):
        async with asyncio.timeout(timeout):
            while self.of(seat)[-1:] != [sound]:
                self._changed.clear()
                await self._changed.wait()

    def of(self, seat):
        return [sound for _, who, sound in self.told if who == seat]


@asynccontextmanager
async def talking(*peers):
    """Send sound as browsers do, fifty packets a second, whatever becomes of them."""

    async def talk():
        while True:
            for peer in peers:
                if peer.connected:
                    peer.send_audio()
            await asyncio.sleep(0.02)

    task = asyncio.create_task(talk())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def levels():
    return Levels()


@pytest.fixture
async def sfu(levels):
    plane = Sfu(MediaConfig(bind=("127.0.0.1",)), MediaPolicy(), quality=QUICK)
    plane.report_sound_to(levels)
    await plane.start()
    yield plane
    await plane.close()


class TestOnSockets:
    async def test_a_cut_is_silence_and_its_repair_is_fine(self, sfu, room, levels):
        ann, ben = await room.meet("ann", "ben")
        loop = asyncio.get_running_loop()
        async with talking(ann, ben):
            await levels.until("ann", Sound.FINE)
            await levels.until("ben", Sound.FINE)
            cut = loop.time()
            sfu.impair(VISIT, "ann", CUT)
            await levels.until("ann", Sound.SILENT)
            assert QUICK.silent_after - 0.05 <= loop.time() - cut < QUICK.silent_after + 1
            assert sfu.figures(VISIT, "ann").loss_up == 1
            repaired = loop.time()
            sfu.impair(VISIT, "ann", None)
            await levels.until("ann", Sound.FINE)
            assert loop.time() - repaired < QUICK.window + 1
        assert levels.of("ben") == [Sound.FINE]
        assert levels.told[0][0] == VISIT

    async def test_a_cut_stops_everything_both_ways(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        sfu.impair(VISIT, "ann", CUT)
        before = ann.send.datagrams, ann.receive.datagrams, sfu.counters.packets_in
        ann.send.check()
        ann.receive.check()
        ann.send_audio(b"unheard")
        for _ in range(5):
            ben.send_audio(b"unheard")
        await comes_true(lambda: sfu.counters.packets_in >= before[2] + 5)
        assert sfu.counters.packets_in == before[2] + 5  # ben's own
        assert (ann.send.datagrams, ann.receive.datagrams) == before[:2]
        sfu.impair(VISIT, "ann", None)
        ben.send_audio(b"heard")
        await ann.until(lambda: ann.sound("ben"))
        assert [packet.payload for packet in ann.sound("ben")] == [b"heard"]

    async def test_a_delay_is_felt_both_ways(self, sfu, room):
        ann, ben = await room.meet("ann", "ben")
        late = Trouble(delay=0.1)
        sfu.impair(VISIT, "ann", Impairment(up=late, down=late))
        loop = asyncio.get_running_loop()
        for speaker, hearer, seat in ((ann, ben, "ann"), (ben, ann, "ben")):
            started = loop.time()
            speaker.send_audio(b"late")
            await hearer.until(lambda h=hearer, s=seat: h.sound(s))
            assert 0.1 <= loop.time() - started < 0.5
            assert hearer.sound(seat)[0].payload == b"late"

    async def test_stays_with_the_seat_through_another_leg(self, sfu, room):
        _, ben = await room.meet("ann", "ben")
        sfu.impair(VISIT, "ann", Impairment(up=Trouble(delay=0.1)))
        again = await room.enter("ann", "leg-2")
        loop = asyncio.get_running_loop()
        started = loop.time()
        again.send_audio()
        await ben.until(lambda: ben.sound("ann"))
        assert loop.time() - started >= 0.1

    async def test_connecting_through_a_bad_network_works(self, sfu, room):
        room.admit("ann")
        bad = Trouble(loss=0.1, delay=0.03, jitter=0.02)
        sfu.impair(VISIT, "ann", Impairment(up=bad, down=bad))
        ann = await room.enter("ann")
        assert ann.states == [LegState.CONNECTED]

    async def test_ends_with_its_visit(self, sfu, room):
        ann, _ = await room.meet("ann", "ben")
        sfu.impair(VISIT, "ann", CUT)
        sfu.wire(Wiring(VISIT, frozenset(), frozenset()))
        await ann.close()
        room.seats.clear()
        again, ben = await room.meet("ann", "ben")
        again.send_audio()
        await ben.until(lambda: ben.sound("ann"))

    async def test_a_seat_without_a_visit_is_nothing(self, sfu):
        sfu.impair("nowhere", "nobody", CUT)
        assert sfu.figures("nowhere", "nobody") is None


class TestLevels:
    async def test_a_leg_that_is_dropped_is_silence(self, sfu, room, levels):
        ann = await room.enter("ann")
        async with talking(ann):
            await levels.until("ann", Sound.FINE)
        sfu.drop(VISIT, "ann", "leg-1")
        await levels.until("ann", Sound.SILENT)
        assert levels.of("ann") == [Sound.FINE, Sound.SILENT]

    async def test_the_next_leg_is_fine_again(self, sfu, room, levels):
        ann = await room.enter("ann")
        async with talking(ann):
            await levels.until("ann", Sound.FINE)
            again = await room.enter("ann", "leg-2")
            await levels.until("ann", Sound.SILENT)
            async with talking(again):
                await levels.until("ann", Sound.FINE)

    async def test_a_page_that_cannot_be_told_is_measured_all_the_same(self, sfu, room, levels):
        ann = await room.enter("ann")
        sfu.detach(VISIT, "ann", "leg-1")
        async with talking(ann):
            await levels.until("ann", Sound.FINE)
        await levels.until("ann", Sound.SILENT)

    async def test_nobody_speaks_of_a_seat_that_never_sent_sound(self, sfu, room, levels):
        ann, _ = await room.meet("ann", "ben")
        async with talking(ann):
            await levels.until("ann", Sound.FINE)
        await levels.until("ann", Sound.SILENT)
        assert levels.of("ben") == []
        assert sfu.figures(VISIT, "ben") is None

    async def test_nobody_speaks_of_a_seat_that_was_removed(self, sfu, room, levels):
        ann, ben = await room.meet("ann", "ben")
        async with talking(ann, ben):
            await levels.until("ann", Sound.FINE)
            await levels.until("ben", Sound.FINE)
            room.remove("ann")
            sfu.impair(VISIT, "ben", CUT)
            await levels.until("ben", Sound.SILENT)
        assert levels.of("ann") == [Sound.FINE]
