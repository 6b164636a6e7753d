"""What waits for one browser is bounded, whatever that browser does."""

import asyncio
import socket

from engineio import packet

from rooms.policy import EdgePolicy
from server.outbound import OutboundQueue
from tests.support.socket_rig import (
    CONNECT,
    NAMESPACE,
    masked,
    raw_web_socket,
    socket_rig,
    stop_reading,
)

POLICY = EdgePolicy(outbound_messages=4, outbound_bytes=100)


def message(text):
    return packet.Packet(packet.MESSAGE, text)


def watched(policy=POLICY):
    queue, told = OutboundQueue(policy), []
    queue.on_overflow = lambda: told.append("overflow")
    return queue, told


def test_a_message_counts_until_it_is_taken():
    queue, told = watched()
    for _ in range(20):
        queue.put_nowait(message("x" * 40))
        assert (queue.messages, queue.octets) == (1, 41)
        queue.get_nowait()
    assert (queue.messages, queue.octets, told) == (0, 0, [])


def test_a_message_counts_until_it_is_sent():
    queue, told = watched()
    queue.until_sent = True
    for _ in range(5):
        queue.put_nowait(message("x"))
        queue.get_nowait()
    assert told == ["overflow"]
    assert queue.messages == 5
    queue.sent("4x")
    assert (queue.messages, queue.octets) == (4, 8)


def test_too_many_and_too_much_overflow_once_and_keep_nothing_more():
    for text in ("x", "x" * 60):
        queue, told = watched()
        for _ in range(50):
            queue.put_nowait(message(text))
        assert told == ["overflow"]
        assert queue.qsize() <= 5


def test_whoever_waits_is_woken_when_it_is_over():
    queue, _ = watched()
    queue.finish()
    assert [queue.get_nowait().packet_type, queue.get_nowait()] == [packet.CLOSE, None]
    queue, _ = watched()
    for _ in range(50):
        queue.put_nowait(message("x"))
    queue.finish()
    while queue.get_nowait() is not None:
        pass


async def test_a_slow_reader_that_answers_pings_blindly_is_closed_at_the_bound():
    """2,163 packets of 50 kB were once held for such a client after 15 seconds."""
    policy = EdgePolicy()
    async with socket_rig(policy) as r:
        _, writer = await raw_web_socket(r)
        line_socket = writer.get_extra_info("socket")
        line_socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        stop_reading(writer)
        writer.write(masked(CONNECT.encode()))
        sid = await r.next_told("connect")
        queue = next(iter(r.sio.eio.sockets.values())).queue
        held, in_the_writer = [], []
        for number in range(2_163):
            await r.sio.emit("visit:changed", "x" * 50_000, to=sid, namespace=NAMESPACE)
            held.append(queue.octets)
            in_the_writer.append(queue.messages - queue.qsize())
            if number % 100 == 0:
                writer.write(masked(b"3"))
            if not r.told.empty():
                break
            await asyncio.sleep(0)
        assert await r.next_told("disconnect") == sid
        assert r.refusals() == ["too_slow"]
        assert max(held) <= policy.outbound_bytes + 60_000
        assert max(in_the_writer) > 0  # what has left the queue and not the process counts too
        writer.transport.abort()


async def test_a_client_that_never_polls_is_closed_at_the_bound():
    policy = EdgePolicy(outbound_messages=20)
    async with socket_rig(policy) as r:
        deaf = await r.polling()
        assert await deaf.post(CONNECT) == 200
        sid = await r.next_told("connect")
        for _ in range(40):
            await r.sio.emit("visit:changed", {}, to=sid, namespace=NAMESPACE)
        assert await r.next_told("disconnect") == sid
        assert r.refusals() == ["too_slow"]
        assert (await deaf.poll())[0] == 400


async def test_a_reader_who_keeps_up_is_sent_any_amount():
    async with socket_rig(EdgePolicy(outbound_messages=8)) as r:
        reader = await r.web_socket()
        await reader.send(CONNECT)
        await reader.next()
        sid = await r.next_told("connect")
        for number in range(100):
            await r.sio.emit("visit:changed", number, to=sid, namespace=NAMESPACE)
            assert await reader.next() == f'42/visit,["visit:changed",{number}]'
        assert not r.refusals()
