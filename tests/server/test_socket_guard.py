"""The sockets' guard, with real sockets: what rude clients get, and what polite ones keep."""

import asyncio
import contextlib

import pytest
import socketio

from rooms.policy import EdgePolicy
from server.socket_guard import BroadcastRefused
from tests.support.socket_rig import (
    CONNECT,
    NAMESPACE,
    ORIGIN,
    closed,
    masked,
    raw_web_socket,
    socket_rig,
)

POLICY = EdgePolicy(connect_within=10.0, connects_per_minute=600.0)
DEEP = "[" * 10_000 + "]" * 10_000

MALFORMED = {
    "an Engine.IO type that does not exist": "9",
    "not Engine.IO at all": "x",
    "no frame": "",
    "a Socket.IO type that is not a digit": "4z",
    "a Socket.IO type that does not exist": "47",
    "a server's CONNECT_ERROR": '44/visit,{"message":"x"}',
    "an event without data": "42",
    "an event that is an object": '42{"a":1}',
    "an event without a name": "42[]",
    "an event whose name is a number": "42[1]",
    "an event with more than one payload": '42/visit,["a",1,2]',
    "a CONNECT with numbers behind it": "404040",
    "JSON that does not end": '42/visit,["a",{"b":',
    "JSON of 10,000 levels": f'42/visit,["a",{DEEP}]',
    "an integer of 5,000 digits": '42/visit,["a",' + "1" * 5_000 + "]",
    "an integer no browser can hold": '42/visit,["a",9007199254740993]',
    "a lone surrogate": '42/visit,["a","\\ud800"]',
    "a name twice": '42/visit,["a",{"seat":"mine","seat":"yours"}]',
    "NaN": '42/visit,["a",NaN]',
    "a binary event": '451-/visit,["a",{"_placeholder":true,"num":0}]',
    "a binary acknowledgement": '461-/visit,1[{"_placeholder":true,"num":0}]',
    "ten billion attachments": '459999999999-["a"]',
    "a base64 binary packet": "bAAAA",
    "connect, sent as an event": '42/visit,["connect",{}]',
    "disconnect, sent as an event": '42/visit,["disconnect","transport close"]',
    "a namespace that nobody serves": '40/admin,{"token":"good"}',
    "the namespace that the library opens to anybody": '40{"token":"good"}',
    "an acknowledgement without a number": "43/visit,[]",
}
EVERY_MALFORMED = pytest.mark.parametrize("frame", MALFORMED.values(), ids=MALFORMED)


@contextlib.asynccontextmanager
async def rig(**changes):
    async with socket_rig(
        EdgePolicy(**{"connect_within": 10.0, "connects_per_minute": 600.0, **changes})
    ) as made:
        yield made


@EVERY_MALFORMED
async def test_a_malformed_frame_closes_the_web_socket_and_tells_the_application(frame):
    async with rig() as r:
        other, rude = await r.accepted(), await r.accepted()
        await rude.send(frame)
        assert await rude.closed(within=1.0) == 1008
        await r.next_told("disconnect", within=2.0)
        assert len(r.refusals()) == 1
        await other.send('42/visit,1["still here"]')
        assert await other.next() == '43/visit,1[{"ok":true}]'


@EVERY_MALFORMED
async def test_a_malformed_frame_closes_the_polling_line_and_tells_the_application(frame):
    async with rig() as r:
        rude = await r.polling()
        await rude.accept()
        waiting = asyncio.create_task(rude.poll())
        assert await rude.post(frame) == 400
        await r.next_told("disconnect", within=2.0)
        assert (await asyncio.wait_for(waiting, 1.0))[1] in {"1", "", "6"}
        assert (await rude.poll())[0] == 400
        assert len(r.refusals()) == 1


@EVERY_MALFORMED
async def test_a_malformed_frame_before_connect_closes_too(frame):
    async with rig() as r:
        rude = await r.web_socket()
        await rude.send(frame)
        await rude.closed(within=1.0)
        assert r.told.empty()
        assert len(r.refusals()) == 1


async def test_a_binary_web_socket_message_closes():
    async with rig() as r:
        rude = await r.accepted()
        await rude.socket.send_bytes(b'42/visit,["a"]')
        await rude.closed(within=1.0)
        await r.next_told("disconnect")
        assert r.refusals() == ["binary"]


async def test_bytes_that_are_not_utf8_close_on_both_transports():
    async with rig() as r:
        rude = await r.polling()
        await rude.accept()
        assert await rude.post(b'42/visit,["\xff"]') == 400
        await r.next_told("disconnect")
        reader, writer = await raw_web_socket(r)
        writer.write(masked(b"\xff\xfe"))
        await closed(reader, within=1.0)
        assert r.refusals() == ["frame", "frame"]
        writer.close()


