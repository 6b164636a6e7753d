"""Where Redis is, and how one is let in: the settings about it, read once.

One Redis: ``redis://host:6379/0``. Sentinels: ``redis+sentinel://host:26379,host:26379/name/0``.
With a second s in the scheme, servers and sentinels alike are spoken to through TLS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from pydantic import SecretStr

from server.config import ConfigurationError, Settings

Address: TypeAlias = tuple[str, int]

REDIS_PORT = 6379
SENTINEL_PORT = 26379


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisConfig:
    """``addresses`` are the sentinels of ``group``, or the one Redis if there is no group."""

    addresses: tuple[Address, ...]
    group: str = ""
    database: int = 0
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    sentinel_password: str = field(default="", repr=False)
    ca_file: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> RedisConfig:
        """What the settings say. Raises ``ConfigurationError``."""
        parts = urlsplit(settings.redis_url)
        sentinels = parts.scheme.endswith("+sentinel")
        path = parts.path.strip("/").split("/")
        group = path.pop(0) if sentinels else ""
        port = SENTINEL_PORT if sentinels else REDIS_PORT
        try:
            addresses = tuple(_address(each, port) for each in parts.netloc.split(",") if each)
            database = int(path[0]) if path and path[0] else 0
        except ValueError:
            raise ConfigurationError(
                "BEDSIDE_REDIS_URL: ports and the database are numbers, "
                "as in redis://host:6379/0 or redis+sentinel://host:26379/name/0."
            ) from None
        if not sentinels and len(addresses) != 1:
            raise ConfigurationError("BEDSIDE_REDIS_URL: name one Redis, or its sentinels.")
        return cls(
            addresses=addresses,
            group=group,
            database=database,
            tls=parts.scheme.startswith("rediss"),
            user=settings.redis_user,
            password=_text(settings.redis_password),
            sentinel_password=_text(settings.redis_sentinel_password),
            ca_file=settings.redis_ca_file,
        )


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _address(text: str, port: int) -> Address:
    """Host and port of ``host``, ``host:port`` or ``[::1]:port``. Raises ``ValueError``."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError(text)
    return parts.hostname, parts.port or port
