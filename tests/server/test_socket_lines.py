"""One line: it ends in time whatever the browser does, and a failed upgrade costs nothing."""

import asyncio

from rooms.policy import EdgePolicy
from tests.support.socket_rig import (
    CONNECT,
    NAMESPACE,
    closed,
    masked,
    raw_web_socket,
    socket_rig,
    stop_reading,
)


def policy(**changes):
    return EdgePolicy(**{"connect_within": 10.0, **changes})


async def upgrading(r, line):
    """A WebSocket beside a polling line, whose probe was answered."""
    socket = await r.ws_connect(f"&sid={line.sid}")
    await socket.send_str("2probe")
    assert await socket.receive_str() == "3probe"
    return socket


async def test_a_browser_that_ignores_the_goodbye_is_cut_off():
    async with socket_rig(policy()) as r:
        reader, writer = await raw_web_socket(r)
        writer.write(masked(CONNECT.encode()))
        await r.next_told("connect")
        writer.write(masked(b"x"))
        await closed(reader, within=1.0)  # without ever answering the close frame
        await r.next_told("disconnect", within=2.0)
        writer.close()


async def test_a_browser_that_neither_reads_nor_leaves_is_cut_off():
    messages, size = 400, 50_000  # more than the system's buffers take
    patient = policy(outbound_messages=messages * 2, outbound_bytes=messages * size * 2)
    async with socket_rig(patient) as r:
        _, writer = await raw_web_socket(r)
        stop_reading(writer)
        writer.write(masked(CONNECT.encode()))
        sid = await r.next_told("connect")
        [web_socket] = [line.web_socket for line in r.lines()]
        for _ in range(messages):
            await r.sio.emit("visit:changed", "x" * size, to=sid, namespace=NAMESPACE)
        writer.write(masked(b"x"))
        assert await r.next_told("disconnect", within=2.0) == sid
        assert web_socket
        await web_socket.close()
        for _ in range(10):  # callbacks of the closed connection
            await asyncio.sleep(0)
        assert r.connections() == 0  # though nothing that waited was ever read
        writer.transport.abort()


async def test_polling_goes_on_when_the_upgrade_breaks_off():
    """The library would answer every poll at once and with nothing, for ever."""
    async with socket_rig(policy()) as r:
        line = await r.polling()
        await line.accept()
        socket = await upgrading(r, line)
        await socket.close()
        assert await line.post('42/visit,1["a"]') == 200
        assert await line.poll() == (200, '6\x1e43/visit,1[{"ok":true}]')
        waiting = asyncio.create_task(line.poll())
        assert await line.post('42/visit,2["a"]') == 200
        assert await waiting == (200, '43/visit,2[{"ok":true}]')


async def test_polling_goes_on_when_the_upgrade_is_never_finished():
    async with socket_rig(policy(connect_within=0.3)) as r:
        line = await r.polling()
        await line.accept()
        socket = await r.ws_connect(f"&sid={line.sid}")
        assert (await asyncio.wait_for(socket.receive(), 2)).data in {1000, None}
        assert await line.post('42/visit,1["a"]') == 200
        assert await line.poll() == (200, '43/visit,1[{"ok":true}]')


async def test_a_wrong_frame_in_the_upgrade_closes_the_line():
    async with socket_rig(policy()) as r:
        line = await r.polling()
        await line.accept()
        socket = await upgrading(r, line)
        await socket.send_str('42/visit,["a"]')
        await r.next_told("disconnect", within=2.0)
        assert r.refusals() == ["frame"]
        assert (await line.poll())[0] == 400
