"""SIP over TCP and TLS: one connection to the trunk, made again whenever it is lost.

Everything goes over this connection, in both directions, as trunks expect behind routers
(RFC 5923): a dialog's remote target is not connected to.
"""

from __future__ import annotations

import asyncio
import ssl

from media.phone.sip.config import TrunkConfig
from media.phone.sip.framing import Framing, StreamBroken
from media.phone.sip.transport import Address, Receiver, bracketed
from media.tasks import Tasks
from rooms.policy import PhonePolicy


class StreamTransport:
    """SIP over one TCP connection, encrypted if the trunk's transport is TLS."""

    reliable = True

    def __init__(self, config: TrunkConfig, policy: PhonePolicy) -> None:
        self._config = config
        self._policy = policy
        self._tasks = Tasks()
        self._writer: asyncio.StreamWriter | None = None
        self._received: Receiver | None = None
        self._tls = tls_of(config)
        self._own: Address = (config.advertised_host or config.local_host, config.local_port)

    async def open(self, received: Receiver) -> None:
        """Connect once; if that fails, go on trying: a trunk that is away now may come back."""
        self._received = received
        reader = await self._connect()
        self._tasks.start(self._keep_connected(reader))

    @property
    def connected(self) -> bool:
        return self._writer is not None and not self._writer.is_closing()

    @property
    def sent_by(self) -> str:
        host, port = self._own
        return f"{'TLS' if self._tls else 'TCP'} {bracketed(host)}:{port}"

    @property
    def own_address(self) -> Address:
        return self._own

    async def locate(self, uri: str) -> Address:
        if not self.connected:
            raise ConnectionError
        return self._config.server, self._config.server_port

    def send(self, message: bytes, to: Address) -> bool:
        if self._writer is None or self._writer.is_closing():
            return False
        if self._writer.transport.get_write_buffer_size() > self._policy.sip_backlog:
            return False
        self._writer.write(message)
        return True

    async def close(self) -> None:
        await self._tasks.close()
        await self._disconnect()

    async def _keep_connected(self, reader: asyncio.StreamReader | None) -> None:
        pause = self._policy.trunk_reconnect
        while True:
            if reader is not None:
                pause = self._policy.trunk_reconnect
                await self._read(reader)
                await self._disconnect()
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._policy.trunk_reconnect_most)
            reader = await self._connect()

    async def _connect(self) -> asyncio.StreamReader | None:
        config = self._config
        name = config.server if self._tls else None
        try:
            async with asyncio.timeout(self._policy.trunk_connect_within):
                reader, writer = await asyncio.open_connection(
                    config.server, config.server_port, ssl=self._tls, server_hostname=name
                )
        except (OSError, TimeoutError, ssl.SSLError):
            return None
        host, port = writer.get_extra_info("sockname")[:2]
        self._own = (config.advertised_host or host, port)
        self._writer = writer
        return reader

    async def _read(self, reader: asyncio.StreamReader) -> None:
        framing = Framing(self._policy.sip_message)
        source = (self._config.server, self._config.server_port)
        try:
            while data := await reader.read(self._policy.sip_message):
                for message in framing.feed(data):
                    if self._received is not None:
                        self._received(message, source)
        except (OSError, ssl.SSLError, StreamBroken):
            return

    async def _disconnect(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        if not writer.transport.get_write_buffer_size():
            writer.transport.abort()  # nothing is lost; a peer that says no goodbye costs no time
        writer.close()
        try:
            async with asyncio.timeout(self._policy.hang_up_within):
                await writer.wait_closed()
        except (OSError, ssl.SSLError):
            writer.transport.abort()


def tls_of(config: TrunkConfig) -> ssl.SSLContext | None:
    """The trunk's TLS settings: its certificate must be valid for the configured host."""
    if config.transport != "tls":
        return None
    context = ssl.create_default_context(cafile=config.ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
