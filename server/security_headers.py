"""What every HTTP answer says to browsers, and which pages may change something.

References: Content Security Policy Level 3, Permissions Policy, Fetch (Origin, CORP, COOP),
RFC 6797 (HSTS), OWASP ASVS 5.0 sections 3.4 and 3.5.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from rooms.policy import EdgePolicy
from server.errors import OriginRefused, problem

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
ASSETS = "/assets/"

# The built app is files of our own: no inline script or style, no other site, no plug-in, no frame.
# Own pictures of people come as MediaStreams, which no directive governs; recordings do not exist.
_PAGE = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "media-src": "'self' blob:",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
_DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_PERMISSIONS = (
    "camera=(self), microphone=(self), display-capture=(self), "
    "geolocation=(), hid=(), midi=(), payment=(), serial=(), usb=()"
)

_ALWAYS = {
    "Server": "Bedside",  # instead of the library's, which tells everybody what to look up
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": _PERMISSIONS,
}


def security_headers(policy: EdgePolicy, public_url: str) -> Middleware:
    """Middleware, the outermost one, that puts the security headers on every answer.

    HSTS is sent when ``public_url`` is https and not this machine's own name. Pages and API
    answers are never stored; files under ``/assets/``, whose names change with their content, are
    stored for good.
    """
    page_policy = _page_policy(public_url)
    always = dict(_ALWAYS)
    if _is_for_good(public_url):
        always["Strict-Transport-Security"] = f"max-age={policy.hsts_life}"
    forever = f"public, max-age={policy.asset_life}, immutable"

    def protect(request: web.Request, response: web.StreamResponse) -> None:
        if response.prepared:  # a WebSocket or a stream: its headers are gone already
            return
        response.headers.update(always)
        page = response.content_type == "text/html"
        response.headers["Content-Security-Policy"] = page_policy if page else _DATA_POLICY
        asset = request.path.startswith(ASSETS) and response.status in {200, 206, 304}
        response.headers["Cache-Control"] = forever if asset else "no-store"

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as refusal:
            protect(request, refusal)
            raise
        protect(request, response)
        return response

    return middleware


def origin_check(allowed_origins: Collection[str]) -> Middleware:
    """Middleware that lets only our own pages change something (cross-site request forgery).

    A browser names the page's Origin in every request that changes something, and says whether the
    page was another site's (``Sec-Fetch-Site``). A request with neither comes from no browser, so
    no other site's page can have caused it with somebody's cookies.

    ``Referrer-Policy: no-referrer`` makes browsers send ``Origin: null`` for HTML forms, so our
    pages use ``fetch``, which is not affected (Fetch, "append a request Origin header").
    """
    allowed = frozenset(allowed_origins)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method in CHANGING and not is_ours(request, allowed):
            return problem(OriginRefused())
        return await handler(request)

    return middleware


def is_ours(request: web.Request, allowed: Collection[str]) -> bool:
    """Whether one of our own pages asks, or no browser at all."""
    origins = request.headers.getall("Origin", [])
    if origins:
        return all(origin in allowed for origin in origins)
    return request.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}


def _is_for_good(public_url: str) -> bool:
    """HSTS for localhost would take plain HTTP from everything else a developer runs there."""
    parts = urlsplit(public_url)
    return parts.scheme == "https" and (parts.hostname or "").rpartition(".")[2] != "localhost"


def _page_policy(public_url: str) -> str:
    """``'self'`` did not cover wss: in Safari before 15.4, so the socket's address is added."""
    parts = urlsplit(public_url)
    socket = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"
    directives = _PAGE | {"connect-src": f"{_PAGE['connect-src']} {socket}"}
    return "; ".join(f"{name} {value}" for name, value in directives.items())
