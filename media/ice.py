"""An ICE-lite agent: answers connectivity checks and never sends one (RFC 8445 section 2.5).

What the browser says about its own addresses is ignored as a whole: an address counts when an
integrity-checked request has come from it, so the server cannot be made to talk to anybody else.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from aioice import stun

from media.transport import Address
from rooms.policy import MediaPolicy

_USERNAME = 0x0006  # RFC 8489 section 14.3
_HEADER = 20

SendTo = Callable[[bytes | memoryview, Address], object]
Check = Callable[[bytes, str, Address, tuple[str, int], SendTo, float], bool]


@dataclass(slots=True)
class Path:
    """One address that has proven to be the peer's, and how to reach it."""

    agent: IceAgent
    address: Address
    sendto: SendTo
    peername: tuple[str, int]
    checked: float  # last valid STUN request
    heard: float  # last packet of any kind


class Sockets(Protocol):
    """What an agent needs from the sockets it lives behind."""

    def listen(self, ufrag: str, agent: IceAgent) -> None:
        """Hand this agent the requests that name ``ufrag``."""

    def unlisten(self, ufrag: str) -> None:
        """Let requests for ``ufrag`` go unanswered."""

    def open(self, path: Path) -> None:
        """Hand packets from this address to the path's agent."""

    def shut(self, path: Path) -> None:
        """Drop packets from this address."""


