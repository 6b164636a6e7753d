"""How SIP messages travel: a transport's promise, UDP, where hosts are (RFC 3261 section 18)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol, TypeAlias, cast

from media.phone.sip.config import DEFAULT_PORT, TrunkConfig
from media.phone.sip.messages import Uri, read_uri

Address: TypeAlias = tuple[str, int]
Receiver: TypeAlias = Callable[[bytes, Address], None]

_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104
_FAR_AWAY = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}  # RFC 5737, RFC 3849
_OURSELVES = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


class Transport(Protocol):
    """Carries messages between us and the trunk."""

    reliable: bool

    async def open(self, received: Receiver) -> None:
        """Begin to receive. Raises ``OSError`` if the local address cannot be had."""

    @property
    def connected(self) -> bool:
        """Whether something can be sent now."""

    @property
    def sent_by(self) -> str:
        """What a Via says of us, such as ``UDP 192.0.2.1:5060``."""

    @property
    def own_address(self) -> Address:
        """Where the trunk reaches us: host as advertised, and port."""

    async def locate(self, uri: str) -> Address:
        """Where a message to ``uri`` is sent. Raises ``OSError`` if nowhere."""

    def send(self, message: bytes, to: Address) -> bool:
        """Send; False if it could not go out."""

    async def close(self) -> None:
        """Release everything; idempotent."""


class UdpTransport(asyncio.DatagramProtocol):
    """SIP over UDP from one socket."""

    reliable = False

    def __init__(self, config: TrunkConfig) -> None:
        self._config = config
        self._transport: asyncio.DatagramTransport | None = None
        self._received: Receiver | None = None
        self._host = ""
        self._port = 0

    async def open(self, received: Receiver) -> None:
        self._received = received
        local = (self._config.local_host, self._config.local_port)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=local)
        self._port = self._transport.get_extra_info("sockname")[1]
        self._host = self._config.advertised_host or await own_host(self._config)

    @property
    def connected(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    @property
    def sent_by(self) -> str:
        return f"UDP {bracketed(self._host)}:{self._port}"

    @property
    def own_address(self) -> Address:
        return self._host, self._port

    async def locate(self, uri: str) -> Address:
        target = read_target(uri)
        host, port = target.host.strip("[]"), target.port or DEFAULT_PORT["udp"]
        if host == self._config.server and not target.port:
            port = self._config.server_port
        return await resolve(host, port, family_of(self._config))

    def send(self, message: bytes, to: Address) -> bool:
        if self._transport is None or self._transport.is_closing():
            return False
        self._transport.sendto(message, to)
        return True

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._received is not None:
            self._received(data, (addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """An unreachable peer is noticed by its silence."""


def read_target(uri: str) -> Uri:
    """A URI that messages can be sent to. Raises ``OSError`` for any other."""
    try:
        target = read_uri(uri)
    except ValueError as error:
        raise OSError from error
    if target.scheme not in {"sip", "sips"} or (target.port or 0) >= 2**16:
        raise OSError
    return target


def family_of(config: TrunkConfig) -> socket.AddressFamily:
    """The kind of address that we send from, and can send to."""
    return socket.AF_INET6 if ":" in config.local_host else socket.AF_INET


async def resolve(host: str, port: int, family: socket.AddressFamily) -> Address:
    """The first address of a host. Raises ``OSError``."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_DGRAM)
    except UnicodeError as error:
        raise OSError from error
    return cast(Address, found[0][4][:2])


async def own_host(config: TrunkConfig) -> str:
    """The address that the trunk's server sees of us if nothing translates it on the way.

    While the server's name is not found, the address that anybody far away would see.
    """
    if config.local_host not in _EVERYWHERE:
        return config.local_host
    family = family_of(config)
    try:
        peer = await resolve(config.server, config.server_port, family)
    except OSError:
        peer = _FAR_AWAY[family], config.server_port
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(peer)  # sends nothing: it asks which of our addresses would be used
        except OSError:
            return _OURSELVES[family]
        return str(probe.getsockname()[0])


def bracketed(host: str) -> str:
    """A host as it stands in URIs and in Via (RFC 3261 section 25.1)."""
    return f"[{host}]" if ":" in host else host
