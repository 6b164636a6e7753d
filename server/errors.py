"""One table: domain error → HTTP status. Everything a door says no with becomes a problem here.

The server's own branch of the tree in ``rooms/errors.py``:

BedsideError
├── LinkUnknown          link_unknown        unknown and revoked look exactly alike
├── Unauthorized         unauthorized        no or worthless API key
├── PayloadInvalid       payload_invalid     what came does not fit the model of its route or signal
├── RateLimited          rate_limited        too many tries; ``retry_after`` in seconds
├── OriginRefused        origin_refused      another site's page may not do this
├── TooSlow              too_slow            the request's body did not come in time
├── NumberRefused        number_…            not a telephone number that can be called; four kinds
└── NotFound             not_found           no such page or route
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from media.errors import MediaError, SdpRefused
from media.phone.errors import PromptError, PromptTooLong, TooManyPrompts
from rooms import errors as rooms
from rooms.errors import BedsideError
from server.config import ConfigurationError
from server.idempotency import IdempotencyKeyInvalid, IdempotencyMismatch
from server.peering import NodeUnreachable
from server.phone_numbers import NumberRefused
from server.store import (
    AlreadyExists,
    NotOwner,
    StoreError,
    StoreUnavailable,
    UnknownVisit,
    VersionConflict,
)
from server.tokens import TokenInvalid


class LinkUnknown(BedsideError):
    """There is no such link, or there is no such link any more: which one is nobody's business."""

    code = "link_unknown"
    title = "This link does not open a visit."


class Unauthorized(BedsideError):
    """No or a worthless API key."""

    code = "unauthorized"
    title = "An API key of this practice is needed."


class PayloadInvalid(BedsideError):
    """What came does not fit; ``fields`` names where, never what was there."""

    code = "payload_invalid"
    title = "Something in this request is not as it should be."

    def __init__(self, fields: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.fields = fields


class RateLimited(BedsideError):
    """Too many tries from one place."""

    code = "rate_limited"
    title = "Too many tries. Please wait a moment."

    def __init__(self, retry_after: float) -> None:
        super().__init__()
        self.retry_after = retry_after


class OriginRefused(BedsideError):
    """Another site's page asked for a change."""

    code = "origin_refused"
    title = "This page may not do that here."


class TooSlow(BedsideError):
    """The request's body did not come in time."""

    code = "too_slow"
    title = "Your connection was too slow for this. Please try again."


class NotFound(BedsideError):
    """No such page or route."""

    code = "not_found"
    title = "There is nothing here."


class KindlyClosed(Exception):
    """A door that is closed to the holder of a real link, with what to tell them."""

    def __init__(self, error: BedsideError, extras: dict[str, Any]) -> None:
        super().__init__(error.code)
        self.error = error
        self.extras = extras


STATUS: dict[type[BedsideError], int] = {
    LinkUnknown: 404,
    Unauthorized: 401,
    PayloadInvalid: 422,
    RateLimited: 429,
    OriginRefused: 403,
    TooSlow: 408,
    NotFound: 404,
    TokenInvalid: 401,
    UnknownVisit: 404,
    AlreadyExists: 409,
    VersionConflict: 409,
    NotOwner: 503,
    NodeUnreachable: 503,
    StoreUnavailable: 503,
    StoreError: 500,
    IdempotencyMismatch: 422,
    IdempotencyKeyInvalid: 400,
    ConfigurationError: 500,
    NumberRefused: 422,
    PromptTooLong: 413,
    TooManyPrompts: 409,
    PromptError: 422,
    SdpRefused: 422,
    MediaError: 500,
    rooms.DoorClosed: 403,
    rooms.NotPermitted: 403,
    rooms.NotAdmitted: 403,
    rooms.UnknownSeat: 404,
    rooms.UnknownDevice: 404,
    rooms.TimesInvalid: 422,
    rooms.RoomError: 409,
    BedsideError: 500,
}


def status_of(error: BedsideError) -> int:
    """The HTTP status of an error: its own row, or that of its nearest ancestor."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def face_of(error: Exception) -> dict[str, Any]:
    """What a client may know of an error: a stable code and plain words, nothing internal."""
    if isinstance(error, KindlyClosed):
        return {**face_of(error.error), **error.extras}
    if not isinstance(error, BedsideError):
        return {"code": BedsideError.code, "title": BedsideError.title}
    face: dict[str, Any] = {"code": error.code, "title": error.title}
    if isinstance(error, PayloadInvalid):
        face["fields"] = list(error.fields)
    if isinstance(error, RateLimited):
        face["retry_after"] = error.retry_after
    return face


def problem(error: Exception, status: int | None = None) -> web.Response:
    """The error as ``application/problem+json`` (RFC 9457), with its own status or this one."""
    inner = error.error if isinstance(error, KindlyClosed) else error
    status = status or (status_of(inner) if isinstance(inner, BedsideError) else 500)
    face = face_of(error)
    body = {"type": f"urn:bedside:problem:{face['code']}", "status": status, **face}
    response = web.Response(
        text=json.dumps(body), status=status, content_type="application/problem+json"
    )
    if isinstance(inner, RateLimited):
        response.headers["Retry-After"] = str(max(1, round(inner.retry_after)))
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