class IceAgent:
    """The server's end of one peer connection: credentials, validated paths, the current one.

    Packets are accepted from every validated path and sent to ``address``. The owner sets
    ``on_media``, ``on_dtls`` and ``on_path``, calls ``tick`` now and then, and ``close``.
    """

    def __init__(self, sockets: Sockets, policy: MediaPolicy, now: float) -> None:
        self.address: Address | None = None
        self.sendto: SendTo = _nowhere
        self.on_media: Callable[[int], None] = _ignore
        self.on_dtls: Callable[[bytes], None] = _ignore
        self.on_check: Check = self.check
        self.on_path: Callable[[], None] = lambda: None
        self.consented = now
        self._sockets = sockets
        self._policy = policy
        self._paths: dict[Address, Path] = {}
        self._current: Path | None = None
        self._wrap: Callable[[SendTo], SendTo] = _as_it_is
        self._passwords: dict[str, str] = {}
        self._seen: dict[bytes, Address] = {}  # transaction → the address it first came from
        self._checks_left = policy.checks_per_second
        self.ufrag = self.password = ""
        self._new_credentials()

    def _new_credentials(self) -> None:
        """RFC 8445 section 5.3 asks for 24 and 128 random bits."""
        self.ufrag, self.password = secrets.token_hex(8), secrets.token_hex(16)
        self._passwords[self.ufrag] = self.password
        self._sockets.listen(self.ufrag, self)

    def restart(self) -> None:
        """Take new credentials; the former work until a check with newer ones arrives.

        Of those that the browser has not used yet, the two newest are remembered.
        """
        for ufrag in list(self._passwords)[1:-1]:
            self._forget(ufrag)
        self._new_credentials()

    def _forget(self, ufrag: str) -> None:
        self._sockets.unlisten(ufrag)
        del self._passwords[ufrag]

    @property
    def paths(self) -> int:
        """How many addresses are validated at the moment."""
        return len(self._paths)

    def check(
        self,
        data: bytes,
        ufrag: str,
        address: Address,
        peername: tuple[str, int],
        sendto: SendTo,
        now: float,
    ) -> bool:
        """Answer a connectivity check. False if it is none, or its integrity does not hold."""
        request = self._authentic(data, ufrag)
        if request is None or self._replayed(request.transaction_id, address):
            return False
        self.consented = now
        path = self._paths.get(address)
        if path is None:
            path = self._paths[address] = Path(self, address, sendto, peername, now, now)
            self._sockets.open(path)
            self._bound_paths()
        path.checked = path.heard = now
        with suppress(OSError):  # the browser asks again
            self._wrap(path.sendto)(_response(request, peername, self._passwords[ufrag]), address)
        self._choose(path, "USE-CANDIDATE" in request.attributes, self._renewed(ufrag), now)
        return True

    def _authentic(self, data: bytes, ufrag: str) -> stun.Message | None:
        if self._checks_left <= 0 or ufrag not in self._passwords:
            return None
        self._checks_left -= 1
        try:
            message = stun.parse_message(data)
        except (ValueError, struct.error):
            return None
        if (message.message_method, message.message_class) != _REQUEST:
            return None
        if not message.check_message_integrity(self._passwords[ufrag].encode()):
            return None
        return message

    def _replayed(self, transaction: bytes, address: Address) -> bool:
        """Whether an eavesdropper repeats a request to draw the media to another address."""
        first = self._seen.setdefault(transaction, address)
        if len(self._seen) > self._policy.checks_remembered:
            del self._seen[next(iter(self._seen))]
        return bool(first != address)

    def _renewed(self, ufrag: str) -> bool:
        """Whether this check is the first with newer credentials, which ends the older ones."""
        names = list(self._passwords)
        older = names[: names.index(ufrag)]
        for former in older:
            self._forget(former)
        return bool(older)

    def _choose(self, path: Path, nominated: bool, renewed: bool, now: float) -> None:
        """Chromium nominates what it uses, each time; Firefox says it once and then never."""
        current = self._current
        if path is not current and (nominated or renewed or current is None or self._silent(now)):
            self._use(path)

    def _silent(self, now: float) -> bool:
        return self._current is None or now - self._current.heard > self._policy.path_silent

    def _use(self, path: Path | None) -> None:
        self._current = path
        self.address = path.address if path else None
        self.sendto = self._wrap(path.sendto) if path else _nowhere
        if path:
            self.on_path()

    def send_through(self, wrap: Callable[[SendTo], SendTo]) -> None:
        """Send everything by what this function makes of the path's own ``sendto``."""
        self._wrap = wrap
        if self._current is not None:
            self.sendto = wrap(self._current.sendto)

    def send_directly(self) -> None:
        """Send by the path's own ``sendto`` again."""
        self.send_through(_as_it_is)

    def _bound_paths(self) -> None:
        while len(self._paths) > self._policy.max_paths:
            others = [path for path in self._paths.values() if path is not self._current]
            self._drop(min(others, key=lambda path: path.heard))

    def _drop(self, path: Path) -> None:
        self._sockets.shut(path)
        del self._paths[path.address]

    def lost(self, path: Path) -> None:
        """A connection is gone; another path takes over if there is one."""
        if self._paths.get(path.address) is not path:
            return
        self._drop(path)
        if path is self._current:
            self._use(max(self._paths.values(), key=lambda each: each.checked, default=None))

    def tick(self, now: float, elapsed: float) -> None:
        """Move to a path that was checked since the current one fell silent; forget dead ones."""
        allowance = self._policy.checks_per_second
        self._checks_left = min(allowance, self._checks_left + int(allowance * elapsed) + 1)
        for path in list(self._paths.values()):
            if path is not self._current and now - path.heard > self._policy.consent_expires:
                self._drop(path)
        others = [path for path in self._paths.values() if path is not self._current]
        if others and self._silent(now):
            latest = max(others, key=lambda path: path.checked)
            if self._current is None or latest.checked >= self._current.heard:
                self._use(latest)

    def close(self) -> None:
        """Answer nothing more, from now on. Idempotent."""
        for ufrag in list(self._passwords):
            self._forget(ufrag)
        for path in list(self._paths.values()):
            self._drop(path)
        self.on_media = self.on_dtls = _ignore
        self._use(None)


_REQUEST = (stun.Method.BINDING, stun.Class.REQUEST)


def local_ufrag(data: bytes) -> str:
    """The part of USERNAME that names one of our agents, read without parsing the rest.

    So a flood of requests for nobody costs a dictionary look-up each, and no HMAC.
    """
    position = _HEADER
    while position + 4 <= len(data):
        kind, length = struct.unpack_from("!HH", data, position)
        if kind == _USERNAME:
            name = data[position + 4 : position + 4 + length]
            return name.partition(b":")[0].decode("ascii", "replace")
        position += 4 + length + (-length % 4)
    return ""


def _response(request: stun.Message, peername: tuple[str, int], password: str) -> bytes:
    response = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.RESPONSE,
        transaction_id=request.transaction_id,
        attributes={"XOR-MAPPED-ADDRESS": peername},
    )
    response.add_message_integrity(password.encode())
    return bytes(response)


def _as_it_is(sendto: SendTo) -> SendTo:
    return sendto


def _nowhere(_data: bytes | memoryview, _address: Address) -> None:
    """Without a path, packets go nowhere."""


def _ignore(_packet: object) -> None:
    """Until somebody listens, and after the end."""
