"""TABLE of what one setting demands of another: what is wrong, and the words for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

RULES: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (
        lambda s: bool(s.tls_certificate) != bool(s.tls_key),
        "TLS_CERTIFICATE and TLS_KEY are set together or not at all",
    ),
    (
        lambda s: bool(s.turn_urls) != bool(s.turn_secret),
        "TURN_URLS and TURN_SECRET are set together or not at all",
    ),
    (
        lambda s: any(url.split(":", 1)[0] not in {"turn", "turns"} for url in s.turn_urls),
        "TURN_URLS takes turn: and turns: addresses (RFC 7065)",
    ),
    (
        lambda s: bool(s.sip_servers) and not s.sip_caller,
        "SIP_CALLER is needed with SIP_SERVERS: the number that is shown",
    ),
    (
        lambda s: bool(s.sip_user) != bool(s.sip_password),
        "SIP_USER and SIP_PASSWORD are set together or not at all",
    ),
    (
        lambda s: bool(s.redis_user) and s.redis_password is None,
        "REDIS_USER needs REDIS_PASSWORD",
    ),
    (
        lambda s: bool(s.node or s.node_url) and not s.redis_url,
        "NODE and NODE_URL are for many nodes, which need REDIS_URL",
    ),
    (
        lambda s: s.practice_carrier and bool(s.sip_servers),
        "PRACTICE_CARRIER and SIP_SERVERS exclude each other",
    ),
    (
        lambda s: s.production and s.practice_carrier,
        "PRACTICE_CARRIER reaches no real telephone: not in production",
    ),
    (
        lambda s: s.production and not s.public_url.startswith("https://"),
        "PUBLIC_URL must be an https:// address in production: "
        "browsers give no camera or microphone to other pages",
    ),
)
