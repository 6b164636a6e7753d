"""People in a process of their own: they answer offers, send, receive, and say how it went.

Reads JSON lines on stdin and writes JSON lines on stdout:

| in | out |
|---|---|
| ``{"offer": {…}, "client": name}`` | ``{"answer": [peer, number, sdp], "client": name}`` |
| ``{"state": "connected", "client": name}`` | |
| ``{"talk": seconds}`` | ``{"talked": {"received": n, "latencies_ms": […]}}`` |
| ``{"speak": seconds}`` | ``{"spoke": {"received": n, "latencies_ms": […]}}`` |
| ``{"sink": true}`` | ``{"sink": port}`` |
| ``{"pour": {…}}`` | ``{"poured": packets}`` |
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import pylibsrtp

from bench._speech import speech_packets
from media.ports import Connection, LegState, Offer
from tests.support.light_peer import LightPeer, Packet

PACKET_TIME = 0.02  # 50 packets of sound a second, as browsers send
PICTURES_PER_PACKET_TIME = 3  # 150 packets of video a second: about 1.3 Mbit/s
SOUND, PICTURE = 80, 1_100  # bytes of payload
SAMPLED = 10  # one packet of so many is decrypted, for its latency
KEY_EVERY = 50


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def turns(seconds: float, people: int) -> Iterator[tuple[int, int]]:
    """Who sends when: everybody once per packet time, one after the other."""
    return product(range(int(seconds / PACKET_TIME)), range(people))


async def until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


class _Sink(asyncio.DatagramProtocol):
    """Takes packets and forgets them."""


class Crowd:
    """Every client of this process."""

    def __init__(self) -> None:
        self.peers: dict[str, LightPeer] = {}
        self.sinks: list[asyncio.DatagramTransport] = []

    async def told(self, message: dict[str, Any]) -> None:
        if "offer" in message:
            offer = dict(message["offer"])
            offer["connection"] = Connection(offer["connection"])
            self._peer(message["client"]).offered(Offer(**offer))
        elif "state" in message:
            self._peer(message["client"]).media_changed(LegState(message["state"]))
        elif "talk" in message:
            say({"talked": await self.talk(message["talk"])})
        elif "speak" in message:
            say({"spoke": await self.talk(message["speak"], speech_packets())})
        elif "sink" in message:
            say({"sink": await self.sink()})
        elif "pour" in message:
            say({"poured": await pour(**message["pour"])})

    def _peer(self, name: str) -> LightPeer:
        if name not in self.peers:
            self.peers[name] = LightPeer(
                lambda peer, number, sdp: say({"answer": [peer, number, sdp], "client": name}),
                decrypt_every=SAMPLED,
            )
        return self.peers[name]

    async def sink(self) -> int:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(_Sink, local_addr=("127.0.0.1", 0))
        self.sinks.append(transport)
        port: int = transport.get_extra_info("sockname")[1]
        return port

    async def talk(self, seconds: float, speech: Sequence[bytes] = ()) -> dict[str, Any]:
        """Everybody sends at the pace of a browser; what was received meanwhile.

        With ``speech``, the sound is these packets, and there are no pictures.
        """
        peers = list(self.peers.values())
        before, latencies = self._received(), []
        for peer in () if speech else peers:
            peer.receive.on_packet = lambda packet: latencies.append(_age(packet))
        began = time.monotonic()
        for number, who in turns(seconds, len(self.peers)):
            await until(began + (number + who / len(self.peers)) * PACKET_TIME)
            if speech:
                peers[who].send_audio(speech[number % len(speech)])
            else:
                self._send(peers[who], key=number % KEY_EVERY == 0)
        await asyncio.sleep(0.2)
        received = self._received() - before
        milliseconds = [round(1000 * age, 3) for age in latencies]
        return {"received": received, "latencies_ms": milliseconds}

    def _send(self, peer: LightPeer, *, key: bool) -> None:
        peer.send_audio(_stamp(SOUND))
        peer.send_video(_stamp(PICTURE), key=key, packets=PICTURES_PER_PACKET_TIME)

    def _received(self) -> int:
        return sum(sum(peer.receive.counts.values()) for peer in self.peers.values())


async def pour(port: int, key: str, people: int, seconds: float) -> int:
    """Send to a UDP port, at the pace of so many people, packets encrypted with ``key``."""
    sender = srtp(bytes.fromhex(key), pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    began, sequence = time.monotonic(), 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        for number, who in turns(seconds, people):
            await until(began + (number + who / people) * PACKET_TIME)
            for size in (SOUND, *[PICTURE] * PICTURES_PER_PACKET_TIME):
                sequence += 1
                head = struct.pack("!BBHLL", 0x80, 96, sequence & 0xFFFF, 0, 7)
                source.sendto(sender.protect(head + bytes(size)), ("127.0.0.1", port))
    return sequence


def srtp(key: bytes, direction: int) -> pylibsrtp.Session:
    """Keys of the kind that browsers agree on with the server."""
    profile = pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM
    policy = pylibsrtp.Policy(key=key, ssrc_type=direction, srtp_profile=profile)
    return pylibsrtp.Session(policy)


def _stamp(size: int) -> bytes:
    return struct.pack("!d", time.monotonic()).rjust(size, b"\0")


def _age(packet: Packet) -> float:
    (sent,) = struct.unpack("!d", packet.payload[-8:])
    return time.monotonic() - float(sent)


async def main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    crowd, tasks = Crowd(), set()
    while line := await reader.readline():
        task = asyncio.ensure_future(crowd.told(json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    for peer in crowd.peers.values():
        await peer.close()


if __name__ == "__main__":
    asyncio.run(main())
