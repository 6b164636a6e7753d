"""The least that forwarding can cost here: receive, unprotect, protect, send; nothing else.

No event loop, no decision, no feedback, no numbers changed: a blocking receive, and the same
libsrtp calls, packet sizes, pace and number of hearers as the server's run that it is compared
with. The packets come from and go to the same other process.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time

import pylibsrtp
from pylibsrtp._binding import ffi, lib

from bench._media_load import srtp
from bench._media_rig import Rig

SECONDS = 3.0
KEY_LENGTH = 44  # AES-256 key and salt


async def microseconds_per_packet(rig: Rig, people: int, hearers: int) -> float:
    """CPU microseconds per packet sent, with ``people`` senders and ``hearers`` for each."""
    sink = (await rig.ask({"sink": True}))["sink"]
    key = os.urandom(KEY_LENGTH)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        server.bind(("127.0.0.1", 0))
        server.settimeout(1.0)
        port = server.getsockname()[1]
        order = {"port": port, "key": key.hex(), "people": people, "seconds": SECONDS}
        rig.tell({"pour": order})
        forwarding = asyncio.to_thread(_forward, server, key, hearers, ("127.0.0.1", sink))
        cpu, sent = await forwarding
    await rig.reply()
    return 1e6 * cpu / sent


def _forward(
    server: socket.socket, key: bytes, hearers: int, sink: tuple[str, int]
) -> tuple[float, int]:
    """Forward until nothing comes for a second; CPU seconds of this thread, packets sent."""
    incoming, out = ffi.new("unsigned char[]", 2048), ffi.new("unsigned char[]", 2048)
    length = ffi.new("int *")
    incoming_view, out_view = memoryview(ffi.buffer(incoming)), memoryview(ffi.buffer(out))
    receive, send = server.recvfrom_into, server.sendto
    unprotect, protect = lib.srtp_unprotect, lib.srtp_protect
    keys = srtp(key, pylibsrtp.Policy.SSRC_ANY_INBOUND)
    outgoing = [
        srtp(os.urandom(KEY_LENGTH), pylibsrtp.Policy.SSRC_ANY_OUTBOUND) for _ in range(hearers)
    ]
    source, sessions = keys._srtp[0], [session._srtp[0] for session in outgoing]
    sent, began = 0, time.thread_time()
    while True:
        try:
            size, _ = receive(incoming_view)
        except TimeoutError:
            return time.thread_time() - began, sent
        length[0] = size
        if unprotect(source, incoming, length):
            raise RuntimeError("a packet did not decrypt")
        plain = length[0]
        for session in sessions:
            out_view[:plain] = incoming_view[:plain]
            length[0] = plain
            if protect(session, out, length):
                raise RuntimeError("a packet did not encrypt")
            send(out_view[: length[0]], sink)
            sent += 1
