"""The sound of one call: G.711 in RTP, and reports in RTCP (RFC 3550, 3551).

Sound is taken from one source only. It must come from the host that the answer named, unless the
trunk is behind a router that translates addresses; the first packet from there also says where
ours go (symmetric RTP, RFC 4961), and whoever else sends afterwards is ignored.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from collections.abc import Callable, Iterable

from media.phone.carrier import FRAME_SAMPLES, FRAME_SECONDS, SAMPLE_RATE, Frame
from media.phone.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw
from media.phone.jitter import JitterBuffer
from media.phone.sip.counters import TrunkCounters
from media.phone.sip.keys import KeyReader, press
from media.phone.sip.port_pairs import PortPair
from media.phone.sip.reports import BYE, Arrivals, write_report
from media.phone.sip.sdp import PCMU, Sound
from media.phone.sip.srtp import Srtp
from media.phone.sip.transport import Address
from media.rtcp import blocks
from media.rtp import payload_offset
from rooms.policy import PhonePolicy

_CODECS = {True: (decode_ulaw, encode_ulaw), False: (decode_alaw, encode_alaw)}


class RtpLeg:
    """One call's sound; a ``PhoneLine``. ``key`` is our SRTP key, None for plain RTP."""

    def __init__(
        self,
        ports: PortPair,
        policy: PhonePolicy,
        counters: TrunkCounters,
        *,
        key: bytes | None,
        behind_nat: bool,
        pressed: Callable[[str], None],
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.port = ports.port
        self.key = key
        self.last_heard = clock()
        self.left = False  # the other side said goodbye in RTCP
        self.keys_in_sound = False
        self._ports = ports
        self._policy = policy
        self._counters = counters
        self._behind_nat = behind_nat
        self._pressed = pressed
        self._clock, self._wall = clock, wall
        self._sound: Sound | None = None
        self._listens = False
        self._srtp: Srtp | None = None
        self._source: Address | None = None
        self._to: Address | None = None
        self._jitter = JitterBuffer(policy, FRAME_SAMPLES)
        self._arrivals = Arrivals()
        self._keys = KeyReader()
        self._keying = False
        self._sequence = secrets.randbelow(1 << 16)
        self._timestamp = secrets.randbelow(1 << 32)
        self._ssrc = secrets.randbelow(1 << 32)
        self._sent, self._octets = 0, 0
        ports.listen(self._packet, self._report)

    def use(self, sound: Sound) -> None:
        """Follow what the other side described, at first and whenever it describes anew."""
        former = self._sound
        self._sound, self._listens = sound, sound.listens
        if former is None or (sound.host, sound.port) != (former.host, former.port):
            self._source, self._to = None, (sound.host, sound.port)
        if sound.key is not None and self.key is not None and sound.key != (former and former.key):
            self._srtp = Srtp(self.key, sound.key)

    # Sound

    def pull(self) -> Frame | None:
        return self._jitter.pull()

    def push(self, frame: Frame) -> None:
        self._timestamp = self._timestamp + FRAME_SAMPLES & 0xFFFFFFFF
        sound = self._sound
        if sound is not None and self._listens and not self._keying:
            encode = _CODECS[sound.payload_type == PCMU][1]
            self._send(sound.payload_type, False, encode(frame))

    async def dial(self, keys: Iterable[str]) -> None:
        """Press keys as telephone events; the answer must have offered them."""
        frames = round(self._policy.key_held / FRAME_SECONDS)
        for key in keys:
            await self._press(key, frames)
            await asyncio.sleep(self._policy.key_gap)

    async def _press(self, key: str, frames: int) -> None:
        if self._sound is None or self._sound.digits is None:
            return
        self._keying, began = True, self._timestamp
        try:
            for first, payload in press(key, frames):
                self._send(self._sound.digits, first, payload, began)
                await asyncio.sleep(FRAME_SECONDS)
        finally:
            self._keying = False

    def _send(self, kind: int, marked: bool, payload: bytes, at: int | None = None) -> None:
        if self._to is None:
            return
        timestamp = self._timestamp if at is None else at
        head = (0x80, marked << 7 | kind, self._sequence, timestamp, self._ssrc)
        packet: bytes | None = struct.pack("!BBHLL", *head) + payload
        self._sequence = self._sequence + 1 & 0xFFFF
        if self._srtp is not None and packet is not None:
            packet = self._srtp.protect(packet)
        if packet is not None:
            self._sent += 1
            self._octets += len(payload)
            self._ports.send(packet, self._to)

    def _packet(self, packet: bytes, source: Address) -> None:
        sound = self._sound
        if sound is None or not self._may_come_from(source, sound):
            self._counters.packets_ignored += 1
            return
        plain = self._plain(packet)
        if plain is None or len(plain) < 12 or plain[0] >> 6 != 2:
            self._counters.packets_ignored += 1
            return
        self._source = self._to = source
        self.last_heard = self._clock()
        self._heard(plain, sound)

    def _plain(self, packet: bytes, *, report: bool = False) -> bytes | None:
        return packet if self._srtp is None else self._srtp.unprotect(packet, report=report)

    def _may_come_from(self, source: Address, sound: Sound) -> bool:
        if self._source is not None:
            return source == self._source
        return self._behind_nat or source[0] == sound.host

    def _heard(self, packet: bytes, sound: Sound) -> None:
        kind, sequence, timestamp, ssrc = struct.unpack_from("!xBHLL", packet)
        end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
        payload = packet[payload_offset(packet) : max(end, 0)]
        self._arrivals.came(ssrc, sequence, timestamp, self._clock() * SAMPLE_RATE)
        if kind & 0x7F == sound.digits:
            self.keys_in_sound = True
            key = self._keys.read(timestamp, payload)
            if key is not None:
                self._pressed(key)
        elif kind & 0x7F == sound.payload_type:
            decode = _CODECS[sound.payload_type == PCMU][0]
            for start in range(0, len(payload) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
                frame = decode(payload[start : start + FRAME_SAMPLES])
                self._jitter.put(timestamp + start & 0xFFFFFFFF, frame)

    # Reports

    def report(self) -> None:
        """Tell the other side what was sent and what arrived (RFC 3550 section 6.4)."""
        if self._sound is None or self._to is None:
            return
        numbers = (self._timestamp, self._sent, self._octets)
        compound: bytes | None = write_report(
            self._ssrc, self._wall(), numbers, self._arrivals.block(self._clock())
        )
        if self._srtp is not None and compound is not None:
            compound = self._srtp.protect(compound, report=True)
        if compound is not None:
            self._ports.send_report(compound, self._report_address(self._sound))

    def _report_address(self, sound: Sound) -> Address:
        if self._source is not None and self._source != (sound.host, sound.port):
            return self._source[0], min(self._source[1] + 1, 2**16 - 1)
        return sound.host, sound.rtcp_port

    def _report(self, compound: bytes, source: Address) -> None:
        sound = self._sound
        known = self._source[0] if self._source is not None else sound and sound.host
        plain = self._plain(compound, report=True)
        if sound is None or plain is None or source[0] != known:
            self._counters.packets_ignored += 1
            return
        found = list(blocks(plain))
        if not found:
            self._counters.packets_ignored += 1
            return
        self.last_heard = self._clock()
        self.left = self.left or any(block.kind == BYE for block in found)
        self._arrivals.reported(found, self._clock())

    def close(self) -> None:
        """Give the ports back; idempotent."""
        self._ports.close()