@pytest.mark.parametrize("over", [1, 1_000_000])
async def test_a_frame_over_the_limit_closes(over):
    async with rig(max_frame=4_096) as r:
        big = '42/visit,["a","' + "x" * (4_096 - 17 + over) + '"]'
        rude = await r.accepted()
        with contextlib.suppress(ConnectionError):
            await rude.send(big)
        await rude.closed(within=1.0)
        await r.next_told("disconnect")
        polling = await r.polling()
        await polling.accept()
        assert await polling.post(big) == 400
        await r.next_told("disconnect")
        assert r.refusals() == ["too_large", "too_large"]


async def test_a_frame_of_exactly_the_limit_passes():
    async with rig(max_frame=4_096) as r:
        exact = '42/visit,["a","' + "x" * (4_096 - 17) + '"]'
        assert len(exact) == 4_096
        polite = await r.polling()
        await polite.accept()
        assert await polite.post(exact) == 200
        await r.next_told("a")


async def test_a_body_without_length_is_counted_all_the_same():
    async def endless():
        for _ in range(100):
            yield b"4" * 1_000

    async with rig(max_frame=4_096) as r:
        rude = await r.polling()
        await rude.accept()
        assert await rude.post(endless()) == 400
        await r.next_told("disconnect")
        assert r.refusals() == ["too_large"]


async def test_a_body_that_never_comes_is_not_waited_for():
    async with rig(body_within=0.2) as r:
        rude = await r.polling()
        await rude.accept()
        reader, writer = await asyncio.open_connection("127.0.0.1", r.port)
        path = rude.url.removeprefix(r.url)
        writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n4".encode())
        assert b" 400 " in await asyncio.wait_for(reader.readline(), 2)
        await r.next_told("disconnect")
        assert r.refusals() == ["too_slow"]
        writer.close()


async def test_nothing_is_inflated():
    """No compression is agreed to, so no message is larger than what was sent for it."""
    async with rig() as r:
        assert not (await r.ws_connect(compress=15)).compress


# -- a socket must be accepted, and soon --------------------


async def test_a_web_socket_that_never_connects_is_closed():
    async with rig(connect_within=0.3) as r:
        idle = await r.web_socket()
        await idle.closed(within=1.5)
        assert r.refusals() == ["not_connected"]


async def test_a_polling_line_that_never_connects_is_closed():
    async with rig(connect_within=0.3) as r:
        idle = await r.polling()
        assert await asyncio.wait_for(idle.poll(), 1.5) == (200, "1")
        assert (await idle.poll())[0] == 400
        assert r.refusals() == ["not_connected"]


async def test_an_accepted_socket_is_not_hurried():
    async with rig(connect_within=0.3) as r:
        polite, idle = await r.accepted(), await r.web_socket()
        await idle.closed(within=1.5)
        await polite.send('42/visit,1["a"]')
        assert await polite.next() == '43/visit,1[{"ok":true}]'


async def test_a_refused_token_does_not_keep_the_line_open():
    async with rig(connect_within=0.3) as r:
        rude = await r.web_socket()
        await rude.send('40/visit,{"token":"bad"}')
        assert (await rude.next()).startswith("44/visit,")
        await r.next_told("connect")
        await rude.closed(within=1.5)
        assert r.told.empty()


async def test_a_socket_that_was_sent_away_does_not_keep_the_line_open():
    async with rig(connect_within=0.3) as r:
        rude = await r.web_socket()
        await rude.send(CONNECT)
        await rude.next()
        sid = await r.next_told("connect")
        await r.sio.disconnect(sid, namespace=NAMESPACE)
        assert await rude.next() == "41/visit,"
        assert await r.next_told("disconnect") == sid
        await rude.closed(within=1.5)
        assert r.told.empty()


# -- events before acceptance, and sockets that vanish meanwhile --------------------


async def slow(r, verdict):
    """Make ``connect`` wait; returns (it is waiting, let it go on)."""
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def accept(sid, environ, auth):
        waiting.set()
        await go_on.wait()
        if isinstance(verdict, BaseException):
            raise verdict
        return verdict

    r.accept = accept
    return waiting, go_on


@pytest.mark.parametrize("verdict", [False, ConnectionRefusedError()])
async def test_an_event_sent_behind_a_refused_connect_never_runs(verdict):
    async with rig() as r:
        _, go_on = await slow(r, verdict)
        rude = await r.web_socket()
        await rude.send('40/visit,{"token":"bad"}')
        await rude.send('42/visit,1["seat:admit",{}]')
        await r.next_told("connect")
        go_on.set()
        assert (await rude.next()).startswith("44/visit,")
        await rude.send('42/visit,2["seat:admit",{}]')
        await rude.send("3")
        await rude.socket.close()
        await r.sio.shutdown()
        assert r.told.empty()


