"""What must be known of a SIP trunk to place calls through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

SipTransport: TypeAlias = Literal["udp", "tcp", "tls"]

DEFAULT_PORT: dict[SipTransport, int] = {"udp": 5060, "tcp": 5060, "tls": 5061}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkConfig:
    """One SIP trunk.

    ``server`` is the host that takes the calls; over TLS its certificate must name it.
    ``local_host`` and ``local_port`` are bound for UDP; give the port, so that a call of a former
    process can be cancelled from the same place. ``advertised_host`` is what the trunk is told
    when it differs (a port forwarded by a router), ``media_host`` likewise for the sound.
    ``behind_nat`` takes sound from whichever address sends first; otherwise only from the host
    that the answer names. ``rtp_ports`` are the first and the last port for sound.
    """

    name: str
    server: str
    port: int = 0  # 0: the port of the transport
    transport: SipTransport = "udp"
    user: str = ""
    password: str = field(default="", repr=False)  # whatever writes a trunk down writes no secret
    domain: str = ""  # of the addresses; the server if empty
    caller: str  # the number that is shown, E.164; it can be called back
    display: str = ""
    local_host: str = "0.0.0.0"  # noqa: S104  a server answers on all its addresses
    local_port: int = 0
    advertised_host: str = ""
    media_host: str = ""
    rtp_ports: tuple[int, int] = (20_000, 20_999)
    ca_file: str = ""  # the system's authorities if empty
    srtp: bool = False
    behind_nat: bool = False

    @property
    def server_port(self) -> int:
        """The port of the trunk's server."""
        return self.port or DEFAULT_PORT[self.transport]

    @property
    def address_domain(self) -> str:
        """The domain of the numbers' addresses."""
        return self.domain or self.server
