"""The server's media port: one UDP socket per bind address, and TCP on the same number.

Packets are told apart by their first byte (RFC 7983) and belong to whoever validated the address
they come from; only STUN requests may come from strangers. ICE-TCP is passive only (RFC 6544),
framed as in RFC 4571.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from media.addresses import Candidate, reachable
from media.counters import MediaCounters
from media.ice import IceAgent, Path, local_ufrag
from media.rtp import MAX_PACKET
from media.tcp import TcpPath, send_framed
from media.transport import RECEIVE_BUFFER, Address
from rooms.policy import MediaPolicy

_STUN_LAST, _DTLS_FIRST, _DTLS_LAST, _MEDIA_FIRST, _MEDIA_LAST = 3, 20, 63, 128, 191


class MediaSockets:
    """Receives for every agent; agents send through the paths it opens. One owner, one close."""

    def __init__(
        self, policy: MediaPolicy, counters: MediaCounters, clock: Callable[[], float]
    ) -> None:
        self.port = 0
        self._policy = policy
        self._counters = counters
        self._clock = clock
        self._agents: dict[str, IceAgent] = {}
        self._paths: dict[Address, Path] = {}
        self._udp: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._connections: dict[TcpPath, None] = {}  # in the order they came

    async def start(self, addresses: tuple[str, ...], port: int, tcp: bool) -> None:
        """Bind every address to one port number, chosen by the system if ``port`` is 0."""
        attempts = self._policy.port_attempts
        for attempt in range(attempts):
            try:
                await self._bind(addresses, port, tcp)
            except OSError:
                await self.close()
                if port or attempt + 1 == attempts:
                    raise
            else:
                break
        loop = asyncio.get_running_loop()
        for udp in self._udp:
            loop.add_reader(udp, self._readable, udp)

    async def _bind(self, addresses: tuple[str, ...], port: int, tcp: bool) -> None:
        self.port = port
        for address in addresses:
            udp = self._bind_udp(address, self.port)
            self._udp.append(udp)
            self.port = udp.getsockname()[1]
        if not tcp:
            return
        for address in addresses:
            self._servers.append(
                await asyncio.get_running_loop().create_server(
                    lambda: TcpPath(self, self._policy), address, self.port
                )
            )

    def _bind_udp(self, address: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        udp = socket.socket(family, socket.SOCK_DGRAM)
        try:
            udp.setblocking(False)
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                udp.setsockopt(socket.SOL_SOCKET, option, self._policy.socket_buffer)
            if family == socket.AF_INET6:
                udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            udp.bind((address, port))
        except OSError:
            udp.close()
            raise
        return udp

    def candidates(self, advertised: tuple[str, ...], bound: tuple[str, ...]) -> list[Candidate]:
        """What offers say about where the server is."""
        protocols = ("udp", "tcp") if self._servers else ("udp",)
        addresses = advertised or reachable(bound)
        return [Candidate(each, host, self.port) for each in protocols for host in addresses]

    def listen(self, ufrag: str, agent: IceAgent) -> None:
        self._agents[ufrag] = agent

    def unlisten(self, ufrag: str) -> None:
        self._agents.pop(ufrag, None)

    def open(self, path: Path) -> None:
        former = self._paths.get(path.address)
        if former is not None and former.agent is not path.agent:
            former.agent.lost(former)
        self._paths[path.address] = path

    def shut(self, path: Path) -> None:
        if self._paths.get(path.address) is path:
            del self._paths[path.address]
        if isinstance(path.address, TcpPath):
            path.address.close()

    def _readable(self, udp: socket.socket) -> None:
        receive, paths = udp.recvfrom_into, self._paths
        now = self._clock()
        for _ in range(self._policy.packets_per_wake):
            try:
                size, address = receive(RECEIVE_BUFFER, MAX_PACKET)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue
            first = RECEIVE_BUFFER[0]
            if first >= _MEDIA_FIRST:
                path = paths.get(address)
                if path is not None:
                    path.heard = now
                    path.agent.on_media(size)
            elif size:
                self._control(first, size, address, address[:2], udp.sendto, now)

    def _control(
        self, first: int, size: int, address: Address, peername: Any, sendto: Any, now: float
    ) -> bool:
        """STUN from anybody, DTLS from validated addresses (RFC 7983). True if it was taken."""
        data = RECEIVE_BUFFER[:size].tobytes()
        if first <= _STUN_LAST:
            ufrag = local_ufrag(data)
            agent = self._agents.get(ufrag)
            return agent is not None and agent.on_check(data, ufrag, address, peername, sendto, now)
        path = self._paths.get(address)
        if path is None or not _DTLS_FIRST <= first <= _DTLS_LAST:
            return False
        path.heard = now
        path.agent.on_dtls(data)
        return True

    def framed(self, data: bytes, connection: TcpPath) -> bool:
        """Take one frame of a connection. False if a stranger did not prove itself with it."""
        size = len(data)
        RECEIVE_BUFFER[:size] = data
        now = self._clock()
        first = data[0]
        path = self._paths.get(connection)
        if path is not None and _MEDIA_FIRST <= first <= _MEDIA_LAST:
            path.heard = now
            path.agent.on_media(size)
            return True
        taken = self._control(first, size, connection, connection.peername, send_framed, now)
        return taken or path is not None

    def connected(self, connection: TcpPath) -> None:
        """Note a new TCP connection. Of too many strangers, the one that waited longest must go.

        A browser proves itself with its first packet, so whoever only holds connections open keeps
        nobody out.
        """
        strangers = [each for each in self._connections if not each.proven]
        if len(strangers) >= self._policy.max_tcp_strangers:
            del self._connections[strangers[0]]
            strangers[0].close()
        self._connections[connection] = None

    def disconnected(self, connection: TcpPath) -> None:
        """A TCP connection has ended."""
        self._connections.pop(connection, None)
        path = self._paths.get(connection)
        if path is not None:
            path.agent.lost(path)

    def dropped(self) -> None:
        """A connection would not take a packet."""
        self._counters.packets_dropped += 1

    async def close(self) -> None:
        """Close every socket and connection. Idempotent."""
        loop = asyncio.get_running_loop()
        for udp in self._udp:
            loop.remove_reader(udp)
            udp.close()
        for connection in list(self._connections):
            connection.close()
        for server in self._servers:
            server.close()
            await server.wait_closed()
        self._udp, self._servers = [], []
