"""Ports for servers that must be told theirs before they start."""

from __future__ import annotations

import random
import socket
from pathlib import Path

_LOWEST = 15_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port that nobody uses, for TCP and UDP, on 127.0.0.1.

    It lies below those that the system hands out: until the server has started, nobody's outgoing
    connection can take it.
    """
    highest = int(_EPHEMERAL.read_text().split()[0]) - 1
    while True:
        port = random.randint(_LOWEST, highest)  # noqa: S311 - nothing is secret about a port
        if _is_free(port, socket.SOCK_STREAM) and _is_free(port, socket.SOCK_DGRAM):
            return port


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
