"""Where a request really comes from.

The peer of the TCP connection is the only address nobody can make up. If it is a proxy we trust,
it vouches for the hop before it, and so on from right to left: the right-most hop that is not a
trusted proxy is the client. Whatever stands further left was written by that client.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from aiohttp import web

from rooms.policy import EdgePolicy

Address = IPv4Address | IPv6Address
Networks = Collection[IPv4Network | IPv6Network]

UNKNOWN = "unknown"  # a Unix socket, or a connection that is already gone

# RFC 7239 section 4: `for=` of one hop, as token or quoted string.
_FORWARDED_FOR = re.compile(
    r'(?:^|;)\s*for\s*=\s*(?:"([^"\\]*)"|([^\s;",]*))\s*(?=;|$)', re.IGNORECASE
)
# Commas part hops, unless they stand inside a quoted string.
_FORWARDED_HOP = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d{1,5})?|([0-9.]+):\d{1,5}")


def client_address(request: web.BaseRequest, trusted_proxies: Networks) -> str:
    """The address of the client, without port, or ``unknown``.

    Believes ``X-Forwarded-For`` and ``Forwarded`` (RFC 7239) as far as trusted proxies wrote them.
    If both are there and disagree, one of them came from the client: neither is believed, and the
    nearest proxy's address is returned, so that liars share one rate limit.
    """
    peer = parse_address(request.remote or "")
    if peer is None:
        return UNKNOWN
    found = {_client(peer, hops, trusted_proxies) for hops in _told(request) if hops}
    return str(found.pop() if len(found) == 1 else peer)


def address_block(address: str, policy: EdgePolicy) -> str:
    """What rate limits count as one client: an IPv4 address, or an IPv6 network (RFC 6177)."""
    parsed = parse_address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, policy.ipv6_block), strict=False))
    return address


def parse_address(text: str) -> Address | None:
    """An IP address from a header or a socket: brackets, port and zone dropped, IPv4 unmapped."""
    text = text.strip()
    with_port = _WITH_PORT.fullmatch(text)
    if with_port:
        text = with_port[1] or with_port[2]
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _client(peer: Address, hops: list[str], trusted: Networks) -> Address:
    """Walk from the peer to the left while each hop is trusted to name the one before it."""
    here = peer
    for hop in reversed(hops):
        if not _is_trusted(here, trusted):
            break
        before = parse_address(hop)
        if before is None:  # `unknown`, `_hidden` or garbage: this proxy knows no more
            break
        here = before
    return here


def _is_trusted(address: Address, trusted: Networks) -> bool:
    return any(address.version == network.version and address in network for network in trusted)


def _told(request: web.BaseRequest) -> Iterator[list[str]]:
    """What each of the two headers says, left to right; empty for a header that is not there."""
    forwarded_for = ",".join(request.headers.getall("X-Forwarded-For", []))
    yield forwarded_for.split(",") if forwarded_for else []
    forwarded = ",".join(request.headers.getall("Forwarded", []))
    yield [_forwarded_for(hop) for hop in _FORWARDED_HOP.findall(forwarded)]


def _forwarded_for(hop: str) -> str:
    found = _FORWARDED_FOR.search(hop.strip())
    return (found[1] or found[2] or "") if found else ""
