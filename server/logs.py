"""Logging for the whole process: one line per event, JSON or console, nothing secret in any.

Use ``structlog.get_logger()`` with a static message and keyword fields. Records of other libraries
come out of the same door, from warnings up: their debug lines hold frames and candidates.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from functools import partial
from pathlib import PurePath
from types import TracebackType
from typing import Any, TextIO, TypeAlias

import structlog
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http import HttpProcessingError
from aiohttp.web import BaseRequest, Request, StreamResponse

from rooms.errors import BedsideError
from server.config import LogFormat, LogLevel
from server.redaction import MASK, clean, clean_mapping
from server.traces import Traces

EventDict: TypeAlias = MutableMapping[str, Any]
ErrorInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)

_OWN = ("rooms", "media", "server", "__main__")
_TRACED = frozenset({"visit", "seat", "by", "device", "call", "session", "desk"})
_FOR_PROCESSORS = {"_record", "_from_structlog", "exc_info", "stack_info"}  # never written
_ROOT = PurePath(__file__).parent.parent


def configure(
    level: LogLevel = LogLevel.INFO,
    form: LogFormat = LogFormat.JSON,
    stream: TextIO | None = None,
    traces: Traces | None = None,
) -> None:
    """Set logging up for this process; may be called again. Writes to standard error by default.

    Visits, and whoever is in them, are called by their ``traces``; without, they are masked.
    """
    handler = _QuietHandler(stream or sys.stderr)
    handler.setFormatter(_formatter(form, traces))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in _OWN:
        logging.getLogger(name).setLevel(level.value.upper())
    # Its lines hold the whole request target and the Referer; ``AccessLog`` replaces it.
    logging.getLogger("aiohttp.access").disabled = True
    logging.getLogger("aiohttp.server").addFilter(_is_our_affair)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *_shared(traces),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level.value),
        cache_logger_on_first_use=False,
    )


PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


class AccessLog(AbstractAccessLogger):
    """One line per request: method, route, status, duration. Never the path, query or headers.

    Give it to ``web.AppRunner(app, access_log_class=AccessLog)``.
    """

    @property
    def enabled(self) -> bool:
        return logging.getLogger("server.access").isEnabledFor(logging.INFO)

    def log(self, request: BaseRequest, response: StreamResponse, time: float) -> None:
        logger = structlog.get_logger("server.access")
        # Several proxies ask several times a second: only an answer that is news is worth a line.
        say = logger.debug if _route(request) in PROBES and response.status < 300 else logger.info
        say(
            "request served",
            method=request.method,
            route=_route(request),
            status=response.status,
            milliseconds=round(time * 1000, 1),
        )


def _is_our_affair(record: logging.LogRecord) -> bool:
    """What is not HTTP at all has its line in the access log; a flood of it needs no second one."""
    return not isinstance(_error(record.exc_info), HttpProcessingError)


class _QuietHandler(logging.StreamHandler[TextIO]):
    """Never prints a record that it could not write: the library's way shows its arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        return


def _shared(traces: Traces | None) -> list[structlog.typing.Processor]:
    return [
        partial(_trace, traces),
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        _redact,
        _explain_error,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(form: LogFormat, traces: Traces | None) -> logging.Formatter:
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_first_line, *_shared(traces)],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )


def _first_line(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Later lines of a library's message show objects, such as asyncio's tasks."""
    event["event"] = str(event["event"]).split("\n", 1)[0]
    return event


def _trace(traces: Traces | None, _logger: object, _method: str, event: EventDict) -> EventDict:
    """An id opens nothing, but it leads from a log to a person by whoever reads the store."""
    for key in _TRACED & event.keys():
        value = event[key]
        event[key] = traces.name(value) if traces and isinstance(value, str) else MASK
    return event


def _redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    passed = {key: value for key, value in event.items() if key in _FOR_PROCESSORS}
    told = {key: value for key, value in event.items() if key not in passed}
    return {**clean_mapping(told), **passed}


def _explain_error(_logger: object, _method: str, event: EventDict) -> EventDict:
    """An exception as types and places. Its message and variables hold what people typed."""
    given = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = _error(given)
    if error is not None:
        event["error"] = [_described(link) for link in _causes(error)]
        event["at"] = _places(error)
    return event


def _error(given: object) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1] if isinstance(given[1], BaseException) else None
    return sys.exc_info()[1] if given else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, outermost first."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _described(error: BaseException) -> str:
    """The type, and what of the message is known to be a constant."""
    detail: object = ""
    if isinstance(error, BedsideError):
        detail = error.code
    elif isinstance(error, OSError):
        detail = error.strerror or ""
    elif hasattr(error, "sqlite_errorname"):
        detail = error.sqlite_errorname
    name = type(error).__name__
    return f"{name}: {clean(detail)}" if detail else name


def _places(error: BaseException) -> list[str]:
    """File, line and function of each frame, innermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames)]


def _short(filename: str) -> str:
    path = PurePath(filename)
    for base in (_ROOT, *(parent for parent in path.parents if parent.name == "site-packages")):
        if path.is_relative_to(base):
            return str(path.relative_to(base))
    return path.name


def _route(request: BaseRequest) -> str:
    if not isinstance(request, Request):
        return "none"
    try:
        resource = request.match_info.route.resource
    except AssertionError:  # what is not HTTP never came as far as the routes
        return "none"
    return resource.canonical if resource is not None else "none"
