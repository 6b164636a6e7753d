"""SIP trunks from settings: one for each server of the account, in the order they are tried."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

import phonenumbers
import structlog

from media.phone.sip.config import TrunkConfig
from server.config import Settings

log = structlog.get_logger(__name__)


def trunk_configs(settings: Settings) -> list[TrunkConfig]:
    """What each trunk must know; none without ``SIP_SERVERS``.

    A trunk is named after its server, so that a call that outlived its process is found again when
    the order has changed.
    """
    if settings.sip_servers and not (settings.sip_transport == "tls" and settings.sip_srtp):
        log.warning(
            "telephone_calls_not_encrypted",
            transport=settings.sip_transport,
            srtp=settings.sip_srtp,
        )
    return [_config(settings, server, n) for n, server in enumerate(settings.sip_servers)]


def _config(settings: Settings, server: str, index: int) -> TrunkConfig:
    parts = urlsplit(f"//{server}")
    password = settings.sip_password
    return TrunkConfig(
        name=server,
        server=parts.hostname or "",
        port=parts.port or 0,
        transport=settings.sip_transport,
        user=settings.sip_user,
        password=password.get_secret_value() if password else "",
        domain=settings.sip_domain,
        caller=settings.sip_caller,
        local_host=settings.sip_host,
        local_port=settings.sip_port + index if settings.sip_port else 0,
        advertised_host=settings.sip_advertised_host,
        media_host=settings.sip_media_host,
        rtp_ports=settings.sip_rtp_ports,
        ca_file=str(settings.sip_ca_file or ""),
        srtp=settings.sip_srtp,
        behind_nat=settings.sip_behind_nat,
    )


def prefixes(countries: Collection[str]) -> tuple[str, ...]:
    """How the numbers of these countries (ISO 3166) begin in E.164.

    Behind the check of each number as it is written down: what was kept before the setting was
    narrowed is not called either.
    """
    codes = {phonenumbers.country_code_for_region(country) for country in countries}
    return tuple(f"+{code}" for code in sorted(codes))