async def test_an_event_posted_beside_a_connect_that_is_being_decided_never_runs():
    async with rig() as r:
        waiting, go_on = await slow(r, True)
        rude = await r.polling()
        connecting = asyncio.create_task(rude.post('40/visit,{"token":"bad"}'))
        await waiting.wait()
        assert await rude.post('42/visit,["seat:admit",{}]') == 400
        go_on.set()
        assert await connecting == 400
        sid = await r.next_told("connect")
        assert await r.next_told("disconnect") == sid  # it was accepted when it was gone already
        assert r.told.empty()
        assert r.refusals() == ["overlap"]
        no_trace(r)


async def test_a_socket_that_vanishes_while_it_is_decided_upon_leaves_no_ghost():
    async with rig(ping_every=1, ping_answer_within=1) as r:
        waiting, go_on = await slow(r, True)
        vanishing = await r.polling()
        connecting = asyncio.create_task(vanishing.post(CONNECT))
        await waiting.wait()
        async with asyncio.timeout(4):
            while (await vanishing.poll())[1] != "1":  # asks, and never answers a ping
                pass
        go_on.set()
        await connecting
        sid = await r.next_told("connect")
        assert await r.next_told("disconnect") == sid
        no_trace(r)


async def test_a_socket_that_vanishes_while_it_is_refused_leaves_no_trace():
    async with rig() as r:
        waiting, go_on = await slow(r, False)
        _, writer = await raw_web_socket(r)
        writer.write(masked(CONNECT.encode()))
        await waiting.wait()
        writer.transport.abort()
        go_on.set()
        await r.next_told("connect")
        await r.sio.shutdown()
        assert r.told.empty()
        no_trace(r)


def no_trace(r):
    assert not list(r.sio.manager.get_namespaces())
    assert not r.sio.manager.pending_connect
    assert not r.sio.environ


async def test_a_connect_handler_that_fails_accepts_nobody_and_is_not_called_again():
    """The library takes a ``TypeError`` for an older kind of handler, and tries it that way."""
    async with rig() as r:
        calls = []

        async def connect(*told):
            calls.append(told)
            raise TypeError("a bug")

        r.sio.on("connect", connect, namespace=NAMESPACE)
        socket = await r.web_socket()
        await socket.send("40/visit,")
        await socket.closed(within=1.0)
        assert [len(told) for told in calls] == [3]
        no_trace(r)
        assert [entry["event"] for entry in r.log.entries] == ["a socket handler failed"]


async def test_a_cancelled_connect_handler_accepts_nobody():
    """The library swallows the cancellation and takes the None for a yes."""
    async with rig() as r:

        async def accept(sid, environ, auth):
            raise asyncio.CancelledError

        r.accept = accept
        socket = await r.web_socket()
        await socket.send(CONNECT)
        assert await socket.next() == "closed"
        await r.next_told("connect")
        assert r.told.empty()
        no_trace(r)


async def test_a_disconnect_handler_that_fails_leaves_no_ghost_and_is_not_called_again():
    async with rig() as r:
        calls = []

        async def disconnect(*told):
            calls.append(told)
            r.told.put_nowait(("disconnect", told[0]))
            raise TypeError("a bug")

        r.sio.on("disconnect", disconnect, namespace=NAMESPACE)
        first, second = await r.accepted(), await r.accepted()
        await first.socket.close()
        sid = await r.next_told("disconnect")
        await second.send('42/visit,1["a"]')
        await second.next()
        assert await r.next_told("a") != sid
        assert not r.sio.manager.is_connected(sid, NAMESPACE)
        assert [len(told) for told in calls] == [2]


# -- nothing reaches more than it was meant for --------------------


@pytest.mark.parametrize("nobody", [{}, {"to": None}, {"room": ""}, {"to": []}, {"to": ()}])
async def test_nothing_can_be_emitted_to_a_whole_namespace(nobody):
    async with rig() as r:
        bystander = await r.accepted()
        with pytest.raises(BroadcastRefused):
            await r.sio.emit("visit:changed", {}, namespace=NAMESPACE, **nobody)
        with pytest.raises(BroadcastRefused):
            await r.sio.send("secret", namespace=NAMESPACE, **nobody)
        await bystander.send('42/visit,1["a"]')
        assert await bystander.next() == '43/visit,1[{"ok":true}]'


