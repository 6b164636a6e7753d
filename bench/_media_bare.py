"""The least that forwarding can cost here: receive, unprotect, protect, send; nothing else.

No event loop, no decision, no numbers changed; the same libsrtp calls, sockets, packet sizes and
number of hearers as the server's run it is compared with, and a receiver in another process.
"""

from __future__ import annotations

import os
import socket
import time

import pylibsrtp
from pylibsrtp._binding import ffi, lib

SOUND, PICTURE = 100, 1_120  # bytes of a whole packet
PER_SOUND = 3  # pictures' packets to one of sound
BATCH = 400  # packets that fit the socket's buffer at once


def _session(key: bytes, kind: int) -> pylibsrtp.Session:
    profile = pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM
    policy = pylibsrtp.Policy(key=key, ssrc_type=kind, srtp_profile=profile)
    return pylibsrtp.Session(policy)


def microseconds_per_packet(sink: int, hearers: int, batches: int = 60) -> float:
    """CPU microseconds per packet sent to the UDP port ``sink``."""
    key = os.urandom(44)
    anyone_in, anyone_out = pylibsrtp.Policy.SSRC_ANY_INBOUND, pylibsrtp.Policy.SSRC_ANY_OUTBOUND
    sender, receiver = _session(key, anyone_out), _session(key, anyone_in)
    outgoing = [_session(os.urandom(44), anyone_out) for _ in range(hearers)]
    source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    server.bind(("127.0.0.1", 0))
    server.setblocking(False)
    used, sent = 0.0, 0
    for batch in range(batches):
        for number in range(BATCH):
            source.sendto(sender.protect(_packet(batch * BATCH + number)), server.getsockname())
        began = time.process_time()
        sent += _forward(server, receiver, outgoing, ("127.0.0.1", sink))
        used += time.process_time() - began
        time.sleep(0.02)  # lets the receiver in the other process catch up
    source.close()
    server.close()
    return 1e6 * used / sent


def _packet(number: int) -> bytes:
    size = PICTURE if number % (PER_SOUND + 1) else SOUND
    head = b"\x80\x60" + (number & 0xFFFF).to_bytes(2, "big") + bytes(4) + b"\0\0\0\x07"
    return head.ljust(size, b"x")


def _forward(
    server: socket.socket,
    receiver: pylibsrtp.Session,
    outgoing: list[pylibsrtp.Session],
    sink: tuple[str, int],
) -> int:
    incoming, out = ffi.new("unsigned char[]", 2048), ffi.new("unsigned char[]", 2048)
    length = ffi.new("int *")
    incoming_view, out_view = memoryview(ffi.buffer(incoming)), memoryview(ffi.buffer(out))
    receive, send = server.recvfrom_into, server.sendto
    unprotect, protect = lib.srtp_unprotect, lib.srtp_protect
    source, sessions = receiver._srtp[0], [session._srtp[0] for session in outgoing]
    sent = 0
    while True:
        try:
            size, _ = receive(incoming_view)
        except BlockingIOError:
            return sent
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
