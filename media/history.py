"""The last packets of a picture, for hearers that miss one (RFC 4585 section 6.2.1)."""

from __future__ import annotations


class History:
    """A ring of packets by index; ``size`` must divide 65,536."""

    __slots__ = ("_packets", "_size")

    def __init__(self, size: int) -> None:
        if 0x10000 % size:
            raise ValueError("the size of a history must divide 65,536")
        self._size = size
        self._packets: list[bytes | None] = [None] * size

    def put(self, index: int, packet: bytes) -> None:
        """Keep a packet instead of the one ``size`` before it."""
        self._packets[index % self._size] = packet

    def get(self, index: int) -> bytes | None:
        """The packet with this index, if it came and is still here."""
        packet = self._packets[index % self._size]
        if packet is None or (packet[2] << 8 | packet[3]) != index & 0xFFFF:
            return None
        return packet

    def clear(self) -> None:
        """Forget everything: the stream begins anew."""
        self._packets = [None] * self._size