async def test_a_message_to_one_socket_reaches_that_socket_only():
    async with rig() as r:
        one = await r.web_socket()
        await one.send(CONNECT)
        await one.next()
        sid = await r.next_told("connect")
        other = await r.accepted()
        await r.sio.emit("visit:changed", {"a": 1}, to=sid, namespace=NAMESPACE)
        assert await one.next() == '42/visit,["visit:changed",{"a":1}]'
        await other.send('42/visit,1["a"]')
        assert await other.next() == '43/visit,1[{"ok":true}]'


# -- order --------------------


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_handlers_of_one_socket_run_one_after_the_other(transport):
    async with rig() as r:
        running: set[str] = set()
        order, finished = [], asyncio.Event()

        async def answer(name, sid, payload):
            assert not running
            running.add(name)
            await asyncio.sleep(0)
            running.remove(name)
            order.append(name)
            if name == names[-1]:
                finished.set()

        r.answer = answer
        names = [f"event {number}" for number in range(10)]
        frames = [f'42/visit,["{name}"]' for name in names]
        if transport == "websocket":
            socket = await r.accepted()
            for frame in frames:
                await socket.send(frame)
        else:
            socket = await r.polling()
            await socket.accept()
            assert await socket.post("\x1e".join(frames)) == 200
        await asyncio.wait_for(finished.wait(), 2)
        assert order == names


# -- whoever is gone is noticed --------------------


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_dead_browser_is_noticed_within_ping_and_timeout(transport):
    async with rig(ping_every=1, ping_answer_within=1) as r:
        if transport == "websocket":
            dead = await r.accepted()
            dead.answers_pings = False
            reading = asyncio.create_task(dead.closed(within=4.0))
        else:
            dead = await r.polling()
            await dead.accept()
            reading = asyncio.create_task(dead.poll())
        await r.next_told("disconnect", within=2.6)
        await reading
        assert not r.refusals()


@pytest.mark.slow
async def test_a_living_browser_stays():
    async with rig(ping_every=1, ping_answer_within=1) as r:
        polite = await r.accepted()
        with pytest.raises(TimeoutError):
            await polite.next(within=2.6)  # one that is dead is gone by then: see above
        await polite.send('42/visit,1["a"]')
        assert await polite.next() == '43/visit,1[{"ok":true}]'


# -- the library's own client --------------------


@pytest.mark.parametrize(
    "transports", [["websocket"], ["polling"], ["polling", "websocket"]], ids=" then ".join
)
async def test_a_polite_client_works_over_every_transport(transports):
    async with rig() as r:
        client = socketio.AsyncClient()
        heard = asyncio.Event()
        client.on("visit:changed", lambda data: heard.set(), namespace=NAMESPACE)
        await client.connect(
            r.url,
            headers={"Origin": ORIGIN},
            namespaces=[NAMESPACE],
            transports=transports,
            auth={"token": "good"},
        )
        sid = await r.next_told("connect")
        assert client.transport() == transports[-1]
        assert await client.call("visit:knock", {"name": "Zoë"}, namespace=NAMESPACE) == {
            "ok": True
        }
        await r.next_told("visit:knock")
        await r.sio.emit("visit:changed", {}, to=sid, namespace=NAMESPACE)
        await asyncio.wait_for(heard.wait(), 2)
        await client.disconnect()
        await r.next_told("disconnect")
        assert not r.log.entries


async def test_the_application_learns_the_clients_address():
    async with rig() as r:
        await r.accepted()
        assert r.environs[0]["REMOTE_ADDR"] == "127.0.0.1"


async def test_shutdown_tells_everybody_and_leaves_no_task():
    before = asyncio.all_tasks()
    async with rig() as r:
        socket, polling = await r.accepted(), await r.polling()
        await polling.accept()
        waiting = asyncio.create_task(polling.poll())
        await asyncio.gather(r.sio.shutdown(), socket.closed(within=1.0))
        assert socket.socket.close_code == 1001
        assert await waiting in {(200, "1"), (400, "")}  # told, or too late to be told
        assert [await r.next_told("disconnect"), await r.next_told("disconnect")]
        await r.sio.shutdown()
    assert asyncio.all_tasks() == before


async def test_no_payload_reaches_the_log():
    async with rig() as r:
        rude = await r.web_socket()
        await rude.send('40/visit,{"token":"canary"}')
        await rude.next()
        await rude.send('42["canary",{"canary":')
        await rude.closed(within=1.0)
        with pytest.raises(Exception, match="403"):
            await r.web_socket(Origin="https://canary.example")
        assert "canary" not in str(r.log.entries)


async def test_a_flood_of_offences_is_not_a_flood_of_lines():
    async with rig(offence_lines=3) as r:
        for _ in range(8):
            rude = await r.web_socket()
            await rude.send("x")
            await rude.closed(within=1.0)
        assert len(r.refusals()) <= 4
        assert r.sio.offences == {"frame": 8}
