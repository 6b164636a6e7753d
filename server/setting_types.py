"""How settings are written: lists, origins, addresses, servers, countries, ports.

Each raises ``ValueError`` with words for whoever wrote the setting; values are never repeated.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode


def split(value: object) -> object:
    """Lists are written with commas, as people write them, not as JSON."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def origin(value: str) -> str:
    """An origin as browsers send it (RFC 6454 section 6.2): scheme, host, port, nothing else."""
    parts = urlsplit(value.strip().rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write it as https://visits.example.org")
    if parts.path or parts.query or parts.fragment or parts.username:
        raise ValueError("it takes a scheme, a host and a port, and no path")
    default = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in {None, default} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def server(value: str) -> str:
    """A host, or host and port, as ``host`` or ``host:port``."""
    try:
        parts = urlsplit(f"//{value.strip()}")
        port = parts.port
    except ValueError:
        raise ValueError("write each as trunk.example.org or trunk.example.org:5061") from None
    if not parts.hostname or parts.path or parts.query or parts.fragment or parts.username:
        raise ValueError("write each as trunk.example.org or trunk.example.org:5061")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return host if port is None else f"{host}:{port}"


def country(value: str) -> str:
    """A country whose telephone numbers are known (ISO 3166)."""
    if value not in SUPPORTED_REGIONS:
        raise ValueError("countries are written as two capital letters, such as US")
    return value


def ports(value: object) -> object:
    """A range of ports, written ``20000-20999``."""
    if not isinstance(value, str):
        return value
    first, dash, last = (part.strip() for part in value.partition("-"))
    if not (dash and first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
        raise ValueError("write the first and the last port, such as 20000-20999")
    if not 1024 <= int(first) < int(last) <= 65_535:
        raise ValueError("the first port is below the last, and both are from 1024 to 65535")
    return int(first), int(last)


def address(value: str) -> str:
    """An IP address, written the one way the standard library writes it."""
    return str(ip_address(value))


def node_name(value: str) -> str:
    """A name as it stands in a path: small letters, digits and dashes."""
    name = re.sub(r"[^a-z0-9]+", "-", value.strip().lower()).strip("-")[:40]
    if value.strip() and not name:
        raise ValueError("a node's name is made of letters, digits and dashes")
    return name


def redis_url(value: str) -> str:
    """Where Redis is, or its sentinels, and no secret: those have settings of their own."""
    parts = urlsplit(value.strip())
    if parts.scheme not in {"", "redis", "rediss", "redis+sentinel", "rediss+sentinel"}:
        raise ValueError("write it as redis://host:6379/0 or redis+sentinel://host:26379/name")
    if value.strip() and not parts.netloc:
        raise ValueError("write it as redis://host:6379/0 or redis+sentinel://host:26379/name")
    if "@" in parts.netloc:
        raise ValueError("user and password have settings of their own")
    if parts.scheme.endswith("+sentinel") and not parts.path.strip("/"):
        raise ValueError("the name of the group follows the sentinels: …:26379/name")
    return value.strip()


Origin: TypeAlias = Annotated[str, BeforeValidator(origin)]
Address: TypeAlias = Annotated[str, BeforeValidator(address)]
Origins: TypeAlias = Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(split)]
Addresses: TypeAlias = Annotated[tuple[Address, ...], NoDecode, BeforeValidator(split)]
Networks: TypeAlias = Annotated[
    tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(split)
]
Servers: TypeAlias = Annotated[
    tuple[Annotated[str, BeforeValidator(server)], ...], NoDecode, BeforeValidator(split)
]
Country: TypeAlias = Annotated[str, AfterValidator(country)]
Countries: TypeAlias = Annotated[tuple[Country, ...], NoDecode, BeforeValidator(split)]
Ports: TypeAlias = Annotated[tuple[int, int], NoDecode, BeforeValidator(ports)]
Words: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split)]
Port: TypeAlias = Annotated[int, Field(ge=0, le=65_535)]
NodeName: TypeAlias = Annotated[str, BeforeValidator(node_name)]
RedisUrl: TypeAlias = Annotated[str, BeforeValidator(redis_url)]
