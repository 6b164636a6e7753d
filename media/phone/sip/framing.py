"""SIP messages out of a stream of bytes (RFC 3261 section 18.3)."""

from __future__ import annotations

import re

_LENGTH = re.compile(
    rb"\r\n(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*(?=\r\n|$)", re.IGNORECASE
)
_END = b"\r\n\r\n"


class StreamBroken(Exception):
    """Where the next message begins cannot be known any more; the connection must be closed."""


class Framing:
    """Cuts a stream into messages of at most ``most`` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that ``data`` completes, bare. Raises ``StreamBroken``."""
        self._bytes += data
        messages: list[bytes] = []
        while message := self._next():
            messages.append(message)
        return messages

    def _next(self) -> bytes:
        while self._bytes[:2] == b"\r\n":  # a keep-alive, or its answer (RFC 5626 section 3.5.1)
            del self._bytes[:2]
        head = self._bytes.find(_END)
        if head < 0:
            self._refuse_over(len(self._bytes))
            return b""
        length = _LENGTH.search(self._bytes, 0, head)
        if length is None:
            raise StreamBroken
        size = head + len(_END) + int(length[1])
        self._refuse_over(size)
        if len(self._bytes) < size:
            return b""
        message = bytes(self._bytes[:size])
        del self._bytes[:size]
        return message

    def _refuse_over(self, size: int) -> None:
        if size > self._most:
            raise StreamBroken
