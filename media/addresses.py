"""Where offers tell browsers to find the server."""

from __future__ import annotations

import socket
from dataclasses import dataclass

_WILDCARDS = ("0.0.0.0", "::")  # noqa: S104
_UDP_PREFERENCE, _TCP_PREFERENCE = 2_130_706_431, 1_518_280_447  # RFC 8445 5.1.2, RFC 6544 4.2


@dataclass(frozen=True, slots=True)
class Candidate:
    """One address of the server; ``protocol`` is ``udp`` or ``tcp``."""

    protocol: str
    host: str
    port: int

    def attribute(self, index: int) -> str:
        """The value of ``a=candidate`` (RFC 8839 section 5.1); earlier ones are preferred."""
        passive = " tcptype passive" if self.protocol == "tcp" else ""
        preference = _TCP_PREFERENCE if passive else _UDP_PREFERENCE
        priority = preference - 256 * index
        where = f"{self.host} {self.port} typ host"
        return f"{index + 1} 1 {self.protocol} {priority} {where}{passive}"


def usable(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Without ``::`` where the machine has no IPv6, as in many containers."""
    return tuple(each for each in addresses if each != "::" or _has_ipv6())


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


def reachable(bound: tuple[str, ...]) -> tuple[str, ...]:
    """Bound addresses, with wildcards replaced by this machine's own, loopback last."""
    found: list[str] = []
    for address in bound:
        found += _own_addresses(address) if address in _WILDCARDS else [address]
    return tuple(dict.fromkeys(found))


def _own_addresses(wildcard: str) -> list[str]:
    """The address that packets to the outside would carry (nothing is sent), and loopback."""
    six = ":" in wildcard
    family, outside = (socket.AF_INET6, "2001:db8::1") if six else (socket.AF_INET, "192.0.2.1")
    loopback = "::1" if six else "127.0.0.1"
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((outside, 9))
        except OSError:
            return [loopback]
        return [probe.getsockname()[0], loopback]
